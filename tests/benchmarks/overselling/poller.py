"""A hub: reads LEVEL every ten minutes and publishes it as it is, less a fixed buffer.

Promises: it does what hubs do and nothing against itself: it publishes what has changed, in
one import, deals a product's level out over its offers, accepts and posts every order. It knows
nothing of what is in flight. It speaks to the same ports as the service.
`Seer` knows the truth instead, and publishes it as often as the call limits let it.
Called by the runs of the oversell benchmark.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from kcjl.clock import Clock
from kcjl.johnlewis.port import Order, StockFigure
from kcjl.khaos.port import NewOrder, NewOrderLine
from kcjl.orders import translate
from kcjl.rooms import Outside
from kcjl.sandbox.marketplace.offer_records import Offer
from kcjl.sandbox.warehouse.stock import StockItem
from kcjl.sandbox.world import World
from kcjl.stock.selling import Moved, Selling, after_change, held_for_speed

__all__ = ["SEER_LAG_S", "SEER_S", "Poller", "Seer"]

POLL_S = 600.0
SEER_S = 60.0
"""STO01: at most one import a minute."""
SEER_ORDERS_S = 300.0
SEER_LAG_S = 90.0
"""Its minute, and the import."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
OVERLAP = timedelta(minutes=10)


class Orders:
    """A hub's way with orders: all are accepted, and posted when they can be."""

    def __init__(self, outside: Outside, clock: Clock) -> None:
        self._marketplace = outside.marketplace
        self._erp = outside.erp
        self._clock = clock
        self._read_at = LONG_AGO
        self._posted: set[str] = set()

    async def poll(self) -> None:
        began = self._clock.now()
        orders = await self._marketplace.orders_updated_since(self._read_at - OVERLAP)
        self._read_at = began
        for order in orders:
            if order.state_raw == "WAITING_ACCEPTANCE":
                every_line = {line.line_id: True for line in order.lines}
                await self._marketplace.accept(order.order_id, every_line)
            elif order.state_raw == "SHIPPING" and order.order_id not in self._posted:
                await self._erp.create_order(_new_order(order))
                self._posted.add(order.order_id)


class Poller:
    """Stock and orders every ten minutes."""

    def __init__(self, outside: Outside, clock: Clock, *, buffer: int = 0) -> None:
        self._marketplace = outside.marketplace
        self._erp = outside.erp
        self._clock = clock
        self._orders = Orders(outside, clock)
        self._buffer = buffer
        self._read_at = LONG_AGO
        self._offers: defaultdict[str, list[str]] = defaultdict(list)
        """SKUs by stock code, whatever their case."""
        self._published: dict[str, int] = {}

    async def run(self) -> None:
        for offer in await self._marketplace.offers():
            self._offers[offer.sku.casefold()].append(offer.sku)
        sites = [site.site_id for site in await self._erp.sites() if site.is_default]
        while True:
            began = self._clock.now()
            await self._publish(sites)
            await self._orders.poll()
            took_s = (self._clock.now() - began).total_seconds()
            await self._clock.sleep(max(0.0, POLL_S - took_s))

    async def _publish(self, sites: list[str]) -> None:
        began = self._clock.now()
        moved = await self._erp.moved_products(self._read_at - OVERLAP)
        self._read_at = began
        levels = await self._erp.stock_levels([each.stock_code for each in moved], sites)
        figures: list[StockFigure] = []
        for level in levels:
            units = max(0, int(level.available) - self._buffer)
            for sku, dealt in _dealt(units, self._offers[level.stock_code.casefold()]):
                if self._published.get(sku) != dealt:
                    self._published[sku] = dealt
                    figures.append(StockFigure(sku=sku, quantity=dealt))
        if figures:
            await self._marketplace.publish_stock(figures)


class Seer:
    """Offers exactly what is free at that moment, of whatever has changed, once a minute.

    It needs no reading: without a buffer, what it oversells is the lag of an import. `speed`:
    it holds back the speed buffer of the policy at this service level (0: none).
    """

    def __init__(
        self,
        outside: Outside,
        clock: Clock,
        world: World,
        *,
        speed: float = 0.0,
        lag_s: float = SEER_LAG_S,
        every_s: float = SEER_S,
    ) -> None:
        self._speed = speed
        self._lag_s = lag_s
        self._every_s = every_s
        self._sold: dict[str, tuple[Selling | None, Moved | None]] = {}
        self._levels: dict[str, int] = {}
        self._marketplace = outside.marketplace
        self._clock = clock
        self._world = world
        self._orders = Orders(outside, clock)
        self._offers: defaultdict[str, list[str]] = defaultdict(list)
        for sku in world.marketplace.catalogue.offers:
            self._offers[sku.upper()].append(sku)
        self._changed = dict.fromkeys(self._offers)
        world.warehouse.stock.on_moved.append(self._moved)
        world.marketplace.catalogue.on_quantity.append(self._offered)

    async def run(self) -> None:
        orders_at = self._clock.now()
        while True:
            began = self._clock.now()
            if began >= orders_at:
                orders_at = began + timedelta(seconds=SEER_ORDERS_S)
                await self._orders.poll()
            self._world.agenda.advance(self._clock.now())
            await self._publish()
            took_s = (self._clock.now() - began).total_seconds()
            await self._clock.sleep(max(0.0, self._every_s - took_s))

    async def _publish(self) -> None:
        marketplace, figures = self._world.marketplace, []
        for key in self._changed:
            free = max(0, self._world.buying.free(key))
            free -= self._held(key, free)
            figures += [
                StockFigure(sku=sku, quantity=units)
                for sku, units in _dealt(free, self._offers[key])
                if marketplace.offered(sku) != units
            ]
        self._changed = {}
        if figures:
            await self._marketplace.publish_stock(figures)

    def _held(self, key: str, free: int) -> int:
        """What the speed buffer holds back, of a product that sells as its level has fallen."""
        item = self._world.warehouse.stock.find(key)
        if not self._speed or item is None:
            return 0
        level, now = int(item.level()), self._clock.now()
        change = level - self._levels.get(key, level)
        self._levels[key] = level
        selling, moved = after_change(*self._sold.get(key, (None, None)), change, now)
        self._sold[key] = selling, moved
        return held_for_speed(selling, free, lag_s=self._lag_s, service=self._speed, at=now)

    def _moved(self, item: StockItem) -> None:
        self._changed[item.code.upper()] = None

    def _offered(self, offer: Offer) -> None:
        self._changed[offer.sku.upper()] = None


def _dealt(units: int, skus: list[str]) -> list[tuple[str, int]]:
    """A product's units over its offers: the first has the rest."""
    if not skus:
        return []
    share, rest = divmod(units, len(skus))
    return [(sku, share + (rest if number == 0 else 0)) for number, sku in enumerate(skus)]


def _new_order(order: Order) -> NewOrder:
    if order.delivery_address is None:
        raise AssertionError(f"order {order.order_id} is at SHIPPING without an address")
    buyer = translate.SealedBuyer(
        address=order.delivery_address, email=order.notification_email
    )
    return NewOrder(
        external_ref=order.customer_order_number,
        ordered_at=order.created_at,
        currency=order.currency,
        deliver_to=translate.delivery(buyer),
        lines=tuple(
            NewOrderLine(
                external_line_ref=line.line_id,
                stock_code=line.sku,
                quantity=line.quantity,
                unit_gross=line.unit_price,
            )
            for line in order.lines
        ),
        delivery_gross=order.shipping_price,
        gross_total=order.total_price,
        note=f"John Lewis order {order.order_id}",
    )
