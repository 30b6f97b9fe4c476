"""The laws of design section 2, each as small checkers against the outside's own truth.

Promises: `judge` names every law that a run has broken, by number and checker, and changes
nothing. A checker that fails itself is a broken law too: nothing is passed over.
Called by `tests/simulation/run.py` after each run.
"""

from tests.simulation.laws import (
    clocks,
    complete,
    given_back,
    limits,
    numbers,
    offered,
    once,
    pennies,
    policies,
    private,
    replayed,
    rest,
    switched,
    unchanged,
)
from tests.simulation.laws.evidence import Broken, Checker, Evidence, gather
from tests.simulation.laws.exercised import exercised

__all__ = ["CHECKERS", "Broken", "Checker", "Evidence", "exercised", "gather", "judge"]

CHECKERS: tuple[Checker, ...] = (
    *replayed.CHECKERS,
    *once.CHECKERS,
    *given_back.CHECKERS,
    *complete.CHECKERS,
    *offered.CHECKERS,
    *pennies.CHECKERS,
    *unchanged.CHECKERS,
    *private.CHECKERS,
    *limits.CHECKERS,
    *policies.CHECKERS,
    *clocks.CHECKERS,
    *switched.CHECKERS,
    *numbers.CHECKERS,
    *rest.CHECKERS,
)


def judge(evidence: Evidence) -> list[Broken]:
    """What was broken, law by law; empty when all of them hold."""
    return [broken for checker in CHECKERS for broken in checker.check(evidence)]
