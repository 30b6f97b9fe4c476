"""Asking the service to do something: a command into its queue, and its answer.

Promises: a command that was put into the queue is carried out once, also when nobody waits for
the answer; «no» is raised with its reason. Called by the verbs that act.
"""

import getpass
from collections.abc import Mapping
from pathlib import Path

import anyio
import typer

from kcjl.cli.places import clock_of, database_of, merchant_of, printable_block, settings_at
from kcjl.clock import Clock, RandomIds
from kcjl.command import Command, Outcome
from kcjl.commands import issue, wait_for_outcome
from kcjl.database import OPERATOR, Database
from kcjl.errors import Refused, Unavailable
from kcjl.settings import Settings

__all__ = ["ANSWER_S", "Asker", "answered", "ask"]

ANSWER_S = 15.0


def ask(config: Path, merchant: str, verb: str, arguments: Mapping[str, str]) -> None:
    """Have the service do it, under the name of whoever calls; its answer to stderr.

    Raises Refused with the service's reason, and Unavailable while it does not answer.
    """
    typer.echo(printable_block(answered(config, merchant, verb, arguments)), err=True)


def answered(
    config: Path,
    merchant: str,
    verb: str,
    arguments: Mapping[str, str],
    *,
    within_s: float = ANSWER_S,
) -> str:
    """The same, with the answer for whoever calls. `within_s`: real seconds to wait for it."""
    settings = settings_at(config)
    command = Command(verb=verb, arguments=dict(arguments))
    return anyio.run(_issue, settings, merchant_of(settings, merchant), command, within_s)


async def _issue(settings: Settings, merchant: str, command: Command, within_s: float) -> str:
    async with (
        database_of(settings) as dsn,
        clock_of(settings) as clock,
        Database(dsn, role=OPERATOR) as database,
    ):
        outcome = await Asker(database, merchant, clock).outcome(command, within_s=within_s)
    if not outcome.ok:
        raise Refused(outcome.message)
    return outcome.message


class Asker:
    """Puts commands into the service's queue, under the name of whoever runs this program."""

    def __init__(self, database: Database, merchant: str, clock: Clock) -> None:
        """`database`: as an operator."""
        self._database = database
        self._merchant = merchant
        self._clock = clock

    async def outcome(self, command: Command, *, within_s: float = ANSWER_S) -> Outcome:
        """What came of it. Raises Unavailable when that isn't known in time."""
        command_id = await issue(
            self._database,
            self._merchant,
            command,
            by=getpass.getuser(),
            at=self._clock.now(),
            ids=RandomIds(),
        )
        outcome = await wait_for_outcome(
            self._database, self._merchant, command_id, seconds=within_s
        )
        if outcome is None:
            raise Unavailable(
                "the service has not answered yet: the command waits in its queue and is "
                "carried out when `kcjl run` runs"
            )
        return outcome
