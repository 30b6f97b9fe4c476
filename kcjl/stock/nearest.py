"""The stock codes nearest to a SKU that the ERP does not know, and in what they differ.

Promises: deterministic; codes that differ in case, blanks, punctuation or leading zeros only
come first, the least different of them before all; then by edit distance (OSA: an exchange of
two neighbours is one edit). One question to 100,000 codes takes milliseconds.
It proposes; a person decides. Called by the stock room and by `kcjl stock`.
"""

import re
from collections.abc import Iterable

import msgspec
from rapidfuzz import process
from rapidfuzz.distance import OSA

from kcjl.vocabulary import held_once

__all__ = ["NEAREST_MAX", "CodeIndex", "Near", "bare", "how_near", "nearest_codes"]

NEAREST_MAX = 3
SIMILARITY_MIN = 0.7

_CASE, _BLANKS, _PUNCTUATION, _ZEROS = "case", "blanks", "punctuation", "leading zeros"
_KINDS = (_CASE, _BLANKS, _PUNCTUATION, _ZEROS)
"""What may differ, the most harmless first."""


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """A stock code, and in what it differs from the SKU."""

    code: str
    reason: str
    rank: tuple[int, ...]
    """The smaller, the nearer."""


class CodeIndex:
    """All stock codes that we have heard of, ready to be asked for near ones."""

    def __init__(self, codes: Iterable[str] = ()) -> None:
        self._codes: dict[str, tuple[str, ...]] = {}
        """By bare form: the codes that have it."""
        self._count = 0
        self.changes = 0
        """How often a code came or went: while it stands, so do all answers."""
        self.add(codes)

    def __len__(self) -> int:
        return self._count

    def add(self, codes: Iterable[str]) -> None:
        for code in codes:
            form = bare(code)
            same = self._codes.get(form, ())
            if code not in same:
                self._codes[form] = (*same, held_once(code))
                self._count += 1
                self.changes += 1

    def discard(self, code: str) -> None:
        """The ERP has it no more."""
        form = bare(code)
        same = self._codes.pop(form, ())
        left = tuple(each for each in same if each.casefold() != code.casefold())
        if left:
            self._codes[form] = left
        self._count -= len(same) - len(left)
        self.changes += len(same) - len(left)

    def nearest(self, sku: str, *, limit: int = NEAREST_MAX) -> tuple[Near, ...]:
        """The nearest codes, nearest first."""
        form = bare(sku)
        found = [how_near(sku, code) for code in self._codes.get(form, ())]
        if len(found) < limit and form:
            found.extend(
                how_near(sku, code)
                for near, _, _ in process.extract_iter(
                    form,
                    self._codes.keys(),
                    scorer=OSA.normalized_similarity,
                    score_cutoff=SIMILARITY_MIN,
                )
                if near != form
                for code in self._codes[near]
            )
        return tuple(sorted(found, key=lambda each: (each.rank, each.code))[:limit])


def nearest_codes(sku: str, codes: Iterable[str]) -> tuple[str, ...]:
    """Up to three codes, nearest first.

    >>> nearest_codes("85123a ", ["85123A", "71053", "085123A"])
    ('85123A', '085123A')
    """
    return tuple(near.code for near in CodeIndex(codes).nearest(sku))


def how_near(sku: str, code: str) -> Near:
    """In what a code differs from a SKU, in words.

    >>> how_near("851-23a", "85123A").reason
    'only case and punctuation differ'
    >>> how_near("85132A", "85123A").reason
    '1 edit'
    """
    if sku == code:
        return Near(code=code, reason="the same", rank=(0,))
    ours, theirs = bare(sku), bare(code)
    if ours == theirs:
        kinds = _differing(sku, code)
        rank = (1, len(kinds), *(_KINDS.index(kind) for kind in kinds))
        verb = "differs" if kinds in ([_CASE], [_PUNCTUATION]) else "differ"
        return Near(code=code, reason=f"only {_listed(kinds)} {verb}", rank=rank)
    edits = OSA.distance(ours, theirs)
    longest = max(len(ours), len(theirs))
    reason = "1 edit" if edits == 1 else f"{edits} edits"
    return Near(code=code, reason=reason, rank=(2, edits * 1_000 // longest, edits))


def bare(code: str) -> str:
    """A code without what is easily mistaken: case, blanks, punctuation, leading zeros."""
    return _form(code, frozenset(_KINDS))


def _form(code: str, without: frozenset[str]) -> str:
    if _CASE in without:
        code = code.casefold()
    if _BLANKS in without:
        code = re.sub(r"\s+", "", code)
    if _PUNCTUATION in without:
        code = re.sub(r"[^\w\s]|_", "", code)
    return code.lstrip("0") if _ZEROS in without else code


def _differing(sku: str, code: str) -> list[str]:
    """Kinds that can't be left standing without the two being different."""
    everything = frozenset(_KINDS)
    needed = [
        kind
        for kind in _KINDS
        if _form(sku, everything - {kind}) != _form(code, everything - {kind})
    ]
    return needed or list(_KINDS)


def _listed(kinds: list[str]) -> str:
    *most, last = kinds
    return f"{', '.join(most)} and {last}" if most else last
