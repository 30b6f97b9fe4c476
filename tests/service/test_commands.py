"""What people ask of the service: issued, carried out, answered, and in the log as theirs."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import anyio
import asyncpg
import pytest

from kcjl.clock import RandomIds, real_now
from kcjl.command import Command, Outcome
from kcjl.commands import (
    Handler,
    PostgresCommands,
    issue,
    serve_commands,
    wait_for_outcome,
)
from kcjl.database import OPERATOR, SERVICE, Database
from kcjl.dispatch.events import CarrierMapped
from kcjl.errors import Conflict, Fenced, Misuse, Refused, Unavailable
from kcjl.log.port import Recorded
from kcjl.settlement.events import AccountMapSet
from kcjl.stock.events import BufferSet, StockImportIntended
from kcjl.stock.policy_events import StockPolicyApproved
from kcjl.tenant.events import TenantRead
from tests.commanding import commands_of
from tests.service.running import HANGS_S, MERCHANT, Shop, quiet_world, serving, shop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def quiet(database_dsn: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(database_dsn, tmp_path, quiet_world()) as running:
        yield running


def _queue(database: Database) -> PostgresCommands:
    return commands_of(database, MERCHANT)


async def _answer(shop: Shop, command_id: str) -> Outcome:
    async with Database(shop.dsn, role=OPERATOR) as database:
        outcome = await wait_for_outcome(database, MERCHANT, command_id, seconds=HANGS_S)
    assert outcome is not None
    return outcome


async def _by(shop: Shop, person: str) -> list[Recorded]:
    return [each async for page in shop.log.read() for each in page if each.by == person]


# ── on the running service ──────────────────────────────────────────────────────────────────


async def test_buffer_that_is_set_leads_to_new_figures_and_names_who_set_it(
    quiet: Shop,
) -> None:
    """Policy is history: the event is the person's, and the next figures are made with it."""
    async with serving(quiet):
        first = await quiet.until(StockImportIntended)
        command_id = await quiet.ask("set-buffer", by="jo", units="3")
        outcome = await _answer(quiet, command_id)
        sent = await quiet.until(
            StockImportIntended, lambda event: event.policy_version > first.policy_version
        )
        by_jo = await _by(quiet, "jo")
    before = {figure.sku: figure for figure in first.figures}
    lowered = [figure for figure in sent.figures if figure.quantity]

    assert outcome.ok
    assert "stock policy version 2 is in force in place of version 1" in outcome.message
    assert [(BufferSet, 3)] == [
        (type(each.event), getattr(each.event, "units", None)) for each in by_jo
    ]
    assert lowered
    for figure in lowered:
        assert (1, 3) == (before[figure.sku].buffer, figure.buffer)
        assert before[figure.sku].quantity - 2 == figure.quantity


async def test_command_that_waited_for_the_service_is_carried_out_when_it_comes(
    quiet: Shop,
) -> None:
    """Asked while nothing runs: decided on all that the log has, policy and carriers."""
    async with serving(quiet):
        await quiet.until(StockPolicyApproved)
        await quiet.until(TenantRead)
    done = await quiet.ask("set-buffer", by="jo", units="7")
    refused = await quiet.ask("map-courier", by="jo", courier="Van", carrier_code="NO")
    async with serving(quiet):
        outcome = await _answer(quiet, done)
        refusal = await _answer(quiet, refused)
    buffers = await quiet.events(BufferSet)

    assert outcome.ok
    assert "a buffer of 7 on each product and nothing else" in outcome.message
    assert [(7, 2)] == [(each.units, each.version) for each in buffers]
    assert "'NO' is no carrier code" in refusal.message


async def test_command_carried_out_twice_is_nothing_new(quiet: Shop, database_dsn: str) -> None:
    """The service was killed between the doing and the answer: done again, one event."""
    async with serving(quiet):
        for verb, arguments in (
            ("set-buffer", {"units": "4"}),
            ("map-courier", {"courier": "Van", "carrier_code": "DHL"}),
            ("set-accounts", {"bank": "1201"}),
        ):
            await quiet.until(TenantRead)
            command_id = await quiet.ask(verb, by="jo", **arguments)
            first = await _answer(quiet, command_id)
            await _forget_the_answer(database_dsn, command_id)
            again = await _answer(quiet, command_id)
            assert (True, True) == (first.ok, again.ok)
        by_jo = await _by(quiet, "jo")

    assert [BufferSet, CarrierMapped, AccountMapSet] == [type(each.event) for each in by_jo]


async def _forget_the_answer(dsn: str, command_id: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "update command set done_at = null, outcome = null where id = $1", command_id
        )
    finally:
        await connection.close()


REFUSED: tuple[tuple[str, dict[str, str], str], ...] = (
    ("sell-everything", {}, "no such command: sell-everything"),
    ("set-buffer", {"units": "three"}, "an argument is missing or wrong"),
    ("set-buffer", {}, "an argument is missing or wrong: 'units'"),
    ("set-buffer", {"units": "-1"}, "a buffer is 0 to 1,000,000 units, not -1"),
    ("set-buffer", {"units": "9" * 30}, "a buffer is 0 to 1,000,000 units"),
    ("map-courier", {"courier": "Van"}, "an argument is missing or wrong: 'carrier_code'"),
    ("map-courier", {"courier": "Van", "carrier_code": "NO"}, "'NO' is no carrier code"),
    ("set-accounts", {"holidays": "1201"}, "no such role in the journal: holidays"),
)


