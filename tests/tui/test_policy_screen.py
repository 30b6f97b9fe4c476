"""Policy (9): what is in force, by whom; its versions; setting it from there."""

import pytest

from kcjl.command import Command
from tests.tui.made_up import NOON, FakeSource, some_events
from tests.tui.made_up_policy import some_policies
from tests.tui.pilots import glass, monitor, pressed
from tui.model.filtering import Filter
from tui.model.policy import POLICY_FIELDS
from tui.screens.policy import PolicyScreen

pytestmark = pytest.mark.anyio


def _source() -> FakeSource:
    source = FakeSource(events=some_events(40))
    source.policy.rows = some_policies()
    return source


def _at(name: str) -> list[str]:
    return ["9", "slash", *name, "enter"]


async def test_policies_stand_by_kind_with_since_when_and_by_whom() -> None:
    """What waits first; what nobody has said is the house's own."""
    async with monitor(_source(), size=(200, 60)) as (app, pilot):
        await pressed(pilot, "9")
        text = glass(app)

    assert "16 lines of policy" in text
    proposed = next(line for line in text.splitlines() if "▲ proposed" in line)
    assert "jo" in proposed
    house = next(line for line in text.splitlines() if "Marketplace Commission" in line)
    assert "the house" in house
    assert text.index("▲ proposed") < text.index("✖ waiting") < text.index("Parcelforce")


async def test_versions_are_shown_whole_with_their_positions() -> None:
    """Who said what, when and why; how many there are beyond those that are shown."""
    source = _source()
    async with monitor(source, size=(200, 60)) as (app, pilot):
        await pressed(pilot, [*_at("name:house"), "w"])
        text = glass(app)

    assert "Versions: the newest 2 of 7" in text
    assert "#12003" in text
    assert "version 3 approved by ann" in text
    assert "agreed with the warehouse" in text
    assert "buffer = 9" in text
    assert "versions stock:house" in source.asked


async def test_proposal_is_worked_out_only_when_that_is_asked_for() -> None:
    """v: the changes, the largest first, and what may be a slip; then approving names them."""
    source = _source()
    async with monitor(source, size=(200, 60)) as (app, pilot):
        await pressed(pilot, ["9", "enter"])
        assert not [each for each in source.asked if each.startswith("what_if")]
        await pressed(pilot, "v")
        text = glass(app)
        assert "214 of 18,244 products" in text
        assert "12 → 5" in text
        assert "no offer has the SKU" in text
        await pressed(pilot, "A")
        assert "91,002 units offered now, 85,240 then" in glass(app)
    assert 1 == source.asked.count("what_if 4")


async def test_proposed_policy_is_approved_with_a_word_and_a_note() -> None:
    """By its version, which is the one that was looked at."""
    source = _source()
    async with monitor(source) as (_, pilot):
        await pressed(pilot, ["9", "A", *"agreed", "tab", *"approve", "enter"])

    assert [
        Command(verb="stock-policy-approve", arguments={"version": "4", "note": "agreed"})
    ] == source.done


async def test_policy_that_is_not_proposed_is_not_approved() -> None:
    """It says so, and asks nothing."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, [*_at("name:yule"), "A"])
        assert "only a stock policy that is proposed" in glass(app)
        assert isinstance(app.screen, PolicyScreen)


async def test_courier_is_mapped_with_the_nearest_carrier_proposed() -> None:
    """The nearest code stands there; parcels that wait go at once."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, [*_at("state:waiting"), "e"])
        assert "near to its name: RM, RMSD" in glass(app)
        await pressed(pilot, "enter")

    assert [
        Command(verb="map-courier", arguments={"courier": "Royal Post", "carrier_code": "RM"})
    ] == source.done


async def test_courier_is_taken_out_of_the_map_with_a_word() -> None:
    """Its parcels wait then."""
    source = _source()
    async with monitor(source) as (_, pilot):
        await pressed(pilot, [*_at("name:dpd"), "D", *"gone", "tab"])
        await pressed(pilot, [*"take", "space", *"out", "enter"])

    assert [
        Command(verb="unmap-courier", arguments={"courier": "DPD Local", "reason": "gone"})
    ] == source.done


async def test_account_of_a_role_is_named_under_its_role() -> None:
    """The account in force stands there to be changed."""
    source = _source()
    async with monitor(source) as (_, pilot):
        await pressed(pilot, [*_at("name:bank"), "e", "end", "backspace", "5", "enter"])

    assert [Command(verb="set-accounts", arguments={"bank": "1205"})] == source.done


async def test_document_is_not_set_line_by_line() -> None:
    """It says where it is set."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, [*_at("kind:routing"), "e"])
        assert "couriers and accounts are set here" in glass(app)
    assert [] == source.done


async def test_buffer_names_the_policy_whose_place_it_takes() -> None:
    """The version in force, not the one that is proposed."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["9", "b"])
        assert "(version 3)" in glass(app)
        await pressed(pilot, ["1", "tab", *"buffer", "enter"])

    assert [Command(verb="set-buffer", arguments={"units": "1"})] == source.done


def test_filter_knows_the_fields_of_a_policy() -> None:
    """Kind, state, who, since when."""
    rows = some_policies()

    def found(raw: str) -> list[str]:
        wanted = Filter(raw, POLICY_FIELDS)
        return [row.name for row in rows if wanted.matches(row, NOON)]

    assert ["Royal Post"] == found("kind:carrier state:waiting")
    assert ["bank", "", "1 sofas"] == found("by:finance")
    assert ["", "dear"] == found("kind:acceptance")
