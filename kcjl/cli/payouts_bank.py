"""`kcjl payouts bankfile | received | bank`: the clearing account's file, and the bank's word.

A statement is read here, whole or not at all; what of it is a payout's goes to the service,
which judges it again on all that is in the log. The bank's words about others stay here.
Called by `kcjl/cli/payouts.py`.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

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
from kcjl.errors import Misuse, Refused
from kcjl.ledger.bank_file import ClearingRow, clearing_csv, clearing_tsv
from kcjl.ledger.bank_lines import BankLine, Place, amount_of, day_of
from kcjl.ledger.bank_statement import FILE_BYTES_MAX, read_statement
from kcjl.money import Money
from kcjl.projections.payoutreading import PayoutRows
from kcjl.settings import BankSettings, Settings
from kcjl.settlement.clearing import clearing_account, detailed, summed
from kcjl.settlement.received import Receipt
from kcjl.settlement.received_matching import Judged, Verdict, match_lines, receipts_of
from kcjl.settlement.state import Cycle, Line

__all__ = ["bank", "bankfile", "received"]

Payout = Annotated[
    str,
    typer.Argument(help="Its cycle, voucher or bank reference, or one of its journals."),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, one object a line.")]
Layout = Literal["barclays", "amazon"]
DIFFERENCE = 1
TEXT_SHOWN_CHARS_MAX = 60
VERDICTS: dict[Verdict, str] = {
    "matched": "a payout's",
    "known": "known",
    "withdrawn": "taken back",
    "unclear": "to be looked at",
}


# ── the clearing account's file ─────────────────────────────────────────────────────────────


def bankfile(
    payout: Payout,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    layout: Annotated[
        Layout | None, typer.Option("--layout", help="Instead of the layout of the settings.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A new file; without it, stdout.")
    ] = None,
) -> None:
    """What a payout does to the clearing account, as a file for the ERP's bank import.

    barclays: a CSV, one row an entry of its journals. amazon: a TSV, one row a transaction
    line. A file that is there already is never overwritten by another content.

    Example: `kcjl payouts bankfile BACS-889117 --out clearing.csv`.
    """
    settings = settings_at(config)
    name = merchant_of(settings, merchant)
    rules = settings.merchants[name].settlement.bank
    cycle, lines = anyio.run(_payout, settings, name, payout)
    shape = layout or rules.layout
    if shape == "amazon":
        rows = detailed(cycle, lines, by=rules.tsv_order)
        content = clearing_tsv(rows, date_form=rules.tsv_date)
    else:
        rows = summed(cycle)
        content = clearing_csv(
            rows,
            columns=rules.file_columns,
            date_form=rules.file_date,
            account=rules.file_account or clearing_account(cycle),
        )
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        _write(out, content)
    typer.echo(printable(_sum(cycle, rows)), err=True)


async def _payout(
    settings: Settings, merchant: str, named: str
) -> tuple[Cycle, Sequence[Line]]:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        rows = PayoutRows(database, merchant)
        cycle = await rows.payout(named)
        return cycle, await rows.lines_of(cycle.cycle_id)


def _write(out: Path, content: bytes) -> None:
    """Whole or not at all, and never over another."""
    try:
        if out.exists():
            if out.read_bytes() == content:
                return
            raise Refused(f"{out} is there already with another content: name another file")
        half = out.with_name(f"{out.name}.part")
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(out)
    except OSError as error:
        raise Misuse(f"{out} can't be written: {error.strerror}") from None


def _sum(cycle: Cycle, rows: Sequence[ClearingRow]) -> str:
    total = sum((each.amount for each in rows), Money(0, cycle.seen.currency))
    return f"payout {cycle.cycle_id}: {len(rows):,} rows, {total} in all"


# ── what the bank got ───────────────────────────────────────────────────────────────────────


def received(
    payout: Payout,
    amount: Annotated[
        str, typer.Argument(help="What came in, such as 1,234.56; not with --withdraw.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    on: Annotated[
        str, typer.Option("--on", help="The bank's day: 2026-03-31 or 31/03/2026.")
    ] = "",
    reference: Annotated[
        str, typer.Option("--reference", help="The bank's, if it helps to find it again.")
    ] = "",
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="It did not come, or is of something else.")
    ] = False,
    receipt: Annotated[
        int | None, typer.Option("--receipt", help="Which one is withdrawn, where several are.")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Why it is withdrawn; it stands in the log.")
    ] = "",
) -> None:
    """Say by hand that a payout is in the bank; or take that back, with --withdraw.

    Examples: `kcjl payouts received BACS-889117 1,234.56 --on 2026-03-31`;
    `kcjl payouts received BACS-889117 --withdraw --reason "it was another payment"`.
    """
    if withdraw and (not reason or amount or on or reference):
        raise Misuse("--withdraw wants a --reason, and no amount, day or reference")
    if not withdraw and (not amount or not on or reason or receipt is not None):
        raise Misuse(
            "say how much came and on which day: kcjl payouts received PAYOUT AMOUNT --on "
            "DATE; or take it back: --withdraw --reason WHY"
        )
    settings = settings_at(config)
    cycle, _ = anyio.run(_payout, settings, merchant_of(settings, merchant), payout)
    if withdraw:
        arguments = {
            "cycle_id": cycle.cycle_id,
            "receipt": "" if receipt is None else str(receipt),
            "reason": reason,
        }
        said = answered(config, merchant, "payout-received-withdraw", arguments)
    else:
        told = Receipt(
            cycle_id=cycle.cycle_id,
            amount=amount_of(amount, cycle.seen.currency, Place("AMOUNT")),
            received_on=day_of(on, Place("--on")),
            reference=reference,
        )
        said = _book(config, merchant, (told,))
    typer.echo(printable_block(said), err=True)


def _book(config: Path, merchant: str, told: tuple[Receipt, ...]) -> str:
    arguments = {"receipts": msgspec.json.encode(told).decode()}
    return answered(config, merchant, "payout-received", arguments)


# ── a statement ─────────────────────────────────────────────────────────────────────────────


def bank(
    file: Annotated[Path, typer.Argument(help="A statement: CSV, OFX or CAMT.053.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show what it would be found to be.")
    ] = False,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="A column of a CSV, as amount=HEADING; again for more."),
    ] = None,
    currency: Annotated[
        str, typer.Option("--currency", help="Of the account that the statement is of.")
    ] = "GBP",
    as_json: AsJson = False,
) -> None:
    """Find payouts in a bank statement, and say that they are received.

    Read twice, or with files that overlap, a line counts once. What could be two things is
    listed and left to you (`kcjl payouts received`); so is an amount that differs, and the exit
    code is then 1. Money that is no payout's is counted only.

    Examples: `kcjl payouts bank march.csv --preview`, `kcjl payouts bank march.ofx`.
    """
    settings = settings_at(config)
    name = merchant_of(settings, merchant)
    rules = settings.merchants[name].settlement.bank
    lines = _statement(file, column or (), currency, rules)
    cycles = anyio.run(_payouts, settings, name)
    judged = match_lines(lines, cycles, file=file.name, within_days=rules.matched_within_days)
    told = [each for each in judged if each.verdict != "other"]
    for each in _json(told) if as_json else _shown(told):
        typer.echo(each if as_json else printable(each))
    found = receipts_of(judged)
    typer.echo(printable(_counted(lines, judged)), err=True)
    if preview:
        typer.echo("nothing was changed", err=True)
    elif found:
        typer.echo(printable(_book(config, merchant, found)), err=True)
    if any(each.verdict == "unclear" or each.off for each in judged):
        raise typer.Exit(DIFFERENCE)


def _statement(
    file: Path, column: Sequence[str], currency: str, rules: BankSettings
) -> tuple[BankLine, ...]:
    named = dict(each.partition("=")[::2] for each in column)
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Misuse(f"{file} can't be read: {error.strerror}") from None
    columns = named or rules.columns
    return read_statement(file.name, content, columns=columns, currency=currency.upper())


async def _payouts(settings: Settings, merchant: str) -> Sequence[Cycle]:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        return await PayoutRows(database, merchant).payouts()


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is looked at, for a program."""

    where: str
    booked_on: str
    amount: Money
    verdict: str
    payouts: tuple[str, ...]
    off: Money | None
    said: str


