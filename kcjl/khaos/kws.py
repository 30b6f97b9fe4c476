"""Khaos Control over its SOAP web service ("KWS"): the ERP port.

Promises: each method of `ErpPort`, by the contract; Khaos's words, flags and wall times stop
here. `create_order` makes ONE call and says what came of it: created, `Refused` (skip, business
fault or a field that does not fit), `Unavailable` (not sent) or `OutcomeUnknown` (anything
else); it never repeats and never looks up: that is the orders actor's. Reads raise
`Unavailable`, `ProtocolSurprise`, or `Refused` for a fault about the business.
Invariant: an answer that can't be read is never taken for "not there". Codes and references
are compared without case; one with a comma or blanks round it can't be asked for: absent.
Called by the composition root. Source: contract khaos b, c, d, h.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import aiohttp

from kcjl.calls.sync_log import SyncLog
from kcjl.clock import Clock
from kcjl.discretion import Secret
from kcjl.errors import (
    CredentialsRefused,
    KcjlError,
    OutcomeUnknown,
    ProtocolSurprise,
    Refused,
    Unavailable,
)
from kcjl.khaos import documents
from kcjl.khaos.answer_xml import Element
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.london import NO_MOMENT, changed_since, received_moment
from kcjl.khaos.order_document import order_document, without_buyer
from kcjl.khaos.port import (
    Courier,
    CreatedOrder,
    CreateOutcome,
    NewOrder,
    OrderStatus,
    Product,
    ProductRef,
    Site,
    StockLevel,
)
from kcjl.khaos.soap import SoapFault, SoapService
from kcjl.khaos.typed_answer import Answer
from kcjl.khaos.wsdl import Argument, Kind

__all__ = ["KwsSettings", "KwsSoapAdapter"]

COURIERS_KEPT = timedelta(hours=6)
COURIERS_ASKED_AGAIN = timedelta(minutes=10)
"""How soon after the last time the list is asked for again, for a name that is not in it."""

_STOCK_CODE = "1"
"""MappingType of ExportStock and ExportStockStatus."""
_ASSOCIATED_REF = "4"
"""MappingType of ExportOrderStatusEx."""
_EDITED, _MOVED = "0", "2"
"""DateType of GetStockList."""
_ALL_ITEMS, _CHILDREN = "0", "2"
"""StockItemType of GetStockList; a live client asks for both and unites them."""

_THING = (
    r"(?:sales )?(?:orders?|stock|items?|records?|rows?|results?|entr(?:y|ies)|codes?"
    r"|refs?|references?|data|match(?:es)?)"
)
_NOTHING_FOUND = re.compile(
    rf"\bnothing (?:was )?found\b"
    rf"|\bno (?:\w+ ){{0,3}}?{_THING}\b"
    r"(?:.{0,60}\b(?:found|match\w*|exists?|returned)\b|\W*\Z)"
    rf"|\b{_THING}\b.{{0,80}}\b(?:not (?:be )?found|(?:does|do) not exist|is unknown)\b"
    r"|\b(?:unknown|no such|(?:can ?not|can't|could not|unable to) find)\b"
    rf".{{0,40}}\b{_THING}\b"
    r"|\A\W*not found\W*\Z",
    re.IGNORECASE | re.DOTALL,
)
_SOMETHING_ELSE = re.compile(
    r"\b(?:access|class|column|company|connection|database|deadlock|denied|file|interface"
    r"|licen[cs]e|lock(?:ed)?|login|mapping|memory|method|module|parameter|path|permission"
    r"|server|session|sites?|tables?|time(?:d )?out|transaction|user)\b",
    re.IGNORECASE,
)
"""Words of faults that are about the system, whatever else they say was not found."""


class KwsSoapAdapter:
    """The ERP behind one Khaos Control web service. Implements `ErpPort`."""

    def __init__(
        self,
        settings: KwsSettings,
        *,
        clock: Clock,
        session: aiohttp.ClientSession,
        sync_log: SyncLog | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._service = SoapService(settings, clock=clock, session=session, sync_log=sync_log)
        self._courier_codes: dict[str, str | None] = {}
        self._couriers_read_at: datetime | None = None

    async def ping(self) -> str:
        return (await self._service.call("GetVersion")).text()

    async def sites(self) -> Sequence[Site]:
        answer = await self._service.call("GetSiteList")
        current = answer.value("CurrentSiteID")
        return [
            Site(
                site_id=fields["siteid"],
                name=fields.get("sitename", ""),
                is_default=fields["siteid"] == current,
            )
            for fields in answer.structs("SiteID")
            if fields["siteid"]
        ]

    async def couriers(self) -> Sequence[Courier]:
        others = ("DelRate", "CourierBanding", "BOGOF", "SpecialOffer", "TelesalePrompt")
        flags = [_flag(name, on=False) for name in (*others, "KeyCode", "BarredItems")]
        answer = await self._service.call("GetSOPData", [_flag("Courier", on=True), *flags])
        found = documents.couriers(answer.document())
        self._couriers_read_at = self._clock.now()
        self._courier_codes = {c.code.casefold(): c.code for c in found if c.code}
        self._courier_codes |= {c.name.casefold(): c.code for c in found}
        return found

    async def moved_products(self, since: datetime) -> Sequence[ProductRef]:
        return await self._changed_products(_MOVED, since)

    async def edited_products(self, since: datetime) -> Sequence[ProductRef]:
        return await self._changed_products(_EDITED, since)

    async def products(self, codes: Sequence[str]) -> dict[str, Product]:
        found: dict[str, Product] = {}

        async def ask(chunk: Sequence[str]) -> None:
            answer = await self._service.call(
                "ExportStock",
                [
                    _text("StockCode", ",".join(chunk)),
                    _whole("MappingType", _STOCK_CODE),
                    _moment("LastUpdated", NO_MOMENT),
                ],
                subject=f"{len(chunk)} codes",
            )
            found.update(documents.products(answer.document()))

        await _look_up(_askable(codes), self._settings.product_codes_per_call, ask)
        return {code: found[code.casefold()] for code in codes if code.casefold() in found}

    async def stock_levels(
        self, codes: Sequence[str], site_ids: Sequence[str]
    ) -> Sequence[StockLevel]:
        askable = _askable(codes)
        wanted = {code.casefold() for code in askable}
        levels: list[StockLevel] = []
        for site_id in dict.fromkeys(site_ids):

            async def ask(chunk: Sequence[str], site_id: str = site_id) -> None:
                answer = await self._service.call(
                    "ExportStockStatus",
                    [
                        _text("StockCode", ",".join(chunk)),
                        _whole("MappingType", _STOCK_CODE),
                        _moment("LastUpdated", NO_MOMENT),
                        _whole("SiteID", site_id),
                        _flag("PotentialLeadTime", on=False),
                    ],
                    subject=f"{len(chunk)} codes at site {site_id}",
                )
                read = documents.stock_levels(
                    answer.document(), site_id, with_buildable=self._settings.add_buildable
                )
                levels.extend(x for x in read if x.stock_code.casefold() in wanted)

            await _look_up(askable, self._settings.stock_codes_per_call, ask)
        return levels

    async def create_order(self, order: NewOrder) -> CreatedOrder:
        document = order_document(order, self._settings)
        try:
            answer = await self._service.call(
                "ImportOrders",
                [_text("Orders", Secret(document))],
                subject=f"order {order.external_ref}",
                writes=True,
            )
            return _created(answer, order.external_ref)
        except KcjlError as error:
            error.args = (without_buyer(error.message, document),)
            raise

    async def find_order(self, external_ref: str) -> OrderStatus | None:
        found = await self.order_statuses([external_ref])
        return found[0] if found else None

    async def order_statuses(self, external_refs: Sequence[str]) -> Sequence[OrderStatus]:
        found: dict[str, OrderStatus] = {}

        async def ask(chunk: Sequence[str]) -> None:
            document = await self._status_document(chunk)
            await self._know_couriers(documents.courier_names(document))
            for status in documents.order_statuses(document, chunk, self._courier_code):
                found[status.external_ref] = status

        askable = _askable(external_refs)
        await _look_up(askable, self._settings.order_refs_per_call, ask)
        return [found[ref] for ref in askable if ref in found]

    async def _status_document(self, refs: Sequence[str]) -> Element | None:
        answer = await self._service.call(
            "ExportOrderStatusEx",
            [
                _text("IDs", ",".join(refs)),
                _whole("MappingType", _ASSOCIATED_REF),
                _flag("WebOnly", on=False),
                _flag("ConfirmedOnly", on=False),
                _flag("IncludeTracking", on=False),
                _flag("IncludeCancelled", on=True),
                _moment("DateFrom", ""),
                _moment("DateTo", ""),
                _text("InvoiceStageIDs", ""),
                _flag("ShowItems", on=True),
            ],
            subject=f"order {refs[0]}" if len(refs) == 1 else f"{len(refs)} orders",
        )
        return answer.document()

    async def _changed_products(self, date_type: str, since: datetime) -> list[ProductRef]:
        """Items and children, united; a child does not replace its parent, nor the reverse."""
        found: dict[str, ProductRef] = {}
        for item_type in (_ALL_ITEMS, _CHILDREN):
            try:
                answer = await self._service.call(
                    "GetStockList",
                    [
                        _whole("DateType", date_type),
                        _moment("DateValue", changed_since(since)),
                        _whole("StockItemType", item_type),
                    ],
                )
            except SoapFault as fault:
                if not _says_nothing_found(fault):
                    raise
                continue
            for fields in answer.structs("StockCode"):
                ref = _product_ref(fields)
                known = found.get(ref.stock_code.casefold())
                if ref.stock_code and (known is None or not known.parent_code):
                    found[ref.stock_code.casefold()] = ref
        return list(found.values())

    async def _know_couriers(self, names: set[str]) -> None:
        """Have a list of couriers in which these stand, if it can be had now."""
        read_at = self._couriers_read_at
        age = None if read_at is None else self._clock.now() - read_at
        missing = any(name.casefold() not in self._courier_codes for name in names)
        if not names or (age is not None and age < COURIERS_ASKED_AGAIN):
            return
        if age is not None and not missing and age < COURIERS_KEPT:
            return
        try:
            await self.couriers()
        except (Unavailable, Refused) as error:
            if isinstance(error, CredentialsRefused):
                raise
            self._couriers_read_at = self._clock.now()  # the names alone have to do

    def _courier_code(self, name: str) -> str | None:
        return self._courier_codes.get(name.casefold())


def _created(answer: Answer, external_ref: str) -> CreatedOrder:
    """What `ImportOrders` says it did. Anything but a plain yes or no is OutcomeUnknown."""
    try:
        count = int(answer.value("ImportedCount") or "0")
        imported = answer.structs("SalesOrderCode")
        skipped = answer.structs("SkipReason", "OrderRef")
    except (ProtocolSurprise, ValueError) as surprise:
        raise OutcomeUnknown(f"order {external_ref}: {surprise}") from None
    for fields in imported:
        reference = fields.get("associatedref") or external_ref
        code = fields["salesordercode"]
        if count > 0 and code and reference.casefold() == external_ref.casefold():
            return CreatedOrder(outcome=CreateOutcome.CREATED, erp_order_code=code)
    if count == 0 and skipped and not any(fields["salesordercode"] for fields in imported):
        reason = skipped[0].get("skipreason") or "it gave no reason"
        raise Refused(f"order {external_ref} was skipped: {reason}", reason_code="SKIPPED")
    raise OutcomeUnknown(
        f"order {external_ref}: Khaos Control neither imported nor skipped it "
        f"({answer.shown()}); look it up before sending it again"
    )


async def _look_up(
    keys: Sequence[str], chunk_size: int, ask: Callable[[Sequence[str]], Awaitable[None]]
) -> None:
    """Ask for keys in chunks.

    A fault that plainly says "nothing found" is an empty answer for one key; for several it may
    be about one of them, so they are asked for in halves.
    """
    waiting = [keys[at : at + chunk_size] for at in range(0, len(keys), chunk_size)]
    while waiting:
        chunk = waiting.pop(0)
        try:
            await ask(chunk)
        except SoapFault as fault:
            if not _says_nothing_found(fault):
                raise
            if len(chunk) > 1:
                middle = len(chunk) // 2
                waiting[:0] = [chunk[:middle], chunk[middle:]]


def _says_nothing_found(fault: SoapFault) -> bool:
    """Plainly: it speaks of orders, items or the like, and of nothing below the business."""
    said = fault.message
    return bool(_NOTHING_FOUND.search(said)) and not _SOMETHING_ELSE.search(said)


def _askable(keys: Sequence[str]) -> list[str]:
    """Keys that a comma-separated list can carry, each once whatever its case."""
    unique: dict[str, str] = {}
    for key in keys:
        if key and key == key.strip() and "," not in key and key.isprintable():
            unique.setdefault(key.casefold(), key)
    return list(unique.values())


def _product_ref(fields: dict[str, str]) -> ProductRef:
    try:
        changed_at = received_moment(fields.get("lastupdated"))
    except ProtocolSurprise:
        changed_at = None  # the code is what counts
    return ProductRef(
        stock_code=fields["stockcode"],
        description=fields.get("stockdesc", ""),
        other_ref=fields.get("otherref") or None,
        parent_code=fields.get("parentcode") or None,
        changed_at=changed_at,
    )


def _text(name: str, text: str) -> Argument:
    return Argument(name=name, kind=Kind.TEXT, text=text)


def _whole(name: str, number: str) -> Argument:
    return Argument(name=name, kind=Kind.WHOLE, text=number)


def _flag(name: str, *, on: bool) -> Argument:
    return Argument(name=name, kind=Kind.FLAG, text="-1" if on else "0")


def _moment(name: str, wall: str) -> Argument:
    return Argument(name=name, kind=Kind.MOMENT, text=wall)
