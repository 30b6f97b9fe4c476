"""`kcjl dispatch map list | set | remove | suggest`: which carrier a courier is.

Policy is history: each change is an event with its version and your name. Reading asks the
log alone. Called by `kcjl/cli/dispatch.py`.
"""

from collections.abc import Sequence
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli.asking import answered
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    json_line,
    merchant_of,
    printable,
    printable_block,
    settings_at,
)
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.dispatch.carrier_names import nearest_carriers
from kcjl.dispatch.carriers_state import Carriers
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.projections.dispatchreading import CourierRow, carriers_of, courier_rows
from kcjl.settings import Settings

__all__ = ["app"]

app = typer.Typer(
    help="The carrier map: which carrier of the marketplace a courier of the ERP is.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="JSON, for a program.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")]
Courier = Annotated[str, typer.Argument(help="Name or code of the courier in the ERP.")]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, for a program."""

    courier: str
    verb: str
    message: str


@app.command("list")
def list_couriers(
    config: Config = DEFAULT_CONFIG, merchant: Merchant = "", *, as_json: AsJson = False
) -> None:
    """The couriers of the ERP and of the map, each with its carrier; what waits is named.

    Example: `kcjl dispatch map list --json`.
    """
    carriers = _carriers(config, merchant)
    _tell(courier_rows(carriers), as_json=as_json)
    if not as_json:
        typer.echo(printable(f"version {carriers.version} of the map"), err=True)


@app.command("set")
def set_carrier(
    courier: Courier,
    carrier: Annotated[str, typer.Argument(help="Carrier code of the marketplace.")],
    reason: Reason = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Map a courier onto a carrier; parcels that wait for it are then confirmed.

    Example: `kcjl dispatch map set "DPD Next Day" DPD --reason "agreed with the warehouse"`.
    """
    arguments = {"courier": courier, "carrier_code": carrier, "reason": reason}
    message = answered(config, merchant, "map-courier", arguments)
    _say(courier, "set", message, as_json=as_json)


@app.command("remove")
def remove(
    courier: Courier,
    reason: Reason = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Take a courier out of the map; its parcels wait, unless its name is a carrier's.

    What is confirmed stays confirmed.
    """
    arguments = {"courier": courier, "reason": reason}
    message = answered(config, merchant, "unmap-courier", arguments)
    _say(courier, "remove", message, as_json=as_json)


@app.command("suggest")
def suggest(
    courier: Annotated[
        str, typer.Argument(help="Name or code of a courier; left out: all that have none.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Carriers whose names are near to couriers that have none. Nothing is changed.

    Example: `kcjl dispatch map suggest "Royal Mail Tracked 24"`.
    """
    carriers = _carriers(config, merchant)
    rows = [row for row in courier_rows(carriers) if not row.carrier or row.state == "gone"]
    if courier:
        rows = [
            CourierRow(
                courier=courier,
                code="",
                carrier_code="",
                carrier="",
                state="none",
                nearest=nearest_carriers((courier,), carriers.codes),
            )
        ]
    _tell(rows, as_json=as_json)
    if not as_json:
        codes = ", ".join(code for code, _ in carriers.codes) or "none, as far as is known"
        typer.echo(
            printable(
                "map one with: kcjl dispatch map set COURIER CARRIER; "
                f"the marketplace has {codes}"
            ),
            err=True,
        )


def _carriers(config: Config, merchant: str) -> Carriers:
    settings = settings_at(config)
    carriers = anyio.run(_read, settings, merchant_of(settings, merchant))
    if carriers.read_at is None:
        raise NotFound("the marketplace's carriers are not known yet: `kcjl run` reads them")
    return carriers


async def _read(settings: Settings, merchant: str) -> Carriers:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        return await carriers_of(PostgresQueries(database, merchant, vocabulary()))


def _tell(rows: Sequence[CourierRow], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            typer.echo(json_line(row))
        return
    cells = [
        (row.courier, row.code, row.carrier_code, row.carrier, row.state, " ".join(row.nearest))
        for row in rows
    ]
    headings = ("courier", "code", "carrier", "its name", "state", "near to it")
    for line in table(headings, cells):
        typer.echo(printable(line))


def _say(courier: str, verb: str, message: str, *, as_json: bool) -> None:
    if as_json:
        answer = Answer(courier=courier, verb=verb, message=message)
        typer.echo(json_line(answer))
    else:
        typer.echo(printable_block(message), err=True)
