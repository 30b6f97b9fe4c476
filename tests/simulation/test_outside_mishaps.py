"""What goes wrong with calls to the simulated outside, kind by kind, and what it hides.

The law of each: an effect is there or not as the kind says, whatever the caller heard; the kind
is counted; what is read is never a row that was not so at some time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
import anyio.lowlevel
import msgspec
import pytest

from kcjl.clock import RealClock, chance
from kcjl.errors import (
    KcjlError,
    OutcomeUnknown,
    ProtocolSurprise,
    RateLimited,
    Refused,
    Unavailable,
)
from kcjl.johnlewis.port import OrderState, StockFigure
from kcjl.rooms import Marketplace
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.world import World
from kcjl.sandbox.world_settings import WorldSettings
from tests.simulation.faults import ClockShift, Fault, Faults, Restore
from tests.simulation.outside import SimulatedOutside
from tests.simulation.test_outside_twins import new_order

pytestmark = pytest.mark.anyio

TRADE = GeneratedTrade(orders_per_hour=8, skus=20, closes_at_hour=14, seed=4)
ALWAYS = Fault(share=1.0)


def faults_of(**kinds: Fault) -> Faults:
    return msgspec.structs.replace(Faults(), **kinds)


@dataclass
class JumpingClock(RealClock):
    """Sleeping moves the time on at once."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await anyio.lowlevel.checkpoint()
        self.at += timedelta(seconds=seconds)


class Day:
    """A morning of trade with every ware on offer, and the outside with its faults."""

    def __init__(self, faults: Faults, seed: int = 1) -> None:
        settings = WorldSettings.of("quick", seed=4, trade=TRADE)
        tenant = msgspec.structs.replace(settings.marketplace, call_limits=False)
        self.world = World(msgspec.structs.replace(settings, marketplace=tenant))
        self.clock = JumpingClock(self.world.starts_at)
        self.outside = SimulatedOutside(
            self.world, faults, chance(f"mishaps/{seed}"), self.clock
        )
        self.ports = self.outside.ports()
        rows = "".join(f'\n"{sku}";50' for sku in self.world.marketplace.offers)
        self.world.marketplace.import_stock(f"offer-sku;quantity{rows}")

    @property
    def market(self) -> Marketplace:
        return self.ports.marketplace

    def wait(self, **span: float) -> None:
        self.clock.at += timedelta(**span)
        self.outside.advance()

    def accept_all(self) -> None:
        for order in self.world.marketplace.orders.values():
            if order.state == "WAITING_ACCEPTANCE":
                yes = [{"id": line.line_id, "accepted": True} for line in order.lines]
                self.world.change(
                    "johnlewis", "accept", {"order_id": order.order_id, "decisions": yes}
                )

    async def order_to_post(self) -> str:
        """An order at SHIPPING: its id."""
        self.wait(hours=3)
        self.accept_all()
        self.wait(minutes=30)
        shipping = self.world.marketplace.book.by_state["SHIPPING"]
        return next(
            order_id
            for order_id in shipping
            if all(
                self.world.warehouse.stock.find(line.sku)
                for line in self.world.marketplace.orders[order_id].lines
            )
        )


@pytest.mark.parametrize(
    ("kind", "for_reads", "for_writes", "is_done"),
    [
        ("lost_before", {Unavailable}, {Unavailable, OutcomeUnknown}, False),
        ("lost_after", {Unavailable}, {OutcomeUnknown}, True),
        ("truncated", {Unavailable, ProtocolSurprise}, {OutcomeUnknown}, True),
        ("rate_limited", {RateLimited}, {RateLimited}, False),
        ("slow", set(), set(), True),
    ],
)
async def test_call_that_suffers_is_done_or_not_as_its_kind_says(
    kind: str,
    for_reads: set[type[KcjlError]],
    for_writes: set[type[KcjlError]],
    *,
    is_done: bool,
) -> None:
    """An answer that is lost hides what was done; one that never arrived hides nothing."""
    day = Day(faults_of(**{kind: ALWAYS}))
    heard: list[type[KcjlError]] = []
    for call in (day.market.account, lambda: day.market.publish_stock([figure(day)])):
        try:
            await call()
        except KcjlError as error:
            heard.append(type(error))

    assert heard == [] or (heard[0] in for_reads and heard[1] in for_writes)
    assert bool(heard) is bool(for_reads)
    assert 1 + is_done == len(day.world.marketplace.catalogue.imports)
    assert {kind: 2} == dict(day.outside.faults_by_kind)


