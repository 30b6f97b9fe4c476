"""`kcjl sample`: orders drawn for an auditor, with their evidence, in one page to file.

It verifies the log first, and changes nothing. Called by `main.py`.
"""

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import kcjl
from kcjl.audit.sample import draw
from kcjl.audit.sample_page import Evidence, Report, report_page
from kcjl.audit.sample_reading import candidates, evidence
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    json_line,
    merchant_of,
    printable,
    settings_at,
)
from kcjl.cli.proof import Progress, key_of
from kcjl.cli.rebuild import position_asked, position_of
from kcjl.database import AUDITOR, Database
from kcjl.dispatch.calendar_settings import business_time
from kcjl.errors import Misuse, NotFound
from kcjl.events import vocabulary
from kcjl.log.postgres import PostgresLogReader
from kcjl.log.seal import Seal, check_seals, check_signature, read_seal
from kcjl.log.verify import Verified, verify
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.settings import Settings

__all__ = ["sample"]

ORDERS_MAX = 1_000


def sample(
    seed: Annotated[
        str, typer.Option("--seed", help="Any word; the same one draws the same orders.")
    ],
    orders: Annotated[
        int, typer.Option("--orders", "-n", min=1, max=ORDERS_MAX, help="How many.")
    ] = 25,
    file: Annotated[
        Path | None, typer.Option("--html", help="Write the report here; it prints.")
    ] = None,
    at: Annotated[
        str,
        typer.Option(
            "--at", help="As of when: a time, or #POSITION of the log; now when left out."
        ),
    ] = "",
    by: Annotated[
        str, typer.Option("--by", help="Who verifies [default: who runs this].")
    ] = "",
    seal_files: Annotated[
        list[Path] | None,
        typer.Option("--seal", help="A seal to hold the log against; may be repeated."),
    ] = None,
    public_key: Annotated[
        str, typer.Option("--public-key", help="Key of the seals: hexadecimal, or a file.")
    ] = "",
    *,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="The report, then each order, a JSON object a line.")
    ] = False,
) -> None:
    """Draw a random sample of orders, with all evidence of each on a page of its own.

    First the chain is verified up to there, and held against the seals that are given. Then
    orders are drawn from strata: by month, and money back, on the desk, large or plain. The
    same seed on the same log gives the same file; who bought stays masked.

    Example: `kcjl sample --seed 2026-Q3 --orders 40 --seal head.seal --html sample.html`.
    """
    if file is not None and file.exists():
        raise Misuse(f"{file} is there already: give a new name")
    if file is None and not as_json:
        raise Misuse("say where to write the report: --html FILE, or --json")
    seals = [read_seal(each) for each in seal_files or []]
    settings = settings_at(config)
    chosen = merchant_of(settings, merchant)
    key = key_of(settings, public_key) if seals else None
    asked = _Asked(merchant=chosen, seed=seed, orders=orders, at=at, by=by or getpass.getuser())
    report, found = anyio.run(_drawn, settings, asked, seals, key)
    if as_json:
        for each in (report, *found):
            typer.echo(json_line(each))
    if file is not None:
        with file.open("x", encoding="utf-8") as written:
            written.writelines(f"{part}\n" for part in report_page(report, found))
    said = f"{len(found):,} orders of {sum(each.orders for each in report.drawn):,}, "
    said += f"as of event {report.position:,}, hash {report.hash}"
    typer.echo(printable(said + (f": {file}" if file else "")), err=True)


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    merchant: str
    seed: str
    orders: int
    at: str
    by: str


async def _drawn(
    settings: Settings, asked: _Asked, seals: Sequence[Seal], key: Ed25519PublicKey | None
) -> tuple[Report, list[Evidence]]:
    merchant = asked.merchant
    for each in seals:
        if key is not None:
            check_signature(each, key, merchant)
    async with database_of(settings) as dsn:
        async with Database(dsn, role=AUDITOR) as database:
            log = PostgresLogReader(database, merchant, vocabulary())
            position = position_of(asked.at)
            if position is None:
                position = await position_asked(log, asked.at, world=bool(settings.clock.world))
            verified = await _verified(log, position)
            await check_seals(log, seals, verified)
        async with AsOfDatabase(dsn, merchant, vocabulary(), PROJECTIONS) as past:
            moment = await past.move(position)
            then = moment.recorded_at
            if then is None:
                raise NotFound(f"before the first event of {merchant} there is no order")
            drawn = draw(await candidates(past, merchant), size=asked.orders, seed=asked.seed)
            business = business_time(settings.merchants[merchant].dispatch.deadlines)
            order_ids = [one for each in drawn for one in each.order_ids]
            found = [
                each
                async for each in evidence(past, merchant, business, order_ids, lambda: then)
            ]
    report = Report(
        merchant=merchant,
        version=kcjl.__version__,
        by=asked.by,
        position=position,
        hash=verified.hash.hex(),
        recorded_at=then,
        seals=tuple(_stands(each) for each in seals),
        seed=asked.seed,
        size=asked.orders,
        drawn=drawn,
    )
    return report, found


def _stands(seal: Seal) -> str:
    return f"the log stands as it was sealed at event {seal.position:,}, {seal.sealed_at}"


async def _verified(log: PostgresLogReader, position: int) -> Verified:
    progress = Progress(0)
    progress.last = position
    try:
        return await verify(log, to=position, progress=progress)
    finally:
        progress.end()
