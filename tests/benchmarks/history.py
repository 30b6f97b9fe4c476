"""A merchant's past in the product's own vocabulary: as many events as are asked for.

Products are listed, confirmed and read; orders come in, are accepted, posted, shipped and paid,
each stage some hundred or thousand orders after the one before it, as in a year of trade. Five
thousand products, of which some sell far more than others; an order is some 26 events. The same
number of events is always the same log. Written by COPY with a true chain: `kcjl log verify`
finds nothing to say about it.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import count, islice

import asyncpg

from kcjl.clock import chance
from kcjl.dispatch import events as dispatch
from kcjl.events import vocabulary as everything
from kcjl.log.chain import genesis, link
from kcjl.money import Money
from kcjl.orders import events as orders
from kcjl.orders import posting_events as posting
from kcjl.settlement import events as settlement
from kcjl.stock import events as stock
from kcjl.vocabulary import Event, Vocabulary

__all__ = ["PRODUCTS", "History", "life"]

PRODUCTS = 5_000
SHIPPED_AFTER = 300
"""Orders that come in between an order and its parcel."""
PAID_AFTER = 3_000
ROUND = 20
"""Orders between two reads of everything."""
_BEGAN = datetime(2025, 10, 1, 6, 0, tzinfo=UTC)
_COPY_EVENTS = 20_000
_COLUMNS = (
    "merchant",
    "position",
    "stream",
    "revision",
    "type",
    "schema",
    "occurred_at",
    "recorded_at",
    "correlation_id",
    "causation",
    "by",
    "data",
    "hash",
)


class History:
    """One merchant's log, that grows."""

    def __init__(
        self,
        dsn: str,
        merchant: str,
        *,
        events: Iterator[Event] | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """`events`: others than a merchant's life, of another vocabulary."""
        self.merchant = merchant
        self.position = 0
        self._dsn = dsn
        self._hash = genesis(merchant)
        self._recorded_at = _BEGAN
        self._revisions: defaultdict[str, int] = defaultdict(int)
        self._events = events or life()
        self._encode = (vocabulary or everything()).encode

    async def grow(self, to: int, *, tidy: bool = True) -> None:
        """Write what follows, up to this position; `tidy`: so that it costs nothing later."""
        connection = await asyncpg.connect(self._dsn)
        try:
            while self.position < to:
                events = islice(self._events, min(_COPY_EVENTS, to - self.position))
                rows = [self._row(event) for event in events]
                async with connection.transaction():
                    await connection.copy_records_to_table(
                        "event", columns=_COLUMNS, records=rows
                    )
                    await connection.execute(
                        """
                        insert into log_head (merchant, position, hash, epoch)
                        values ($1, $2, $3, 0)
                        on conflict (merchant) do update
                        set position = excluded.position, hash = excluded.hash
                        """,
                        self.merchant,
                        self.position,
                        self._hash,
                    )
            if tidy:
                await connection.execute("vacuum analyze event", timeout=600)
                await connection.execute("checkpoint", timeout=600)
        finally:
            await connection.close()

    def _row(self, event: Event) -> tuple[object, ...]:
        self.position += 1
        recorded_at = self._recorded_at = max(self._recorded_at, event.occurred_at)
        stream, data = event.stream, self._encode(event)
        self._revisions[stream] += 1
        revision, name = self._revisions[stream], type(event).__name__
        self._hash = link(
            self._hash,
            merchant=self.merchant,
            position=self.position,
            stream=stream,
            revision=revision,
            type=name,
            schema=event.SCHEMA,
            occurred_at=event.occurred_at,
            recorded_at=recorded_at,
            correlation_id=stream,
            causation=None,
            by="history",
            data=data,
        )
        return (
            self.merchant,
            self.position,
            stream,
            revision,
            name,
            event.SCHEMA,
            event.occurred_at,
            recorded_at,
            stream,
            None,
            "history",
            data.decode(),
            self._hash,
        )


def life(*, seconds_apart: float = 60.0) -> Iterator[Event]:
    """For ever: an order every so often."""
    at = _BEGAN
    for product in range(PRODUCTS):
        yield from _listed(_sku(product), product, at)
    for number in count():
        at = _BEGAN + timedelta(seconds=seconds_apart * number)
        if number % ROUND == 0:
            yield from _reads(at, number)
        yield from _taken(number, at)
        yield from _published(number, at)
        yield from _posted(number, at)
        if number >= SHIPPED_AFTER:
            yield from _shipped(number - SHIPPED_AFTER, at)
        if number >= PAID_AFTER:
            yield from _paid(number - PAID_AFTER, at)


def _sku(product: int) -> str:
    return f"JL-{product:05d}-A"


def _id(number: int) -> str:
    return f"70{number:08d}-A"


@lru_cache(maxsize=2 * PAID_AFTER)
def _skus(number: int) -> list[str]:
    """One to three products; few are bought often, and most seldom."""
    luck = chance(number)
    lines = 1 + luck.randrange(3)
    return [_sku(int(PRODUCTS * luck.random() ** 2)) for _ in range(lines)]


@lru_cache(maxsize=2 * PAID_AFTER)
def _prices(number: int) -> list[tuple[str, str, Money]]:
    return [
        (f"{_id(number)}-{line}", sku, Money(1_999 + 100 * line))
        for line, sku in enumerate(_skus(number), start=1)
    ]


def _total(number: int) -> Money:
    return Money(sum(price.amount_minor for _, _, price in _prices(number)))


def _listed(sku: str, product: int, at: datetime) -> Iterator[Event]:
    yield stock.OfferListed(
        occurred_at=at, sku=sku, offer_id=product, title=f"Product {product}", quantity=0
    )
    yield stock.SkuConfirmed(
        occurred_at=at,
        sku=sku,
        stock_code=sku,
        discontinued=False,
        run_to_zero=False,
        stock_controlled=True,
        sales_multiple=None,
        display_cap=None,
    )
    yield _level(sku, product, at)


def _level(sku: str, number: int, at: datetime) -> Event:
    return stock.LevelRead(
        occurred_at=at,
        sku=sku,
        levels=(("1", Decimal(100 + number % 50)),),
        status=1,
        finished_at=at,
    )


def _reads(at: datetime, number: int) -> Iterator[Event]:
    yield stock.StockRead(occurred_at=at, finished_at=at, cursor=at, products=number % 99)
    yield orders.OrdersRead(occurred_at=at, cursor=at, read=ROUND, swept=False)
    yield dispatch.ShipmentsRead(occurred_at=at, asked=SHIPPED_AFTER, found=ROUND)
    yield settlement.TransactionsRead(occurred_at=at, cursor=at, read=4 * ROUND)


def _taken(number: int, at: datetime) -> Iterator[Event]:
    order_id, zero, total = _id(number), Money(0), _total(number)
    yield orders.OrderReceived(
        occurred_at=at,
        order_id=order_id,
        commercial_id=order_id[:-2],
        customer_order_number=f"C{order_id}",
        state="WAITING_ACCEPTANCE",
        accept_by=at + timedelta(hours=24),
        ship_by=at + timedelta(days=2),
        currency="GBP",
        price=total,
        shipping_price=zero,
        total_price=total,
        tax_mode="TAX_INCLUDED",
        shipping_type_code="STD",
        fulfilled_by_us=True,
        updated_at=at,
        lines=tuple(
            orders.LineOrdered(
                line_id=line_id,
                sku=sku,
                title=f"Product {sku}",
                category_code="HOME",
                quantity=1,
                unit_price=price,
                price=price,
                shipping_price=zero,
                commission=Money(price.amount_minor // 8),
                commission_tax=Money(price.amount_minor // 40),
            )
            for line_id, sku, price in _prices(number)
        ),
    )
    lines = tuple(line_id for line_id, _, _ in _prices(number))
    yield orders.AcceptanceIntended(occurred_at=at, order_id=order_id, lines=lines)
    yield orders.AcceptanceConfirmed(occurred_at=at, order_id=order_id)
    yield _changed(number, at, "SHIPPING")


def _changed(number: int, at: datetime, state: str) -> Event:
    return orders.OrderChanged(
        occurred_at=at,
        order_id=_id(number),
        state=state,
        ship_by=None,
        total_price=_total(number),
        lines=tuple(
            orders.LineStanding(
                line_id=line_id, sku=sku, state=state, price=price, refunded=Money(0)
            )
            for line_id, sku, price in _prices(number)
        ),
    )


def _published(number: int, at: datetime) -> Iterator[Event]:
    publish_id, skus = f"{number:032x}", tuple(_skus(number))
    yield stock.StockImportIntended(
        occurred_at=at,
        publish_id=publish_id,
        policy_version=1,
        figures=tuple(
            stock.Figure(
                sku=sku,
                quantity=number % 50,
                level=Decimal(number % 50),
                in_flight=1,
                buffer=2,
                level_read_at=at,
                orders_read_at=at,
            )
            for sku in skus
        ),
    )
    yield stock.StockImportSent(
        occurred_at=at, publish_id=publish_id, import_id=str(number), skus=skus
    )
    yield stock.StockImportFinished(
        occurred_at=at, publish_id=publish_id, import_id=str(number), skus=skus, refused=()
    )


def _posted(number: int, at: datetime) -> Iterator[Event]:
    order_id, reference, total = _id(number), f"C{_id(number)}"[:15], _total(number)
    lines = tuple(
        orders.PostedLine(
            line_id=line_id, sku=sku, stock_code=sku, quantity=1, unit_gross=price
        )
        for line_id, sku, price in _prices(number)
    )
    sales_order = f"SO{number}"
    yield orders.DeliveryAddressSealed(
        occurred_at=at, order_id=order_id, vault_ref=f"{number:032x}"
    )
    yield orders.PostingIntended(
        occurred_at=at,
        order_id=order_id,
        reference=reference,
        attempt=1,
        lines=lines,
        delivery_gross=Money(0),
        gross_total=total,
    )
    yield orders.SalesOrderPosted(
        occurred_at=at,
        order_id=order_id,
        reference=reference,
        erp_order_code=sales_order,
        found_by_lookup=False,
        taken_by=at,
        lines=lines,
        gross_total=total,
    )
    yield posting.TotalsCompared(occurred_at=at, order_id=order_id, ours=total, erp=total)
    yield orders.ReferenceWriteIntended(
        occurred_at=at, order_id=order_id, erp_order_code=sales_order
    )
    yield orders.ReferenceWritten(occurred_at=at, order_id=order_id, erp_order_code=sales_order)
    for _, sku, _ in _prices(number):
        yield _level(sku, number, at + timedelta(seconds=30))


def _shipped(number: int, at: datetime) -> Iterator[Event]:
    order_id, parcel_key = _id(number), f"INV{number}-1"
    lines = tuple(
        dispatch.ConfirmedLine(line_id=line_id, quantity=1) for line_id, _, _ in _prices(number)
    )
    yield dispatch.ParcelShipped(
        occurred_at=at,
        order_id=order_id,
        parcel_key=parcel_key,
        reference=f"C{order_id}"[:15],
        erp_complete=True,
        courier_name="DPD Next Day",
        courier_code="DPD",
        tracking_number=f"1550{number:010d}",
        shipped_on=at.date(),
        items=tuple(dispatch.ParcelItem(stock_code=sku, quantity=1) for sku in _skus(number)),
        deadline=at + timedelta(days=1),
    )
    yield dispatch.ConfirmationIntended(
        occurred_at=at,
        order_id=order_id,
        parcel_key=parcel_key,
        attempt=1,
        lines=lines,
        courier_name="DPD Next Day",
        carrier_code="dpd",
        tracking_number=f"1550{number:010d}",
        by_shipment=True,
    )
    yield dispatch.ParcelConfirmed(
        occurred_at=at,
        order_id=order_id,
        parcel_key=parcel_key,
        lines=lines,
        shipment_id=f"{number:032x}",
        already=False,
    )
    yield _changed(number, at, "SHIPPED")
    yield dispatch.DispatchClosed(occurred_at=at, order_id=order_id, reason="confirmed")


def _paid(number: int, at: datetime) -> Iterator[Event]:
    order_id = _id(number)
    for line_id, _, price in _prices(number):
        for kind, amount in (
            ("ORDER_AMOUNT", price),
            ("COMMISSION_FEE", Money(-price.amount_minor // 8)),
        ):
            settled = f"{line_id}-{kind}"
            yield settlement.SettlementLineSeen(
                occurred_at=at,
                line_id=settled,
                kind=kind,
                amount=amount,
                payment_state="PENDING",
                cycle_id=f"cycle-{number // 5_000}",
                voucher=None,
                document_number=None,
                order_id=order_id,
                order_line_id=line_id,
                refund_id=None,
                customer_order_number=f"C{order_id}",
            )
            yield settlement.SettlementLineTied(
                occurred_at=at,
                line_id=settled,
                order_id=order_id,
                order_line_id=line_id,
                reference=f"C{order_id}"[:15],
                erp_order_code=f"SO{number}",
            )