async def test_command_that_makes_no_sense_is_answered_with_the_reason_and_changes_nothing(
    quiet: Shop,
) -> None:
    """No, and why; and the next command is carried out as ever."""
    async with serving(quiet):
        await quiet.until(TenantRead)
        asked = [await quiet.ask(verb, by="jo", **arguments) for verb, arguments, _ in REFUSED]
        refused = [await _answer(quiet, each) for each in asked]
        by_jo = await _by(quiet, "jo")
        next_one = await _answer(quiet, await quiet.ask("set-buffer", by="jo", units="2"))

    assert [False] * len(REFUSED) == [each.ok for each in refused]
    for (_, _, reason), outcome in zip(REFUSED, refused, strict=True):
        assert reason in outcome.message
    assert [] == by_jo
    assert next_one.ok


# ── the queue itself ────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def database(anyio_backend: str, database_dsn: str) -> AsyncIterator[Database]:
    async with Database(database_dsn, role=SERVICE) as database:
        yield database


async def _issued(dsn: str, *arguments: str, merchant: str = MERCHANT) -> list[str]:
    ids = RandomIds()
    async with Database(dsn, role=OPERATOR) as database:
        return [
            await issue(
                database,
                merchant,
                Command(verb="note", arguments={"text": each}),
                by="jo",
                at=real_now(),
                ids=ids,
            )
            for each in arguments
        ]


def _noting(noted: list[str]) -> Mapping[str, Handler]:
    async def note(arguments: Mapping[str, str], by: str) -> None:
        noted.append(f"{by}: {arguments['text']}")

    return {"note": note}


async def test_commands_are_carried_out_in_the_order_of_issuing_and_once(
    database: Database, database_dsn: str
) -> None:
    """Oldest first; what was answered is not looked at again; other merchants' are left."""
    noted: list[str] = []
    first = await _issued(database_dsn, "one", "two", "three")
    await _issued(database_dsn, "not ours", merchant="other")
    async with anyio.create_task_group() as group:
        group.start_soon(serve_commands, _queue(database), _noting(noted), real_now)
        await wait_for_outcome(database, MERCHANT, first[-1], seconds=HANGS_S)
        later = await _issued(database_dsn, "four")
        await wait_for_outcome(database, MERCHANT, later[0], seconds=HANGS_S)
        group.cancel_scope.cancel()

    assert ["jo: one", "jo: two", "jo: three", "jo: four"] == noted


async def test_answer_that_has_not_come_is_none_and_not_no(
    database: Database, database_dsn: str
) -> None:
    """Nobody serves: the one who asked learns that there is no answer yet."""
    (waiting,) = await _issued(database_dsn, "one")

    assert await wait_for_outcome(database, MERCHANT, waiting, seconds=0.01) is None
    assert await wait_for_outcome(database, MERCHANT, "unheard of", seconds=0.01) is None


@pytest.mark.parametrize("trouble", [Unavailable("away"), Conflict("s", 1, 2), Fenced()])
async def test_command_that_could_not_be_decided_now_stays_in_the_queue(
    database: Database, database_dsn: str, trouble: Exception
) -> None:
    """The log's own trouble is no answer: whoever serves next carries the command out."""
    (command_id,) = await _issued(database_dsn, "one")

    async def fails(_arguments: Mapping[str, str], _by: str) -> None:
        raise trouble

    with pytest.raises(type(trouble)), anyio.fail_after(HANGS_S):
        await serve_commands(_queue(database), {"note": fails}, real_now)
    unanswered = await wait_for_outcome(database, MERCHANT, command_id, seconds=0.01)
    noted: list[str] = []
    async with anyio.create_task_group() as group:
        group.start_soon(serve_commands, _queue(database), _noting(noted), real_now)
        outcome = await wait_for_outcome(database, MERCHANT, command_id, seconds=HANGS_S)
        group.cancel_scope.cancel()

    assert unanswered is None
    assert outcome == Outcome(ok=True, message="done")
    assert ["jo: one"] == noted


@pytest.mark.parametrize("refusal", [Misuse("not so"), Refused("not so")])
async def test_command_that_was_refused_is_answered_with_the_refusal(
    database: Database, database_dsn: str, refusal: Exception
) -> None:
    """A room's or a system's no is the answer, word for word."""
    (command_id,) = await _issued(database_dsn, "one")

    async def refuses(_arguments: Mapping[str, str], _by: str) -> None:
        raise refusal

    async with anyio.create_task_group() as group:
        group.start_soon(serve_commands, _queue(database), {"note": refuses}, real_now)
        outcome = await wait_for_outcome(database, MERCHANT, command_id, seconds=HANGS_S)
        group.cancel_scope.cancel()

    assert Outcome(ok=False, message="not so") == outcome


async def test_body_that_is_no_command_is_answered_and_blocks_nobody(
    database: Database, database_dsn: str
) -> None:
    """A queue is a table: what anybody writes into it must not stop it."""
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute(
            "insert into command (merchant, id, issued_at, by, body) "
            "values ($1, 'c0', now() - interval '1 hour', 'jo', '[1]')",
            MERCHANT,
        )
    finally:
        await connection.close()
    noted: list[str] = []
    (after,) = await _issued(database_dsn, "one")
    async with anyio.create_task_group() as group:
        group.start_soon(serve_commands, _queue(database), _noting(noted), real_now)
        await wait_for_outcome(database, MERCHANT, after, seconds=HANGS_S)
        outcome = await wait_for_outcome(database, MERCHANT, "c0", seconds=HANGS_S)
        group.cancel_scope.cancel()

    assert outcome is not None
    assert "not a command" in outcome.message
    assert ["jo: one"] == noted
