"""Xero's adapter over HTTP: tokens, limits, refusals, and answers that do not come."""

from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from kcjl.calls.port import Asked, CallOutcome
from kcjl.discretion import Secret
from kcjl.errors import (
    CredentialsRefused,
    Misuse,
    OutcomeUnknown,
    ProtocolSurprise,
    RateLimited,
    Refused,
    SettingsUnusable,
    Unavailable,
)
from kcjl.ledger import xero
from kcjl.ledger.ledger_settings import XeroSection
from kcjl.ledger.xero_access import XeroAccess
from kcjl.ledger.xero_wire import booked_journal
from kcjl.money import Money
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.xero import BooksSettings
from tests.ledger.journals import JOURNAL, entry
from tests.ledger.xero_bench import MORNING, XeroBench

pytestmark = pytest.mark.anyio

replace = msgspec.structs.replace
BEFORE = MORNING - timedelta(hours=1)


# ── the token ───────────────────────────────────────────────────────────────────────────────


async def test_token_is_fetched_once_for_many_calls() -> None:
    """It lives half an hour, in memory."""
    async with XeroBench.serve() as bench:
        ledger = bench.ledger()
        await ledger.enter(JOURNAL, 1)
        await ledger.changed(BEFORE)
        bench.tick(27 * 60)
        await ledger.changed(BEFORE)

        assert ["Token", "JournalEnter", "JournalList", "JournalList"] == bench.asked


async def test_token_that_is_about_to_end_is_replaced_before_the_call() -> None:
    """Two minutes early, so that no call is refused for it."""
    async with XeroBench.serve() as bench:
        ledger = bench.ledger()
        await ledger.changed(BEFORE)
        bench.tick(28 * 60 + 1)
        await ledger.changed(BEFORE)

        assert ["Token", "JournalList", "Token", "JournalList"] == bench.asked


async def test_token_that_they_forgot_is_fetched_anew_once() -> None:
    """A 401 in the middle of a run: another token, and the same call again."""
    async with XeroBench.serve() as bench:
        ledger = bench.ledger()
        await ledger.changed(BEFORE)
        bench.faults.append(Fault(kind="status", status=401, operation="JournalEnter"))
        await ledger.enter(JOURNAL, 1)

        assert ["Token", "JournalEnter", "Token", "JournalEnter"] == [
            each for each in bench.asked if each != "JournalList"
        ]
        assert 1 == len(bench.books.journals)


async def test_401_that_stays_is_said_and_not_tried_for_ever() -> None:
    """One token anew, and no more."""
    async with XeroBench.serve() as bench:
        bench.faults.append(
            Fault(kind="status", status=401, operation="JournalList", times=None)
        )
        with pytest.raises(CredentialsRefused, match="answered 401"):
            await bench.ledger().changed(BEFORE)

        assert 2 == bench.asked.count("Token")


async def test_secret_that_is_wrong_is_said_without_the_secret() -> None:
    """What to check stands in the message; the secret does not."""
    async with XeroBench.serve() as bench:
        ledger = bench.ledger(client_secret=Secret("not-the-secret"))
        with pytest.raises(CredentialsRefused, match=r"invalid_client.*client_id") as raised:
            await ledger.enter(JOURNAL, 1)

        assert "not-the-secret" not in str(raised.value)
        assert ["Token"] == bench.asked


async def test_scope_that_the_app_has_not_is_said() -> None:
    """An app of before March 2026 has another."""
    async with XeroBench.serve(BooksSettings(scopes=("accounting.transactions",))) as bench:
        with pytest.raises(CredentialsRefused, match="invalid_scope"):
            await bench.ledger().changed(BEFORE)
        await bench.ledger(scope="accounting.transactions").changed(BEFORE)

        assert "JournalList" == bench.asked[-1]


async def test_organisation_of_somebody_else_is_refused() -> None:
    """403: the connection does not reach it."""
    async with XeroBench.serve() as bench:
        with pytest.raises(CredentialsRefused, match="answered 403"):
            await bench.ledger(tenant_id="another").changed(BEFORE)
        await bench.ledger(tenant_id=bench.books.settings.tenant_id).changed(BEFORE)

        assert bench.books.settings.tenant_id == bench.heads[-1]["Xero-Tenant-Id"]


