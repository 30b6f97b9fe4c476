"""What people ask of the service: issued into a table, carried out by the room it concerns.

Promises: a command is carried out and answered, in the order of issuing; carried out twice (a
crash in between) it is nothing new, since rooms decide on what already is. What comes of it are
events by that person. One that can't be answered now is never answered with «no».
Called by the CLI and the monitor (issue), and by the service (serve).
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import msgspec

from kcjl.clock import Ids, real_sleep
from kcjl.database import Database
from kcjl.errors import (
    Conflict,
    CorruptLog,
    Fenced,
    KcjlError,
    OutcomeUnknown,
    Unavailable,
)

__all__ = ["Command", "Handler", "issue", "serve_commands", "wait_for_outcome"]

LOOK_EVERY_S = 0.5
COMMANDS_MAX = 100


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A verb and its arguments."""

    verb: str
    arguments: dict[str, str]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    ok: bool
    message: str


Handler = Callable[[Mapping[str, str], str], Awaitable[None]]
"""Carries a command out: (arguments, by). Misuse and Refused are the answer «no», with its
reason; what is none (the log's own troubles) leaves the command in its queue.
"""


async def issue(
    database: Database, merchant: str, command: Command, *, by: str, at: datetime, ids: Ids
) -> str:
    """Put a command in the queue; returns its id."""
    command_id = ids.new()
    await database.execute(
        "insert into command (merchant, id, issued_at, by, body) values ($1, $2, $3, $4, $5)",
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
        await real_sleep(LOOK_EVERY_S / 2)
        waited_s += LOOK_EVERY_S / 2
    return None


async def serve_commands(
    database: Database,
    merchant: str,
    handlers: Mapping[str, Handler],
    now: Callable[[], datetime],
) -> None:
    """Carry out what comes, oldest first, for ever."""
    while True:
        rows = await database.fetch(
            """
            select id, by, body::text as body from command
            where merchant = $1 and done_at is null
            order by issued_at, id limit $2
            """,
            merchant,
            COMMANDS_MAX,
        )
        for row in rows:
            outcome = await _carry_out(row["body"], row["by"], handlers)
            await database.execute(
                """
                update command set done_at = $3, outcome = $4
                where merchant = $1 and id = $2 and done_at is null
                """,
                merchant,
                row["id"],
                now(),
                msgspec.json.encode(outcome).decode(),
            )
        await real_sleep(LOOK_EVERY_S)


async def _carry_out(body: str, by: str, handlers: Mapping[str, Handler]) -> Outcome:
    try:
        command = msgspec.json.decode(body, type=Command)
    except msgspec.MsgspecError as error:
        return Outcome(ok=False, message=f"not a command: {error}")
    handler = handlers.get(command.verb)
    if handler is None:
        return Outcome(ok=False, message=f"no such command: {command.verb}")
    try:
        await handler(command.arguments, by)
    except (Conflict, Unavailable, OutcomeUnknown, Fenced, CorruptLog):
        raise  # no answer: it is carried out again, by us or by whoever has taken over
    except KcjlError as error:
        return Outcome(ok=False, message=error.message)
    except (KeyError, ValueError) as error:
        return Outcome(ok=False, message=f"an argument is missing or wrong: {error}")
    return Outcome(ok=True, message="done")
