"""Boxes of packs: what a parcel holds, in the stock codes that were ordered.

The ERP adds a pack's children to an order itself, so a box may list the pack and its children,
or its children alone; the marketplace knows the pack only (contract khaos b.3, b.5). Promises:
children that belong to packs of the order are told as those packs, over all its parcels; what
was ordered by itself stays by itself. It asks nobody. Invariant: units are never made up: of
children alone, only whole packs are told, and not more than were ordered. Called by
`kws_packs.py`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal

__all__ = ["Items", "Pack", "folded"]

Items = tuple[tuple[str, Decimal], ...]
"""(stock code, units)"""
Pack = tuple[str, Items]
"""A pack's stock code, and what one of it is made of."""


def folded(
    parcels: Sequence[Items], packs: Sequence[Pack], ordered: Mapping[str, Decimal]
) -> list[Items]:
    """The same parcels with packs for their children.

    `ordered`: units by folded stock code, as we ordered them. Where a box lists a pack itself,
    its children are dropped wherever in the order they lie; otherwise they make up packs, box
    by box.

    >>> lamp = ("SET", (("LAMP", Decimal(1)), ("BULB", Decimal(2))))
    >>> folded([(("LAMP", Decimal(1)), ("BULB", Decimal(2)))], [lamp], {"set": Decimal(1)})
    [(('SET', Decimal('1')),)]
    """
    boxes = [_by_code(items) for items in parcels]
    for code, children in packs:
        key, units = code.casefold(), {child.casefold(): each for child, each in children}
        if not units or key in units or any(each <= 0 for each in units.values()):
            continue  # a pack of nothing, or of itself
        listed = sum((box[key][1] for box in boxes if key in box), Decimal(0))
        if listed:
            _drop(boxes, {child: each * listed for child, each in units.items()})
        else:
            _make_up(boxes, code, units, ordered.get(key, Decimal(0)))
    return [tuple(item for item in box.values() if item[1] > 0) for box in boxes]


Box = dict[str, tuple[str, Decimal]]


def _by_code(items: Items) -> Box:
    box: Box = {}
    for code, units in items:
        spelt, before = box.get(code.casefold(), (code, Decimal(0)))
        box[code.casefold()] = (spelt, before + units)
    return box


def _drop(boxes: list[Box], children: dict[str, Decimal]) -> None:
    """Take the children of listed packs out, box after box."""
    left = defaultdict(Decimal, children)
    for box in boxes:
        for child in children:
            if child in box and left[child] > 0:
                spelt, there = box[child]
                taken = min(there, left[child])
                left[child] -= taken
                box[child] = (spelt, there - taken)


def _make_up(
    boxes: list[Box], code: str, children: dict[str, Decimal], ordered: Decimal
) -> None:
    """Tell children as whole packs, no more than were ordered in all the boxes together."""
    for box in boxes:
        there = [box.get(child, ("", Decimal(0)))[1] / each for child, each in children.items()]
        packs = min([ordered, *(units.to_integral_value(ROUND_FLOOR) for units in there)])
        if packs <= 0:
            continue
        ordered -= packs
        for child, each in children.items():
            spelt, units = box[child]
            box[child] = (spelt, units - packs * each)
        box[code.casefold()] = (code, packs)
