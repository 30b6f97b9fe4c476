"""The money screen: what its rows and details say, and what each action sends."""

from datetime import timedelta

import msgspec
import pytest

from kcjl.money import Money
from kcjl.readmodels_money import PayoutRow
from tests.tui.made_up import NOON, FakeSource
from tests.tui.made_up_money import a_payout, some_payouts
from tests.tui.pilots import glass, monitor, pressed, settled, table
from tui.model.filtering import Filter
from tui.model.moments import Zone
from tui.model.money import MONEY_FIELDS, matching_money, money_row, money_title
from tui.model.money_acting import money_proposal
from tui.model.money_detail import payout_detail
from tui.model.proposal import Proposal
from tui.screens.money import MoneyScreen

pytestmark = pytest.mark.anyio


def texts(row: PayoutRow) -> list[str]:
    return [cell.text for cell in money_row(row, NOON, Zone.LONDON).cells]


def proposed(verb: str, *rows: PayoutRow) -> Proposal:
    made = money_proposal(verb, rows)
    assert isinstance(made, Proposal)
    return made


# ── what is shown ───────────────────────────────────────────────────────────────────────────


def test_payout_row_names_its_currency_once_and_what_is_not_known_is_a_dash() -> None:
    """Not a nought: a payout that was not added up yet has no residue."""
    waiting, done = texts(a_payout(1)), texts(a_payout(4))

    assert ["· WAIT", "2026-188", "13,333.28 GBP", "-", "-", "-"] == waiting[:6]
    assert ["● DONE", "2026-185", "16,296.11 GBP", "16,296.45", "16,296.11", "0.00"] == done[:6]


def test_payout_whose_journal_is_in_no_ledger_says_enter() -> None:
    """Done is what is booked, too."""
    row = texts(a_payout(3))

    assert "▲ ENTER" == row[0]
    assert "▲ 1 to enter" in row


def test_payout_of_two_currencies_names_each() -> None:
    """No amount is read as of a currency that it is not of."""
    row = a_payout(4, banked=Money(1_000, "EUR"))

    assert "10.00 EUR" in texts(row)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("state:held", ["2026-187"]),
        ("enter>0", ["2026-186"]),
        ("journal:jl-012345678904", ["2026-185"]),
        ("stated>16000 !state:done", []),
        ("residue<0", ["2026-187"]),
        ("age>20d banked>0", ["2026-185"]),
    ],
)
def test_payouts_are_filtered_by_state_amount_and_age(wanted: str, found: list[str]) -> None:
    """Words, fields and measures."""
    rows = some_payouts(4)
    kept = matching_money(rows, Filter(wanted, MONEY_FIELDS), NOON)

    assert found == [each.payout for each in kept if isinstance(each, PayoutRow)]


async def test_cut_list_says_so_and_its_words_are_looked_for_by_the_source() -> None:
    """The first word of the filter goes to the source, which knows the rest."""
    source = FakeSource(payouts=some_payouts(30))
    source.money.total = 640
    async with monitor(source, size=(200, 60)) as (app, pilot):
        await pressed(pilot, "5")
        assert "first 30 of 640 payouts" in glass(app)
        await pressed(pilot, ["slash", *"jl-0123", "enter"])

    assert "payouts find=jl-0123 limit=500" in source.asked
    assert "Money" == money_title(None, None, None)


async def test_account_is_read_when_a_payout_is_opened_and_not_again_until_it_changes() -> None:
    """Its sum, its gaps and its journals, each with its place in the log."""
    source = FakeSource(payouts=some_payouts(4))
    async with monitor(source, size=(200, 60)) as (app, pilot):
        await pressed(pilot, ["5", "j", "j", "enter"])
        text = glass(app)
        app.tick()
        await settled(pilot)
        once = source.asked.count("payout 2026-186")
        changed = msgspec.structs.replace(source.money.rows[2], note="late lines")
        source.money.rows = (*source.money.rows[:2], changed, *source.money.rows[3:])
        for _ in range(2):  # the row comes first, and its account after it
            app.tick()
            await settled(pilot)

    assert 1 == once
    assert 2 == source.asked.count("payout 2026-186")
    for said in ("= stated", "#12210", "commission rate", "JL-012345678903", "learnt"):
        assert said in text