def figure(day: Day) -> StockFigure:
    return StockFigure(sku=next(iter(day.world.marketplace.offers)), quantity=9)


async def test_order_that_arrives_late_is_there_after_a_look_up_that_missed_it() -> None:
    """No answer, not there when looked up, and taken minutes later all the same (law 2)."""
    day = Day(Faults(arrives_late=ALWAYS))
    order_id = await day.order_to_post()
    (order,) = await day.market.orders_by_id([order_id])
    with pytest.raises(OutcomeUnknown):
        await day.ports.erp.create_order(new_order(order))
    number = order.customer_order_number
    missed = day.world.warehouse.orders_by_ref(number)

    day.wait(minutes=4)

    assert [] == missed
    assert 1 == len(day.world.warehouse.orders_by_ref(number))
    day.outside.stop_faults()
    with pytest.raises(Refused):
        await day.ports.erp.create_order(new_order(order))


async def test_storm_of_429_ends_and_calls_go_through_again() -> None:
    """One storm is many refusals of one operation, and then none."""
    day = Day(Faults(rate_limited=Fault(share=1.0, until_h=0.001)))
    with pytest.raises(RateLimited) as first:
        await day.market.ping()
    day.wait(seconds=4)
    with pytest.raises(RateLimited):
        await day.market.ping()
    assert (first.value.retry_after_s or 0) > 0
    day.wait(minutes=5)
    await day.market.ping()

    assert 2 == day.outside.faults_by_kind["rate_limited"]


async def test_rows_come_twice_and_in_another_order_but_are_the_same_rows() -> None:
    """Nothing is lost and nothing invented by doubling and mixing."""
    for kind in ("duplicated", "reordered"):
        day = Day(faults_of(**{kind: ALWAYS}))
        day.wait(hours=4)
        rows = await day.market.orders_updated_since(day.world.starts_at)
        calm = Day(Faults())
        calm.clock.at = day.clock.at
        calm.outside.advance()
        straight = await calm.market.orders_updated_since(calm.world.starts_at)

        assert {row.order_id for row in straight} == {row.order_id for row in rows}
        assert (len(rows) > len(straight)) is (kind == "duplicated")
        assert [row.order_id for row in rows] != [row.order_id for row in straight]
        assert day.outside.faults_by_kind[kind] == 1


async def test_transaction_lines_keep_their_order_whatever_happens_to_rows() -> None:
    """TL02 promises the oldest update first; only a repeat may come."""
    kinds = Faults(duplicated=Fault(share=0.5), reordered=Fault(share=0.5))
    day = Day(kinds)
    await day.order_to_post()
    for _ in range(20):
        lines = await day.market.transaction_lines(day.world.starts_at)
        assert [line.updated_at for line in lines] == sorted(line.updated_at for line in lines)
    assert day.outside.faults_by_kind["duplicated"] > 0
    assert day.outside.faults_by_kind["reordered"] == 0


async def test_stale_read_gives_what_was_true_some_minutes_ago() -> None:
    """What became of an order a moment ago is in no list yet; an order read stays as it was."""
    day = Day(Faults(stale=ALWAYS))
    order_id = await day.order_to_post()
    (before,) = await day.market.orders_by_id([order_id])
    day.world.marketplace.operator_cancels(order_id)
    day.outside.mishaps.chance.seed(2)
    (stale,) = await day.market.orders_by_id([order_id])
    recent = await day.market.orders_updated_since(day.clock.at - timedelta(hours=1))

    assert OrderState.SHIPPING == before.state == stale.state
    shown = {order.state for order in recent if order.order_id == order_id}
    assert shown <= {OrderState.SHIPPING}
    day.outside.stop_faults()
    (now,) = await day.market.orders_by_id([order_id])
    assert OrderState.CANCELED == now.state


async def test_list_that_moves_under_its_reading_holds_every_row_of_its_beginning() -> None:
    """Read in small pages with time between them: rows of later moments come with it."""
    day = Day(Faults(moving=ALWAYS))
    day.wait(hours=3)
    there = set(day.world.marketplace.orders)
    day.accept_all()
    rows = await day.market.orders_updated_since(day.world.starts_at)

    assert there <= {row.order_id for row in rows}
    assert {OrderState.WAITING_DEBIT, OrderState.WAITING_DEBIT_PAYMENT} <= {
        row.state for row in rows
    }
    assert {"moving": 1} == dict(day.outside.faults_by_kind)


