"""The ERP as the rest of kcjl sees it: records in the trade's words, and protocols by area.

Promises: quantities are Decimal as the ERP gives them, money is `Money`, times are aware UTC
(dates stay dates). Khaos Control's words stop in the adapter. `create_order` raises `Refused`
(a business no), `Unavailable` (certainly not taken) or `OutcomeUnknown` (look it up first); a
command that an adapter can't do raises `Unsupported`, as its `capabilities` say. The rooms ask
`ErpPort` only; the whole of an adapter is `WholeErp`. The records stand in `stock_port.py` and
`order_port.py`, and are named here too. Invariant: a protocol grows, it is never narrowed.
Called by the actors; implemented by `kws.py` and `cloud.py`. Source: contract khaos b, c, h.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from kcjl.khaos.capabilities import Capabilities, Unsupported
from kcjl.khaos.order_port import (
    CreatedOrder,
    CreateOutcome,
    DeliveryAddress,
    ExportedLine,
    ExportedOrder,
    Invoice,
    NewOrder,
    NewOrderLine,
    OrderProgress,
    OrderStatus,
    Parcel,
    Queued,
    RegisteredReturn,
    ReturnLine,
    ReturnOutcome,
    ReturnRequest,
    Stage,
)
from kcjl.khaos.stock_port import (
    Courier,
    Product,
    ProductRef,
    Site,
    StockLevel,
    StockPotential,
)

__all__ = [
    "Capabilities",
    "Courier",
    "CreateOutcome",
    "CreatedOrder",
    "DeliveryAddress",
    "ErpPort",
    "ExportedLine",
    "ExportedOrder",
    "Invoice",
    "NewOrder",
    "NewOrderLine",
    "OrderPort",
    "OrderProgress",
    "OrderReadingPort",
    "OrderStatus",
    "Parcel",
    "Product",
    "ProductRef",
    "Queued",
    "RegisteredReturn",
    "ReturnLine",
    "ReturnOutcome",
    "ReturnPort",
    "ReturnRequest",
    "Site",
    "Stage",
    "StockLevel",
    "StockPort",
    "StockPotential",
    "StockReadingPort",
    "SystemPort",
    "Unsupported",
    "WholeErp",
]


class SystemPort(Protocol):
    """What the adapter can do, whether the ERP is there, and how it is set up."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def ping(self) -> str:
        """The web service's version. GetVersion."""
        ...

    async def sites(self) -> Sequence[Site]: ...  # GetSiteList

    async def couriers(self) -> Sequence[Courier]: ...  # GetSOPData


class StockPort(Protocol):
    """What the stock room asks."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def deleted_products(self, since: datetime) -> Sequence[ProductRef]:
        """Stock codes that were deleted. GetDeletedEntries; see `capabilities`."""
        ...

    async def sites(self) -> Sequence[Site]: ...  # GetSiteList

    async def moved_products(
        self, since: datetime
    ) -> Sequence[ProductRef]: ...  # GetStockList 2

    async def edited_products(
        self, since: datetime
    ) -> Sequence[ProductRef]: ...  # GetStockList 0

    async def products(self, codes: Sequence[str]) -> dict[str, Product]:
        """By the code asked for; a code that the ERP does not know is absent. ExportStock."""
        ...

    async def stock_levels(
        self, codes: Sequence[str], site_ids: Sequence[str]
    ) -> Sequence[StockLevel]:
        """Site by site; a code that the ERP does not know is absent. ExportStockStatus."""
        ...


class OrderPort(Protocol):
    """What the rooms of orders and dispatch ask."""

    def check_order(self, order: NewOrder) -> None:
        """Whether it can be written as this ERP wants it; nobody is asked.

        Raises Refused with the field, as `create_order` would before it sends anything.
        """
        ...

    async def create_order(self, order: NewOrder) -> CreatedOrder: ...  # ImportOrders

    async def forget_buyer(self, external_ref: str) -> None:
        """Erase what we keep of the buyer on the way to the ERP; the ERP keeps its own."""
        ...

    async def find_order(self, external_ref: str) -> OrderStatus | None:
        """By reference, cancelled ones too. ExportOrderStatusEx, mapping 4.

        An order that waits for the ERP is found as queued.
        """
        ...

    async def order_statuses(self, external_refs: Sequence[str]) -> Sequence[OrderStatus]:
        """Chunked; references that are not there, or are queued only, are absent.
        ExportOrderStatusEx, mapping 4.
        """
        ...


class OrderReadingPort(Protocol):
    """More that can be known of orders."""

    async def orders_in_progress(self) -> Sequence[OrderProgress]:
        """All web orders not issued yet, or issued in 48 hours. ExportOrderStatus."""
        ...

    async def exported_orders(
        self, *, external_refs: Sequence[str] = (), erp_order_codes: Sequence[str] = ()
    ) -> Sequence[ExportedOrder]: ...  # ExportOrders, mapping 2 and 1


class ReturnPort(Protocol):
    """Goods that came back."""

    async def register_return(self, request: ReturnRequest) -> RegisteredReturn:
        """Raises Unsupported where a person has to enter it (contract khaos b.9)."""
        ...


class ErpPort(StockPort, OrderPort, OrderReadingPort, ReturnPort, Protocol):
    """What the rooms ask of Khaos Control, together."""

    async def ping(self) -> str:
        """The web service's version. GetVersion."""
        ...

    async def couriers(self) -> Sequence[Courier]: ...  # GetSOPData


class StockReadingPort(Protocol):
    """More that can be known of stock: for checks, reports and whole sweeps."""

    async def launched_products(
        self, since: datetime
    ) -> Sequence[ProductRef]: ...  # GetStockList 1

    def swept_levels(
        self, codes: Iterable[str], site_ids: Sequence[str]
    ) -> AsyncIterator[Sequence[StockLevel]]:
        """Levels of any number of codes, a chunk at a time; the codes are taken as it goes."""
        ...

    async def stock_potential(
        self, codes: Sequence[str]
    ) -> Sequence[StockPotential]: ...  # GetStockPotential


class WholeErp(ErpPort, SystemPort, StockReadingPort, Protocol):
    """All that the port knows; each adapter has it whole, and says what it can't."""
