"""Which customer of the Cloud ERP a downloaded order means: the channel's matching rules.

Promises: `MatchCompanyOn` decides; CompanyCode (the URN) stands alone; CreateNew says what
happens where nobody matches. A part that is empty matches nobody. Invariant: a match is a
customer that the warehouse has. Source: contract khaos b.10, g.6.
Called by the order entry and the returns desk.
"""

from collections.abc import Sequence

from kcjl.sandbox.khaos_cloud.documents import Address, Contact, SalesOrderDocument
from kcjl.sandbox.khaos_cloud.reading import ChannelRefusal

__all__ = ["CustomerMatching", "MatchedCustomer"]

MatchedCustomer = tuple[str, bool]
"""The code (empty: the ERP gives one), and whether the customer is new."""

_COMPANY_CODE = "CompanyCode"
_FROM_DELIVERY = "UseDeliveryAddress"
_PARTS = frozenset(
    {
        "Address1", "Address2", "Address3", "Town", "Postcode", "Surname", "Forename",
        "Telephone", "Email",
    }
)  # fmt: skip
Key = tuple[str, ...]


class CustomerMatching:
    """The customers that the channel has met, by whatever they are matched on."""

    def __init__(self, codes: Sequence[str]) -> None:
        self._codes = {code.casefold(): code for code in codes}
        self._met: list[tuple[str, dict[str, str]]] = []
        self._indexes: dict[Key, dict[Key, str]] = {}

    def knows(self, code: str) -> bool:
        return code.strip().casefold() in self._codes

    def match(self, order: SalesOrderDocument, rules: Sequence[str]) -> MatchedCustomer:
        """The customer that an order is for; a refusal where it can't have one."""
        customer = order.customer
        urn = customer.urn
        if urn is not None and not urn.strip():
            raise ChannelRefusal("URN is blank: leave it out where it is not known")
        unknown = sorted(set(rules) - _PARTS - {_COMPANY_CODE, _FROM_DELIVERY})
        if unknown:
            raise ChannelRefusal(f"MatchCompanyOn has no {', '.join(unknown)}")
        if _COMPANY_CODE in rules and len(rules) > 1:
            raise ChannelRefusal("CompanyCode must stand alone in MatchCompanyOn")
        found = "" if customer.create_new == "Always" else self._found(order, rules)
        if found:
            return found, False
        if customer.create_new == "Never":
            said = f"URN {urn!r}" if rules == [_COMPANY_CODE] else ", ".join(rules) or "nothing"
            raise ChannelRefusal(f"no customer matches on {said}, and CreateNew is Never")
        return urn or "", True

    def note(self, order: SalesOrderDocument, code: str, rules: Sequence[str]) -> None:
        """An order was taken for that customer: later ones may match it."""
        self._codes.setdefault(code.casefold(), code)
        parts = _parts(order, rules)
        self._met.append((code, parts))
        for criteria, index in self._indexes.items():
            _enter(index, criteria, parts, code)

    def _found(self, order: SalesOrderDocument, rules: Sequence[str]) -> str:
        if _COMPANY_CODE in rules:
            return self._codes.get((order.customer.urn or "").strip().casefold(), "")
        criteria = tuple(rule for rule in rules if rule != _FROM_DELIVERY)
        if not criteria:
            return ""
        index = self._indexes.get(criteria)
        if index is None:
            index = self._indexes[criteria] = {}
            for code, parts in self._met:
                _enter(index, criteria, parts, code)
        return index.get(_key(criteria, _parts(order, rules)), "")


def _enter(index: dict[Key, str], criteria: Key, parts: dict[str, str], code: str) -> None:
    key = _key(criteria, parts)
    if key:
        index.setdefault(key, code)


def _key(criteria: Key, parts: dict[str, str]) -> Key:
    """The parts that are compared; empty where one of them is."""
    key = tuple(parts[name] for name in criteria)
    return key if all(key) else ()


def _parts(order: SalesOrderDocument, rules: Sequence[str]) -> dict[str, str]:
    address: Address = order.invoice_address
    contact: Contact = order.invoice_contact
    if _FROM_DELIVERY in rules:
        address = order.delivery_address or address
        contact = order.delivery_contact or contact
    said = {
        "Address1": address.line1,
        "Address2": address.line2,
        "Address3": address.line3,
        "Town": address.town,
        "Postcode": address.postcode.replace(" ", ""),
        "Surname": contact.surname,
        "Forename": contact.forename,
        "Telephone": address.telephone or contact.mobile,
        "Email": contact.email or address.email,
    }
    return {name: text.strip().casefold() for name, text in said.items()}
