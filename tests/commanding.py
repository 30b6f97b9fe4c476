"""The queue of commands, as a test serves it: looked into often, with no bell."""

from functools import partial

from kcjl.clock import real_sleep
from kcjl.commands import PostgresCommands
from kcjl.database import Database

__all__ = ["commands_of"]

LOOK_EVERY_S = 0.05


def commands_of(database: Database, merchant: str) -> PostgresCommands:
    return PostgresCommands(database, merchant, partial(real_sleep, LOOK_EVERY_S))