async def test_refresh_token_rotates_and_the_new_one_is_kept(tmp_path: Path) -> None:
    """A new process goes on with the file; one used long ago is refused, with its remedy."""
    file = tmp_path / "xero.refresh"
    file.touch(mode=0o600)
    async with XeroBench.serve() as bench:
        first = bench.books.settings.refresh_token
        file.write_text(first, encoding="ascii")
        await bench.ledger(refresh_token_file=str(file)).changed(BEFORE)
        second = file.read_text(encoding="ascii")
        bench.tick(31 * 60)
        await bench.ledger(refresh_token_file=str(file)).changed(BEFORE)
        third = file.read_text(encoding="ascii")
        file.write_text(first, encoding="ascii")
        with pytest.raises(CredentialsRefused, match=r"invalid_grant.*connecting") as raised:
            await bench.ledger(refresh_token_file=str(file)).changed(BEFORE)

    assert 3 == len({first, second, third})
    assert first not in str(raised.value)
    assert 0o600 == file.stat().st_mode & 0o777


async def test_refresh_token_that_is_not_there_is_said_before_any_call(tmp_path: Path) -> None:
    """The file is named, and what to do."""
    async with XeroBench.serve() as bench:
        with pytest.raises(CredentialsRefused, match="connect the app to Xero again"):
            await bench.ledger(refresh_token_file=str(tmp_path / "none")).changed(BEFORE)

        assert [] == bench.asked


# ── what is entered ─────────────────────────────────────────────────────────────────────────


async def test_journal_is_a_draft_with_its_reference_and_without_tax() -> None:
    """VAT is a line of its own; text and date are the journal's, the reference comes first."""
    async with XeroBench.serve() as bench:
        booked = await bench.ledger().enter(JOURNAL, 1)
        found = bench.books.journals[booked.ledger_number]

    assert "JL-0123456789AB: John Lewis payout of 01/10/2026, BACS 1" == found.narration
    assert ("DRAFT", "NoTax", date(2026, 10, 1)) == (
        found.status,
        found.line_amount_types,
        found.day,
    )
    assert {"NONE"} == {each.tax_type for each in found.lines}


async def test_journal_is_posted_where_the_settings_say_so() -> None:
    """And its tax types are those of the map."""
    async with XeroBench.serve() as bench:
        ledger = bench.ledger(post_as="posted", tax_types={"T1": "INPUT2"})
        booked = await ledger.enter(JOURNAL, 1)
        found = bench.books.journals[booked.ledger_number]

    assert "posted" == booked.state
    assert ["NONE", "INPUT2", "INPUT2", "NONE"] == [each.tax_type for each in found.lines]


async def test_tax_that_the_ledger_adds_is_told() -> None:
    """With exclusive amounts a tax type makes tax: we see how much."""
    journal = replace(
        JOURNAL,
        entries=(
            entry("404", debit=10_000, tax_code="T1"),
            entry("620", credit=10_000, tax_code="T1"),
            entry("404", debit=100, tax_code="T0"),
            entry("620", credit=100),
        ),
    )
    async with XeroBench.serve() as bench:
        ledger = bench.ledger(line_amounts="Exclusive", tax_types={"T1": "INPUT2"})
        booked = await ledger.enter(journal, 1)
        tax = [each.tax_amount for each in bench.books.journals[booked.ledger_number].lines]

    assert [20, -20, 0, 0] == tax
    assert Money(0) == booked.tax_added


async def test_journal_that_does_not_balance_never_leaves_the_house() -> None:
    """Nothing is sent, not even for a token."""
    odd = replace(JOURNAL, entries=(*JOURNAL.entries, entry("404", debit=1)))
    async with XeroBench.serve() as bench:
        with pytest.raises(Misuse, match="does not balance"):
            await bench.ledger().enter(odd, 1)

        assert [] == bench.asked


async def test_journal_of_another_currency_is_refused_here() -> None:
    """Manual journals have the organisation's currency only."""
    async with XeroBench.serve() as bench:
        with pytest.raises(Refused, match="in GBP, and the books are in EUR"):
            await bench.ledger(currency="EUR").enter(JOURNAL, 1)

        assert [] == bench.asked


# ── refused ─────────────────────────────────────────────────────────────────────────────────


async def test_refusal_has_their_words() -> None:
    """A bank account, and one that there is not: both are named."""
    journal = replace(JOURNAL, entries=(entry("090", debit=5), entry("Bank Current", credit=5)))
    async with XeroBench.serve() as bench:
        with pytest.raises(Refused, match=r"'090'.*can't be used.*'Bank Current'") as raised:
            await bench.ledger().enter(journal, 1)

        assert 400 == raised.value.status
        assert {} == bench.books.journals


async def test_refusal_in_a_200_is_a_refusal() -> None:
    """With StatusAttributeString ERROR nothing was entered, whatever the status."""
    body = msgspec.json.encode(
        {
            "ManualJournals": [
                {
                    "Status": "DRAFT",
                    "StatusAttributeString": "ERROR",
                    "ValidationErrors": [{"Message": "The period is locked"}],
                }
            ]
        }
    )

    with pytest.raises(Refused, match="entering: The period is locked"):
        booked_journal(body, "GBP", "entering")


