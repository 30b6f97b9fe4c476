"""Python's collector of cycles, set for a process that lives long and answers quickly.

Promises: what was loaded at the start is never gone over again; young objects are, ten thousand
at a time, in under a millisecond; the whole heap is once in ten million new containers, not
whenever a quarter of it is new: that stopped everything for 20 to 50 ms about once a second
when 10,000 events a second were appended. Cycles are still found, if later.
Invariant: called once, when everything is imported and before the work begins.
Called by `kcjl run` and the benchmarks.
"""

import gc

__all__ = ["settle_collector"]

YOUNG_MAX = 10_000
"""New containers (less those let go) between two looks at the young ones."""
MIDDLE_TURNS = 20
OLD_TURNS = 50


def settle_collector() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, MIDDLE_TURNS, OLD_TURNS)
