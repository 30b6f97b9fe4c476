"""Xero in the sandbox: as its public papers say, for a client that we have not seen."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest

from kcjl.errors import Misuse
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.server import Sandbox, SandboxSettings
from kcjl.sandbox.world_settings import WorldSettings
from kcjl.sandbox.xero import BooksSettings
from kcjl.sandbox.xero.books import BooksRefusal
from tests.ledger.journals import JOURNAL
from tests.ledger.xero_bench import XeroBench

pytestmark = pytest.mark.anyio

PATH = "/api.xro/2.0/ManualJournals"
LINES = (
    {"LineAmount": 12.34, "AccountCode": "404", "Description": "commission"},
    {"LineAmount": -12.34, "AccountCode": "620"},
)


def body(**other: object) -> dict[str, object]:
    journal = {"Narration": "a text", "LineAmountTypes": "NoTax", "JournalLines": LINES}
    return {"ManualJournals": [{**journal, **other}]}


class Client:
    """A client of no library: plain requests with a token."""

    def __init__(self, bench: XeroBench, session: aiohttp.ClientSession) -> None:
        self._root = bench.access.base_url
        self._session = session
        self._token = ""
        self._login = aiohttp.encode_basic_auth(
            bench.access.client_id, bench.access.client_secret
        )

    async def log_in(self, **form: str) -> tuple[int, dict[str, object]]:
        asked = {"grant_type": "client_credentials", "scope": "accounting.manualjournals"}
        async with self._session.post(
            f"{self._root}/connect/token",
            data={**asked, **form},
            headers={"Authorization": self._login},
        ) as answer:
            said = await answer.json()
            self._token = said.get("access_token", "")
            return answer.status, said

    async def ask(
        self,
        method: str,
        path: str = PATH,
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, object], Mapping[str, str]]:
        async with self._session.request(
            method,
            self._root + path,
            json=json,
            headers={"Authorization": f"Bearer {self._token}", **(headers or {})},
        ) as answer:
            return answer.status, await answer.json(), answer.headers


@asynccontextmanager
async def serving(
    settings: BooksSettings | None = None,
) -> AsyncIterator[tuple[XeroBench, Client]]:
    async with XeroBench.serve(settings) as bench, aiohttp.ClientSession() as session:
        client = Client(bench, session)
        await client.log_in()
        yield bench, client


def messages(said: dict[str, object]) -> list[str]:
    elements = said["Elements"]
    assert isinstance(elements, list)
    return [fault["Message"] for each in elements for fault in each["ValidationErrors"]]


async def test_token_lives_half_an_hour_and_the_call_after_it_is_401() -> None:
    """Bearer, 1800 seconds, no refresh token: as a custom connection."""
    async with serving() as (bench, client):
        status, said = await client.log_in()
        assert (200, 1800, "Bearer") == (status, said["expires_in"], said["token_type"])
        assert "refresh_token" not in said
        bench.tick(1_801)
        status, problem, _ = await client.ask("GET")

    assert (401, "Unauthorized") == (status, problem["Title"])


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "payroll.employees"}, "invalid_scope"),
    ],
)
async def test_token_s_door_says_what_is_wrong(form: dict[str, str], expected: str) -> None:
    """In the words of OAuth 2."""
    async with serving() as (_, client):
        assert (400, {"error": expected}) == await client.log_in(**form)


async def test_journal_comes_back_in_their_form() -> None:
    """Dates in milliseconds, amounts as numbers, an id, what is left of the limits."""
    async with serving() as (_, client):
        status, said, headers = await client.ask("POST", json=body(Date="2026-10-01"))

    assert 200 == status
    journals = said["ManualJournals"]
    assert isinstance(journals, list)
    assert ("DRAFT", "/Date(1790812800000+0000)/") == (
        journals[0]["Status"],
        journals[0]["Date"],
    )
    assert [12.34, -12.34] == [each["LineAmount"] for each in journals[0]["JournalLines"]]
    assert ("59", "4999") == (headers["X-MinLimit-Remaining"], headers["X-DayLimit-Remaining"])


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"Narration": ""}, "Narration is required"),
        ({"JournalLines": LINES[:1]}, "at least two lines"),
        ({"JournalLines": (LINES[0], {**LINES[1], "LineAmount": -1})}, "must equal total"),
        ({"JournalLines": (LINES[0], {**LINES[1], "AccountCode": "999"})}, "'999' is not a"),
        ({"JournalLines": (LINES[0], {**LINES[1], "AccountCode": "090"})}, "can't be used"),
        ({"JournalLines": (LINES[0], {**LINES[1], "TaxType": "VAT9"})}, "TaxType code 'VAT9'"),
        ({"Status": "VOIDED"}, "can't be read"),
    ],
)
async def test_journal_that_is_wrong_is_refused_in_their_form(
    other: dict[str, object], expected: str
) -> None:
    """A ValidationException with a message a fault; nothing is entered."""
    async with serving() as (bench, client):
        status, said, _ = await client.ask("POST", json=body(**other))

        assert (400, 10, "ValidationException") == (status, said["ErrorNumber"], said["Type"])
        assert expected in "; ".join(messages(said))
        assert {} == bench.books.journals


async def test_key_that_comes_again_is_one_journal_and_another_body_an_error() -> None:
    """And after its time it is a new key."""
    async with serving() as (bench, client):
        key = {"Idempotency-Key": "k1"}
        first = await client.ask("POST", json=body(), headers=key)
        again = await client.ask("POST", json=body(), headers=key)
        other = await client.ask("POST", json=body(Narration="other"), headers=key)
        assert first[1]["ManualJournals"] == again[1]["ManualJournals"]
        assert 400 == other[0]
        bench.tick(bench.books.settings.key_minutes * 60 + 1)
        await client.log_in()
        await client.ask("POST", json=body(), headers=key)

        assert 2 == len(bench.books.journals)


async def test_61st_call_of_a_minute_is_429_until_the_minute_is_over() -> None:
    """Retry-After and the limit's name; a call that was refused does not count."""
    async with serving() as (bench, client):
        for _ in range(60):
            await client.ask("GET")
        status, _, headers = await client.ask("GET")
        assert (429, "minute") == (status, headers["X-Rate-Limit-Problem"])
        bench.tick(int(headers["Retry-After"]))
        status, _, _ = await client.ask("GET")

    assert 200 == status


