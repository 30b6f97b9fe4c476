"""Each rule about parcels' numbers and silences finds its own breach: beside test_laws.py."""

import copy
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from kcjl.dispatch.events import CarrierMapped
from kcjl.johnlewis.port import ShipmentRequest
from tests.simulation.forging import copied, raised_by_hand, said_at_last, true_evidence
from tests.simulation.laws import CHECKERS, Evidence
from tests.simulation.people import SLIP
from tests.simulation.test_laws import SCENARIO
from tests.simulation.witness import Outcome


@pytest.fixture(scope="module")
def true() -> Evidence:
    """A calm day at a tenant with shipments."""
    return true_evidence(SCENARIO)


def _slip_told(e: Evidence) -> None:
    call = copy.copy(next(e.witness.of("create_shipment")))
    (request,) = call.arguments
    assert isinstance(request, ShipmentRequest)
    assert request.tracking is not None
    slip = replace(request.tracking, tracking_number=f"{SLIP}1")
    call.arguments = (replace(request, tracking=slip),)
    e.witness.calls.append(call)


def _number_not_sent_on(e: Evidence) -> None:
    for shipments in e.world.marketplace.book.shipments_of.values():
        for shipment in shipments:
            shipment.tracking = None


def _mapped_and_still_there(e: Evidence) -> None:
    at = e.log[-1].recorded_at
    mapped = CarrierMapped(courier="Bike", carrier_code="DPD", version=99, occurred_at=at)
    said_at_last(e, mapped)
    raised_by_hand(e, "courier_unmapped", "bike")


def _refused_by_nobody(e: Evidence) -> None:
    raised_by_hand(e, "confirmation_refused", "700000001-A/INV1/1")


def _silent_and_nobody_told(e: Evidence) -> None:
    call = next(e.witness.of("create_shipment"))
    for minutes in range(0, 120, 5):
        silent = copy.copy(call)
        silent.began = call.began + timedelta(minutes=minutes)
        silent.outcome = Outcome.UNAVAILABLE
        e.witness.calls.append(silent)


BREACHES: dict[tuple[int, str], Callable[[Evidence], None]] = {
    (2, "numbers"): _slip_told,
    (3, "numbers"): _number_not_sent_on,
    (0, "mended map"): _mapped_and_still_there,
    (0, "refusals"): _refused_by_nobody,
    (0, "silences"): _silent_and_nobody_told,
}


@pytest.mark.parametrize("law", BREACHES, ids=lambda law: f"law {law[0]}, {law[1]}")
def test_rule_about_numbers_finds_its_breach(true: Evidence, law: tuple[int, str]) -> None:
    """A rule that finds nothing in a forged run would find nothing at all."""
    forged = copied(true)
    BREACHES[law](forged)
    (checker,) = (each for each in CHECKERS if (each.law, each.name) == law)

    assert checker.check(forged)
    assert [] == checker.check(true)
