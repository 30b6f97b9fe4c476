"""Parcels under crashes, lost answers and repeats: each shipped unit is confirmed exactly once.

A machine draws what the warehouse, the marketplace and people do, in both modes, on the real
rooms. Whatever it draws: no parcel is doubled, no unit is told twice; and when all is mended,
each shipped unit is confirmed or an open exception.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from kcjl.dispatch import asking, confirming
from tests.dispatch.bay import CALLS, UNITS, Bay, number_of

BOXES = st.integers(0, 3)
LABELS = st.integers(0, 2)
SENDS = ("create_shipment", "ship")
ROUNDS = (
    ("shipments", "confirm", "judge"),
    ("shipments", "confirm"),
    ("confirm",),
    ("confirm", "judge"),
    ("intake", "confirm"),
)


class Parcels(RuleBasedStateMachine):
    """One order with five units on three lines."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.bay = Bay(multi_shipment=True)

    def _do(self, work: Coroutine[Any, Any, object]) -> object:
        return self.loop.run_until_complete(work)

    @initialize(multi_shipment=st.booleans())
    def posted(self, *, multi_shipment: bool) -> None:
        self.bay = Bay(multi_shipment=multi_shipment)
        self._do(self.bay.open())
        self.bay.pack("A-1", 1, [number_of(0)], "DPD")

    @rule(
        code=st.sampled_from(["A-1", "B-2"]),
        units=st.integers(1, 3),
        labels=st.integers(0, 3),
        courier=st.sampled_from(["DPD", "DPD", "Bike"]),
    )
    def box_goes_out(self, code: str, units: int, labels: int, courier: str) -> None:
        box = len(self.bay.boxes)
        numbers = [number_of(box, label) for label in range(labels)] or [""]
        self.bay.pack(code, units, numbers, courier)

    @rule(box=BOXES, label=LABELS, wrong=st.booleans())
    def box_is_labelled_anew(self, *, box: int, label: int, wrong: bool) -> None:
        self.bay.relabel(box, "TRK" if wrong else number_of(box, 10 + label))

    @rule(
        call=st.sampled_from(CALLS),
        mishap=st.sampled_from(["lost", "killed", "down", "limited", "refused"]),
        after=st.booleans(),
        times=st.integers(1, 4),
    )
    def marketplace_goes_wrong(
        self, *, call: str, mishap: str, after: bool, times: int
    ) -> None:
        for _ in range(1 if mishap == "killed" else times):
            self.bay.plan(call, mishap, after=after)

    @rule(mishap=st.sampled_from(["lost", "killed"]))
    def answer_does_not_come_back(self, mishap: str) -> None:
        for call in SENDS:
            self.bay.plan(call, mishap, after=True)

    @rule(jobs=st.sampled_from(ROUNDS))
    def process_works(self, jobs: tuple[str, ...]) -> None:
        self._do(self.bay.work(*jobs))

    @rule(minutes=st.sampled_from([1, 6, 30, 300, 1_500]))
    def time_goes_by(self, minutes: int) -> None:
        self.bay.place.clock.tick(60 * minutes)

    @rule(verb=st.sampled_from(["dispatch-retry", "dispatch-as-is"]))
    def person_speaks_of_the_order(self, verb: str) -> None:
        self._do(self.bay.say(verb, order_id="O1"))

    @rule(carrier=st.sampled_from(["dpd", "evri"]))
    def person_maps_the_courier(self, carrier: str) -> None:
        self._do(self.bay.say("map-courier", courier="Bike", carrier_code=carrier))

    @rule()
    def person_takes_the_courier_out(self) -> None:
        self._do(self.bay.say("unmap-courier", courier="Bike"))

    @rule()
    def somebody_ships_it_in_the_back_office(self) -> None:
        self.bay.ship_there()

    @invariant()
    def no_unit_is_told_twice(self) -> None:
        told = self.bay.told()
        assert all(told[line] <= UNITS[line] for line in told), told

    @invariant()
    def no_parcel_is_doubled(self) -> None:
        shipments = self.bay.place.shop.shipments_there
        packages = [each.packages for each in shipments]
        assert len(set(packages)) == len(packages), packages

    def teardown(self) -> None:
        try:
            self._do(self.bay.settle())
            assert [] == self._do(self.bay.unaccounted())
            self.no_unit_is_told_twice()
            self.no_parcel_is_doubled()
        finally:
            self.loop.close()


CHOSEN = settings(
    deadline=None,
    max_examples=50,
    stateful_step_count=14,
    suppress_health_check=list(HealthCheck),
)


SEARCHED = settings(CHOSEN, max_examples=150, derandomize=True, phases=[Phase.generate])
"""To find one breach, not the smallest one."""


def test_each_shipped_unit_is_confirmed_once_or_an_open_exception() -> None:
    """Law 2 and law 3 for parcels, in both modes, whatever crashes and whatever is lost."""
    run_state_machine_as_test(Parcels, settings=CHOSEN)


async def _never(*_arguments: object, **_named: object) -> bool:
    return False


@pytest.mark.parametrize("broken", ["no look", "nobody told"])
def test_machine_finds_what_it_is_there_to_find(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the look a parcel is doubled; without the words it is lost: it is found out."""
    if broken == "no look":
        monkeypatch.setattr(asking.Asking, "is_there", _never)
    else:
        monkeypatch.setattr(confirming, "decide_confirmation", lambda *_: ())

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Parcels, settings=SEARCHED)
