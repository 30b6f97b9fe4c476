"""Memory of a process that lives long and answers quickly: what is collected, and given back.

Promises: what was loaded at the start is never gone over again; young objects are, ten thousand
at a time, in under a millisecond; the whole heap is once in ten million new containers, not
whenever a quarter of it is new: that stopped everything for 20 to 50 ms about once a second
when 10,000 events a second were appended. Cycles are still found, if later.
Invariant: the collector is set once, when everything is imported and before the work begins.
Called by `kcjl run` and the benchmarks; `give_back_freed` by whoever has read a long list.
"""

import ctypes
import gc

__all__ = ["give_back_freed", "settle_collector"]

YOUNG_MAX = 10_000
"""New containers (less those let go) between two looks at the young ones."""
MIDDLE_TURNS = 20
OLD_TURNS = 50


def settle_collector() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, MIDDLE_TURNS, OLD_TURNS)


def give_back_freed() -> None:
    """Have the C library return to the system what is free in the heaps of its threads.

    A document is parsed beside the event loop, in a heap of that thread's own, and glibc keeps
    the heap when the document is gone: 61 MB after a list of 20,000 stock codes, five times as
    much after 100,000. It may keep the end of one heap, 64 MB at most; where the C library has
    no such call, nothing is done.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
