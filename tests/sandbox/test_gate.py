"""A face asks its gate for every change, by the name of a model's method."""

from datetime import UTC, datetime, timedelta

import pytest

from kcjl.errors import Misuse
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.gate import DirectGate


class Till:
    """A model with one change."""

    def __init__(self) -> None:
        self.takings = 0

    def take(self, pence: int) -> int:
        if pence < 0:
            raise ValueError("nothing to take")
        self.takings += pence
        return self.takings

    def _hide(self) -> None:
        self.takings = 0


def test_change_applies_the_models_method_and_answers_what_it_answers() -> None:
    """A change goes to the side that is named, with plain arguments by keyword."""
    till = Till()
    gate = DirectGate(Agenda(datetime(2026, 2, 3, tzinfo=UTC), 1), {"khaos": till})
    answer = gate.change("khaos", "take", {"pence": 5})

    assert (answer, till.takings) == (5, 5)
    assert gate.changes == [("khaos", "take", {"pence": 5})]
    with pytest.raises(ValueError, match="nothing"):
        gate.change("khaos", "take", {"pence": -1})


@pytest.mark.parametrize("operation", ["give", "_hide", "takings"])
def test_change_that_the_model_does_not_offer_is_misuse(operation: str) -> None:
    """Only public methods of the model are operations."""
    gate = DirectGate(Agenda(datetime(2026, 2, 3, tzinfo=UTC), 1), {"khaos": Till()})
    with pytest.raises(Misuse):
        gate.change("khaos", operation, {})


def test_enter_lets_happen_what_is_due() -> None:
    """What is due by now has happened before a request is looked at."""
    agenda = Agenda(datetime(2026, 2, 3, tzinfo=UTC), 1)
    gate = DirectGate(agenda, {})
    seen: list[str] = []
    agenda.after(timedelta(0), lambda: seen.append("due"))
    agenda.after(timedelta(seconds=1), lambda: seen.append("later"))
    gate.enter("khaos", "GetSites")

    assert seen == ["due"]
    assert gate.entered == [("khaos", "GetSites")]
