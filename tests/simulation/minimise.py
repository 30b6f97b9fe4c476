"""A failure made smaller: what can be switched off without the law holding again.

Promises: what it gives back breaks the same law, by the same checker, as it was given; nothing
that it still has can be switched off alone. It runs the scenario again and again, so it takes
as long as RUNS_MAX of them at most.
Called by the command when a seed fails.
"""

from collections.abc import Callable, Iterator

from tests.simulation.laws import Broken
from tests.simulation.scenario import Scenario

__all__ = ["minimised"]

RUNS_MAX = 60
ORDERS_A_DAY_MIN = 3.0
SKUS_MIN = 5
SIZES = frozenset({"orders_a_day", "skus"})
"""Made smaller step by step: what is usual may be more than what is there."""


def minimised(
    scenario: Scenario,
    broken: Broken,
    *,
    run: Callable[[Scenario], tuple[Broken, ...]],
    runs_max: int = RUNS_MAX,
) -> Scenario:
    """The smallest that was found, that still breaks what was broken."""
    runs = 0

    def still(smaller: Scenario) -> bool:
        nonlocal runs
        runs += 1
        return any(
            (each.law, each.checker) == (broken.law, broken.checker) for each in run(smaller)
        )

    smallest, goes_on = scenario, True
    while goes_on:
        goes_on = False
        for smaller in _smaller(smallest):
            if runs >= runs_max:
                return smallest
            if still(smaller):
                smallest, goes_on = smaller, True
                break
    return smallest


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Each one step smaller; the large steps first."""
    kinds = scenario.faults.kinds
    if len(kinds) > 1:
        half = len(kinds) // 2
        yield scenario.without(*kinds)
        yield scenario.without(*kinds[:half])
        yield scenario.without(*kinds[half:])
    for part in scenario.parts:
        if part not in SIZES:
            yield scenario.without(part)
    for name in ("deaths_h", "takeovers_h"):
        moments = getattr(scenario, name)
        if len(moments) > 1:
            for left_out in range(len(moments)):
                fewer = (*moments[:left_out], *moments[left_out + 1 :])
                yield scenario.with_(**{name: fewer})
    if scenario.orders_a_day > ORDERS_A_DAY_MIN:
        yield scenario.with_(orders_a_day=max(scenario.orders_a_day / 2, ORDERS_A_DAY_MIN))
    if scenario.skus > SKUS_MIN:
        yield scenario.with_(skus=max(scenario.skus // 2, SKUS_MIN))
