"""Breaches made by hand: a true run, and one thing in it that is not as it was.

Promises: every forgery works on a copy; the true evidence stays true. It forges the log, the
world, the ledger or what the witness saw, one at a time, so that a checker can be seen to find
it. Called by tests/simulation/test_laws.py.
"""

import copy
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import MappingProxyType
from unittest.mock import patch

from msgspec.structs import replace

import tests.simulation.run as running
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.log.port import Recorded
from kcjl.sandbox.world import World
from kcjl.vocabulary import Event
from tests.simulation.laws import Evidence, judge
from tests.simulation.scenario import Scenario

__all__ = [
    "copied",
    "left_out",
    "raised_by_hand",
    "said_at_last",
    "said_otherwise",
    "true_evidence",
]


def true_evidence(scenario: Scenario) -> Evidence:
    """What a run leaves, as the laws get it."""
    kept: list[Evidence] = []

    def judged(evidence: Evidence) -> Sequence[object]:
        kept.append(evidence)
        return judge(evidence)

    with patch.object(running, "judge", judged):
        running.run_scenario(scenario)
    return kept[0]


def copied(evidence: Evidence) -> Evidence:
    """The same, to be forged."""
    forged = copy.copy(evidence)
    forged._folded = {}
    for known in ("text", "_by_kind"):
        forged.__dict__.pop(known, None)
    forged.log = list(evidence.log)
    forged.journals = dict(evidence.journals)
    forged.witness = copy.copy(evidence.witness)
    forged.witness.calls = list(evidence.witness.calls)
    forged.witness.given_back = list(evidence.witness.given_back)
    forged.world = _copied_world(evidence.world)
    return forged


def _copied_world(world: World) -> World:
    """Orders hang together through the items that they wait for: copying them goes deep."""
    shown = world.warehouse.sales_orders
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        again = copy.deepcopy(world, {id(shown): shown})
    finally:
        sys.setrecursionlimit(before)
    again.warehouse.sales_orders = MappingProxyType(again.warehouse.orders.by_code)
    return again


def said_otherwise(
    evidence: Evidence, kind: type[Event], change: Callable[[Event], Event]
) -> None:
    """The first event of a kind says something else."""
    place, recorded = _first(evidence, kind)
    event = change(recorded.event)
    evidence.log = [
        *evidence.log[:place],
        replace(recorded, event=event, data=repr(event).encode()),
        *evidence.log[place + 1 :],
    ]


def left_out(evidence: Evidence, kind: type[Event]) -> None:
    """No event of a kind was ever said."""
    evidence.log = [each for each in evidence.log if not isinstance(each.event, kind)]


def raised_by_hand(evidence: Evidence, kind: str, subject: str) -> None:
    """An exception is open that nobody has a cause for."""
    last = evidence.log[-1]
    event = ExceptionRaised(
        kind=kind,
        subject=subject,
        severity="high",
        message="it waits",
        next_step="look",
        owner="operations",
        occurred_at=last.recorded_at,
    )
    said_at_last(evidence, event)


def said_at_last(evidence: Evidence, event: Event) -> None:
    """One more event, by nobody."""
    last = evidence.log[-1]
    added = replace(last, position=last.position + 1, type=type(event).__name__, event=event)
    evidence.log = [*evidence.log, added]


def recorded_back(evidence: Evidence) -> None:
    """The last event was recorded an hour before the one before it."""
    last = evidence.log[-1]
    back = replace(last, recorded_at=last.recorded_at - timedelta(days=9))
    evidence.log = [*evidence.log[:-1], back]


def cleared_never(evidence: Evidence) -> None:
    left_out(evidence, ExceptionCleared)


def _first(evidence: Evidence, kind: type[Event]) -> tuple[int, Recorded]:
    return next(
        (place, each) for place, each in enumerate(evidence.log) if isinstance(each.event, kind)
    )
