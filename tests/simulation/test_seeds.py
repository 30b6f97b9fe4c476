"""Three hundred seeds: every law holds in each of them, whatever goes wrong."""

import os

import pytest

from tests.simulation.run import run_scenario
from tests.simulation.scenario import Scenario, draw
from tests.simulation.seeds import Tally, chunks

SEEDS = 300


@pytest.mark.timeout(900)
def test_three_hundred_seeds_keep_every_law() -> None:
    """Nothing lost, nothing doubled, and everything comes to rest.

    A seed that fails here is made smaller by `python -m tests.simulation --seeds N..N`.
    """
    tally = Tally()
    for _, chunk in chunks(1, SEEDS, os.cpu_count() or 1):
        tally.add(chunk)

    assert SEEDS == tally.seeds
    assert [] == tally.failed
    # A law that nothing came before would prove nothing.
    laws = {name: number for name, number in tally.exercised.items() if "law " in name}
    assert [] == [name for name, number in laws.items() if not number]


def test_a_calm_day_keeps_every_law_and_suffers_nothing() -> None:
    """What breaks without a fault is no matter of faults."""
    run = run_scenario(Scenario(seed=1, orders_a_day=30.0))

    assert () == run.broken
    assert {} == run.faults_by_kind
    assert 0 < run.orders < run.events


def test_a_run_reports_what_it_suffered() -> None:
    """Faults that are drawn and never come true would prove nothing."""
    run = run_scenario(draw(5))

    assert run.faults_by_kind["death"] > 0
    assert run.faults_by_kind["take-over"] > 0
    assert 86_400 / 2 < run.virtual_s
