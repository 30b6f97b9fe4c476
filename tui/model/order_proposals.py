"""What can be said of orders: each with its effect in words, and what it needs to be told.

Promises: the verbs and arguments are those of `kcjl orders`; money goes back only by a plan
that was shown, and a buyer is shown once, sealed on the way, and never kept among the messages.
Called by the orders screen.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

import msgspec

from kcjl.command import Command
from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.readmodels_orders import OrderRow
from kcjl.sealedanswer import Asker
from tui.model.amounts import money_text
from tui.model.moments import Zone
from tui.model.plain import plain
from tui.model.proposal import Field, Proposal
from tui.model.shapes import DetailLine, DetailView

__all__ = ["count_proposal", "order_proposal"]

_WHY = Field(name="reason", label="why", hint="it stands in the log")
_WHY_PERHAPS = Field(name="reason", label="why (may be left empty)", needed=False)
_LINES = Field(
    name="lines",
    label="only these lines (by their ids; empty: all)",
    hint="700123456-A-1 700123456-A-2",
    needed=False,
)


class _Verb(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of an order."""

    verb: str
    title: str
    effect: str
    fields: tuple[Field, ...] = ()
    given: dict[str, str] = msgspec.field(default_factory=dict)
    """What the service wants to be told in any case."""
    word: str = ""
    one: bool = False
    """Of one order only."""


_VERBS = {
    "hold": _Verb(
        verb="order-hold",
        title="Hold",
        effect="Neither accepted nor posted until a person releases it.",
        fields=(_WHY,),
    ),
    "release": _Verb(
        verb="order-release",
        title="Release",
        effect="A hold by a rule of the policy, or by missing stock, is overruled; a code that "
        "the ERP does not know can't be.",
        fields=(_WHY_PERHAPS,),
        given={"reason": ""},
    ),
    "retry": _Verb(
        verb="order-retry",
        title="Retry",
        effect="What was refused, a posting or an acceptance, is looked up and sent again.",
        fields=(_WHY_PERHAPS,),
        given={"reason": ""},
    ),
    "accept": _Verb(
        verb="order-accept",
        title="Accept",
        effect="Accepted at the marketplace, whatever the policy says. With lines named, the "
        "others are refused.",
        fields=(_LINES, _WHY_PERHAPS),
        given={"reason": "", "lines": ""},
    ),
    "refuse": _Verb(
        verb="order-refuse",
        title="Refuse",
        effect="Refused at the marketplace, for good: the buyer gets nothing. With lines "
        "named, the others are accepted.",
        fields=(_LINES, _WHY),
        given={"lines": ""},
        word="refuse",
    ),
    "post_again": _Verb(
        verb="post-again",
        title="Post again",
        effect="The sales order that the ERP has lost is looked up once more, and posted "
        "again if it is not there. Look for the reference in the ERP first.",
        fields=(_WHY,),
        word="again",
    ),
    "look": _Verb(
        verb="look-for-order",
        title="Look for",
        effect="The ERP is asked now for the sales order that it had lost.",
    ),
    "withdraw": _Verb(
        verb="withdraw-reversal",
        title="Withdraw a reversal of",
        effect="Nothing more is sent of the refund or cancelation. Of one that is unclear it "
        "says that you have looked.",
        fields=(Field(name="reversal_id", label="the reversal", hint="R-…"), _WHY),
        one=True,
    ),
    "corrected": _Verb(
        verb="correction-done",
        title="Correction made of",
        effect="Says that a correction was made in the ERP which the ERP does not show.",
        fields=(
            Field(
                name="task", label="the task, as its exception names it", hint="55012/refund"
            ),
            Field(name="note", label="what was done", hint="the credit note's number"),
        ),
        one=True,
    ),
    "erase": _Verb(
        verb="erase-buyer",
        title="Erase the buyer of",
        effect="What is kept of the buyer is erased for good; the order's history stays.",
        fields=(_WHY,),
        word="erase",
    ),
    "buyer": _Verb(
        verb="show-buyer",
        title="Show the buyer of",
        effect="Shown to you alone, once. That you asked, and why, stands in the log.",
        fields=(_WHY,),
        one=True,
    ),
}
"""By the word of the registry's action; money back stands below."""


