"""Which of the marketplace's carriers a courier's name is near to.

Promises: deterministic; by the words of the name, whatever their order, nearest first. It
proposes; a person decides. Called by `couriers.py` and `kcjl dispatch map`.
"""

import re
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz

__all__ = ["NEAREST_MAX", "nearest_carriers"]

NEAREST_MAX = 3
SIMILARITY_MIN = 70.0


def nearest_carriers(
    said: Iterable[str], carriers: Sequence[tuple[str, str]], *, limit: int = NEAREST_MAX
) -> tuple[str, ...]:
    """Up to three carrier codes. `said`: what the courier is called, by name and by code;
    `carriers`: (code, label).

    >>> nearest_carriers(["DPD Next Day", "DPD24"], [("EVRI", "Evri"), ("DPD", "DPD UK")])
    ('DPD',)
    """
    names = [form for name in said if (form := _plain(name))]
    scored = [
        (
            max((_near(name, each) for name in names for each in (code, label)), default=0.0),
            code,
        )
        for code, label in carriers
    ]
    near = sorted((-score, code) for score, code in scored if score >= SIMILARITY_MIN)
    return tuple(code for _, code in near[:limit])


def _near(name: str, carrier: str) -> float:
    return fuzz.token_set_ratio(name, _plain(carrier))


def _plain(name: str) -> str:
    """Words and numbers apart, so that RM24 is near to RM."""
    return " ".join(re.findall(r"[^\W\d_]+|\d+", name.casefold()))