async def test_outside_clock_that_jumps_stamps_its_rows_by_its_own_time() -> None:
    """What changed before the jump keeps its stamp; since then the stamps are off."""
    jump = ClockShift(at_h=2.5, fast_s=-300.0)
    day = Day(Faults(marketplace_clock=(jump,), erp_clock=(jump,)))
    day.wait(hours=4)
    jumped_at = day.world.starts_at + timedelta(hours=2.5)
    for order in await day.market.orders_updated_since(day.world.starts_at):
        true = day.world.marketplace.orders[order.order_id].created_at
        late = timedelta(seconds=300) if true >= jumped_at else timedelta(0)
        assert true - late == order.created_at
    moved = await day.ports.erp.moved_products(jumped_at)
    stamps = [ref.changed_at for ref in moved if ref.changed_at is not None]
    assert stamps
    assert min(stamps) >= jumped_at.replace(microsecond=0)


async def test_erp_restored_from_its_backup_has_lost_an_hour_and_nothing_else() -> None:
    """The order that was posted within the hour is gone; the marketplace knows of it still."""
    day = Day(Faults(restores=(Restore(at_h=5.0, age_h=1.0),)))
    order_id = await day.order_to_post()
    (order,) = await day.market.orders_by_id([order_id])
    day.clock.at = day.world.starts_at + timedelta(hours=4.5)
    created = await day.ports.erp.create_order(new_order(order))
    assert await day.ports.erp.find_order(order.customer_order_number) is not None
    restored: list[Restore] = []
    day.outside.on_restored.append(restored.append)

    day.wait(hours=1)

    assert await day.ports.erp.find_order(order.customer_order_number) is None
    assert 1 == len(restored)
    assert {"restores": 1} == dict(day.outside.faults_by_kind)
    again = await day.ports.erp.create_order(new_order(order))
    assert created.erp_order_code == again.erp_order_code


async def test_same_seed_gives_the_same_mishaps() -> None:
    """Chance comes from the seed alone, and nothing else is asked."""

    async def lived() -> tuple[list[str], dict[str, int]]:
        everything = {
            kind: Fault(share=0.1) for kind in ("lost_after", "stale", "moving", "duplicated")
        }
        day = Day(faults_of(**everything), seed=9)
        heard = []
        for _ in range(60):
            day.wait(minutes=5)
            try:
                rows = await day.market.orders_updated_since(day.world.starts_at)
                heard.append(f"{day.clock.at} {[row.state for row in rows]}")
            except KcjlError as error:
                heard.append(f"{day.clock.at} {error}")
        return heard, dict(day.outside.faults_by_kind)

    assert await lived() == await lived()


async def test_fault_of_one_operation_leaves_the_others_alone() -> None:
    """So a failure can be narrowed to the one call that matters."""
    day = Day(Faults(lost_before=Fault(share=1.0, operations=("A01",))))
    await day.market.platform()
    with pytest.raises(Unavailable):
        await day.market.account()

    assert {"lost_before": 1} == dict(day.outside.faults_by_kind)


async def test_second_process_without_budgets_of_the_first_is_turned_away() -> None:
    """Call limits are the face's and outlive a process; its own budgets do not (d.1)."""
    day = Day(Faults())
    day.world.change("johnlewis", "switch", {"settings": {"call_limits": True}})
    await day.market.orders_updated_since(day.world.starts_at)
    before = day.clock.at
    await day.market.orders_updated_since(day.world.starts_at)
    assert day.clock.at - before >= timedelta(seconds=50)

    with pytest.raises(RateLimited):
        await day.outside.ports().marketplace.orders_updated_since(day.world.starts_at)


async def test_write_whose_caller_dies_on_the_way_may_still_take_effect() -> None:
    """Cut off before it had arrived: it is done soon and once, or it had not been sent."""
    arrived: list[int] = []
    for seed in range(8):
        day = Day(Faults(), seed)
        order_id = await day.order_to_post()
        (order,) = await day.market.orders_by_id([order_id])
        with anyio.CancelScope() as death:
            death.cancel()
            await day.ports.erp.create_order(new_order(order))
        at_once = len(day.world.warehouse.orders_by_ref(order.customer_order_number))
        day.wait(seconds=5)
        arrived.append(len(day.world.warehouse.orders_by_ref(order.customer_order_number)))

        assert 0 == at_once
        assert arrived[-1] == day.outside.faults_by_kind["outlives_caller"]

    assert {0, 1} == set(arrived)