def order_proposal(word: str, rows: Sequence[OrderRow]) -> Proposal | str:
    """What is to be said of these orders; a text: why it can't be."""
    if word in ("refund", "cancel"):
        return _reversal(word, rows)
    said = _VERBS[word]
    if said.one and len(rows) > 1:
        return f"{said.title} one order at a time: {len(rows):,} are marked"
    asker = Asker() if word == "buyer" else None
    given = {**said.given, **({"asker_key": asker.key} if asker else {})}
    return _SaidOfOrders(
        title=_title(said.title, rows),
        effect=said.effect,
        commands=tuple(
            Command(verb=said.verb, arguments={**given, "order_id": row.order_id})
            for row in rows
        ),
        lines=_lines(rows),
        fields=said.fields,
        word=said.word,
        asker=asker,
    )


def count_proposal() -> Proposal:
    return Proposal(
        title="Count orders",
        effect="Orders at the marketplace and sales orders in the ERP are counted against each "
        "other now; what one side lacks becomes an exception. It may take minutes.",
        commands=(Command(verb="count-orders", arguments={}),),
    )


class _SaidOfOrders(Proposal, frozen=True, kw_only=True):
    asker: Asker | None = None
    """Who alone can read the answer."""

    def said(
        self, answers: Mapping[str, str], *, now: datetime, zone: Zone
    ) -> tuple[Command, ...]:
        told = dict(answers)
        if "lines" in told:
            told["lines"] = "\n".join(told["lines"].replace(",", " ").split())
        return super().said(told, now=now, zone=zone)

    def follows(self, sent: Sequence[Command], answers: Sequence[str]) -> DetailView | None:
        del sent
        if self.asker is None:
            return None
        content = bytes(self.asker.open(answers[0]))
        return _buyer_view(msgspec.json.decode(content, type=_Buyer))


def _title(verb: str, rows: Sequence[OrderRow]) -> str:
    return f"{verb} {rows[0].order_id if len(rows) == 1 else f'{len(rows):,} orders'}"


def _lines(rows: Sequence[OrderRow]) -> tuple[str, ...]:
    return tuple(
        f"{row.order_id} · {row.standing} · {money_text(row.total)} · {', '.join(row.skus)}"
        for row in rows
    )


# ── money back ──────────────────────────────────────────────────────────────────────────────

_REFUND, _CANCELATION = "refund", "cancelation"


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to go back, as the service reads it."""

    line_ids: tuple[str, ...] = ()
    units: int | None = None
    amount: Decimal | None = None
    shipping: Decimal | None = None
    reason_code: str = ""
    not_to_ship: bool = False


class _Item(msgspec.Struct, frozen=True, kw_only=True):
    line_id: str
    sku: str
    quantity: int
    amount: Money
    shipping_amount: Money


class _PlannedLine(msgspec.Struct, frozen=True, kw_only=True):
    item: _Item
    left_after: Money


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Of a plan, what a person looks at before saying yes."""

    plan_id: str
    order_id: str
    kind: str
    reason_label: str
    lines: tuple[_PlannedLine, ...]
    total: Money
    commission_back: Money
    note: str = ""


def _reversal(word: str, rows: Sequence[OrderRow]) -> Proposal | str:
    if len(rows) > 1:
        return f"money goes back one order at a time: {len(rows):,} are marked"
    refund = word == "refund"
    stay = Field(name="not_to_ship", label="not to be shipped (yes, or empty)", needed=False)
    return _Preview(
        title=_title("Refund" if refund else "Cancel", rows),
        effect="First a plan is shown: amounts, taxes, commission. Nothing is done yet. Empty: "
        + ("all that is left of the order." if refund else "the whole order, before payment."),
        commands=(
            Command(
                verb="preview-reversal",
                arguments={
                    "order_id": rows[0].order_id,
                    "kind": _REFUND if refund else _CANCELATION,
                },
            ),
        ),
        lines=_lines(rows),
        fields=(
            Field(
                name="code",
                label="reason code of the marketplace's list",
                needed=refund,
                hint="17",
            ),
            msgspec.structs.replace(_LINES, label="lines (by their ids; empty: all)"),
            Field(name="units", label="units of the one line", needed=False),
            Field(name="amount", label="goods of the one line", hint="7.50", needed=False),
            Field(name="shipping", label="shipping of the one line", needed=False),
            *((stay,) if refund else ()),
        ),
    )