async def test_locked_period_refuses_and_its_opening_lets_the_next_attempt_in() -> None:
    """The next attempt has a key of its own: nothing of the refusal sticks to it."""
    async with XeroBench.serve(BooksSettings(locked_until=date(2026, 10, 31))) as bench:
        ledger = bench.ledger()
        with pytest.raises(Refused, match="period lock date, currently 31 October 2026"):
            await ledger.enter(JOURNAL, 1)
        bench.books.lock_books()
        await ledger.enter(JOURNAL, 2)

        keys = [head["Idempotency-Key"] for head in bench.heads if "Idempotency-Key" in head]
        assert ["kcjl-JL-0123456789AB-1", "kcjl-JL-0123456789AB-2"] == keys
        assert 1 == len(bench.books.journals)


# ── limits ──────────────────────────────────────────────────────────────────────────────────


async def test_one_call_too_many_says_how_long_to_rest() -> None:
    """Retry-After, and which of the limits; certainly nothing was done."""
    async with XeroBench.serve(BooksSettings(calls_per_minute=2)) as bench:
        ledger = bench.ledger()
        await ledger.changed(BEFORE)
        await ledger.changed(BEFORE)
        with pytest.raises(RateLimited, match=r"429.*minute limit") as raised:
            await ledger.enter(JOURNAL, 1)

        assert 61 == raised.value.retry_after_s
        assert {} == bench.books.journals


@pytest.mark.parametrize(("told", "expected"), [(None, 60.0), (7, 7.0), (900_000, 86_400.0)])
async def test_rest_is_sensible_whatever_is_told(told: int | None, expected: float) -> None:
    """Nothing said is a minute; more than a day is none of their limits."""
    async with XeroBench.serve() as bench:
        bench.faults.append(
            Fault(kind="rate_limit", operation="JournalList", retry_after_s=told)
        )
        with pytest.raises(RateLimited) as raised:
            await bench.ledger().changed(BEFORE)

        assert expected == raised.value.retry_after_s


# ── answers that do not come ────────────────────────────────────────────────────────────────

UNCLEAR = {
    "500 before": Fault(kind="status", status=500),
    "503 after": Fault(kind="status", status=503, after_effect=True),
    "cut before": Fault(kind="lost_before"),
    "cut after": Fault(kind="lost_after"),
    "half an answer": Fault(kind="truncated"),
    "no body": Fault(kind="empty"),
    "half JSON": Fault(kind="half_json"),
}


@pytest.mark.parametrize("fault", UNCLEAR.values(), ids=UNCLEAR)
async def test_entry_without_a_clear_answer_is_unknown_and_one_look_tells(fault: Fault) -> None:
    """It is looked for; entered again only where it is not there; in the end there is one."""
    async with XeroBench.serve() as bench:
        bench.faults.append(replace(fault, operation="JournalEnter"))
        ledger = bench.ledger()
        with pytest.raises(OutcomeUnknown, match="JL-0123456789AB"):
            await ledger.enter(JOURNAL, 1)
        if not await ledger.changed(BEFORE):
            await ledger.enter(JOURNAL, 1)

        assert 1 == len(bench.books.journals)


async def test_answer_that_is_too_slow_is_unknown_and_the_journal_is_there() -> None:
    """A timeout after the effect: found by its reference."""
    async with XeroBench.serve() as bench:
        bench.faults.append(
            Fault(kind="slow", operation="JournalEnter", after_effect=True, seconds=3)
        )
        ledger = bench.ledger(connect_timeout_s=0.1, read_timeout_s=0.2)
        with pytest.raises(OutcomeUnknown, match="TimeoutError"):
            await ledger.enter(JOURNAL, 1)
        (listed,) = await ledger.changed(BEFORE)

    assert JOURNAL.reference == listed.reference


async def test_same_attempt_sent_twice_is_one_journal() -> None:
    """A request that was still on its way arrives after the look: the key tells them apart."""
    async with XeroBench.serve() as bench:
        first = await bench.ledger().enter(JOURNAL, 1)
        second = await bench.ledger().enter(JOURNAL, 1)

        assert first == second
        assert 1 == len(bench.books.journals)


@pytest.mark.parametrize(
    "faults",
    [(Fault(kind="status", status=503),), (Fault(kind="lost_before"),) * 2],
    ids=["503", "cut"],
)
async def test_reading_that_fails_can_be_tried_again(faults: tuple[Fault, ...]) -> None:
    """Nothing was to be done: it is only unavailable. (A cut read is tried twice at once.)"""
    async with XeroBench.serve() as bench:
        bench.faults.extend(replace(each, operation="JournalList") for each in faults)
        ledger = bench.ledger()
        with pytest.raises(Unavailable):
            await ledger.changed(BEFORE)

        assert () == await ledger.changed(BEFORE)


