"""The customers of the sandbox's ERP, and how an imported order finds its own.

Promises: a known COMPANY_CODE wins, then the other ref, the web user, surname with postcode;
what matches is updated from the document, what does not match is created. Invariant: one
customer a code. Source: contract khaos b.3, g.6.
Called by the import desk of the sandbox's warehouse.
"""

from dataclasses import dataclass

from kcjl.sandbox.warehouse.documents import CustomerDocument
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.setup import Setup

__all__ = ["CustomerBook", "CustomerEntry"]


@dataclass(slots=True)
class CustomerEntry:
    code: str
    name: str
    currency: str
    company_class: str
    other_ref: str = ""
    web_user: str = ""


class CustomerBook:
    """All customers, by each thing that they are matched on."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        settings = setup.settings
        self._by_code: dict[str, CustomerEntry] = {}
        self._by_other_ref: dict[str, CustomerEntry] = {}
        self._by_web_user: dict[str, CustomerEntry] = {}
        self._by_surname_and_postcode: dict[tuple[str, str], CustomerEntry] = {}
        for known in settings.customers:
            entry = CustomerEntry(
                code=known.code,
                name=known.name,
                currency=settings.system_currency,
                company_class=self._default_class,
                other_ref=known.other_ref,
            )
            self._by_code[known.code.casefold()] = entry
            if known.other_ref:
                self._by_other_ref[known.other_ref.casefold()] = entry

    @property
    def _default_class(self) -> str:
        return self._setup.settings.company_classes[0].name

    def match(self, document: CustomerDocument) -> CustomerEntry | None:
        """The customer that the document means, if the ERP has one."""
        if document.always_new:
            return None
        if document.company_code:
            return self._by_code.get(document.company_code.casefold())
        if document.other_ref:
            return self._by_other_ref.get(document.other_ref.casefold())
        if document.web_user:
            return self._by_web_user.get(document.web_user.casefold())
        return self._by_surname_and_postcode.get(_surname_and_postcode(document))

    def is_unknown_code(self, document: CustomerDocument) -> bool:
        """Whether the document names a customer code that the ERP does not have."""
        code = document.company_code
        return bool(code) and not document.always_new and self.match(document) is None

    def check_currency(self, document: CustomerDocument, currency: str) -> None:
        entry = self.match(document)
        if entry is not None and entry.currency != currency:
            raise KhaosFault(
                f"Order currency {currency} is not {entry.code}'s currency {entry.currency}"
            )

    def update_or_create(self, document: CustomerDocument, currency: str) -> CustomerEntry:
        entry = self.match(document)
        contact = " ".join(
            part for part in (document.invoice_to.forename, document.invoice_to.surname) if part
        )
        name = document.company_name or contact
        if entry is None:
            entry = CustomerEntry(
                code=self._new_code(document),
                name=name,
                currency=currency,
                company_class=document.company_class or self._default_class,
            )
            self._by_code[entry.code.casefold()] = entry
        entry.name = name
        entry.company_class = document.company_class or entry.company_class
        entry.other_ref = document.other_ref or entry.other_ref
        entry.web_user = document.web_user or entry.web_user
        if entry.other_ref:
            self._by_other_ref[entry.other_ref.casefold()] = entry
        if entry.web_user:
            self._by_web_user[entry.web_user.casefold()] = entry
        self._by_surname_and_postcode.setdefault(_surname_and_postcode(document), entry)
        return entry

    def codes_with_other_ref(self, other_ref: str) -> list[str]:
        entry = self._by_other_ref.get(other_ref.strip().casefold())
        return [entry.code] if entry is not None else []

    def class_of(self, document: CustomerDocument) -> str:
        """The company class that an order of this document is calculated by."""
        if document.company_class:
            return document.company_class
        entry = self.match(document)
        return entry.company_class if entry is not None else self._default_class

    def _new_code(self, document: CustomerDocument) -> str:
        wanted = document.company_code
        if wanted and wanted.casefold() not in self._by_code:
            return wanted
        return f"W{len(self._by_code) + 1:06d}"


def _surname_and_postcode(document: CustomerDocument) -> tuple[str, str]:
    address = document.invoice_to
    return address.surname.casefold(), address.postcode.replace(" ", "").casefold()
