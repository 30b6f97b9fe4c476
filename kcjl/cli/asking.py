"""Asking the service to do something: a command into its queue, and its answer.

Promises: a command that was put into the queue is carried out once, also when nobody waits for
the answer; «no» is raised with its reason. Called by the verbs that act.
"""

import getpass
from collections.abc import Mapping
from pathlib import Path

import anyio
import typer

from kcjl.cli.places import clock_of, database_of, merchant_of, printable, settings_at
from kcjl.clock import RandomIds
from kcjl.command import Command
from kcjl.commands import issue, wait_for_outcome
from kcjl.database import OPERATOR, Database
from kcjl.errors import Refused, Unavailable
from kcjl.settings import Settings

__all__ = ["answered", "ask"]

ANSWER_S = 15.0


def ask(config: Path, merchant: str, verb: str, arguments: Mapping[str, str]) -> None:
    """Have the service do it, under the name of whoever calls; its answer to stderr.

    Raises Refused with the service's reason, and Unavailable while it does not answer.
    """
    typer.echo(printable(answered(config, merchant, verb, arguments)), err=True)


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
        command_id = await issue(
            database,
            merchant,
            command,
            by=getpass.getuser(),
            at=clock.now(),
            ids=RandomIds(),
        )
        outcome = await wait_for_outcome(database, merchant, command_id, seconds=within_s)
    if outcome is None:
        raise Unavailable(
            "the service has not answered yet: the command waits in its queue and is carried "
            "out when `kcjl run` runs"
        )
    if not outcome.ok:
        raise Refused(outcome.message)
    return outcome.message
