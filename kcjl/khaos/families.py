"""Sizes and colours: which stock codes are children of which parent, as far as was seen.

Promises: a list of what changed becomes a list of what can be sold: each code once, a parent
taken out, and all its known children in, changed no earlier than the parent was. It asks
nobody. Invariant: a code that is named as its own child is nobody's parent; codes are compared
without case. Called by `kws_stock.py`. Source: contract khaos b.1, b.7, e.
"""

from collections.abc import Iterable, Sequence

import msgspec

from kcjl.khaos.stock_port import ProductRef

__all__ = ["Families"]


class Families:
    """The parents that were seen, and their children."""

    def __init__(self) -> None:
        self._children: dict[str, dict[str, str]] = {}
        """Folded code → code, by the parent's folded code."""

    def know(self, parent: str, children: Sequence[str]) -> None:
        if any(child.casefold() == parent.casefold() for child in children):
            return  # its own parent: nobody's
        named = self._children.setdefault(parent.casefold(), {})
        named.update((child.casefold(), child) for child in children)

    def sellable(self, refs: Iterable[ProductRef]) -> list[ProductRef]:
        """Of what changed, what can be sold; children that it names are known from now on."""
        found: dict[str, ProductRef] = {}
        for ref in refs:
            key = ref.stock_code.casefold()
            if ref.parent_code:
                self.know(ref.parent_code, [ref.stock_code])
            known = found.get(key)
            if known is None or (ref.parent_code and not known.parent_code):
                found[key] = ref
        return list(self._children_for_parents(found).values())

    def _children_for_parents(self, found: dict[str, ProductRef]) -> dict[str, ProductRef]:
        sellable = {key: ref for key, ref in found.items() if key not in self._children}
        for key, parent in found.items():
            for child, code in self._children.get(key, {}).items():
                known = sellable.get(child) or ProductRef(
                    stock_code=code, parent_code=parent.stock_code
                )
                stamps = [x for x in (known.changed_at, parent.changed_at) if x is not None]
                sellable[child] = msgspec.structs.replace(
                    known, changed_at=max(stamps, default=None)
                )
        return sellable
