"""Khaos Control behind its port, as the sandbox's warehouse model and nothing else.

Promises: implements `kcjl.khaos.port.ErpPort`; a call gives the record, or the error, that the
KWS adapter would give over the sandbox's SOAP face for the same world (compared by a test).
It keeps nothing. Invariant: everything is changed through `World.change`; an order enters as
the adapter's own document would be read. Called by the rooms of the simulation.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache, partial

from kcjl.clock import LONDON, Clock
from kcjl.errors import OutcomeUnknown, Refused
from kcjl.khaos import port as erp
from kcjl.khaos.asking import askable
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.london import changed_since
from kcjl.khaos.soap import SoapFault
from kcjl.sandbox.khaos.stock_xml import _status, plain
from kcjl.sandbox.warehouse import ImportResult, KhaosFault
from kcjl.sandbox.warehouse.hours import london_date
from kcjl.sandbox.warehouse.reading import parse_wall_time
from kcjl.sandbox.warehouse.stock import StockItem
from kcjl.sandbox.world import World
from tests.simulation.faults import ClockShift
from tests.simulation.mishaps import Mishaps
from tests.simulation.outside_door import Door, Reading, stamp_of, widest
from tests.simulation.outside_new_orders import NewOrderReader
from tests.simulation.outside_sales_orders import ShownSalesOrders

__all__ = ["KWS", "SimulatedErp"]

KWS = KwsSettings(
    url="http://127.0.0.1/Simulated",
    company_code="JLMKT",
    company_class="Marketplace",
    company_name="John Lewis Marketplace",
    invoice_address=erp.DeliveryAddress(
        line1="1 Example Road",
        town="London",
        postcode="ZZ1 1ZZ",
        country_code="GBR",
        surname="Accounts",
    ),
    clearing_account="John Lewis Clearing",
    sales_source="JOHN LEWIS",
    site_name="Main Site",
)
"""How orders enter the ERP in a run."""


class SimulatedErp:
    """One process's way into the ERP."""

    def __init__(
        self,
        world: World,
        mishaps: Mishaps,
        clock: Clock,
        *,
        shifts: Sequence[ClockShift] = (),
        shown: ShownSalesOrders | None = None,
        settings: KwsSettings = KWS,
    ) -> None:
        """`shown` is the world's: hand the same to each process of a run."""
        self._world = world
        self._warehouse = world.warehouse
        self._settings = settings
        self._reader = NewOrderReader(settings, world.warehouse.settings)
        self._shown = shown or ShownSalesOrders(stamp_of(shifts, world.starts_at))
        self._door = Door("khaos", world, mishaps, clock)
        self._stamp = stamp_of(shifts, world.starts_at)
        self._widest = widest(shifts)

    # ── system data ──

    async def ping(self) -> str:
        version = self._warehouse.settings.version
        return await self._door.read("GetVersion", lambda: version)

    async def sites(self) -> Sequence[erp.Site]:
        sites = self._warehouse.settings.sites

        def look() -> list[erp.Site]:
            return [
                erp.Site(site_id=str(site.site_id), name=site.name, is_default=site is sites[0])
                for site in sites
            ]

        return await self._door.read("GetSiteList", look)

    async def couriers(self) -> Sequence[erp.Courier]:
        def rows() -> list[erp.Courier]:
            return [
                erp.Courier(name=entry.name.strip(), code=entry.settings.code or None)
                for entry in self._warehouse.couriers
                if entry.name.strip()
            ]

        reading = Reading(rows, lambda courier: courier.name, recall="all")
        return await self._door.rows("GetSOPData", reading)

    # ── stock ──

    async def moved_products(self, since: datetime) -> Sequence[erp.ProductRef]:
        return await self._changed(
            since, lambda: self._warehouse.stock.moved_since, lambda item: item.moved_at
        )

    async def edited_products(self, since: datetime) -> Sequence[erp.ProductRef]:
        return await self._changed(
            since, lambda: self._warehouse.stock.revised_since, lambda item: item.revised_at
        )

    async def _changed(
        self,
        since: datetime,
        find: Callable[[], Callable[..., list[StockItem]]],
        when: Callable[[StockItem], datetime],
    ) -> list[erp.ProductRef]:
        asked = parse_wall_time(changed_since(since)) or since
        inclusive = self._warehouse.settings.since_is_inclusive

        def changed_at(item: StockItem) -> datetime:
            return self._stamp(when(item))

        def shown(items: list[StockItem]) -> list[erp.ProductRef]:
            return [self._ref(item, changed_at(item)) for item in items]

        def items() -> list[StockItem]:
            if not self._widest:
                return find()(asked, inclusive=inclusive)
            found = find()(asked - self._widest, inclusive=True)
            at = ((item, changed_at(item)) for item in found)
            return [item for item, on in at if on > asked or (inclusive and on == asked)]

        def rows() -> list[erp.ProductRef]:
            return shown(items())

        def older(now: list[erp.ProductRef], at: datetime) -> list[erp.ProductRef]:
            limit = self._stamp(at)
            return [ref for ref in now if ref.changed_at is None or ref.changed_at < limit]

        reading = Reading(rows, lambda ref: ref.stock_code, older=older)
        return await self._door.rows("GetStockList", reading)

    def _ref(self, item: StockItem, changed_at: datetime) -> erp.ProductRef:
        parent = self._warehouse.stock.get(item.parent_code) if item.parent_code else None
        return erp.ProductRef(
            stock_code=item.code,
            description=item.description.strip(),
            other_ref=item.other_ref.strip() or None,
            parent_code=parent.code if parent else None,
            changed_at=_read_off_the_wall(changed_at),
        )

    async def products(self, codes: Sequence[str]) -> dict[str, erp.Product]:
        asked = askable(codes)
        found: dict[str, erp.Product] = {}
        for chunk in _chunks(asked, self._settings.product_codes_per_call):
            reading = Reading(
                partial(self._products, chunk),
                lambda product: product.stock_code,
                recall=tuple(chunk),
            )
            told = await self._door.rows("ExportStock", reading)
            found.update((product.stock_code.casefold(), product) for product in told)
        return {code: found[code.casefold()] for code in codes if code.casefold() in found}

    def _products(self, codes: Sequence[str]) -> list[erp.Product]:
        return [_product(item) for item in self._items(codes)]

    async def stock_levels(
        self, codes: Sequence[str], site_ids: Sequence[str]
    ) -> Sequence[erp.StockLevel]:
        asked = askable(codes)
        levels: list[erp.StockLevel] = []
        for site_id in dict.fromkeys(site_ids):
            for chunk in _chunks(asked, self._settings.stock_codes_per_call):
                reading = Reading(
                    partial(self._levels, chunk, site_id),
                    lambda level: level.stock_code,
                    recall=(site_id, *chunk),
                )
                levels += await self._door.rows("ExportStockStatus", reading)
        return levels

    def _levels(self, codes: Sequence[str], site: str) -> list[erp.StockLevel]:
        site_id = int(site)
        if all(each.site_id != site_id for each in self._warehouse.settings.sites):
            raise _fault(KhaosFault(f"Site {site_id} does not exist"))
        today = london_date(self._stamp(self._warehouse.agenda.now))
        levels = []
        for item in self._items(codes):
            level = item.level(site_id)
            levels.append(
                erp.StockLevel(
                    stock_code=item.code,
                    site_id=site,
                    available=Decimal(plain(level)),
                    status=_status(item, level, site_id, today),
                )
            )
        return levels

    def _items(self, codes: Sequence[str]) -> list[StockItem]:
        found = (self._warehouse.stock.find(code) for code in codes)
        return list({item.item_id: item for item in found if item is not None}.values())

    # ── orders ──

    async def create_order(self, order: erp.NewOrder) -> erp.CreatedOrder:
        refused: KhaosFault | None = None
        try:
            orders = [self._reader.read(order)]
        except KhaosFault as fault:  # it is sent all the same, and refused there
            refused = fault

        def change() -> erp.CreatedOrder:
            try:
                if refused is not None:
                    raise refused
                result = self._world.change("khaos", "import_read_orders", {"orders": orders})
            except KhaosFault as fault:
                raise _fault(fault) from None
            return _created(result, order.external_ref)

        return await self._door.write("ImportOrders", change)

    async def find_order(self, external_ref: str) -> erp.OrderStatus | None:
        found = await self.order_statuses([external_ref])
        return found[0] if found else None

    async def order_statuses(self, external_refs: Sequence[str]) -> Sequence[erp.OrderStatus]:
        asked = askable(external_refs)
        found: dict[str, erp.OrderStatus] = {}
        for chunk in _chunks(asked, self._settings.order_refs_per_call):
            reading = Reading(
                partial(self._statuses, chunk),
                lambda status: status.external_ref,
                recall=tuple(chunk),
            )
            told = await self._door.rows("ExportOrderStatusEx", reading)
            found.update((status.external_ref, status) for status in told)
        return [found[ref] for ref in asked if ref in found]

    def _statuses(self, references: Sequence[str]) -> list[erp.OrderStatus]:
        """Of several orders with one reference, one that is not cancelled goes first."""
        shown: list[erp.OrderStatus] = []
        for reference in references:
            best: erp.OrderStatus | None = None
            for order in self._warehouse.orders.by_ref(reference):
                status = self._shown.of(order, reference)
                if best is None or (best.cancelled and not status.cancelled):
                    best = status
            if best is not None:
                shown.append(best)
        return shown


