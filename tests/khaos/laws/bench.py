"""An ERP with one warehouse behind it, as the port's laws see it, whatever the adapter.

Each bench serves the sandbox's own ERP over real HTTP; time passes when a law says so.
"""

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from kcjl.clock import RealClock
from kcjl.errors import KcjlError, OutcomeUnknown
from kcjl.khaos.port import CreatedOrder, NewOrder, NewOrderLine, OrderStatus, Parcel, WholeErp
from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse import SalesOrder, Warehouse, WarehouseSettings
from kcjl.sandbox.warehouse.settings import Minutes, Site
from tests.khaos.samples import order as sample

START = datetime(2026, 7, 6, 9, 0, tzinfo=UTC)
LAMP, RUG = "LAMP-OAK-01", "RUG-02"
ENTERED_MINUTES = 10
"""Within so long an order is entered, and that is told."""
SHIPPED_MINUTES = 45
ISSUED_MINUTES = 200
REF = "JL100200300"


class AgendaClock(RealClock):
    """The world's time; deadlines are real."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda

    def now(self) -> datetime:
        return self._agenda.now

    async def sleep(self, seconds: float) -> None:
        self._agenda.advance(self._agenda.now + timedelta(seconds=seconds))


def new_warehouse() -> Warehouse:
    """Two sites, a lamp and a rug, and people who are quick."""
    settings = msgspec.structs.replace(
        WarehouseSettings.quick(),
        sites=(Site(site_id=1, name="Main Site"), Site(site_id=4, name="Shop")),
        released_after=Minutes(at_least=1, at_most=1),
        shipped_after=Minutes(at_least=20, at_most=20),
        issued_after=Minutes(at_least=120, at_most=120),
        stages_after_shipping=(),
    )
    warehouse = Warehouse(Agenda(START, seed=7), settings)
    warehouse.add_product(
        LAMP, description="Oak lamp", sell_price="64.99", physical={1: 17, 4: 5}
    )
    warehouse.add_product(RUG, description="Rug", sell_price="99.00", physical={1: 3, 4: 0})
    return warehouse


class Bench(ABC):
    """One adapter, the ERP that it is for, and what is really so."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    @property
    @abstractmethod
    def port(self) -> WholeErp: ...

    @abstractmethod
    async def pass_minutes(self, minutes: int) -> None:
        """Let the world's time pass, and the ERP do what it does by itself."""

    @abstractmethod
    async def restart(self) -> None:
        """Our side is killed and started again; the ERP goes on."""

    @abstractmethod
    def lose_next_answer(self) -> None:
        """The next order reaches the ERP, and the answer to that is lost."""

    @abstractmethod
    def repeat_everything(self) -> None:
        """From now on each call of the ERP comes twice."""

    def ref(self, ref: str = REF) -> str:
        """What the ERP calls an order whose reference is ours."""
        return ref

    # ── what the laws do and look at ──

    def sales_orders(self, ref: str = REF) -> list[SalesOrder]:
        """Those in the warehouse: the truth."""
        return self.warehouse.orders_by_ref(self.ref(ref))

    async def enter(self, order: NewOrder) -> CreatedOrder | None:
        """Create an order, and let it reach the warehouse; None where the answer was lost."""
        try:
            created = await self.port.create_order(order)
        except OutcomeUnknown:
            created = None
        await self.pass_minutes(ENTERED_MINUTES)
        return created

    async def create_whatever(self, order: NewOrder) -> None:
        """Create an order; a refusal of it is as good as an answer."""
        with_refusal: KcjlError | None = None
        try:
            await self.port.create_order(order)
        except KcjlError as refusal:
            with_refusal = refusal
        assert not isinstance(with_refusal, OutcomeUnknown)
        await self.pass_minutes(ENTERED_MINUTES)

    async def status(self, ref: str = REF) -> OrderStatus:
        found = await self.port.find_order(ref)
        assert found is not None
        return found


def parcels(status: OrderStatus) -> list[Parcel]:
    return [parcel for invoice in status.invoices for parcel in invoice.parcels]


def shipped_units(status: OrderStatus) -> Decimal:
    shipped = [parcel for parcel in parcels(status) if parcel.shipped]
    return sum((units for parcel in shipped for _, units in parcel.items), Decimal(0))


def numbers(status: OrderStatus) -> list[str]:
    """Every tracking number of what was shipped, sorted."""
    told: list[str] = []
    for parcel in parcels(status):
        if parcel.shipped:
            told += [parcel.tracking_number, *parcel.more_tracking_numbers]
    return sorted(number for number in told if number)


def order(ref: str = REF, *lines: tuple[str, int, int], delivery: int = 0) -> NewOrder:
    """An order of (stock code, units, pence each); two lamps where none are given."""
    rows = lines or ((LAMP, 2, 6499),)
    total = sum(units * pence for _, units, pence in rows) + delivery
    return sample(
        external_ref=ref,
        ordered_at=START - timedelta(minutes=30),
        lines=tuple(
            NewOrderLine(
                external_line_ref=f"{ref}-{number}",
                stock_code=code,
                quantity=units,
                unit_gross=Money(pence),
            )
            for number, (code, units, pence) in enumerate(rows, start=1)
        ),
        delivery_gross=Money(delivery),
        gross_total=Money(total),
    )
