"""Runs whose journals are entered in a live ledger: one a payout, whatever is lost or dies."""

import msgspec
import pytest

from tests.simulation.faults import DeathIn, Fault, Faults
from tests.simulation.run import run_scenario
from tests.simulation.scenario import Scenario, draw

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("seed", [5, 12])
def test_drawn_run_keeps_every_law_with_a_live_ledger(seed: int) -> None:
    """Its deaths, take-overs and mishaps are those of the seed."""
    run = run_scenario(draw(seed).with_(live_ledger=True))

    assert () == run.broken
    assert 0 < run.exercised["journals in a live ledger"]


@pytest.mark.parametrize("kind", ["lost_before", "lost_after", "arrives_late"])
def test_entries_whose_answers_are_lost_are_one_journal_each(kind: str) -> None:
    """Two in three entries, and now and then the process dies of the next."""
    fault = Fault(share=0.66, until_h=24.0, operations=("enter_journal",))
    scenario = Scenario(
        seed=78,
        orders_a_day=15.0,
        faults=msgspec.structs.replace(Faults(), **{kind: fault}),
        deaths_in=(DeathIn(operation="enter", call=1), DeathIn(operation="enter", call=2)),
        live_ledger=True,
    )
    run = run_scenario(scenario)

    assert () == run.broken
    assert 0 < run.exercised["journals in a live ledger"]
    assert 0 < run.faults_by_kind[kind]
