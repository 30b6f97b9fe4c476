"""What the simulation found, each with the scenario that showed it. None of it comes back."""

from tests.simulation.faults import Fault, Faults
from tests.simulation.run import run_scenario
from tests.simulation.scenario import Scenario


def test_parcel_that_arrives_after_it_was_looked_for_is_not_sent_a_second_time() -> None:
    """Law 2, one confirmation a parcel: ST01 was lost, looked for at once and not there, came
    through minutes later, and was sent again on the old look (seed 2 with another chance).
    """
    late = Faults(arrives_late=Fault(share=0.6, operations=("ST01",)))
    scenario = Scenario(
        seed=1, orders_a_day=14.0, skus=20, faults=late, tenant={"multi_shipment": True}
    )

    run = run_scenario(scenario)

    assert () == run.broken
    assert 3 < run.faults_by_kind["arrives_late"]
