"""Law 10: two clocks. When it was true outside, and when we learnt it.

Promises: recording times are held against each other and against what happened; times of the
outside against the outside's own records. Called by `laws/__init__.py`.
Wide, and why: an outside clock may be off by the run's greatest skew at any time of it; news of
an order may go back by twice that, where the clock jumped between them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from kcjl.orders.events import OrderChanged, OrderReceived
from tests.simulation.laws.evidence import Checker, Evidence

__all__ = ["CHECKERS"]

ROUNDING = timedelta(seconds=1)
"""The marketplace tells its times to the second."""


def recorded_never_goes_back(evidence: Evidence) -> Iterator[str]:
    """Along the log the time of recording never goes back."""
    for before, after in zip(evidence.log, evidence.log[1:], strict=False):
        if after.recorded_at < before.recorded_at:
            yield f"position {after.position} was recorded before position {before.position}"


def nothing_is_learnt_before_it_is_true(evidence: Evidence) -> Iterator[str]:
    """What was true outside was true before we learnt it, but for the clocks' known skew."""
    for recorded in evidence.log:
        if recorded.occurred_at > recorded.recorded_at + evidence.skew + ROUNDING:
            yield (
                f"position {recorded.position} ({recorded.type}) occurred at "
                f"{recorded.occurred_at:%d %H:%M:%S}, recorded at "
                f"{recorded.recorded_at:%d %H:%M:%S}"
            )


def older_news_undo_nothing(evidence: Evidence) -> Iterator[str]:
    """What is said of an order never goes back behind what was said of it before."""
    latest: dict[str, datetime] = {}
    for recorded, event in evidence.said(OrderChanged):
        before = latest.get(event.order_id)
        if before is not None and event.occurred_at < before - 2 * evidence.skew:
            yield (
                f"position {recorded.position}: order {event.order_id} as of "
                f"{event.occurred_at:%d %H:%M:%S}, known was {before:%d %H:%M:%S}"
            )
        latest[event.order_id] = event.occurred_at


def nothing_is_recorded_in_the_future(evidence: Evidence) -> Iterator[str]:
    """The log has learnt nothing later than now."""
    if evidence.log and evidence.log[-1].recorded_at > evidence.now:
        yield f"the last event was recorded at {evidence.log[-1].recorded_at}, later than now"


def orders_occurred_when_they_were_placed(evidence: Evidence) -> Iterator[str]:
    """An order's first event occurred when the customer placed it, by the shop's clock."""
    for _, event in evidence.said(OrderReceived):
        order = evidence.world.marketplace.orders.get(event.order_id)
        if order is None:
            yield f"order {event.order_id} is not the marketplace's"
        elif abs(event.occurred_at - order.created_at) > evidence.skew + ROUNDING:
            yield (
                f"order {event.order_id} was placed at {order.created_at}, "
                f"not at {event.occurred_at}"
            )


CHECKERS = (
    Checker(10, "recording", recorded_never_goes_back),
    Checker(10, "learning", nothing_is_learnt_before_it_is_true),
    Checker(10, "future", nothing_is_recorded_in_the_future),
    Checker(10, "news", older_news_undo_nothing),
    Checker(10, "placing", orders_occurred_when_they_were_placed),
)
