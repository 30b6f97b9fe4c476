"""What people ask of the service: issued into a table, carried out by the room it concerns.

Promises: a command is carried out and answered, in the order of issuing; carried out twice (a
crash in between) it is nothing new, since rooms decide on what already is. What comes of it are
events by that person. One that can't be answered now is never answered with «no».
Called by the CLI and the monitor (issue), and by the service (serve). Queues: PostgreSQL and a
memory twin.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import anyio
import msgspec

from kcjl.bell import CHANNEL
from kcjl.clock import Ids, real_sleep
from kcjl.command import Command, Outcome
from kcjl.database import Database
from kcjl.errors import (
    Conflict,
    CorruptLog,
    Fenced,
    KcjlError,
    OutcomeUnknown,
    Unavailable,
)

__all__ = [
    "CommandQueue",
    "Handler",
    "MemoryCommands",
    "PostgresCommands",
    "Waiting",
    "issue",
    "serve_commands",
    "wait_for_outcome",
]

ANSWER_LOOK_S = 0.25
COMMANDS_MAX = 100
_ISSUE = f"""
with issued as (
    insert into command (merchant, id, issued_at, by, body) values ($1, $2, $3, $4, $5)
)
select pg_notify('{CHANNEL}', $1)
"""  # noqa: S608 - a constant of ours


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A command that nobody has answered yet."""

    id: str
    by: str
    body: str
    """The command as JSON, as it was issued: perhaps by another version."""


Handler = Callable[[Mapping[str, str], str], Awaitable[str | None]]
"""Carries a command out: (arguments, by); may answer what came of it. Misuse and Refused are
the answer «no», with its reason; what is none (the log's own troubles) leaves the command in
its queue.
"""


async def issue(
    database: Database, merchant: str, command: Command, *, by: str, at: datetime, ids: Ids
) -> str:
    """Put a command in the queue; returns its id."""
    command_id = ids.new()
    await database.execute(
        _ISSUE,
        merchant,
        command_id,
        at,
        by,
        msgspec.json.encode(command).decode(),
    )
    return command_id


async def wait_for_outcome(
    database: Database, merchant: str, command_id: str, *, seconds: float
) -> Outcome | None:
    """The service's answer; None when it has not come within so many real seconds."""
    waited_s = 0.0
    while waited_s < seconds:
        row = await database.fetchrow(
            "select outcome::text as outcome from command where merchant = $1 and id = $2",
            merchant,
            command_id,
        )
        if row is not None and row["outcome"] is not None:
            return msgspec.json.decode(row["outcome"], type=Outcome)
        await real_sleep(ANSWER_LOOK_S)
        waited_s += ANSWER_LOOK_S
    return None


class CommandQueue(Protocol):
    """One merchant's commands, as whoever carries them out sees them."""

    async def waiting(self) -> Sequence[Waiting]:
        """The oldest that are not answered, COMMANDS_MAX at most."""
        ...

    async def answer(self, command_id: str, outcome: Outcome, *, at: datetime) -> None:
        """Nothing happens when it has been answered."""
        ...

    async def pause(self) -> None:
        """Wait until it is worth looking again."""
        ...


class PostgresCommands:
    """The queue in the table `command`."""

    def __init__(
        self, database: Database, merchant: str, pause: Callable[[], Awaitable[None]]
    ) -> None:
        """`pause` waits until it is worth looking again."""
        self._database = database
        self._merchant = merchant
        self._pause = pause

    async def waiting(self) -> Sequence[Waiting]:
        rows = await self._database.fetch(
            """
            select id, by, body::text as body from command
            where merchant = $1 and done_at is null
            order by issued_at, id limit $2
            """,
            self._merchant,
            COMMANDS_MAX,
        )
        return [Waiting(id=row["id"], by=row["by"], body=row["body"]) for row in rows]

    async def answer(self, command_id: str, outcome: Outcome, *, at: datetime) -> None:
        await self._database.execute(
            """
            update command set done_at = $3, outcome = $4
            where merchant = $1 and id = $2 and done_at is null
            """,
            self._merchant,
            command_id,
            at,
            msgspec.json.encode(outcome).decode(),
        )

    async def pause(self) -> None:
        await self._pause()


class MemoryCommands:
    """The memory twin. It rings when there is something to do, and is not asked before."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._waiting: dict[str, Waiting] = {}
        self._bell = anyio.Event()

    def issue(self, command: Command, *, by: str, ids: Ids) -> str:
        """Put a command in the queue; returns its id."""
        body = msgspec.json.encode(command).decode()
        waiting = Waiting(id=ids.new(), by=by, body=body)
        self._waiting[waiting.id] = waiting
        self._bell.set()
        return waiting.id

    async def waiting(self) -> Sequence[Waiting]:
        self._bell = anyio.Event()
        return list(self._waiting.values())[:COMMANDS_MAX]

    async def answer(self, command_id: str, outcome: Outcome, *, at: datetime) -> None:
        del at  # the twin keeps what was answered, not when
        if self._waiting.pop(command_id, None) is not None:
            self.outcomes[command_id] = outcome

    async def pause(self) -> None:
        await self._bell.wait()


async def serve_commands(
    queue: CommandQueue, handlers: Mapping[str, Handler], now: Callable[[], datetime]
) -> None:
    """Carry out what comes, oldest first, for ever."""
    while True:
        while waiting := await queue.waiting():
            for each in waiting:
                outcome = await _carry_out(each.body, each.by, handlers)
                await queue.answer(each.id, outcome, at=now())
        await queue.pause()


async def _carry_out(body: str, by: str, handlers: Mapping[str, Handler]) -> Outcome:
    try:
        command = msgspec.json.decode(body, type=Command)
    except msgspec.MsgspecError as error:
        return Outcome(ok=False, message=f"not a command: {error}")
    handler = handlers.get(command.verb)
    if handler is None:
        return Outcome(ok=False, message=f"no such command: {command.verb}")
    try:
        said = await handler(command.arguments, by)
    except (Conflict, Unavailable, OutcomeUnknown, Fenced, CorruptLog):
        raise  # no answer: it is carried out again, by us or by whoever has taken over
    except KcjlError as error:
        return Outcome(ok=False, message=error.message)
    except (KeyError, ValueError) as error:
        return Outcome(ok=False, message=f"an argument is missing or wrong: {error}")
    return Outcome(ok=True, message=said or "done")
