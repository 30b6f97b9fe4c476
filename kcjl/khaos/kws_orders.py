"""Sales orders over the SOAP web service: the order half of the ERP's port.

Promises: `create_order` makes ONE call and says what came of it: created, `Refused` (skip,
business fault or a field that does not fit), `Unavailable` (not sent) or `OutcomeUnknown`
(anything else); it never repeats and never looks up: the orders room does, after every
non-success. Reads raise `Unavailable`, `ProtocolSurprise`, or `Refused` for a fault about the
business. Invariant: an answer that can't be read is never taken for "not there"; references
are compared without case; one with a separator or blanks round it can't be asked for: absent.
Called by the rooms through `kws.py`. Source: contract khaos b.3, b.4, b.5, b.8, d.
"""

from collections.abc import Sequence

from kcjl.clock import Clock
from kcjl.discretion import Secret
from kcjl.errors import (
    KcjlError,
    OutcomeUnknown,
    ProtocolSurprise,
)
from kcjl.khaos import status_document, stock_document
from kcjl.khaos.answer_xml import Element
from kcjl.khaos.asking import (
    askable,
    chunked,
    flag,
    look_up,
    moment,
    says_nothing_found,
    text,
    whole,
)
from kcjl.khaos.courier_codes import CourierCodes
from kcjl.khaos.import_answer import created_order
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.order_document import order_document, without_buyer
from kcjl.khaos.order_export import exported_orders
from kcjl.khaos.order_port import (
    CreatedOrder,
    ExportedOrder,
    NewOrder,
    OrderProgress,
    OrderStatus,
)
from kcjl.khaos.soap import SoapFault, SoapService
from kcjl.khaos.stock_port import Courier
from kcjl.khaos.typed_answer import Answer

__all__ = ["KwsOrders"]

_ASSOCIATED_REF = "4"
"""MappingType of ExportOrderStatusEx."""
_BY_ORDER_CODE, _BY_ASSOCIATED_REF = "1", "2"
"""MappingType of ExportOrders."""


class KwsOrders:
    """What the web service does with orders. Implements `OrderPort`, `OrderReadingPort`."""

    def __init__(self, settings: KwsSettings, clock: Clock, service: SoapService) -> None:
        self._settings = settings
        self._clock = clock
        self._service = service
        self._courier_codes = CourierCodes(clock, couriers=self.couriers)

    async def forget_buyer(self, external_ref: str) -> None:
        """Nothing of a buyer is kept here: an order is sent, and gone."""

    def check_order(self, order: NewOrder) -> None:
        order_document(order, self._settings)

    async def create_order(self, order: NewOrder) -> CreatedOrder:
        document = order_document(order, self._settings)
        try:
            answer = await self._service.call(
                "ImportOrders",
                [text("Orders", Secret(document))],
                subject=f"order {order.external_ref}",
                writes=True,
                judge=lambda answer: _created(answer, order.external_ref),
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
            codes = self._courier_codes
            await codes.know(status_document.courier_names(document))
            statuses = status_document.order_statuses(
                document, chunk, codes.of, company_code=self._settings.company_code
            )
            for status in statuses:
                found[status.external_ref] = status

        asked = askable(external_refs, never=",;")
        await look_up(chunked(asked, self._settings.order_refs_per_call), ask)
        return [found[ref] for ref in asked if ref in found]

    async def orders_in_progress(self) -> Sequence[OrderProgress]:
        try:
            answer = await self._service.call("ExportOrderStatus")
        except SoapFault as fault:
            if not says_nothing_found(fault):
                raise
            return []
        return status_document.orders_in_progress(answer.document())

    async def exported_orders(
        self, *, external_refs: Sequence[str] = (), erp_order_codes: Sequence[str] = ()
    ) -> Sequence[ExportedOrder]:
        """By reference in chunks; by order number one at a time, for the document lacks it."""
        found: list[ExportedOrder] = []
        source = self._settings.sales_source

        async def by_refs(chunk: Sequence[str]) -> None:
            document = await self._exported(chunk, _BY_ASSOCIATED_REF)
            found.extend(exported_orders(document, refs=chunk, sales_source=source))

        async def by_code(chunk: Sequence[str]) -> None:
            document = await self._exported(chunk, _BY_ORDER_CODE)
            found.extend(exported_orders(document, order_code=chunk[0], sales_source=source))

        refs = askable(external_refs, never=",;")
        await look_up(chunked(refs, self._settings.order_refs_per_call), by_refs)
        await look_up(chunked(askable(erp_order_codes, never=",;"), 1), by_code)
        return found

    async def _exported(self, keys: Sequence[str], mapping: str) -> Element | None:
        answer = await self._service.call(
            "ExportOrders",
            [text("OrderCode", ",".join(keys)), whole("MappingType", mapping)],
            subject=f"order {keys[0]}" if len(keys) == 1 else f"{len(keys)} orders",
        )
        return answer.document()

    async def _status_document(self, refs: Sequence[str]) -> Element | None:
        answer = await self._service.call(
            "ExportOrderStatusEx",
            [
                text("IDs", ",".join(refs)),
                whole("MappingType", _ASSOCIATED_REF),
                flag("WebOnly", on=False),
                flag("ConfirmedOnly", on=False),
                flag("IncludeTracking", on=False),
                flag("IncludeCancelled", on=True),
                moment("DateFrom", ""),
                moment("DateTo", ""),
                text("InvoiceStageIDs", ""),
                flag("ShowItems", on=True),
            ],
            subject=f"order {refs[0]}" if len(refs) == 1 else f"{len(refs)} orders",
        )
        return answer.document()

    async def couriers(self) -> Sequence[Courier]:
        others = ("DelRate", "CourierBanding", "BOGOF", "SpecialOffer", "TelesalePrompt")
        flags = [flag(name, on=False) for name in (*others, "KeyCode", "BarredItems")]
        answer = await self._service.call("GetSOPData", [flag("Courier", on=True), *flags])
        found = stock_document.couriers(answer.document())
        self._courier_codes.learn(found)
        return found


def _created(answer: Answer, external_ref: str) -> CreatedOrder:
    """What `ImportOrders` says it did. Anything but a plain yes or no is OutcomeUnknown."""
    try:
        count = int(answer.value("ImportedCount") or "0")
        imported = answer.structs("SalesOrderCode")
        skipped = answer.structs("SkipReason", "OrderRef")
    except (ProtocolSurprise, ValueError) as surprise:
        raise OutcomeUnknown(f"order {external_ref}: {surprise}") from None
    return created_order(
        external_ref, count=count, imported=imported, skipped=skipped, shown=answer.shown()
    )
