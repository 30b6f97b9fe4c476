"""What people ask during a run is carried out by the rooms that serve the command queue."""

import msgspec
import pytest

from kcjl.command import Command
from kcjl.settings import OpeningPolicy, StockSettings
from kcjl.stock.events import SkuAliasApproved, SkuAliasWithdrawn, StockImportIntended
from tests.simulation.asks import Asks, BufferChange, PolicyChange, WritesOff, planned
from tests.simulation.forging import true_evidence
from tests.simulation.laws import Evidence, judge
from tests.simulation.laws.exercised import exercised
from tests.simulation.laws.switched import UNDER_WAY, WRITES
from tests.simulation.operators import BY
from tests.simulation.run import run_scenario
from tests.simulation.scenario import CARRIERS, Scenario, draw

SCENARIO = Scenario(
    seed=3,  # a courier that nobody has mapped ships on that day
    orders_a_day=20.0,
    skus=20,
    asks=Asks(
        writes_off=(WritesOff(from_h=2.0, for_h=3.0),),
        buffer_changes=(BufferChange(at_h=4.0, units=2),),
        account_changes_h=(3.0,),
        nonsense_h=(1.0,),
        couriers_mapped_after_h=0.5,
    ),
)


@pytest.fixture(scope="module")
def asked() -> Evidence:
    """A calm day on which people ask for much."""
    return true_evidence(SCENARIO)


def said_by_people(evidence: Evidence) -> list[str]:
    return [recorded.type for recorded in evidence.log if recorded.by == BY]


def test_what_people_ask_for_stands_in_the_log_with_their_name(asked: Evidence) -> None:
    """The switch, the buffer, the accounts, a carrier; of nonsense there is nothing."""
    said = said_by_people(asked)

    assert ["WritesSwitched", "AccountMapSet", "BufferSet", "WritesSwitched"] == said[:4]
    assert {"CarrierMapped"} == {*said[4:]}
    assert len(said) == exercised(asked)["things asked by people"]


def test_no_write_is_sent_while_writes_are_stopped_and_some_before_and_after(
    asked: Evidence,
) -> None:
    """Else the law of the switch would be kept by a day without writes."""
    off, on = (
        recorded.recorded_at for recorded in asked.log if recorded.type == "WritesSwitched"
    )
    sent = [call.began for call in asked.witness.of(*WRITES)]

    assert min(sent) < off
    assert [] == [at for at in sent if off + UNDER_WAY < at < on]
    assert max(sent) > on
    assert asked.at_rest


def test_nobody_maps_a_courier_where_nobody_looks(asked: Evidence) -> None:
    """Switched off by itself, and the others stay: so a failure can be made smaller."""
    without = SCENARIO.without("couriers_mapped_after_h")

    assert {"couriers_mapped_after_h"} == {*SCENARIO.parts} - {*without.parts}
    assert "CarrierMapped" in said_by_people(asked)
    assert "CarrierMapped" not in said_by_people(true_evidence(without))


def test_same_asks_give_the_same_run() -> None:
    """Commands have identifiers of their own, and none of the rooms'."""
    one, again = run_scenario(SCENARIO), run_scenario(SCENARIO)

    assert () == one.broken
    assert one.trace_hash == again.trace_hash


def test_writes_that_are_stopped_are_allowed_again_before_the_faults_end() -> None:
    """In every scenario that is drawn, so that all can come to rest."""
    for seed in range(200):
        scenario = draw(seed)
        switches = [
            (hour, command.arguments["switch"])
            for hour, command in planned(scenario.asks)
            if command.verb == "switch-writes"
        ]

        assert ["off", "on"] * (len(switches) // 2) == [switch for _, switch in switches]
        assert all(0 <= hour <= scenario.faults_until_h + 1e-6 for hour, _ in switches)


def test_asks_of_nobody_plan_nothing_and_survive_json() -> None:
    """A scenario that a failure prints can be read again."""
    asks = draw(4).asks

    assert [] == planned(Asks())
    assert asks == msgspec.json.decode(msgspec.json.encode(asks), type=Asks)
    assert all(isinstance(command, Command) for _, command in planned(asks))


def test_policy_that_people_propose_and_approve_decides_what_is_published() -> None:
    """Both words stand in the log, and from then on each import names that version."""
    written = '[[rules]]\nname = "all"\nbuffer = 2\npercent = 10\nspeed = 0.99\n'
    change = PolicyChange(at_h=3.0, document=written)
    evidence = true_evidence(
        Scenario(seed=6, orders_a_day=20.0, skus=20, asks=Asks(policy_changes=(change,)))
    )

    assert ["StockPolicyProposed", "StockPolicyApproved"] == said_by_people(evidence)
    versions = [event.policy_version for _, event in evidence.said(StockImportIntended)]
    assert [1, 2] == sorted(set(versions))
    assert versions == sorted(versions)
    assert [] == list(judge(evidence))


def test_alias_that_people_approve_sells_the_goods_and_falls_when_the_code_is_mended() -> None:
    """Each law holds while a SKU stands for another code, with a speed buffer and the watch;
    the window shows the goods before the ERP has the SKU itself.
    """
    merchant: dict[str, object] = {
        "stock": StockSettings(poll_s=300.0, watch_s=60.0),
        "opening_policy": OpeningPolicy(speed=0.999, carriers=CARRIERS),
    }
    evidence = true_evidence(
        Scenario(
            seed=1,
            orders_a_day=40.0,
            skus=20,
            mismatches=4,
            asks=Asks(aliased_after_h=0.4),
            merchant=merchant,
        )
    )
    aliases = {event.sku: event.stock_code for _, event in evidence.said(SkuAliasApproved)}
    shown_as = {
        figure.code
        for _, event in evidence.said(StockImportIntended)
        for figure in event.figures
        if figure.sku in aliases and figure.quantity
    }
    spelled = {each.sku: each.erp_code for each in evidence.world.shelf.mismatches.values()}

    assert 4 == len(spelled)
    assert ["SkuAliasApproved", "SkuConfirmed"] * 4 == said_by_people(evidence)
    assert spelled == aliases
    assert set(aliases.values()) <= shown_as
    assert set(aliases) == {event.sku for _, event in evidence.said(SkuAliasWithdrawn)}
    assert evidence.at_rest
    assert [] == list(judge(evidence))
