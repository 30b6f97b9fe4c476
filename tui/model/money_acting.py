"""What people say of payouts: accept, reverse, entered in the ledger, in the bank, not in it.

Promises: each says its effect and what is sent before it is sent; what a payout is not ready
for is refused here in words, and would be by the service too. It sends nothing.
Called by the money screen.
"""

from collections.abc import Callable, Sequence

from kcjl.command import Command
from kcjl.readmodels_money import PayoutRow
from tui.model.amounts import money_text
from tui.model.money import MoneyItem
from tui.model.plain import plain
from tui.model.proposal import Field, Proposal

__all__ = ["money_proposal"]

_REASON = Field(
    name="reason", label="why (it stands in the log)", hint="agreed with …, case 88"
)


def money_proposal(verb: str, items: Sequence[MoneyItem]) -> Proposal | str:
    """What is to be done to these rows; or why it can't be, in words."""
    payouts = [item for item in items if isinstance(item, PayoutRow)]
    if not payouts:
        return "this is on no payout yet: choose a payout"
    return _VERBS[verb](payouts)


def _accept(payouts: Sequence[PayoutRow]) -> Proposal | str:
    held = [each for each in payouts if each.state == "held"]
    if not held:
        return "only a payout that is held is accepted, and none of these is"
    return Proposal(
        title=f"Accept {_count(held)}",
        effect="What holds it is accepted as it stands, and it closes: untied lines stay "
        "untied, and a residue goes to the suspense account, under your reason. With other "
        "figures than these it has to be said again.",
        commands=_commands("payout-accept", held),
        lines=tuple(
            f"{plain(each.payout)}: residue {money_text(each.residue)}; {plain(each.note)}"
            for each in held
        ),
        fields=(_REASON,),
    )


def _reverse(payouts: Sequence[PayoutRow]) -> Proposal | str:
    booked = [each for each in payouts if each.journals]
    if not booked:
        return "only a payout that has a journal can be reversed, and none of these has"
    return Proposal(
        title=f"Reverse {_count(booked)}",
        effect="The journals are undone, and one is made anew of the lines and the accounts "
        "as they are now. All are dated today: a month that is closed stays as it was "
        "reported. What the ledger has already must then be entered there, too.",
        commands=_commands("payout-reverse", booked),
        lines=tuple(
            f"{plain(each.payout)}: undoes {', '.join(map(plain, each.journals))}"
            for each in booked
        ),
        fields=(_REASON,),
        word="reverse",
    )


def _acknowledge(payouts: Sequence[PayoutRow]) -> Proposal | str:
    waiting = [each for each in payouts if each.to_enter]
    if not waiting:
        return "no journal of these waits to be entered in the ledger"
    if len(waiting) > 1:
        return "each journal has a number of its own in the ledger: choose one payout"
    (payout,) = waiting
    return Proposal(
        title=f"Journal of {plain(payout.payout)} is entered",
        effect="You have entered this journal in the ledger by hand, under that number. It "
        "is not entered a second time.",
        commands=(Command(verb="payout-ack", arguments={}),),
        lines=tuple(f"to enter: {plain(each)}" for each in payout.to_enter),
        fields=(
            Field(name="reference", label="which journal", value=payout.to_enter[0]),
            Field(name="ledger_number", label="the ledger's number of it", hint="4711"),
        ),
    )


def _received(payouts: Sequence[PayoutRow]) -> Proposal | str:
    if len(payouts) > 1:
        return "money comes payout by payout: choose one"
    (payout,) = payouts
    missing = payout.stated if payout.banked is None else payout.stated - payout.banked
    return Proposal(
        title=f"Payout {plain(payout.payout)} is in the bank",
        effect="You have seen this money in the bank. It is told to whoever reconciles; what "
        "is less or more than stated is raised at the desk.",
        commands=_commands("payout-received-by-hand", payouts),
        lines=(
            f"stated {money_text(payout.stated)}, banked so far {money_text(payout.banked)}",
        ),
        fields=(
            Field(
                name="amount",
                label=f"how much came, in {plain(payout.stated.currency)}",
                value=f"{missing.decimal():f}",
            ),
            Field(name="on", label="the bank's day", hint="2026-03-31 or 31/03/2026"),
            Field(
                name="reference",
                label="the bank's reference",
                hint="if it helps to find it again",
                needed=False,
            ),
        ),
    )


def _withdraw(payouts: Sequence[PayoutRow]) -> Proposal | str:
    banked = [each for each in payouts if each.banked is not None]
    if not banked:
        return "nothing of these is said to be in the bank"
    if len(banked) > 1:
        return "money is taken back payout by payout: choose one"
    (payout,) = banked
    return Proposal(
        title=f"Not in the bank: payout {plain(payout.payout)}",
        effect="It did not come, or it is of something else: the payout waits for its money "
        "again.",
        commands=tuple(
            Command(
                verb="payout-received-withdraw",
                arguments={"cycle_id": payout.payout, "receipt": ""},
            )
            for payout in banked
        ),
        lines=(f"banked so far {money_text(payout.banked)}",),
        fields=(
            _REASON,
            Field(
                name="receipt",
                label="which receipt, where several are",
                hint="its number in the account",
                needed=False,
            ),
        ),
    )


def _commands(verb: str, payouts: Sequence[PayoutRow]) -> tuple[Command, ...]:
    return tuple(Command(verb=verb, arguments={"cycle_id": each.payout}) for each in payouts)


def _count(payouts: Sequence[PayoutRow]) -> str:
    return "1 payout" if len(payouts) == 1 else f"{len(payouts):,} payouts"


_VERBS: dict[str, Callable[[Sequence[PayoutRow]], Proposal | str]] = {
    "accept": _accept,
    "reverse": _reverse,
    "ack": _acknowledge,
    "received": _received,
    "withdraw": _withdraw,
}