class _Preview(Proposal, frozen=True, kw_only=True):
    """Asks for a plan; what follows is the plan, to be said yes to."""

    def said(
        self, answers: Mapping[str, str], *, now: datetime, zone: Zone
    ) -> tuple[Command, ...]:
        del now, zone
        asked = _Asked(
            line_ids=tuple(answers.get("lines", "").replace(",", " ").split()),
            units=_units(answers.get("units", "")),
            amount=_amount("goods", answers.get("amount", "")),
            shipping=_amount("shipping", answers.get("shipping", "")),
            reason_code=answers.get("code", ""),
            not_to_ship=answers.get("not_to_ship", "").lower() in ("yes", "y"),
        )
        text = msgspec.json.encode(asked).decode()
        return tuple(
            msgspec.structs.replace(each, arguments={**each.arguments, "asked": text})
            for each in self.commands
        )

    def follows(self, sent: Sequence[Command], answers: Sequence[str]) -> Proposal:
        plan = msgspec.json.decode(answers[0], type=_Plan)
        label = f" for {plan.reason_label}" if plan.reason_label else ""
        return Proposal(
            title=f"{plan.kind.replace('_', ' ').capitalize()} of {plan.order_id}: "
            f"{money_text(plan.total)}",
            effect=f"{money_text(plan.total)} goes back to the customer{label}, and about "
            f"{money_text(plan.commission_back)} of commission to us; {plan.note}. Exactly "
            "this is done.",
            commands=tuple(
                Command(
                    verb="order-reversal",
                    arguments={**each.arguments, "plan_id": plan.plan_id},
                )
                for each in sent
            ),
            lines=tuple(
                f"{each.item.line_id}  {each.item.quantity} of {each.item.sku}  "
                f"goods {money_text(each.item.amount)}  "
                f"shipping {money_text(each.item.shipping_amount)}  "
                f"left after {money_text(each.left_after)}"
                for each in plan.lines
            ),
            fields=(_WHY,),
            word=str(plan.total.decimal()),
        )


def _units(told: str) -> int | None:
    if not told:
        return None
    if not told.isascii() or not told.isdigit():
        raise Misuse(f"units: {told!r} is no number of units, e.g. 1")
    return int(told)


def _amount(what: str, told: str) -> Decimal | None:
    if not told:
        return None
    try:
        return Decimal(told)
    except InvalidOperation:
        raise Misuse(f"{what}: {told!r} is no amount, e.g. 7.50") from None


# ── the buyer ───────────────────────────────────────────────────────────────────────────────


class _Address(msgspec.Struct, frozen=True, kw_only=True):
    civility: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    street_1: str = ""
    street_2: str = ""
    additional: str = ""
    city: str = ""
    county: str = ""
    postcode: str = ""
    country: str = ""
    country_code: str | None = None
    phone: str = ""


class _Buyer(msgspec.Struct, frozen=True, kw_only=True):
    address: _Address
    email: str | None = None


def _buyer_view(buyer: _Buyer) -> DetailView:
    at = buyer.address
    facts = (
        ("name", f"{at.civility} {at.first_name} {at.last_name}".strip()),
        ("company", at.company),
        ("street", at.street_1),
        ("", at.street_2),
        ("", at.additional),
        ("city", at.city),
        ("county", at.county),
        ("postcode", at.postcode),
        ("country", at.country_code or at.country),
        ("phone", at.phone),
        ("e-mail", buyer.email or ""),
    )
    return DetailView(
        key="buyer",
        title="Buyer (esc closes; that you looked stands in the log)",
        lines=tuple(
            DetailLine(label=label, value=plain(value)) for label, value in facts if value
        ),
    )
