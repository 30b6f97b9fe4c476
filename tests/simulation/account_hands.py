"""What the operator does to payouts that were paid: a charge is added, a line is taken off.

Promises: what it does is the marketplace's truth from then on: the line's payout, its state and
its last update are as its account shows them. No interface of theirs does it; people there do.
Called by `people.py`.
"""

from random import Random

from kcjl.money import Money
from kcjl.sandbox.marketplace.records import TransactionLine
from kcjl.sandbox.world import World
from kcjl.settlement.events import PAYMENT

__all__ = ["add_to_a_payout", "take_off_a_payout"]


def add_to_a_payout(world: World, luck: Random) -> bool:
    """A charge and its VAT, on a payout that was paid; False where there is none yet."""
    paid = [each for each in world.marketplace.cycles.values() if each.payout_state == "PAID"]
    if not paid:
        return False
    cycle, ledger = luck.choice(paid), world.marketplace.ledger
    before = set(ledger.lines)
    pence = luck.randint(50, 500)
    ledger.charge_fee("MANUAL_INVOICE", Money(-5 * pence), Money(-pence))
    for line_id in sorted(set(ledger.lines) - before):
        ledger._put_on_cycle(ledger.lines[line_id], cycle.cycle_id, cycle.voucher)
    return True


def take_off_a_payout(world: World, luck: Random) -> bool:
    """A line of a payout that was paid waits for the next one; False where there is none."""
    market = world.marketplace
    lines = [line for line in market.transactions.values() if _may_leave(world, line)]
    if not lines:
        return False
    line = luck.choice(lines)
    market.ledger.by_cycle[line.cycle_id or ""].remove(line.line_id)
    line.cycle_id = line.voucher = None
    market.ledger._payable[line.line_id] = None
    market.ledger._set_state(line, "PAYABLE")
    return True


def _may_leave(world: World, line: TransactionLine) -> bool:
    cycle = world.marketplace.cycles.get(line.cycle_id or "")
    is_paid = cycle is not None and cycle.payout_state == "PAID"
    return is_paid and bool(line.amount) and line.kind != PAYMENT
