"""What another stock policy would change, worked out before it does.

Promises: pure; the same sum as the figures', once with the policy in force and once with the
other, over the same products, lag and day; the largest change comes first. It changes nothing.
 Called by `kcjl stock policy preview`.
"""

from collections.abc import Sequence

import msgspec

from kcjl.stock.available import Available
from kcjl.stock.conditions import Conditions, group_key, worked_out
from kcjl.stock.events import stock_key
from kcjl.stock.policy import PolicyDocument
from kcjl.stock.shown import Shown
from kcjl.stock.state import Match, Product

__all__ = ["Change", "Preview", "preview_of"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One stock that would be offered otherwise."""

    sku: str
    now: int
    then: int
    terms: tuple[str, ...]
    """The terms that differ, in words."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """All that would change."""

    products: int
    units_now: int
    units_then: int
    changes: tuple[Change, ...]
    unmet: tuple[str, ...]
    """Each SKU or category that a rule names and no offer has: it may be a slip."""


def preview_of(
    products: Sequence[Product],
    now: Conditions,
    document: PolicyDocument,
) -> Preview:
    """What would change if the document were in force under the same conditions."""
    then = now.under(document)
    shared: dict[str, list[Product]] = {}
    for product in products:
        if product.match != Match.UNASKED and product.shown:
            shared.setdefault(group_key(product), []).append(product)
    changes: list[Change] = []
    units_now = units_then = 0
    for group in shared.values():
        before, after = worked_out(group, now), worked_out(group, then)
        units_now += before.quantity
        units_then += after.quantity
        if before.quantity != after.quantity:
            changes.append(
                Change(
                    sku=", ".join(each.sku for each in group),
                    now=before.quantity,
                    then=after.quantity,
                    terms=_differing(before, after),
                )
            )
    changes.sort(key=lambda each: (-abs(each.then - each.now), each.sku))
    return Preview(
        products=len(shared),
        units_now=units_now,
        units_then=units_then,
        changes=tuple(changes),
        unmet=_unmet(document, [shown for each in products for shown in each.shown]),
    )


def _unmet(document: PolicyDocument, offers: Sequence[Shown]) -> tuple[str, ...]:
    skus = {stock_key(each.sku) for each in offers}
    categories = {each.category_code for each in offers}
    return tuple(
        f"rule {rule.name!r}: no offer has the {named}"
        for rule in document.rules
        for named in (
            *(f"SKU {sku!r}" for sku in rule.skus if stock_key(sku) not in skus),
            *(f"category {code!r}" for code in rule.categories if code not in categories),
        )
    )


def _differing(before: Available, after: Available) -> tuple[str, ...]:
    said = {(term.name, term.units) for term in before.terms}
    there = {term.name for term in after.terms}
    new = [
        f"{term.name} {term.units:+,} ({term.why}{_by(term.rests_on)})"
        for term in after.terms
        if (term.name, term.units) not in said
    ]
    gone = [f"no {term.name} any more" for term in before.terms if term.name not in there]
    return tuple(new + gone)


def _by(rests_on: str) -> str:
    return f", {rests_on}" if rests_on else ""
