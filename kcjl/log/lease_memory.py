"""The lease's twin in memory: who may write a merchant's log in a `MemoryStore`.

Promises: keeps the law suite of the lease (tests/log/lease_laws.py): one holder at a time, each
taking in a new epoch, which fences the writer before. It knows no network, so it never fails.
Invariant: others judge expiry by the clock handed in, the holder by the monotonic one.
Called by the simulation and by tests.
"""

from datetime import timedelta

import anyio.lowlevel
import msgspec

from kcjl.clock import Clock, real_monotonic
from kcjl.log.drafting import check_merchant
from kcjl.log.lease import Lease, LeaseHeld, check_lease, fenced
from kcjl.log.memory import MemoryStore

__all__ = ["MemoryLeases"]


class MemoryLeases:
    """What the table `lease` is to the real one."""

    def __init__(self, store: MemoryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._held: dict[str, Lease] = {}

    async def acquire(self, merchant: str, holder: str, *, ttl_s: float) -> Lease:
        check_merchant(merchant)
        check_lease(holder, ttl_s)
        await anyio.lowlevel.checkpoint()
        now, held = self._clock.now(), self._held.get(merchant)
        if held is not None and held.holder != holder and held.expires_at > now:
            left_s = (held.expires_at - now).total_seconds()
            raise LeaseHeld(merchant, held.holder, held.expires_at, left_s)
        lease = Lease(
            merchant=merchant,
            holder=holder,
            epoch=self._store.take_over(merchant),
            expires_at=now + timedelta(seconds=ttl_s),
            ours_until_s=real_monotonic() + ttl_s,
        )
        self._held[merchant] = lease
        return lease

    async def renew(self, lease: Lease, *, ttl_s: float) -> Lease:
        check_lease(lease.holder, ttl_s)
        await anyio.lowlevel.checkpoint()
        if not self._is_held(lease):
            raise fenced(lease)
        renewed = msgspec.structs.replace(
            lease,
            expires_at=self._clock.now() + timedelta(seconds=ttl_s),
            ours_until_s=real_monotonic() + ttl_s,
        )
        self._held[lease.merchant] = renewed
        return renewed

    async def release(self, lease: Lease) -> None:
        await anyio.lowlevel.checkpoint()
        held, now = self._held.get(lease.merchant), self._clock.now()
        if held is not None and self._is_held(lease) and held.expires_at > now:
            self._held[lease.merchant] = msgspec.structs.replace(held, expires_at=now)

    def _is_held(self, lease: Lease) -> bool:
        held = self._held.get(lease.merchant)
        return held is not None and (held.holder, held.epoch) == (lease.holder, lease.epoch)
