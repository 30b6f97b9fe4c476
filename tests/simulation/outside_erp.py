"""Khaos Control behind its port, as the sandbox's warehouse model and nothing else.

Promises: implements `kcjl.khaos.port.ErpPort`; a call gives the record, or the error, that the
KWS adapter would give over the sandbox's SOAP face for the same world (compared by a test).
Of a process's own, it knows what the adapter would: couriers' codes, families, and packs.
Invariant: everything is changed through `World.change`; an order enters as the adapter's own
document would be read. Called by the rooms of the simulation.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial

import msgspec

from kcjl.clock import Clock
from kcjl.khaos import port as erp
from kcjl.khaos.asking import NEVER_IN_A_STOCK_CODE, askable, chunked, look_up
from kcjl.khaos.courier_codes import CourierCodes
from kcjl.khaos.families import Families
from kcjl.khaos.import_answer import created_order
from kcjl.khaos.kws_packs import PackKnowledge
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.soap import SoapFault
from kcjl.sandbox.khaos.stock_operations import or_empty
from kcjl.sandbox.warehouse import ImportResult, KhaosFault
from kcjl.sandbox.world import World
from tests.simulation.faults import ClockShift
from tests.simulation.mishaps import Mishaps
from tests.simulation.outside_door import Door, Reading, stamp_of, widest
from tests.simulation.outside_new_orders import NewOrderReader
from tests.simulation.outside_sales_orders import (
    Shown,
    ShownSalesOrders,
    exported,
    in_progress,
    with_courier_codes,
)
from tests.simulation.outside_stock import ShownStock

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
        self._clock = clock
        self._stamp = stamp_of(shifts, world.starts_at)
        self._door = Door("khaos", world, mishaps, clock)
        self._reader = NewOrderReader(settings, world.warehouse.settings)
        self._stock = ShownStock(world.warehouse, settings, self._stamp, widest(shifts))
        self._orders = shown or ShownSalesOrders(self._stamp, settings.company_code)
        self._coded: dict[str, tuple[erp.OrderStatus, object, erp.OrderStatus]] = {}
        self._families = Families()
        self._courier_codes = CourierCodes(clock, couriers=self.couriers)
        self._packs = PackKnowledge(clock, export=self._exported, products=self.products)

    # ── system data ──

    @property
    def capabilities(self) -> erp.Capabilities:
        return erp.Capabilities(
            pull_stock=True,
            push_stock=False,
            lookup_order=True,
            sync_order_result=True,
            line_refs_in_shipments=False,
            returns=False,
            journals=False,
            max_external_ref=self._settings.max_external_ref,
            deleted_entries=True,
            exported_orders=True,
            orders_in_progress=True,
        )

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
                erp.Courier(name=entry.name.strip(), code=entry.settings.code.strip() or None)
                for entry in self._warehouse.couriers
                if entry.name.strip()
            ]

        reading = Reading(rows, lambda courier: courier.name, recall="all")
        found = await self._door.rows("GetSOPData", reading)
        self._courier_codes.learn(found)
        return found

    # ── stock ──

    async def moved_products(self, since: datetime) -> Sequence[erp.ProductRef]:
        now = self._clock.now()
        return await self._changed(lambda: self._stock.moved(since, now))

    async def edited_products(self, since: datetime) -> Sequence[erp.ProductRef]:
        now = self._clock.now()
        return await self._changed(lambda: self._stock.edited(since, now))

    async def _changed(self, rows: Callable[[], list[erp.ProductRef]]) -> list[erp.ProductRef]:
        def older(now: list[erp.ProductRef], at: datetime) -> list[erp.ProductRef]:
            limit = self._stamp(at)
            return [ref for ref in now if ref.changed_at is None or ref.changed_at < limit]

        reading = Reading(rows, lambda ref: ref.stock_code, older=older)
        return self._families.sellable(await self._door.rows("GetStockList", reading))

    async def deleted_products(self, since: datetime) -> Sequence[erp.ProductRef]:
        now = self._clock.now()
        reading = Reading(lambda: self._stock.deleted(since, now), lambda ref: ref.stock_code)
        return await self._door.rows("GetDeletedEntries", reading)

    async def products(self, codes: Sequence[str]) -> dict[str, erp.Product]:
        found: dict[str, erp.Product] = {}

        async def ask(chunk: Sequence[str]) -> None:
            def rows() -> list[erp.Product]:
                with _as_soap_faults():
                    return self._stock.products(chunk)

            reading = Reading(rows, lambda product: product.stock_code, recall=tuple(chunk))
            told = await self._door.rows("ExportStock", reading)
            for product in told:
                if product.parent_code:
                    self._families.know(product.parent_code, [product.stock_code])
            found.update((product.stock_code.casefold(), product) for product in told)

        asked = askable(codes, never=NEVER_IN_A_STOCK_CODE)
        await look_up(chunked(asked, self._settings.product_codes_per_call), ask)
        return {code: found[code.casefold()] for code in codes if code.casefold() in found}

    async def stock_levels(
        self, codes: Sequence[str], site_ids: Sequence[str]
    ) -> Sequence[erp.StockLevel]:
        levels: list[erp.StockLevel] = []
        asked = askable(codes, never=NEVER_IN_A_STOCK_CODE)
        for site_id in dict.fromkeys(site_ids):
            ask = partial(self._read_levels, site_id, levels)
            await look_up(chunked(asked, self._settings.stock_codes_per_call), ask)
        return levels

    async def _read_levels(
        self, site_id: str, levels: list[erp.StockLevel], chunk: Sequence[str]
    ) -> None:
        began, wanted = self._clock.now(), {code.casefold() for code in chunk}

        def rows() -> list[erp.StockLevel]:
            with _as_soap_faults():
                return self._stock.levels(chunk, site_id, began)

        reading = Reading(rows, lambda level: level.stock_code, recall=(site_id, *chunk))
        for level in await self._door.rows("ExportStockStatus", reading):
            if level.stock_code.casefold() not in wanted:
                continue
            fresh = level.read_at is began  # an old answer is stamped by who asked now
            levels.append(level if fresh else msgspec.structs.replace(level, read_at=began))

    # ── orders ──

    async def register_return(self, request: erp.ReturnRequest) -> erp.RegisteredReturn:
        raise erp.Unsupported(
            f"register_return {request.return_ref}", adapter="the twin", instead="enter it"
        )

    async def forget_buyer(self, external_ref: str) -> None:
        """As the web service's adapter: nothing of a buyer is kept."""

    def check_order(self, order: erp.NewOrder) -> None:
        with suppress(KhaosFault):  # it can be sent all the same, and is refused there
            self._reader.read(order)

    async def create_order(self, order: erp.NewOrder) -> erp.CreatedOrder:
        refused: KhaosFault | None = None
        try:
            orders = [self._reader.read(order)]
        except KhaosFault as fault:  # it is sent all the same, and refused there
            refused = fault

        def change() -> erp.CreatedOrder:
            with _as_soap_faults():
                if refused is not None:
                    raise refused
                result = self._world.change("khaos", "import_read_orders", {"orders": orders})
            return _created(result, order.external_ref)

        return await self._door.write("ImportOrders", change)

    async def find_order(self, external_ref: str) -> erp.OrderStatus | None:
        found = await self.order_statuses([external_ref])
        return found[0] if found else None

    async def order_statuses(self, external_refs: Sequence[str]) -> Sequence[erp.OrderStatus]:
        found: dict[str, erp.OrderStatus] = {}

        async def ask(chunk: Sequence[str]) -> None:
            reading = Reading(
                partial(self._shown, chunk),
                lambda shown: shown.status.external_ref,
                recall=tuple(chunk),
            )
            told = await self._door.rows("ExportOrderStatusEx", reading)
            await self._courier_codes.know(name for shown in told for name in shown.couriers)
            for shown in told:
                found[shown.status.external_ref] = self._with_codes(shown.status)

        asked = askable(external_refs, never=",;")
        await look_up(chunked(asked, self._settings.order_refs_per_call), ask)
        statuses = [found[ref] for ref in asked if ref in found]
        if not self._settings.fold_packs:
            return statuses
        return await self._packs.told_in_packs(statuses)

    def _shown(self, references: Sequence[str]) -> list[Shown]:
        """Of several orders with one reference, one that is not cancelled goes first."""
        settings = self._warehouse.settings
        rows: list[Shown] = []
        for reference in references:
            best: Shown | None = None
            for order in self._warehouse.orders.by_ref(reference):
                shown = self._orders.of(order, reference, settings)
                if best is None or (best.status.cancelled and not shown.status.cancelled):
                    best = shown
            if best is not None:
                rows.append(best)
        if not rows:
            with _as_soap_faults():
                or_empty("<STATUS_LIST/>", settings)
        return rows

    def _with_codes(self, status: erp.OrderStatus) -> erp.OrderStatus:
        """What has not changed since, nor the couriers, is the same record as before."""
        codes = self._courier_codes
        known = self._coded.get(status.external_ref)
        if known is not None and known[0] is status and known[1] is codes.by_name:
            return known[2]
        coded = with_courier_codes(status, codes.of)
        self._coded[status.external_ref] = status, codes.by_name, coded
        return coded

    async def orders_in_progress(self) -> Sequence[erp.OrderProgress]:
        def rows() -> list[erp.OrderProgress]:
            with _as_soap_faults():
                return in_progress(self._warehouse)

        reading = Reading(rows, lambda order: order.external_ref, recall="all")
        return await self._door.rows("ExportOrderStatus", reading)

    async def exported_orders(
        self, *, external_refs: Sequence[str] = (), erp_order_codes: Sequence[str] = ()
    ) -> Sequence[erp.ExportedOrder]:
        if erp_order_codes:
            raise NotImplementedError("no room asks by order number")
        return await self._exported(external_refs)

    async def _exported(self, external_refs: Sequence[str]) -> Sequence[erp.ExportedOrder]:
        found: list[erp.ExportedOrder] = []

        async def ask(chunk: Sequence[str]) -> None:
            def rows() -> list[erp.ExportedOrder]:
                with _as_soap_faults():
                    return exported(self._warehouse, chunk, self._settings.sales_source)

            reading = Reading(rows, lambda order: order.external_ref, recall=tuple(chunk))
            found.extend(await self._door.rows("ExportOrders", reading))

        asked = askable(external_refs, never=",;")
        await look_up(chunked(asked, self._settings.order_refs_per_call), ask)
        return found


def _created(result: object, reference: str) -> erp.CreatedOrder:
    if not isinstance(result, ImportResult):
        raise TypeError(f"import_orders gave {type(result).__name__}")
    imported = [
        {
            "salesordercode": taken.sales_order_code,
            "associatedref": taken.associated_ref,
            "msg": taken.message,
            "urn": taken.urn,
        }
        for taken in result.imported
    ]
    return created_order(
        reference,
        count=result.imported_count,
        imported=imported,
        skipped=[{"skipreason": order.reason} for order in result.skipped],
        shown=str(result),
    )


@contextmanager
def _as_soap_faults() -> Iterator[None]:
    """What the ERP refuses, as the adapter has it."""
    try:
        yield
    except KhaosFault as fault:
        raise SoapFault(fault.message, reason_code=fault.class_name) from None
