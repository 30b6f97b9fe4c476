"""Products of which the marketplace shows another figure than is available to sell.

Promises: after any events it names every product whose figures differ, and no other, as if
each one were looked at; only what was touched since the last look, or all after a change of the
policy, is worked out again. Whether a figure may go out `decide_figures` decides.
Invariant: whether a product differs depends on its entry and on the policy, on nothing else.
Called by `actor.py`.
"""

from collections.abc import Sequence

from kcjl.fold import Table
from kcjl.stock.decide import differs
from kcjl.stock.state import Policy, Product

__all__ = ["Differing"]


class Differing:
    """Kept from one publish to the next."""

    def __init__(self, products: Table[Product]) -> None:
        """`products`: a tracked table, and nobody else asks it for what has changed."""
        self._products = products
        self._policy: Policy | None = None
        self._keys: dict[str, None] = {}

    def products(self, policy: Policy) -> Sequence[Product]:
        """Those that differ now; who has waited longest comes first."""
        touched = self._products.changed()
        if policy != self._policy:
            self._policy = policy
            touched = list(self._products)
        for key in touched:
            product = self._products.get(key)
            if product is not None and differs(product, policy):
                self._keys.setdefault(key)
            else:
                self._keys.pop(key, None)
        return [self._products[key] for key in self._keys]
