"""Law 8: no silent limit. Reaching a bound is an event or an alarm, never a quiet cut.

Promises: where a bound was reached in a run, what stands behind it is looked for. A bound that
no run reaches is not tried here but by its own test. Called by `laws/__init__.py`.
"""

from collections.abc import Iterator

from kcjl.orders.decide_posting import POSTING_ATTEMPTS_MAX
from kcjl.orders.state import ORDERS, Posting
from kcjl.settlement.decide import UNTIED_SHOWN_MAX
from kcjl.settlement.events import PayoutHeld
from kcjl.stock.decide import PUBLISH_LINES_MAX
from kcjl.stock.events import StockImportIntended
from tests.simulation.laws.evidence import Checker, Evidence
from tests.simulation.laws.standing import open_exceptions
from tests.simulation.witness import Outcome

__all__ = ["CHECKERS"]


def attempts_given_up_are_told(evidence: Evidence) -> Iterator[str]:
    """An order that is not sent any more, after so many attempts, stands on the desk."""
    told = {(each.kind, each.subject) for each in open_exceptions(evidence)}
    for order_id, entry in evidence.folded(ORDERS).items():
        spent = entry.posting_attempts >= POSTING_ATTEMPTS_MAX
        if not spent or entry.posting in (Posting.POSTED, Posting.OPEN):
            continue
        over = entry.state in ("REFUSED", "CANCELED")
        if evidence.at_rest and not over and ("posting_refused", order_id) not in told:
            yield f"order {order_id} was given up after {entry.posting_attempts} attempts"


def cut_lists_say_so(evidence: Evidence) -> Iterator[str]:
    """A list of untied lines that was cut names how many there are."""
    for _, held in evidence.said(PayoutHeld):
        if len(held.untied) == UNTIED_SHOWN_MAX and "lines" not in held.reason:
            yield f"payout {held.cycle_id} names {len(held.untied)} untied lines, not how many"


def publishes_are_whole(evidence: Evidence) -> Iterator[str]:
    """A stock import holds every figure that was intended, and no more than its bound."""
    calls = list(evidence.witness.of("publish_stock"))
    sent = {_figures(call.arguments[0]) for call in calls if call.outcome != Outcome.DIED}
    intended = [
        tuple((each.sku, each.quantity) for each in event.figures)
        for _, event in evidence.said(StockImportIntended)
    ]
    for figures in intended:
        if len(figures) > PUBLISH_LINES_MAX:
            yield f"a stock import of {len(figures)} lines is beyond its bound"
    for cut in sent - set(intended):
        yield f"a stock import of {len(cut)} lines is not what was intended"


def reads_are_whole(evidence: Evidence) -> Iterator[str]:
    """A read of orders that says that it is done brought every order of its span."""
    orders = evidence.world.marketplace.orders
    seen: set[str] = set()
    for call in evidence.witness.of("orders_updated_since", "orders_by_id", "orders_caught_up"):
        if call.outcome == Outcome.DONE and isinstance(call.answer, list | tuple):
            seen.update(each.order_id for each in call.answer)
    if evidence.at_rest:
        for order_id in orders.keys() - seen:
            yield f"order {order_id} came in no read"


def _figures(figures: object) -> tuple[tuple[str, int], ...]:
    assert isinstance(figures, list | tuple)
    return tuple((each.sku, each.quantity) for each in figures)


CHECKERS = (
    Checker(8, "attempts", attempts_given_up_are_told),
    Checker(8, "cut lists", cut_lists_say_so),
    Checker(8, "publishes", publishes_are_whole),
    Checker(8, "reads", reads_are_whole),
)