async def test_list_has_pages_and_what_was_changed_since() -> None:
    """Without lines, as their papers show lists; one journal has them."""
    async with serving() as (bench, client):
        await client.ask("POST", json=body())
        bench.tick(60)
        await client.ask("POST", json=body(Narration="second"))
        since = {"If-Modified-Since": f"{bench.agenda.now:%Y-%m-%dT%H:%M:%S}"}
        _, said, _ = await client.ask("GET", PATH + "?page=1", headers=since)
        _, second, _ = await client.ask("GET", PATH + "?page=2&pageSize=1")

    found, paged = said["ManualJournals"], second["ManualJournals"]
    assert isinstance(found, list)
    assert isinstance(paged, list)
    assert [("second", [])] == [(each["Narration"], each["JournalLines"]) for each in found]
    assert ["second"] == [each["Narration"] for each in paged]
    assert {"page": 2, "pageSize": 1, "pageCount": 2, "itemCount": 2} == second["pagination"]


async def test_draft_is_written_anew_and_a_posted_one_is_not() -> None:
    """POST to the journal itself."""
    async with serving() as (bench, client):
        await client.ask("POST", json=body())
        (journal_id,) = bench.books.journals
        status, _, _ = await client.ask(
            "POST", f"{PATH}/{journal_id}", json=body(Narration="b")
        )
        assert (200, "b") == (status, bench.books.journals[journal_id].narration)
        bench.books.post_journal(journal_id)
        status, said, _ = await client.ask("POST", f"{PATH}/{journal_id}", json=body())

    assert 400 == status
    assert "is POSTED" in messages(said)[0]


async def test_people_void_what_is_posted_and_delete_what_is_a_draft() -> None:
    """Never the other way round, and both for good."""
    async with XeroBench.serve() as bench:
        first = await bench.ledger().enter(JOURNAL, 1)
        number = first.ledger_number
        with pytest.raises(BooksRefusal, match="is DRAFT"):
            bench.books.void_journal(number)
        bench.books.post_journal(number)
        with pytest.raises(BooksRefusal, match="is POSTED"):
            bench.books.delete_journal(number)
        bench.books.void_journal(number)
        with pytest.raises(BooksRefusal, match="is VOIDED"):
            bench.books.redate_journal(number, "2026-10-02")

        assert "VOIDED" == bench.books.journals[number].status


async def test_archived_account_takes_nothing_more_and_a_new_one_does() -> None:
    """The chart of accounts is people's."""
    async with serving() as (bench, client):
        bench.books.archive_account("404")
        status, said, _ = await client.ask("POST", json=body())
        assert (400, ["Account code '404' has been archived."]) == (status, messages(said))
        bench.books.add_account("404", "Commission anew", "EXPENSE")
        status, _, _ = await client.ask("POST", json=body())

    assert 200 == status


def test_books_need_limits_that_allow_something() -> None:
    """Nothing above nothing is refused at once."""
    with pytest.raises(Misuse, match="above 0"):
        BooksSettings(calls_per_minute=0)


async def test_sandbox_serves_xero_beside_the_others() -> None:
    """On a port of its own, with a person's hand, faults, and the truth of what is there."""
    world = WorldSettings(trade=GeneratedTrade(orders_per_hour=1.0, skus=3))
    settings = SandboxSettings(world=world, port=0, khaos_port=0, xero_port=0, speed=0)
    fault = Fault(kind="status", side="xero", operation="JournalEnter", status=503)
    async with Sandbox.serve(settings) as sandbox, aiohttp.ClientSession() as session:
        books = sandbox.world.books.settings
        login = aiohttp.encode_basic_auth(books.client_id, books.client_secret)
        form = {"grant_type": "client_credentials", "scope": "accounting.manualjournals"}
        sandbox.doorkeeper.change("faults", "add", {"faults": [fault]})
        async with session.post(
            f"{sandbox.xero_url}/connect/token", data=form, headers={"Authorization": login}
        ) as answer:
            token = (await answer.json())["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        statuses = []
        for _ in range(2):
            async with session.post(
                sandbox.xero_url + PATH, json=body(), headers=bearer
            ) as answer:
                statuses.append(answer.status)
        async with session.get(f"{sandbox.control_url}/xero") as answer:
            (shown,) = await answer.json()
        hook = f"{sandbox.control_url}/xero/post_journal"
        async with session.post(hook, json={"journal_id": shown["journal_id"]}) as answer:
            outcome = (await answer.json())["outcome"]
        async with session.post(hook, json={"journal_id": shown["journal_id"]}) as answer:
            again = answer.status

    assert [503, 200] == statuses
    assert ("DRAFT", "POSTED", 409) == (shown["status"], outcome["status"], again)
