"""`kcjl init`: asks for what is needed, tries each answer, and writes kcjl.toml.

Promises: an answer that does not work is told why, and asked for again; interrupted at any
time nothing is left behind; what is there is not overwritten without --force, and kept as .bak.
Called by the command line.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from kcjl.cli.init_asking import Asker, FromFile, Question, Typed, settled
from kcjl.cli.init_file import Staging, Table
from kcjl.cli.init_khaos import asked_of_khaos
from kcjl.cli.init_trials import account_of, database_at, door_of, merchant_named
from kcjl.cli.places import DEFAULT_CONFIG, Config, printable, printable_block
from kcjl.clock import RealClock
from kcjl.errors import KcjlError, Misuse, Unavailable
from kcjl.settings import JohnLewisSettings, read_settings

__all__ = ["init"]

HELLO = """\
Each answer is tried as it is given, by calls that only read. Enter takes what stands in
brackets; Ctrl-C ends it, and leaves nothing behind."""
NOT_LIVE = """\
Not live: `kcjl run` refuses to start on a system that is not on this machine, so nothing can
be written to one by accident. Look at all of it with `kcjl check` first."""
LIVE = "Live: with `kcjl run` stock is published, orders are accepted and posted."


def init(
    config: Config = DEFAULT_CONFIG,
    *,
    answers: Annotated[
        Path | None,
        typer.Option("--answers", help="A TOML file of answers, instead of asking."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Write over a kcjl.toml that is there; it is kept as .bak."
        ),
    ] = False,
) -> None:
    """Ask for what is needed, try each answer on both systems, and write kcjl.toml.

    Secrets are typed unseen and go into files that only you can read, in a folder
    `kcjl-secrets` beside it. Nothing is written to either system.

    A file of answers names each by its key (docs/running.md), and each secret by the variable
    or the file that has it. Examples: `kcjl init`, `kcjl init --answers answers.toml`.
    """
    if config.exists() and not force:
        raise Misuse(f"{config} is there already: --force writes over it, and keeps it as .bak")
    if answers is None and not sys.stdin.isatty():
        raise Misuse("nobody is at a terminal to be asked: give --answers FILE")
    asker: Asker = Typed() if answers is None else FromFile.read(answers)
    typer.echo(
        printable_block(HELLO if asker.by_hand else f"trying the answers of {answers}"),
        err=True,
    )
    with Staging.at(config) as staging:
        name, table = _asked(asker, staging)
        if isinstance(asker, FromFile):
            asker.finish()
        staging.put(table)
    settings = read_settings(config)
    typer.echo(
        printable_block(f"\nwritten: {config}, and its secrets in {staging.home}"), err=True
    )
    typer.echo(printable_block(LIVE if settings.live else NOT_LIVE), err=True)
    if isinstance(asker, FromFile) and asker.variables:
        typer.echo(
            printable(f"The service needs {', '.join(asker.variables)} in its environment."),
            err=True,
        )
    typer.echo(
        printable(f"Back up {staging.home / 'vault.key'}, apart from the database."), err=True
    )
    at = "" if config == DEFAULT_CONFIG else f" -c {config}"
    typer.echo(
        printable(
            f"next: kcjl check{at}; then live = true, and kcjl run{at}. "
            f"`kcjl manual going-live` has the way for {name}."
        ),
        err=True,
    )


def _asked(asker: Asker, staging: Staging) -> tuple[str, Table]:
    name = settled(
        asker,
        Question(key="merchant", text="Name of the merchant", default="shop"),
        merchant_named,
    )
    johnlewis, there = _asked_of_johnlewis(asker, staging)
    khaos, stock = asked_of_khaos(asker, staging, johnlewis)
    database = settled(
        asker,
        Question(
            key="database",
            text="Database",
            about='Where the record is kept: "embedded" brings its own, or the DSN of a '
            "PostgreSQL 15 or newer.",
            default="embedded",
        ),
        database_at,
    )
    data_dir = settled(
        asker, Question(key="data_dir", text="Folder of data", default="kcjl-data"), _folder
    )
    start_at = settled(asker, _start_question(), _moment)
    live = settled(
        asker,
        Question(
            key="live",
            text="Live",
            about="false: nothing can be written to the systems yet. It is one word in "
            "kcjl.toml, once `kcjl check` is fine.",
            default="false",
            choices=("false", "true"),
        ),
        lambda told: told == "true",
    )
    merchant: Table = {
        "johnlewis": there,
        "khaos": khaos,
        "stock": stock,
        "orders": {"start_at": start_at},
    }
    return name, {
        "live": live,
        "database": database,
        "data_dir": data_dir,
        "vault": {"key_file": staging.vault_key()},
        "merchants": {name: merchant},
    }


def _asked_of_johnlewis(asker: Asker, staging: Staging) -> tuple[JohnLewisSettings, Table]:
    """For the trials that follow; and as it is written."""
    base_url = settled(
        asker,
        Question(
            key="johnlewis_url",
            text="Address of the marketplace",
            about="As the operator gave it to you, such as https://marketplace.example",
        ),
        _trusted,
    )
    question = Question(
        key="johnlewis_key",
        text="Key of the marketplace's API",
        about="Made in its back office, under your user.",
    )
    while True:
        given = asker.ask_secret(question)
        written: Table = {
            "base_url": base_url,
            **staging.placed("api_key", given, "johnlewis.key"),
        }
        johnlewis = msgspec.convert(staging.tried(written), JohnLewisSettings)
        try:
            account = account_of(johnlewis)
            break
        except KcjlError as error:
            asker.failed(question, error.message)
    asker.say(
        f"it is the key of shop {account.shop_id}, {account.shop_name}: {account.state}, "
        f"{account.currency}"
    )
    shop = settled(
        asker,
        Question(key="johnlewis_shop_id", text="Its shop", default=str(account.shop_id)),
        lambda told: _shop(johnlewis, account.shop_id, told),
    )
    chosen: dict[str, int] = {} if shop == account.shop_id else {"shop_id": shop}
    return johnlewis, {**written, **chosen}


def _shop(johnlewis: JohnLewisSettings, of_key: int, told: str) -> int:
    """Another shop than the key's own has to be one that the key reaches."""
    if not told.isdecimal():
        raise Misuse(f"{told!r} is no number of a shop")
    if int(told) == of_key:
        return of_key
    reached = account_of(msgspec.structs.replace(johnlewis, shop_id=int(told)))
    if reached.shop_id != int(told):
        raise Misuse(f"the key does not reach shop {told}: it is that of {reached.shop_id}")
    return reached.shop_id


def _trusted(url: str) -> str:
    """The marketplace's certificate can't be pinned: it is trusted, or it is not called."""
    door = door_of(url)
    if door.untrusted:
        raise Unavailable(f"the certificate of {url} is not trusted: {door.untrusted}")
    return url


def _folder(told: str) -> str:
    if not told.isprintable():
        raise Misuse("that is no folder")
    return told


def _start_question() -> Question:
    now = RealClock().now()
    return Question(
        key="start_at",
        text="First order that is ours",
        about="Orders placed before this time stay with your people: they are recorded, and "
        "never posted.",
        default=f"{now:%Y-%m-%dT%H:%M}Z",
    )


def _moment(told: str) -> datetime:
    try:
        when = datetime.fromisoformat(told)
    except ValueError:
        raise Misuse(f"{told!r} is no time: write it like 2026-12-01T09:00Z") from None
    if when.tzinfo is None:
        raise Misuse(f"{told!r} does not say in which zone: 2026-12-01T09:00Z is UTC's")
    return when
