"""Scenarios: the same from the same seed, whole in themselves, and smaller on demand."""

import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from tests.sandbox.pictures import picture
from tests.simulation.asks import Asks
from tests.simulation.faults import CALL_KINDS, LOG_KINDS, Faults
from tests.simulation.run import run_scenario
from tests.simulation.scenario import Scenario, draw

SEEDS = range(200)
PRINT_DIGEST = """
import hashlib
from tests.sandbox.pictures import picture
from tests.simulation.scenario import draw
world = draw(7).world()
world.agenda.advance(world.trade.ends_at)
print(hashlib.sha256(picture(world)).hexdigest(), draw(7))
"""


def test_same_seed_draws_the_same_scenario_whatever_the_hash_seed() -> None:
    """In another process with other hashes the scenario and its day are the same."""
    said = [
        subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]

    assert said[0] == said[1]
    assert repr(draw(7)) in said[0]


def test_every_kind_of_fault_and_part_is_drawn_by_some_seed() -> None:
    """Two hundred seeds meet everything that there is, and some meet nothing."""
    scenarios = [draw(seed) for seed in SEEDS]
    parts = {part for scenario in scenarios for part in scenario.parts}
    elsewhere = {"marketplace_clock", "erp_clock", "restores", "deaths_h", "takeovers_h"}
    by_people = {"people", "packs", *Asks.__struct_fields__} - {"terms"}

    assert {*CALL_KINDS, *LOG_KINDS} | elsewhere | by_people <= parts
    assert any(scenario.faults == Faults() for scenario in scenarios)


def test_scenario_without_all_its_parts_is_the_calm_one() -> None:
    """Shrinking comes to an end: nothing is left that could be switched off."""
    for seed in SEEDS:
        scenario = draw(seed)
        calm = scenario.without(*scenario.parts)

        assert () == calm.parts
        assert calm == Scenario(seed=seed, faults_until_h=scenario.faults_until_h)


def test_part_that_is_switched_off_leaves_the_others_as_they_were() -> None:
    """One kind less, and all else the same: so a failure can be narrowed down."""
    scenario = next(each for each in map(draw, SEEDS) if "stale" in each.faults.kinds)
    smaller = scenario.without("stale")

    assert {"stale"} == {*scenario.parts} - {*smaller.parts}
    assert scenario == smaller.with_(faults=scenario.faults)


def test_world_of_a_scenario_lives_to_the_end_of_its_trade() -> None:
    """Customers, staff and the operator act by the agenda, each in its own time."""
    for seed in range(12):
        scenario = draw(seed)
        world = scenario.world()
        for sku in world.marketplace.offers:
            rows = f"offer-sku;quantity\n{sku};30"
            world.change("johnlewis", "import_stock", {"csv_text": rows})
        world.agenda.advance(world.trade.ends_at + timedelta(hours=3))

        assert world.trade_over
        assert len(world.marketplace.orders) > 0
        packs = [item for item in world.warehouse.stock if item.pack_of]
        assert scenario.packs == len(packs)
        again = scenario.world()
        assert picture(again) != picture(world)


def test_most_worlds_are_short_and_some_are_long() -> None:
    """Many small runs find more than few large ones; what needs a night or two is met too."""
    scenarios = [draw(seed) for seed in SEEDS]
    hours = sorted(each.faults_until_h for each in scenarios)

    assert hours[len(hours) // 2] <= 14
    assert hours[-10] >= 24
    by_night = [each for each in scenarios if each.opens_at_hour + each.open_h >= 22]
    assert len(by_night) >= 20
    rhythms = [each.tenant.get("cycle_every_hours") for each in scenarios]
    assert {None, 2.0, 3.0, 5.0} == {*rhythms}
    assert rhythms.count(None) >= 15


@pytest.mark.timeout(240)
def test_every_second_run_closes_payouts_and_ships_parcels() -> None:
    """A law that has nothing to judge is not tried: what it judges comes in most runs."""
    runs = [run_scenario(draw(seed)) for seed in range(8)]
    met = Counter(name for run in runs for name, number in run.exercised.items() if number)

    for name in (
        "2, sales orders",
        "2, confirmations",
        "4, figures",
        "5, payouts",
        "2, journals",
    ):
        assert met[f"law {name}"] >= len(runs) // 2, f"law {name} in {met} of {len(runs)} runs"


def test_scenario_survives_json_and_back() -> None:
    """What a failure prints can be read again."""
    for seed in SEEDS:
        scenario = draw(seed)
        assert (scenario.seed, scenario.faults) == (
            seed,
            msgspec.json.decode(msgspec.json.encode(scenario.faults), type=Faults),
        )