def _json(judged: Sequence[Judged]) -> Iterator[str]:
    for each in judged:
        stated = each.line.stated
        found = Found(
            where=stated.where,
            booked_on=f"{stated.booked_on}",
            amount=stated.amount,
            verdict=each.verdict,
            payouts=each.payouts,
            off=each.off,
            said=each.said,
        )
        yield json_line(found)


def _shown(judged: Sequence[Judged]) -> list[str]:
    return table(
        ("where", "day", ">amount", "it is", "payout", ">off", "why", "the bank's words"),
        [
            (
                each.line.stated.where,
                f"{each.line.stated.booked_on}",
                str(each.line.stated.amount),
                VERDICTS[each.verdict],
                ", ".join(each.payouts),
                str(each.off) if each.off else "",
                each.said,
                _words(each.line.stated.text),
            )
            for each in judged
        ],
    )


def _words(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TEXT_SHOWN_CHARS_MAX else f"{line[:TEXT_SHOWN_CHARS_MAX]}…"


def _counted(lines: Sequence[BankLine], judged: Sequence[Judged]) -> str:
    counts = Counter(each.verdict for each in judged)
    told = ", ".join(f"{counts[verdict]:,} {words}" for verdict, words in VERDICTS.items())
    return (
        f"{len(lines):,} lines: {told}; {counts['other']:,} came in and are no payout's, "
        f"{len(lines) - len(judged):,} went out"
    )
