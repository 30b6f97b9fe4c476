"""Which worker should serve which merchant.

Promises: pure: who reads the same workers and merchants works out the same shares, whatever
their order. Nobody is given what he can't serve, or what a person has paused.
Invariant: a merchant moves only where that makes two workers' loads more even, so nothing moves
while nobody comes or goes. The lease decides who does serve; this says who should try.
Called by `serving.py`. Source: docs/decisions/0029.
"""

from collections.abc import Sequence

import msgspec

__all__ = ["MerchantSeen", "WorkerSeen", "share_out"]


class WorkerSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A process that is there to serve merchants."""

    holder: str
    able: frozenset[str]
    """Merchants that it could serve."""


class MerchantSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant that some worker could serve."""

    merchant: str
    held_by: str = ""
    """Who has its lease; empty: it is free."""
    weight: float = 1.0
    paused: bool = False
    """A person wants nobody to serve it."""
    wanted: str = ""
    """The worker that a person wants to have it."""


def share_out(
    workers: Sequence[WorkerSeen], merchants: Sequence[MerchantSeen]
) -> dict[str, str]:
    """Holder by merchant; a merchant that nobody should serve is left out."""
    able = {each.holder: each.able for each in sorted(workers, key=lambda each: each.holder)}
    load = dict.fromkeys(able, 0.0)
    shares: dict[str, str] = {}
    free: list[MerchantSeen] = []
    settled: set[str] = set()
    for each in sorted(merchants, key=lambda each: each.merchant):
        if each.paused:
            continue
        if each.merchant in able.get(each.wanted, ()):
            settled.add(each.merchant)
            holder = each.wanted
        elif each.merchant in able.get(each.held_by, ()):
            holder = each.held_by
        else:
            free.append(each)
            continue
        shares[each.merchant] = holder
        load[holder] += each.weight
    for each in sorted(free, key=lambda each: -each.weight):
        if fit := [holder for holder in able if each.merchant in able[holder]]:
            holder = min(fit, key=load.__getitem__)
            shares[each.merchant] = holder
            load[holder] += each.weight
    _even_out(shares, load, able, [each for each in merchants if each.merchant not in settled])
    return shares


def _even_out(
    shares: dict[str, str],
    load: dict[str, float],
    able: dict[str, frozenset[str]],
    movable: Sequence[MerchantSeen],
) -> None:
    """Move the heaviest that helps, until none does: each move makes two loads more even."""
    heaviest_first = sorted(
        (each for each in movable if each.merchant in shares),
        key=lambda each: (-each.weight, each.merchant),
    )
    has_moved = len(able) > 1
    while has_moved:
        has_moved = False
        for each in heaviest_first:
            giver = shares[each.merchant]
            fit = (holder for holder in able if each.merchant in able[holder])
            taker = min(fit, key=load.__getitem__)
            if load[taker] + each.weight < load[giver]:
                shares[each.merchant] = taker
                load[giver] -= each.weight
                load[taker] += each.weight
                has_moved = True
