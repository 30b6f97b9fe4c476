"""Orders and dispatch: what is said of the rows, as commands; and what comes of the answers."""

import msgspec
import pytest

from kcjl.command import Command, Outcome
from kcjl.sealedanswer import seal_for
from tests.tui.made_up import FakeSource, some_events, some_exceptions
from tests.tui.pilots import glass, monitor, pressed, settled, table
from tui.screens.confirm import ConfirmScreen
from tui.screens.dialogs import DialogScreen

pytestmark = pytest.mark.anyio

HELD = "700123400-A"
PLAN = {
    "plan_id": "R-1",
    "order_id": HELD,
    "kind": "refund",
    "tax_mode": "TAX_INCLUDED",
    "reason_code": "17",
    "reason_label": "damaged",
    "not_to_ship": False,
    "lines": [
        {
            "item": {
                "line_id": f"{HELD}-1",
                "sku": "85120A",
                "quantity": 1,
                "amount": {"amount_minor": 750, "currency": "GBP"},
                "shipping_amount": {"amount_minor": 0, "currency": "GBP"},
                "taxes": [],
            },
            "left_after": {"amount_minor": 500, "currency": "GBP"},
        }
    ],
    "total": {"amount_minor": 750, "currency": "GBP"},
    "commission_back": {"amount_minor": 90, "currency": "GBP"},
    "note": "taxes are inside",
}


class Answering(FakeSource):
    """Answers by the verb; a buyer sealed for whoever asked."""

    async def do(self, command: Command) -> Outcome:
        await super().do(command)
        if command.verb == "preview-reversal":
            return Outcome(ok=True, message=msgspec.json.encode(PLAN).decode())
        if command.verb == "show-buyer":
            buyer = b'{"address":{"last_name":"Barnes","city":"Leeds"},"email":null}'
            sealed = seal_for(command.arguments["asker_key"], buyer)
            return Outcome(ok=True, message=sealed)
        return Outcome(ok=True, message="done")


def _source() -> Answering:
    return Answering(exceptions=some_exceptions(3), events=some_events(9))


async def test_orders_hold_sends_the_reason_for_the_row_under_the_cursor() -> None:
    """Without a reason nothing goes out."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["3", "h", "enter"])
        assert isinstance(app.screen, ConfirmScreen)
        assert source.done == []
        await pressed(pilot, [*"ask her", "enter"])

    assert [
        Command(verb="order-hold", arguments={"order_id": HELD, "reason": "ask her"})
    ] == source.done


async def test_orders_marked_are_retried_each_by_its_own_command() -> None:
    """Three marks, three commands, in the order of the list."""
    source = _source()
    async with monitor(source) as (_, pilot):
        await pressed(pilot, ["3", "space", "space", "space", "r", "enter"])

    assert [f"7001234{number:02}-A" for number in range(3)] == [
        each.arguments["order_id"] for each in source.done
    ]
    assert {"order-retry"} == {each.verb for each in source.done}
    assert {""} == {each.arguments["reason"] for each in source.done}


async def test_orders_refuse_wants_its_word_and_takes_lines_apart() -> None:
    """Lines are parted by blanks or commas; the word is typed."""
    source = _source()
    async with monitor(source) as (_, pilot):
        await pressed(pilot, ["3", "D", *"L-1, L-2", "tab", *"broken", "enter"])
        assert source.done == []
        await pressed(pilot, ["tab", *"refuse", "enter"])

    (sent,) = source.done
    assert ("order-refuse", "L-1\nL-2", "broken") == (
        sent.verb,
        sent.arguments["lines"],
        sent.arguments["reason"],
    )


async def test_orders_refund_is_a_plan_first_and_done_by_its_amount() -> None:
    """The yes names the plan that was shown and asks for the same; the amount is typed."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["3", "M", *"17", "tab", *f"{HELD}-1", "enter"])
        await settled(pilot)
        shown = glass(app)
        assert isinstance(app.screen, ConfirmScreen)
        await pressed(pilot, [*"broken", "tab", *"7.50", "enter"])

    assert "7.50 GBP goes back to the customer for damaged" in shown
    preview, order = source.done
    assert ("preview-reversal", "order-reversal") == (preview.verb, order.verb)
    assert preview.arguments["asked"] == order.arguments["asked"]
    assert {
        "line_ids": [f"{HELD}-1"],
        "units": None,
        "amount": None,
        "shipping": None,
        "reason_code": "17",
        "not_to_ship": False,
    } == msgspec.json.decode(order.arguments["asked"])
    assert ("R-1", "broken", "refund") == (
        order.arguments["plan_id"],
        order.arguments["reason"],
        order.arguments["kind"],
    )


async def test_orders_refund_of_several_is_refused_before_anything_is_asked() -> None:
    """Money goes back one order at a time."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["3", "space", "space", "M"])
        assert not isinstance(app.screen, ConfirmScreen)

    assert source.done == []


async def test_orders_buyer_is_shown_once_and_not_kept_among_the_messages() -> None:
    """Sealed on the way; what was shown stands in no list of messages."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["3", "B", *"return", "enter"])
        await settled(pilot)
        assert isinstance(app.screen, DialogScreen)
        assert "Barnes" in glass(app)
        await pressed(pilot, ["escape"])

        assert "Barnes" not in glass(app)
        assert not [said for said in app.state.said if "Barnes" in said.text]


async def test_orders_filter_word_is_looked_for_by_the_source() -> None:
    """What is beyond the cut is found; a field is filtered here."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["3", "slash", *"lamp", "enter"])
        await settled(pilot)
        title = glass(app)

    assert "orders find=lamp limit=1000" in source.asked
    assert "14 with «lamp» in their ids" in title


async def test_orders_subject_on_the_command_line_opens_its_life() -> None:
    """:order 700123407-A is enough."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["colon", *"order 700123407-A", "enter"])
        await settled(pilot)
        app.tick()
        await settled(pilot)
        text = glass(app)

    assert "LIFE, BY CAUSE" in text
    assert "order 700123407-A" in source.asked


async def test_dispatch_retry_names_the_parcel() -> None:
    """One command a parcel; an order without one is left out and said so."""
    source = _source()
    async with monitor(source) as (_, pilot):
        await pressed(pilot, ["4", "r", "enter"])

    assert [
        Command(
            verb="dispatch-retry",
            arguments={"order_id": HELD, "parcel_key": "IN90000/1", "reason": ""},
        )
    ] == source.done


async def test_dispatch_map_shows_the_carriers_and_maps_the_courier_of_the_row() -> None:
    """The marketplace's codes stand in the proposal."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["4", "j", "c"])
        assert "RMTRACKED (Royal Mail Tracked)" in glass(app)
        await pressed(pilot, [*"RMTRACKED", "enter"])

    assert [
        Command(
            verb="map-courier",
            arguments={
                "courier": "Royal Mail Tracked 24",
                "carrier_code": "RMTRACKED",
                "reason": "",
            },
        )
    ] == source.done


async def test_dispatch_follows_the_cursor_with_the_minutes_of_the_order() -> None:
    """The detail is of the row, and its story is read for it."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["4", "enter", "j"])
        await settled(pilot)
        text = glass(app)
        assert table(app).cursor_key == "700123401-A/IN90001/1"

    assert "dispatch of 700123401-A" in source.asked
    assert "MINUTES, BY WHOM" in text


async def test_nothing_can_be_done_to_orders_of_the_past() -> None:
    """As of an earlier time the keys are not there."""
    source = _source()
    source.may_act = False
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["3", "h", "r", "M", "E", "4", "r", "c"])
        assert not isinstance(app.screen, ConfirmScreen)

    assert source.done == []