async def test_what_builds_up_is_summed_once_a_minute() -> None:
    """Many lines are the database's work: not at every tick."""
    source = FakeSource(payouts=some_payouts(4))
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["5", "k", "enter"])
        text = glass(app)
        app.tick()
        await settled(pilot)
        before = source.asked.count("build_up")
        source.pass_time(61)
        app.tick()
        await settled(pilot)

    assert (1, 2) == (before, source.asked.count("build_up"))
    assert "on no payout yet" in text
    assert "BUILD-UP BY DAY" in text


async def test_next_payout_is_not_acted_upon() -> None:
    """There is nothing yet that could be accepted: it is said, and nothing is asked."""
    source = FakeSource(payouts=some_payouts(4))
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["5", "k", "A"])
        assert isinstance(app.screen, MoneyScreen)
        assert "choose a payout" in glass(app)


def test_detail_before_the_account_has_come_has_the_rows_facts() -> None:
    """Nothing waits for data."""
    view = payout_detail(a_payout(2), None, NOON + timedelta(hours=1), Zone.LONDON)

    assert "reading…" in [line.value for line in view.lines]
    assert "-5.00 GBP" in [line.value for line in view.lines]


# ── what is sent ────────────────────────────────────────────────────────────────────────────


def test_accept_is_for_what_is_held() -> None:
    """Of the marked rows those that are; none: in words."""
    made = proposed("accept", *some_payouts(4))

    assert [{"cycle_id": "2026-187"}] == [each.arguments for each in made.commands]
    assert "held" in str(money_proposal("accept", [a_payout(4)]))


@pytest.mark.parametrize(
    ("verb", "rows", "said"),
    [
        ("ack", (a_payout(4),), "waits to be entered"),
        ("ack", (a_payout(3), a_payout(9)), "choose one"),
        ("received", (a_payout(3), a_payout(9)), "choose one"),
        ("withdraw", (a_payout(3),), "nothing of these"),
        ("reverse", (a_payout(1),), "has a journal"),
    ],
)
def test_what_a_payout_is_not_ready_for_is_said(
    verb: str, rows: tuple[PayoutRow, ...], said: str
) -> None:
    """Before anything is sent."""
    assert said in str(money_proposal(verb, rows))


@pytest.mark.parametrize(
    ("keys", "typed", "verb", "arguments"),
    [
        (
            ("A",),
            ("agreed", "enter"),
            "payout-accept",
            {"cycle_id": "2026-187", "reason": "agreed"},
        ),
        (
            ("j", "j", "e"),
            ("tab", "4711", "enter"),
            "payout-ack",
            {"reference": "JL-012345678903", "ledger_number": "4711"},
        ),
        (
            ("j", "j", "R"),
            ("7105", "tab", "reverse", "enter"),
            "payout-reverse",
            {"cycle_id": "2026-186", "reason": "7105"},
        ),
        (
            ("j", "j", "b"),
            ("tab", "2026-07-06", "enter"),
            "payout-received-by-hand",
            {"cycle_id": "2026-186", "amount": "15308.50", "on": "2026-07-06"},
        ),
        (
            ("j", "j", "j", "B"),
            ("slip", "enter"),
            "payout-received-withdraw",
            {"cycle_id": "2026-185", "receipt": "", "reason": "slip"},
        ),
    ],
    ids=["accept", "ack", "reverse", "received", "withdraw"],
)
async def test_action_on_a_payout_sends_the_commands_of_the_cli(
    keys: tuple[str, ...], typed: tuple[str, ...], verb: str, arguments: dict[str, str]
) -> None:
    """What is confirmed goes out, with what was typed."""
    source = FakeSource(payouts=some_payouts(4))
    async with monitor(source, size=(80, 24)) as (_, pilot):
        await pressed(pilot, ["5", *keys])
        for each in typed:
            await pressed(pilot, [each] if each in ("tab", "enter") else [*each])
        await settled(pilot)

    assert [(verb, arguments)] == [(each.verb, each.arguments) for each in source.done]


async def test_marked_payouts_are_accepted_together() -> None:
    """One command each, one reason."""
    source = FakeSource(payouts=some_payouts(12))
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["5", "space", "space", "A", *"ok", "enter"])
        assert 2 == len(table(app).marks)

    assert [
        {"cycle_id": "2026-187", "reason": "ok"},
        {"cycle_id": "2026-181", "reason": "ok"},
    ] == [each.arguments for each in source.done]
