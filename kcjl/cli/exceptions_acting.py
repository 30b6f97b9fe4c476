"""`kcjl exceptions assign | note | retry | park | accept`: what people say at the desk.

Each is put into the service's queue, carried out by it, and stands in the log with the name of
whoever said it; about one, several, or all that filters leave. With --preview nothing is done.
Called by `kcjl/cli/exceptions.py`.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli.asking import answered
from kcjl.cli.exceptions_meant import (
    Above,
    Kind,
    Lane,
    Owner,
    Since,
    Subject,
    meant_by,
    wanted_of,
)
from kcjl.cli.filters import moment
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    clock_of,
    printable,
    printable_block,
    settings_at,
)
from kcjl.errors import Misuse
from kcjl.exceptions.asked import Meant
from kcjl.exceptions.words import Wanted

__all__ = ["accept", "assign", "note", "park", "retry"]

Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="[EXCEPTION]...", help="Ids, KIND:SUBJECT, as the list has them."),
]
All = Annotated[bool, typer.Option("--all", help="All open ones that the filters leave.")]
Preview = Annotated[bool, typer.Option("--preview", help="Show which, and do nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as one JSON object.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")]
SPAN_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def assign(
    exceptions: Ids = None,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    to: Annotated[str, typer.Option("--to", help="A person, or a role.")],
    kind: Kind = "",
    lane: Lane = "",
    owner: Owner = "",
    subject: Subject = "",
    since: Since = "",
    above: Above = "",
    everything: All = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Say whose it is, whatever the rules say.

    Example: `kcjl exceptions assign --kind order_held --all --to jo --preview`.
    """
    filters = wanted_of(kind, lane, owner, subject, since, above)
    wanted = meant_by(exceptions, filters, everything=everything)
    _ask(config, merchant, "assign", wanted, {"to": to}, preview=preview, as_json=as_json)


def note(
    exceptions: Ids = None,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    text: Annotated[str, typer.Option("--text", help="The note; no personal data.")],
    kind: Kind = "",
    lane: Lane = "",
    owner: Owner = "",
    subject: Subject = "",
    since: Since = "",
    above: Above = "",
    everything: All = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Write something down about it. It stands in the log for ever: nothing about the buyer.

    Example: `kcjl exceptions note sku_unmatched:a1 --text "asked the catalogue team"`.
    """
    filters = wanted_of(kind, lane, owner, subject, since, above)
    wanted = meant_by(exceptions, filters, everything=everything)
    _ask(config, merchant, "note", wanted, {"note": text}, preview=preview, as_json=as_json)


def retry(
    exceptions: Ids = None,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    reason: Reason = "",
    kind: Kind = "",
    lane: Lane = "",
    owner: Owner = "",
    subject: Subject = "",
    since: Since = "",
    above: Above = "",
    everything: All = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Have it tried again by the room that it is of: a posting, an answer, a line, a parcel.

    Where there is nothing to try again it says what mends it. Carried out, it clears by itself
    when it goes well.

    Example: `kcjl exceptions retry --kind posting_refused --all --reason "the ERP is back"`.
    """
    filters = wanted_of(kind, lane, owner, subject, since, above)
    wanted = meant_by(exceptions, filters, everything=everything)
    arguments = {"reason": reason}
    _ask(config, merchant, "retry", wanted, arguments, preview=preview, as_json=as_json)


def park(
    exceptions: Ids = None,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    until: Annotated[
        str,
        typer.Option("--until", help="2026-10-02T09:00 (UTC if not said), or 30m, 4h, 2d."),
    ],
    reason: Reason,
    kind: Kind = "",
    lane: Lane = "",
    owner: Owner = "",
    subject: Subject = "",
    since: Since = "",
    above: Above = "",
    everything: All = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Put it aside until then; not beyond its deadline. It clears meanwhile if it can.

    Example: `kcjl exceptions park incident_open:O1/1 --until 4h --reason "they call back"`.
    """
    filters = wanted_of(kind, lane, owner, subject, since, above)
    wanted = meant_by(exceptions, filters, everything=everything)
    arguments = {"until": anyio.run(_until, config, until).isoformat(), "reason": reason}
    _ask(config, merchant, "park", wanted, arguments, preview=preview, as_json=as_json)


def accept(
    exceptions: Ids = None,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    reason: Reason,
    kind: Kind = "",
    lane: Lane = "",
    owner: Owner = "",
    subject: Subject = "",
    since: Since = "",
    above: Above = "",
    everything: All = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Let it be as it is: it leaves the desk, until something new is said of it.

    What goes on doing harm can't be accepted; then it says what to do instead.

    Example: `kcjl exceptions accept total_differs:700123456-A --reason "a penny, agreed"`.
    """
    filters = wanted_of(kind, lane, owner, subject, since, above)
    wanted = meant_by(exceptions, filters, everything=everything)
    arguments = {"reason": reason}
    _ask(config, merchant, "accept", wanted, arguments, preview=preview, as_json=as_json)


def _ask(
    config: Path,
    merchant: str,
    verb: str,
    wanted: Wanted,
    arguments: dict[str, str],
    *,
    preview: bool,
    as_json: bool,
) -> None:
    arguments = {
        **arguments,
        "wanted": msgspec.json.encode(wanted).decode(),
        "preview": "yes" if preview else "no",
    }
    said = answered(config, merchant, f"exceptions-{verb}", arguments)
    if as_json:
        typer.echo(printable_block(said))
        return
    meant = msgspec.json.decode(said, type=Meant)
    if preview:
        for each in meant.ids:
            typer.echo(printable(each))
    money = ", ".join(map(str, meant.money)) or "no money"
    more = meant.exceptions - len(meant.ids)
    rest = f", {more:,} more than are shown" if preview and more else ""
    count = f"{meant.exceptions:,} exception{'' if meant.exceptions == 1 else 's'}"
    done = meant.done or "nothing was done, it was a preview"
    typer.echo(printable(f"{count}, {money} at risk{rest}: {done}"), err=True)


async def _until(config: Path, told: str) -> datetime:
    """A time, or a span from the service's own now on."""
    number, unit = told[:-1], told[-1:]
    if number.isdigit() and unit in SPAN_UNITS:
        async with clock_of(settings_at(config)) as clock:
            return clock.now() + timedelta(**{SPAN_UNITS[unit]: int(number)})
    when = moment("--until", told)
    if when is None:
        raise Misuse("--until is empty: give a time to come, or 30m, 4h, 2d")
    return when.astimezone(UTC)
