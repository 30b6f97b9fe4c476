"""The command line: verbs, and what their errors exit with.

Data goes to stdout, talk to stderr. Exit codes: 0 fine, 1 a difference or a broken law was
found, 2 usage or configuration, 3 something needed is not available, 130 interrupted.
The verbs stand in `verbs.py`; each is imported when it is called.
"""

import logging
import os
import sys
import traceback
from typing import NoReturn

import structlog
import typer
from structlog.typing import EventDict, WrappedLogger

from kcjl import __version__
from kcjl.cli.places import Stopped, printable_block
from kcjl.cli.verbs import Verbs
from kcjl.errors import CorruptLog, KcjlError, Misuse
from kcjl.unseen import spelt_out

__all__ = ["app", "run"]

app = typer.Typer(
    name="kcjl",
    cls=Verbs,
    help="Stands between John Lewis Marketplace and Khaos Control: stock, orders, dispatch, "
    "settlement, and what went wrong.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

OURS_ALONE = 0o077


@app.callback()
def root() -> None:
    """Nothing belongs to all verbs alike."""


@app.command("version")
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def run() -> None:
    """The console script. What it writes is a business's trade: its own account's alone."""
    _log_to_stderr()
    os.umask(OURS_ALONE)
    try:
        code = app(prog_name="kcjl", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001 - each is judged; what is not ours is raised again
        _end(_first(error))
    sys.exit(code if isinstance(code, int) else 0)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _end(error: BaseException) -> NoReturn:
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        typer.echo("interrupted; nothing is lost, start it again to go on", err=True)
        sys.exit(130)
    if isinstance(error, Stopped):
        typer.echo("stopped; nothing is lost, start it again to go on", err=True)
        sys.exit(0)
    if hasattr(error, "show") and hasattr(error, "exit_code"):  # a usage error of the library
        error.show()
        sys.exit(2)
    if not isinstance(error, KcjlError):
        crash = "".join(traceback.format_exception(error))
        typer.echo(printable_block(crash.rstrip()), err=True)
        sys.exit(1)
    typer.echo(printable_block(f"kcjl: {error.message} [{error.code}]"), err=True)
    if isinstance(error, Misuse):
        sys.exit(2)
    sys.exit(1 if isinstance(error, CorruptLog) else 3)


class _OnItsLine(structlog.processors.KeyValueRenderer):
    """A line of the log, that steers no terminal it is read on."""

    def __call__(self, logger: WrappedLogger, name: str, event_dict: EventDict) -> str:
        return spelt_out(super().__call__(logger, name, event_dict))


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _OnItsLine(key_order=["timestamp", "level", "event"], drop_missing=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
