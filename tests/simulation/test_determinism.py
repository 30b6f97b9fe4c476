"""The same seed is the same run, byte for byte, in any process and with any hash seed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.run import Run, run_scenario
from tests.simulation.scenario import Scenario, draw

ROOT = Path(__file__).parents[2]
HASH_SEEDS = ("0", "4711")
TWICE = """
import sys
from tests.simulation.run import run_scenario
from tests.simulation.scenario import draw
for seed in map(int, sys.argv[1:]):
    run = run_scenario(draw(seed))
    print(seed, run.trace_hash, run.events, run.calls, run.steps, *map(str, run.broken))
"""
SEEDS = ("5", "8", "12")
"""Small ones: deaths, take-overs, mishaps and a database that fails are all among them."""

pytestmark = pytest.mark.timeout(120)


def _told_by_a_process(hash_seed: str) -> str:
    child = subprocess.run(
        [sys.executable, "-c", TWICE, *SEEDS],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return child.stdout.decode()


def test_a_seed_is_the_same_run_in_every_process() -> None:
    """What fails on one machine fails on the next: events, calls and answers are the same."""
    one, two = map(_told_by_a_process, HASH_SEEDS)

    assert len(SEEDS) == len(one.splitlines())
    assert one == two


def test_a_seed_is_the_same_run_again_in_the_same_process() -> None:
    """Nothing is left of a run that the next one could see."""
    scenario = draw(5)

    assert run_scenario(scenario) == run_scenario(scenario)


def test_keeping_the_history_changes_nothing() -> None:
    """Whoever looks at a failure looks at the one that was found."""
    scenario = draw(5)
    kept = run_scenario(scenario, keep_lines=True)

    assert run_scenario(scenario).trace_hash == kept.trace_hash
    assert len(kept.lines) > kept.events


def test_another_seed_is_another_run() -> None:
    """And not the same one under another name."""
    assert _calm(1).trace_hash != _calm(2).trace_hash


def _calm(seed: int) -> Run:
    return run_scenario(Scenario(seed=seed, orders_a_day=6.0))