def _created(result: object, reference: str) -> erp.CreatedOrder:
    if not isinstance(result, ImportResult):
        raise TypeError(f"import_orders gave {type(result).__name__}")
    for taken in result.imported:
        if taken.associated_ref.casefold() == reference.casefold():
            return erp.CreatedOrder(
                outcome=erp.CreateOutcome.CREATED, erp_order_code=taken.sales_order_code
            )
    if result.skipped:
        reason = result.skipped[0].reason
        raise Refused(f"order {reference} was skipped: {reason}", reason_code="SKIPPED")
    raise OutcomeUnknown(f"order {reference}: Khaos Control neither imported nor skipped it")


def _fault(fault: KhaosFault) -> SoapFault:
    return SoapFault(fault.message, reason_code=fault.class_name)


def _product(item: StockItem) -> erp.Product:
    if item.children:
        raise TypeError(f"{item.code} is a style: the simulation has none")
    return erp.Product(
        stock_code=item.code,
        description=item.description.strip(),
        discontinued=item.discontinued or not item.on_web,
        run_to_zero=item.run_to_zero,
        stock_controlled=item.stock_controlled,
        sales_multiple=item.sales_multiple if item.sales_multiple > 0 else None,
        display_cap=item.max_display if item.max_display > 0 else None,
    )


def _chunks(keys: list[str], size: int) -> list[list[str]]:
    return [keys[at : at + size] for at in range(0, len(keys), size)]


@lru_cache(maxsize=16_384)
def _read_off_the_wall(moment: datetime) -> datetime:
    """A moment as it comes through London wall time in milliseconds."""
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    return cut.astimezone(LONDON).replace(fold=0).astimezone(UTC)
