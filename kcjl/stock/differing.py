"""Stock codes of which the marketplace shows another figure than is available to sell.

Promises: after any events it names every stock code whose figures differ, and no other, as if
each one were looked at. Worked out again is what was touched since the last look, with all that
shares its stock code now or did before; and all, when a condition has changed.
Invariant: whether a stock code differs depends on its products and on the conditions, on
nothing else (`conditions.py` says how time counts). Called by `publishing.py`.
"""

from collections.abc import Sequence

from kcjl.fold import Table
from kcjl.stock.conditions import Conditions, group_key
from kcjl.stock.decide import differs
from kcjl.stock.state import Product

__all__ = ["Differing"]


class Differing:
    """Kept from one publish to the next."""

    def __init__(self, products: Table[Product]) -> None:
        """`products`: a tracked table, grouped by `group_key`; nobody else asks it for what has
        changed.
        """
        self._products = products
        self._conditions: tuple[object, ...] = ()
        self._group_of: dict[str, str] = {}
        self._groups: dict[str, None] = {}

    def groups(self, conditions: Conditions) -> list[Sequence[Product]]:
        """The products of each that differs now; who has waited longest comes first."""
        touched = self._products.changed()
        if conditions.key != self._conditions:
            self._conditions = conditions.key
            touched = list(self._products)
        for group in self._touched(touched):
            members = self._products.grouped(group)
            if members and differs(members, conditions):
                self._groups.setdefault(group)
            else:
                self._groups.pop(group, None)
        return [self._products.grouped(group) for group in self._groups]

    def _touched(self, keys: Sequence[str]) -> list[str]:
        """The groups of these products, those they have left too."""
        found: dict[str, None] = {}
        for key in keys:
            left = self._group_of.pop(key, None)
            if left is not None:
                found.setdefault(left)
            product = self._products.get(key)
            if product is not None:
                joined = self._group_of[key] = group_key(product)
                found.setdefault(joined)
        return list(found)
