"""Law 2, of money: what the shop gives back is what a person asked for, once.

Promises: what was given back is what the marketplace's own rooms did on a call of the shop's,
also on one whose caller had died; what was asked is what stands in the log under a person's
name. Before everything is at rest only too much is a breach; at rest too little is one as well.
Called by `laws/__init__.py`.
Wide, and why: what was unclear once may be there or not, since a person decides on it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from kcjl.exceptions.events import ExceptionRaised
from kcjl.orders.reversal_events import ReversalOrdered, ReversalUnclear
from kcjl.orders.reversal_plan import ORDER_CANCELATION
from kcjl.orders.reversals import REVERSALS, ItemEntry, ItemStanding, Reversal
from tests.simulation.laws.evidence import Checker, Evidence

__all__ = ["CAUSES_OF_REVERSALS", "CHECKERS"]

Back = tuple[str, str, str, str]
"""Kind, line (or order), goods, shipping."""


def money_back_is_what_was_asked(evidence: Evidence) -> Iterator[str]:
    """What a person had given back is given back, to the penny and once; nothing else is."""
    for recorded, ordered in evidence.said(ReversalOrdered):
        if recorded.by in ("", "orders"):
            yield f"reversal {ordered.reversal_id} was ordered by no person"
    asked: Counter[Back] = Counter()
    taken: Counter[Back] = Counter()
    undecided: Counter[Back] = Counter()
    unclear = {(each.reversal_id, each.line_id) for _, each in evidence.said(ReversalUnclear)}
    for reversal in evidence.folded(REVERSALS).values():
        for each in reversal.items:
            back = _wanted(reversal, each)
            asked[back] += 1
            if each.standing == ItemStanding.TAKEN:
                taken[back] += 1
            elif not evidence.at_rest or (reversal.reversal_id, each.item.line_id) in unclear:
                undecided[back] += 1
    made = Counter(
        (each.kind, each.subject, str(each.amount), str(each.shipping_amount))
        for each in evidence.witness.given_back
    )
    for back in {*asked, *made}:
        least, most = taken[back], taken[back] + undecided[back]
        if not least <= made[back] <= most:
            kind, subject, amount, shipping = back
            yield (
                f"{kind} of {subject}, {amount} and {shipping} of shipping: asked for "
                f"{asked[back]} times, {least} to us, done {made[back]} times there"
            )


def _wanted(reversal: Reversal, each: ItemEntry) -> Back:
    if reversal.kind == ORDER_CANCELATION:
        return reversal.kind, reversal.order_id, str(None), str(None)
    item = each.item
    return reversal.kind, item.line_id, str(item.amount), str(item.shipping_amount)


# ── what causes what ────────────────────────────────────────────────────────────────────────


def _stands(standing: ItemStanding) -> Callable[[Evidence, ExceptionRaised], bool]:
    """The order's newest reversal has an item that stands so: the law above says truly so."""

    def holds(evidence: Evidence, raised: ExceptionRaised) -> bool:
        ordered = [
            each
            for each in evidence.folded(REVERSALS).values()
            if each.order_id == raised.subject
        ]
        return any(each.standing == standing for each in ordered[-1].items)

    return holds


def _never(_evidence: Evidence, _raised: ExceptionRaised) -> bool:
    """The marketplace takes everything as it was asked, or not at all."""
    return False


CAUSES_OF_REVERSALS: Mapping[str, Callable[[Evidence, ExceptionRaised], bool]] = {
    "reversal_refused": _stands(ItemStanding.REFUSED),
    "reversal_waits": _stands(ItemStanding.PLANNED),
    "reversal_unclear": _stands(ItemStanding.UNCLEAR),
    "reversal_differs": _never,
}
"""By kind: whether it still has its cause."""

CHECKERS = (Checker(2, "money back", money_back_is_what_was_asked),)
