"""`kcjl orders refund | cancel | withdraw`: money back, on a person's word.

Promises: without `--plan` they show what would be done, and do nothing; with it, exactly the
plan that was shown is ordered, or nothing. The service sends it, one line a call.
Called by `kcjl/cli/orders.py`, which names them.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from kcjl.cli.asking import answered
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    json_line,
    printable,
    printable_block,
)
from kcjl.cli.tables import table
from kcjl.errors import Misuse
from kcjl.orders.reversal_amounts import Asked
from kcjl.orders.reversal_plan import CANCELATION, REFUND, ReversalPlan
from kcjl.unseen import json_spelt_out

__all__ = ["cancel", "refund", "withdraw"]

OrderId = Annotated[str, typer.Argument(help="The marketplace's order id.")]
Lines = Annotated[
    list[str] | None, typer.Option("--line", help="An order line's id [default: all].")
]
Units = Annotated[int | None, typer.Option("--units", help="Units of the one line.")]
Amount = Annotated[str, typer.Option("--amount", help="Goods of the one line, e.g. 7.50.")]
Shipping = Annotated[str, typer.Option("--shipping", help="Shipping of the one line.")]
Code = Annotated[str, typer.Option("--code", help="Reason code of the tenant's list.")]
Plan = Annotated[str, typer.Option("--plan", help="The plan that was shown: do it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")]
AsJson = Annotated[bool, typer.Option("--json", help="The plan or the answer as JSON.")]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a yes, for a program."""

    id: str
    message: str


def refund(
    *,
    order: OrderId,
    line: Lines = None,
    units: Units = None,
    amount: Amount = "",
    shipping: Shipping = "",
    code: Code = "",
    plan: Plan = "",
    reason: Reason = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    not_to_ship: Annotated[
        bool, typer.Option("--not-to-ship", help="The refunded units are not to be shipped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give money back to the customer, after a look at what that would be.

    First without --plan: amounts by line, the taxes in them, the commission that comes back.
    Then the same with --plan ID --reason TEXT: exactly that is done, one line a call. Without
    a line it is all that is left of the order. A balance that is too low is waited for.

    Examples: `kcjl orders refund 700123456-A --code 17`,
    `kcjl orders refund 700123456-A --line 700123456-A-1 --units 1 --code 17`.
    """
    asked = _asked(line, units, amount, shipping, code, not_to_ship=not_to_ship)
    _plan_or_do(config, merchant, (order, REFUND), asked, plan, reason, as_json=as_json)


def cancel(
    *,
    order: OrderId,
    line: Lines = None,
    units: Units = None,
    amount: Amount = "",
    shipping: Shipping = "",
    code: Code = "",
    plan: Plan = "",
    reason: Reason = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    as_json: AsJson = False,
) -> None:
    """Cancel an order, or a part of it, before the customer has paid.

    As `kcjl orders refund`: first without --plan, then with it. Without a line the whole order
    is cancelled in one call. Once it is paid for, refund it.
    """
    asked = _asked(line, units, amount, shipping, code, not_to_ship=False)
    _plan_or_do(config, merchant, (order, CANCELATION), asked, plan, reason, as_json=as_json)


def withdraw(
    reversal: Annotated[str, typer.Argument(help="The reversal's id, R-….")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """End a refund or a cancelation that has not been taken: nothing more of it is sent.

    Of one that is unclear or was refused it says that you have looked, and clears it.
    """
    arguments = {"reversal_id": reversal, "reason": reason}
    message = answered(config, merchant, "withdraw-reversal", arguments)
    _say(reversal, message, as_json=as_json)


def _asked(
    lines: Sequence[str] | None,
    units: int | None,
    amount: str,
    shipping: str,
    code: str,
    *,
    not_to_ship: bool,
) -> Asked:
    return Asked(
        line_ids=tuple(lines or ()),
        units=units,
        amount=_money(amount, "--amount"),
        shipping=_money(shipping, "--shipping"),
        reason_code=code,
        not_to_ship=not_to_ship,
    )


def _money(told: str, option: str) -> Decimal | None:
    if not told:
        return None
    try:
        return Decimal(told)
    except InvalidOperation:
        raise Misuse(f"{option}: {told!r} is no amount, e.g. 7.50") from None


def _plan_or_do(
    config: Path,
    merchant: str,
    of: tuple[str, str],
    asked: Asked,
    plan: str,
    reason: str,
    *,
    as_json: bool,
) -> None:
    order, kind = of
    words = {
        "order_id": order,
        "kind": kind,
        "asked": msgspec.json.encode(asked).decode(),
    }
    if plan:
        if not reason.strip():
            raise Misuse("say why: --reason TEXT; it stands in the log")
        words |= {"plan_id": plan, "reason": reason}
        message = answered(config, merchant, "order-reversal", words)
        _say(plan, message, as_json=as_json)
        return
    told = answered(config, merchant, "preview-reversal", words)
    if as_json:
        typer.echo(json_spelt_out(told))
        return
    for each in _shown(msgspec.json.decode(told, type=ReversalPlan)):
        typer.echo(printable(each))


def _shown(plan: ReversalPlan) -> list[str]:
    """The preview as a person reads it."""
    named = "" if not plan.reason_code else f" for {plan.reason_code} ({plan.reason_label})"
    rows = [
        (
            line.item.line_id,
            line.item.sku,
            str(line.item.quantity),
            str(line.item.amount.decimal()),
            str(line.item.shipping_amount.decimal()),
            " ".join(
                f"{tax.code} {tax.amount.decimal()}"
                for tax in (*line.item.taxes, *line.item.shipping_taxes)
                if tax.amount
            ),
            str(line.back_already.decimal()),
            str(line.left_after.decimal()),
            str(line.commission_back.decimal()),
        )
        for line in plan.lines
    ]
    headings = (
        "line",
        "sku",
        ">units",
        ">goods",
        ">shipping",
        "taxes",
        ">back before",
        ">left after",
        ">commission",
    )
    kind = plan.kind.replace("_", " ")
    return [
        printable(f"{kind} of order {plan.order_id}{named}; {plan.note}"),
        "",
        *map(printable, table(headings, rows)),
        "",
        f"in all {plan.total}; commission that comes back, about {plan.commission_back}",
        f"nothing has been done; to do exactly this: --plan {plan.plan_id} --reason TEXT",
    ]


def _say(id_: str, message: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json_line(Answer(id=id_, message=message)))
    else:
        typer.echo(printable_block(message), err=True)
