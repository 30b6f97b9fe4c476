"""What another stock policy would change, worked out before it does.

Promises: pure; the same sum as the figures', once with the policy in force and once with the
other, over the same products; the largest change comes first. Speed buffers are left out on
both sides. It changes nothing. Called by `kcjl stock policy preview`.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kcjl.stock.available import Available, Circumstances, available_to_sell, shelf_of
from kcjl.stock.policy import PolicyDocument, london_day
from kcjl.stock.policy_book import Approved
from kcjl.stock.policy_rules import Rules, strictest
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


def preview_of(
    products: Sequence[Product],
    in_force: Approved | None,
    document: PolicyDocument,
    at: datetime,
) -> Preview:
    """What changes if the document were in force at that moment."""
    now = Rules(in_force.document if in_force else PolicyDocument(), 0)
    then = Rules(document, 1)
    shared: dict[str, list[Product]] = {}
    for product in products:
        if product.match != Match.UNASKED and product.shown:
            shared.setdefault(product.code_key or f"\0{product.key}", []).append(product)
    changes: list[Change] = []
    units_now = units_then = 0
    for group in shared.values():
        before, after = _sum(group, now, at), _sum(group, then, at)
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
    )


def _sum(group: Sequence[Product], rules: Rules, at: datetime) -> Available:
    day = london_day(at)
    in_force = strictest([rules.in_force(each.sku, "", day) for each in group])
    slow = msgspec.structs.replace(in_force, speed=None)
    return available_to_sell(shelf_of(group), Circumstances(rules=slow, at=at))


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
