"""`kcjl payouts list | show | journal`, and what people say: `ack`, `accept`, `reverse`.

What reads shows the read models and the log; what acts is put into the service's queue, and
its answer shown. A no is exit code 3, with its reason and the next step. `--json` says the same
to a program. Called by `main.py`.
"""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import anyio
import msgspec
import typer

from kcjl.cli import payouts_bank, payouts_explain, payouts_month
from kcjl.cli.asking import answered
from kcjl.cli.payouts_shown import account_lines, journal_lines
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
from kcjl.cli.stock_shown import now_of
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.projections.payoutreading import PayoutRows
from kcjl.settings import Settings
from kcjl.settlement.account import PayoutAccount, UnpaidOrder, account_of, unpaid_of
from kcjl.settlement.received import receipt_words
from kcjl.settlement.state import Cycle
from kcjl.settlement.words import payout_note

__all__ = ["app"]

T = TypeVar("T")

app = typer.Typer(
    help="Payouts: what was paid, of what, and where it is booked.", no_args_is_help=True
)
app.command("explain")(payouts_explain.explain)
app.command("month")(payouts_month.month)
app.command("bankfile")(payouts_bank.bankfile)
app.command("received")(payouts_bank.received)
app.command("bank")(payouts_bank.bank)

AsJson = Annotated[bool, typer.Option("--json", help="JSON, one object a line, on stdout.")]
Payout = Annotated[
    str,
    typer.Argument(help="Its cycle, voucher or bank reference, or one of its journals."),
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, for a program."""

    subject: str
    verb: str
    message: str


@app.callback()
def _group() -> None:
    """Every penny from the bank to the order, and back."""


@app.command("list")
def list_payouts(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    unpaid: Annotated[
        bool, typer.Option("--unpaid", help="What is on no cycle yet, with its age, instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Payouts, oldest first; or what is not paid out yet, oldest first.

    Examples: `kcjl payouts list`, `kcjl payouts list --unpaid --json`.
    """
    found: Sequence[Cycle] | Sequence[UnpaidOrder]
    if unpaid:
        found = waiting = _read(config, merchant, _unpaid)
        lines = _unpaid_table(waiting)
    else:
        found = payouts = _read(config, merchant, _payouts)
        lines = _payout_table(payouts)
    for line in [json_line(each) for each in found] if as_json else lines:
        typer.echo(line if as_json else printable(line))
    what = "orders and fees that no payout has yet" if unpaid else "payouts"
    typer.echo(printable(f"{len(found):,} {what}"), err=True)


@app.command("show")
def show(
    payout: Payout,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """A payout's whole account: its sum, its gaps by name, what is untied, its journals.

    Example: `kcjl payouts show BACS-889117`; `--json` has every transaction line, too.
    """
    account = _read(config, merchant, lambda rows: _account(rows, payout))
    if as_json:
        typer.echo(json_line(account))
        return
    _print(account_lines(account))


@app.command("journal")
def journal(
    payout: Payout,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """The journals of a payout, line by line: what to enter, what is entered, what is undone.

    Example: `kcjl payouts journal BACS-889117`.
    """
    cycle = _read(config, merchant, lambda rows: rows.rows.payout(payout))
    if as_json:
        for each in cycle.journals:
            typer.echo(json_line(each))
        return
    for each in cycle.journals:
        _print(journal_lines(cycle, each))
    typer.echo(
        printable(f"{len(cycle.journals)} journals of payout {cycle.cycle_id}"), err=True
    )


@app.command("ack")
def ack(
    reference: Annotated[str, typer.Argument(help="The journal, e.g. JL-0123456789AB.")],
    number: Annotated[str, typer.Argument(help="The ledger's own number of it.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """You have entered a journal in the ledger: under which number.

    Example: `kcjl payouts ack JL-0123456789AB 4711`.
    """
    arguments = {"reference": reference, "ledger_number": number}
    _ask(config, merchant, "ack", reference, arguments, as_json=as_json)


@app.command("accept")
def accept(
    payout: Payout,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Accept what holds a payout: untied lines and a residue, as they are. It then closes.

    A residue goes to the suspense account, under your reason. Other figures than those that you
    saw want another word.

    Example: `kcjl payouts accept BACS-889117 --reason "agreed with the operator, case 88"`.
    """
    cycle = _read(config, merchant, lambda rows: rows.rows.payout(payout))
    arguments = {"cycle_id": cycle.cycle_id, "reason": reason}
    _ask(config, merchant, "accept", cycle.cycle_id, arguments, as_json=as_json)


@app.command("reverse")
def reverse(
    payout: Payout,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Undo a payout's journals and make one anew, of its lines and accounts as they are now.

    All are dated today: a month that is closed stays as it was reported.

    Example: `kcjl payouts reverse BACS-889117 --reason "commission was on the wrong account"`.
    """
    cycle = _read(config, merchant, lambda rows: rows.rows.payout(payout))
    arguments = {"cycle_id": cycle.cycle_id, "reason": reason}
    _ask(config, merchant, "reverse", cycle.cycle_id, arguments, as_json=as_json)


def _ask(
    config: Path,
    merchant: str,
    verb: str,
    subject: str,
    arguments: dict[str, str],
    *,
    as_json: bool,
) -> None:
    message = answered(config, merchant, f"payout-{verb}", arguments)
    if as_json:
        answer = Answer(subject=subject, verb=verb, message=message)
        typer.echo(json_line(answer))
    else:
        typer.echo(printable_block(message), err=True)


# ── reading ─────────────────────────────────────────────────────────────────────────────────


class _Rows:
    """What is read of: the read models, the log, and whose time it is."""

    def __init__(self, settings: Settings, database: Database, merchant: str) -> None:
        self.settings = settings
        self.database = database
        self.merchant = merchant
        self.rows = PayoutRows(database, merchant)
        self.log = PostgresQueries(database, merchant, vocabulary())


def _read(config: Path, merchant: str, ask: Callable[[_Rows], Coroutine[Any, Any, T]]) -> T:
    settings = settings_at(config)
    name = merchant_of(settings, merchant)

    async def read() -> T:
        async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
            return await ask(_Rows(settings, database, name))

    return anyio.run(read)


async def _payouts(of: _Rows) -> Sequence[Cycle]:
    return await of.rows.payouts()


async def _unpaid(of: _Rows) -> Sequence[UnpaidOrder]:
    now = await now_of(of.settings, of.database, of.merchant)
    return unpaid_of(await of.rows.lines_of(None), now)


async def _account(of: _Rows, payout: str) -> PayoutAccount:
    cycle = await of.rows.payout(payout)
    lines = await of.rows.lines_of(cycle.cycle_id)
    return account_of(cycle, lines, await of.rows.gaps(of.log, cycle.cycle_id))


# ── tables ──────────────────────────────────────────────────────────────────────────────────


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(printable(line))


def _payout_table(payouts: Sequence[Cycle]) -> list[str]:
    return table(
        ("payout", "cycle of", "state", ">paid out", "bank", "received", "journals", "note"),
        [
            (
                cycle.cycle_id,
                f"{cycle.created_at:%Y-%m-%d}",
                cycle.state.value,
                str(cycle.seen.amount_to_seller),
                cycle.seen.payout_reference or cycle.seen.payout_state,
                receipt_words(cycle) or "—",
                ", ".join(each.intended.reference for each in cycle.in_force) or "—",
                payout_note(cycle),
            )
            for cycle in payouts
        ],
    )


def _unpaid_table(unpaid: Sequence[UnpaidOrder]) -> list[str]:
    return table(
        ("order", "state", ">amount", ">lines", "since", ">days"),
        [
            (
                each.order_id or "of no order",
                each.payment_state,
                str(each.amount),
                f"{each.lines:,}",
                f"{each.since:%Y-%m-%d}",
                f"{each.age_days:,}",
            )
            for each in unpaid
        ],
    )
