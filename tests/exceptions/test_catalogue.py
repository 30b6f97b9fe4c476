"""The catalogue of kinds: whole, and what it tells people to type can be typed."""

import shlex

import pytest
from typer.main import get_command

from kcjl.cli.main import app
from kcjl.exceptions.catalogue import KINDS, kinds_of_lane, lane_of
from kcjl.exceptions.kind import LANES, SEVERITIES, Kind, commands_of


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_kind_says_how_bad_whose_and_what_clears_it(kind: Kind) -> None:
    """Nobody is told of a trouble whose end, owner or page nobody knows."""
    assert kind.severity in SEVERITIES
    assert kind.lane in LANES
    assert kind.owner
    assert len(kind.clears) > 10
    assert kind.page == kind.name.replace("_", "-")
    assert {"assign", "note", "park"} <= set(kind.actions)
    assert ("accept" in kind.actions) == (not kind.stays)
    assert ("retry" in kind.actions) == bool(kind.retry)


@pytest.mark.parametrize(
    "command",
    [command for kind in KINDS.values() for command in commands_of(kind, "O1/P1")],
)
def test_command_that_mends_is_one_that_can_be_typed(command: str) -> None:
    """Each command is a verb of the program, and its options are that verb's."""
    program, *words = shlex.split(command)
    verb = get_command(app)
    while words and words[0] in getattr(verb, "commands", {}):
        verb = verb.commands[words.pop(0)]  # type: ignore[attr-defined]
    options = {option for each in verb.params for option in each.opts}

    assert "kcjl" == program
    assert not hasattr(verb, "commands") or getattr(verb, "invoke_without_command", False)
    assert {word for word in words if word.startswith("--")} <= options


def test_commands_name_the_subject_as_a_shell_needs_it() -> None:
    """A courier's name with blanks is one word; an order stands for itself and its parcel."""
    unmapped = commands_of(KINDS["courier_unmapped"], "dpd next day")
    refused = commands_of(KINDS["confirmation_refused"], "O1/INV1/1")
    missing = commands_of(KINDS["order_without_sales_order"], "O 1")

    assert "kcjl dispatch map set 'dpd next day' CARRIER" in unmapped
    assert ("kcjl dispatch retry O1",) == refused
    assert "kcjl log tail --stream 'order-O 1'" in missing


def test_every_kind_is_on_one_lane_and_a_strange_one_on_the_services() -> None:
    """What a newer version raised is shown too."""
    assert set(KINDS) == {kind for lane in LANES for kind in kinds_of_lane(lane)}
    assert "Service" == lane_of("of_another_version")
