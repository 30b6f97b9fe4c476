"""The stock codes nearest to a SKU that the ERP does not know.

Promises: deterministic; differences of case, blanks, hyphens and leading zeros come first, then
edit distance. It proposes; a person decides.
Called by the stock and dispatch actors.
"""

import re
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

__all__ = ["nearest_codes"]

NEAREST_MAX = 3
SIMILARITY_MIN = 0.7


def _bare(code: str) -> str:
    return re.sub(r"[\s\-_./]+", "", code).casefold().lstrip("0")


def nearest_codes(sku: str, codes: Iterable[str]) -> tuple[str, ...]:
    """Up to three codes, nearest first.

    >>> nearest_codes("85123a ", ["85123A", "71053", "085123A"])
    ('085123A', '85123A')
    """
    ordered = sorted(set(codes))
    bare = _bare(sku)
    same = [code for code in ordered if _bare(code) == bare][:NEAREST_MAX]
    rest = [code for code in ordered if code not in same]
    found = process.extract(
        bare,
        {code: _bare(code) for code in rest},
        scorer=DamerauLevenshtein.normalized_similarity,
        score_cutoff=SIMILARITY_MIN,
        limit=NEAREST_MAX,
    )
    near = [code for _, _, code in sorted(found, key=lambda each: (-each[1], each[2]))]
    return tuple((same + near)[:NEAREST_MAX])
