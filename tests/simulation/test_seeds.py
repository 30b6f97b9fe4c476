"""Three hundred seeds: every law holds in each of them, whatever goes wrong."""

import pytest

from tests.simulation.run import run_scenario
from tests.simulation.scenario import Scenario, draw

SEEDS = 300
AT_ONCE = 20


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(1, SEEDS + 1, AT_ONCE))
def test_seeds_keep_every_law(first: int) -> None:
    """Nothing lost, nothing doubled, and everything comes to rest.

    A seed that fails here is made smaller by `python -m tests.simulation --seeds N..N`.
    """
    broken = {
        seed: [str(each) for each in run.broken]
        for seed in range(first, first + AT_ONCE)
        if (run := run_scenario(draw(seed))).broken
    }

    assert {} == broken


def test_a_calm_day_keeps_every_law_and_suffers_nothing() -> None:
    """What breaks without a fault is no matter of faults."""
    run = run_scenario(Scenario(seed=1, orders_a_day=30.0))

    assert () == run.broken
    assert {} == run.faults_by_kind
    assert 0 < run.orders < run.events


def test_a_run_reports_what_it_suffered() -> None:
    """Faults that are drawn and never come true would prove nothing."""
    run = run_scenario(draw(5))

    assert run.faults_by_kind.get("death") or run.faults_by_kind.get("take-over")
    assert run.virtual_s > 86_400 / 2