async def test_token_door_that_is_away_is_unavailable() -> None:
    """No token, no call: the entry certainly did not happen."""
    async with XeroBench.serve() as bench:
        bench.faults.append(Fault(kind="status", status=503, operation="Token"))
        with pytest.raises(Unavailable):
            await bench.ledger().enter(JOURNAL, 1)

        assert {} == bench.books.journals


async def test_ledger_that_is_not_there_did_nothing() -> None:
    """No connection: unavailable, and not unknown."""
    async with XeroBench.serve() as bench:
        nobody = "http://127.0.0.1:1"
        ledger = bench.ledger(base_url=nobody, token_url=f"{nobody}/connect/token")
        with pytest.raises(Unavailable, match="could not connect"):
            await ledger.enter(JOURNAL, 1)


# ── lists ───────────────────────────────────────────────────────────────────────────────────


async def test_list_is_read_to_its_last_page() -> None:
    """A hundred a page: the one that is looked for may be the last."""
    async with XeroBench.serve() as bench:
        booked = await bench.ledger().enter(JOURNAL, 1)
        for _ in range(204):
            bench.books.copy_journal(booked.ledger_number)
        listed = await bench.ledger().changed(BEFORE)

        assert 205 == len(listed)
        assert 3 == bench.asked.count("JournalList")


async def test_list_that_is_longer_than_the_bound_concludes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A part of it could hide the journal that is looked for."""
    monkeypatch.setattr(xero, "PAGES_MAX", 1)
    async with XeroBench.serve() as bench:
        booked = await bench.ledger().enter(JOURNAL, 1)
        for _ in range(100):
            bench.books.copy_journal(booked.ledger_number)
        with pytest.raises(Unavailable, match="more than 100 have changed"):
            await bench.ledger().changed(BEFORE)


@pytest.mark.parametrize(
    ("journal", "expected"),
    [
        ({"Status": "NEW"}, "status is 'NEW'"),
        ({"Status": "DRAFT", "Date": "soon"}, "date is 'soon'"),
        (
            {
                "Status": "DRAFT",
                "Date": "2026-10-01",
                "JournalLines": [{"LineAmount": 1.005, "AccountCode": "404"}],
            },
            "more decimal places",
        ),
    ],
)
async def test_journal_that_can_not_be_understood_is_no_guess(
    journal: dict[str, object], expected: str
) -> None:
    """A surprise is said, with the word that surprised."""
    body = msgspec.json.encode({"ManualJournals": [{"ManualJournalID": "d3", **journal}]})

    with pytest.raises(ProtocolSurprise, match=expected):
        booked_journal(body, "GBP", "reading")


# ── notes, and settings ─────────────────────────────────────────────────────────────────────


async def test_every_call_is_noted_without_secret_or_token() -> None:
    """The sync log has the side xero, its operations, and how each ended."""
    async with XeroBench.serve() as bench:
        bench.faults.append(Fault(kind="lost_after", operation="JournalEnter"))
        ledger = bench.ledger()
        with pytest.raises(OutcomeUnknown):
            await ledger.enter(JOURNAL, 1)
        await ledger.changed(BEFORE)
        await bench.sync_log.flush()
        kept = [each.call for each in await bench.calls.newest(Asked(), 10)]

    assert [
        ("token", CallOutcome.DONE),
        ("POST ManualJournals", CallOutcome.UNKNOWN),
        ("GET ManualJournals", CallOutcome.DONE),
    ] == [(each.operation, each.outcome) for each in kept]
    assert {"xero"} == {each.side.value for each in kept}
    assert "sandbox-xero-secret" not in repr((ledger, kept, bench.access))


def access(**other: object) -> XeroAccess:
    section = XeroSection(client_id="ID")
    told: dict[str, object] = {
        "base_url": section.base_url,
        "token_url": section.token_url,
        "client_id": section.client_id,
        "client_secret": Secret("s3cret"),
        "scope": section.scope,
        **other,
    }
    return msgspec.convert(told, XeroAccess)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"base_url": "api.xero.com"}, "base_url must be like"),
        ({"base_url": "http://api.xero.com"}, "must be https"),
        ({"token_url": "https://xero.example/token?x=1"}, "must not have a query"),
        ({"client_id": " "}, "client_id is empty"),
        ({"client_secret": Secret("naïve")}, "no header can hold"),
        ({"read_timeout_s": 0.0}, "must be above 0"),
    ],
)
def test_access_that_can_not_work_is_refused_at_once(
    setting: dict[str, object], expected: str
) -> None:
    """Before anything is called."""
    with pytest.raises(SettingsUnusable, match=expected):
        access(**setting)


def test_access_shows_no_secret() -> None:
    """In no representation."""
    assert "s3cret" not in repr(access())
