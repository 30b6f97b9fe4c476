"""When a run is at rest: the faults have stopped, and nothing is left to do without a person.

Promises: `come_to_rest` moves the world on, look by look, until everything is done that can be,
or until REST_H virtual hours have gone. What is a deed and what a mere reading, the trace says.
Called by `run.py`, and by who drives a run by hand (`by_hand.py`).
"""

from datetime import timedelta

from kcjl.sandbox.world import World
from kcjl.settings import MerchantSettings
from tests.simulation.outside import SimulatedOutside
from tests.simulation.premises import Premises
from tests.simulation.witness import Witness

__all__ = ["come_to_rest"]

REST_H = 144.0
"""Virtual hours in which everything has come to rest once the faults have stopped."""
LOOK_EVERY_S = 1_800.0
LONGEST_PAUSE = timedelta(hours=10)
"""Of a world in which something still goes on: parcels under way, a warehouse that sleeps."""
DAILY_CYCLE = timedelta(hours=24)
LEFT_LYING = timedelta(hours=6)
OURS_TO_DO = frozenset({"WAITING_ACCEPTANCE", "SHIPPING"})
UNDER_WAY = frozenset(
    {"STAGING", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPED", "TO_COLLECT"}
)
"""States from which an order goes on by itself."""


async def come_to_rest(
    world: World, witness: Witness, premises: Premises, outside: SimulatedOutside
) -> bool:
    """Whether everything is done that can be, within REST_H: nothing new but readings."""
    clock, trace = premises.clock, premises.trace
    by = clock.now() + timedelta(hours=REST_H)
    quiet = _quiet(premises.settings)
    long_pause = _long_pause(world) + quiet
    since, seen, stood_at = clock.now(), -1, None
    told: tuple[int, ...] = ()
    while clock.now() < by:
        outside.advance()
        there = _shown(world, witness)
        if told != there:
            told, stood_at, since = there, None, clock.now()  # to be read yet
        stood_at = (stood_at or clock.now()) if _stands(world) else None
        if trace.deeds != seen:
            since, seen = clock.now(), trace.deeds
        silence = clock.now() - max(since, stood_at or since)
        payouts_read_at = trace.read_at.get("CyclesRead", clock.began)
        if stood_at is None:
            is_over = silence >= long_pause and payouts_read_at >= since
        else:
            is_over = silence >= quiet and payouts_read_at >= stood_at
        if is_over:
            return True
        await clock.sleep(LOOK_EVERY_S)
    return False


def _shown(world: World, witness: Witness) -> tuple[int, ...]:
    """How much both sides have to be read of: where it grows, there is something new."""
    market = world.marketplace
    return (
        len(market.transactions),
        len(witness.sent),
        sum(order.complete for order in world.warehouse.sales_orders.values()),
        sum(
            len(line.refunds) + len(line.cancelations)
            for order in market.orders.values()
            for line in order.lines
        ),
    )


def _stands(world: World) -> bool:
    """Nothing goes on in it without the seller: paid out, or left lying where it is ours to do.

    The world's own `finished` counts on a seller who confirms whatever left the warehouse; one
    whose courier nobody has mapped yet waits for a person, and rightly so.
    """
    if world.finished:
        return True
    market, still = world.marketplace, world.agenda.now - LEFT_LYING
    paid_out = market.ledger.total("PAYABLE").amount_minor <= 0 and all(
        cycle.payout_state == "PAID" for cycle in market.cycles.values()
    )
    return (
        world.trade_over
        and paid_out
        and not any(order.state in UNDER_WAY for order in market.orders.values())
        and all(
            order.updated_at <= still
            for order in market.orders.values()
            if order.state in OURS_TO_DO
        )
    )


def _quiet(settings: MerchantSettings) -> timedelta:
    """So long nothing happens when every job but the daily one has looked again."""
    slowest_s = max(
        settings.stock.poll_s,
        settings.orders.poll_s,
        settings.dispatch.poll_s,
        settings.settlement.transactions_poll_s,
    )
    return timedelta(seconds=slowest_s + LOOK_EVERY_S)


def _long_pause(world: World) -> timedelta:
    """Without any deed for so long: every job has looked again, and what is left waits for a
    person.
    """
    hours = world.marketplace.settings.cycle_every_hours
    cycle = DAILY_CYCLE if hours is None else timedelta(hours=hours)
    return max(cycle, LONGEST_PAUSE)
