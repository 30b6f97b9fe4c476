"""Who may write a merchant's log, and until when.

Promises: a lease is held by one holder at a time; it is taken over only when it has expired,
or by the same holder come back; each taking raises the epoch in the log's head in the same
transaction, which fences off a writer that does not know yet. A `Heartbeat` renews it, and
stops its holder early enough that it writes no more when anybody else can begin.
Invariant: others judge expiry by the database's clock; the holder by its machine's monotonic
one, counted from before it asked, in real seconds, whatever time a sandbox world has. The
fence, not the expiry, makes the log safe: also when a machine slept, or a clock was set.
Called by the service: acquire, open the log with the epoch, a heartbeat beside it.
"""

from datetime import datetime
from typing import Protocol

import msgspec
import structlog
from anyio.abc import TaskGroup

from kcjl.clock import real_monotonic, real_sleep
from kcjl.database import Database
from kcjl.errors import Fenced, Misuse, OutcomeUnknown, Unavailable
from kcjl.log.chain import genesis
from kcjl.log.drafting import check_merchant

__all__ = [
    "Heartbeat",
    "Lease",
    "LeaseHeld",
    "LeaseLapsed",
    "Leases",
    "acquire",
    "check_lease",
    "fenced",
    "release",
]

RETRY_S = 0.5
"""Between attempts to renew while the database is away."""

_STOOD_STILL = "this process stood still"

_say = structlog.get_logger(__name__)

_HEAD = """
insert into log_head (merchant, position, hash, epoch) values ($1, 0, $2, 0)
on conflict (merchant) do nothing
"""
_LOCK_HEAD = "select epoch from log_head where merchant = $1 for update"
_TAKE = """
insert into lease (merchant, holder, epoch, expires_at)
values ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
on conflict (merchant) do update
set holder = excluded.holder,
    epoch = greatest(excluded.epoch, lease.epoch + 1),
    expires_at = excluded.expires_at
where lease.holder = excluded.holder or lease.expires_at <= clock_timestamp()
returning epoch, expires_at
"""
_HELD = """
select holder, expires_at,
    extract(epoch from expires_at - clock_timestamp())::float8 as left_s
from lease where merchant = $1
"""
_RAISE = "update log_head set epoch = $2 where merchant = $1"
_RELEASE = """
update lease set expires_at = clock_timestamp()
where merchant = $1 and holder = $2 and epoch = $3 and expires_at > clock_timestamp()
"""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to write a merchant's log in one epoch."""

    merchant: str
    holder: str
    epoch: int
    expires_at: datetime
    """By the database's clock."""
    ours_until_s: float
    """By this machine's monotonic clock: until then nobody else can have it."""


class LeaseHeld(Unavailable):
    """Raised when another live holder has the merchant; `retry_after_s`: what is left of it."""

    code = "KCJL-3004"

    def __init__(self, merchant: str, holder: str, until: datetime, left_s: float) -> None:
        super().__init__(
            f"the log of {merchant} is held by {holder} until {until:%Y-%m-%d %H:%M:%S} UTC: "
            "stop that process, or wait until its lease is over",
            retry_after_s=max(left_s, 0.0),
        )
        self.holder = holder
        self.until = until


class LeaseLapsed(Fenced):
    """Raised when a lease could not be renewed in time: its holder stops before it expires."""

    code = "KCJL-5005"


async def acquire(database: Database, merchant: str, holder: str, *, ttl_s: float) -> Lease:
    """Take the lease, in a new epoch. Raises LeaseHeld when a live other has it."""
    check_merchant(merchant)
    check_lease(holder, ttl_s)
    asked_s = real_monotonic()
    async with database.transaction() as transaction:
        await transaction.execute(_HEAD, merchant, genesis(merchant))
        # The head is locked first, as an append does: a commit under way ends before we look.
        epoch = await transaction.fetchval(_LOCK_HEAD, merchant)
        taken = await transaction.fetchrow(_TAKE, merchant, holder, epoch + 1, ttl_s)
        if taken is not None:
            await transaction.execute(_RAISE, merchant, taken["epoch"])
            return Lease(
                merchant=merchant,
                holder=holder,
                epoch=taken["epoch"],
                expires_at=taken["expires_at"],
                ours_until_s=asked_s + ttl_s,
            )
        held = await transaction.fetchrow(_HELD, merchant)
    if held is None:
        raise Unavailable(f"the lease of {merchant} changed hands just now: try again")
    raise LeaseHeld(merchant, held["holder"], held["expires_at"], held["left_s"])


class Leases(Protocol):
    """Who keeps the leases: PostgreSQL (`lease_postgres.py`), or its memory twin."""

    async def acquire(self, merchant: str, holder: str, *, ttl_s: float) -> Lease:
        """Take the lease, in a new epoch. Raises LeaseHeld when a live other has it."""
        ...

    async def renew(self, lease: Lease, *, ttl_s: float) -> Lease:
        """Hold it longer, in the same epoch. Raises Fenced when somebody else took it."""
        ...

    async def release(self, lease: Lease) -> None:
        """Let the next holder in at once. Nothing happens when it is no longer ours."""
        ...


def fenced(lease: Lease) -> Fenced:
    """What its holder is told when somebody else has taken it."""
    return Fenced(
        f"the lease of {lease.merchant} in epoch {lease.epoch} was taken over: "
        f"{lease.holder} must stop writing"
    )


class Heartbeat:
    """Renews a lease while its holder runs, and ends the holder in time when it can't.

    Two tasks: a renewal that hangs, or is slow to be cancelled, does not hold up the stop. Give
    it a database of its own: in a shared pool it would wait for whoever is busy there.
    """

    def __init__(
        self,
        leases: Leases,
        lease: Lease,
        *,
        ttl_s: float,
        every_s: float,
        stop_s: float,
    ) -> None:
        """`stop_s`: how long the holder may take to stop writing once it is told to."""
        if not 0 < every_s < ttl_s - stop_s:
            raise Misuse(
                f"a lease of {ttl_s} s can't be renewed every {every_s} s and be stopped "
                f"{stop_s} s before its end"
            )
        self.lease = lease
        self._leases = leases
        self._ttl_s = ttl_s
        self._every_s = every_s
        self._stop_s = stop_s
        self._trouble = _STOOD_STILL

    def start(self, group: TaskGroup) -> None:
        """Into the group that writes: it is ended by Fenced when somebody else has taken the
        lease, by LeaseLapsed when it was not renewed until `stop_s` before it can expire.
        """
        group.start_soon(self._renew, name="lease/renew")
        group.start_soon(self._watch, name="lease/watch")

    async def _renew(self) -> None:
        pause_s = self._every_s
        while True:
            await real_sleep(pause_s)
            if self._trouble == _STOOD_STILL:
                self._trouble = "the database did not answer"
            try:
                self.lease = await self._leases.renew(self.lease, ttl_s=self._ttl_s)
            except (Unavailable, OutcomeUnknown) as error:
                # To renew twice does no harm, so an answer that was lost is no trouble.
                self._trouble = error.message
                pause_s = min(RETRY_S, self._every_s)
                _say.warning(
                    "lease_not_renewed", merchant=self.lease.merchant, error=str(error)
                )
            else:
                self._trouble = _STOOD_STILL
                pause_s = self._every_s

    async def _watch(self) -> None:
        while (left_s := self._left_s()) > 0:
            await real_sleep(left_s)
        lease = self.lease
        raise LeaseLapsed(
            f"the lease of {lease.merchant} in epoch {lease.epoch} could not be renewed in "
            f"time ({self._trouble}): {lease.holder} stops writing before another can begin"
        )

    def _left_s(self) -> float:
        return self.lease.ours_until_s - self._stop_s - real_monotonic()


async def release(database: Database, lease: Lease) -> None:
    """Let the next holder in at once. Nothing happens when it is no longer ours."""
    await database.execute(_RELEASE, lease.merchant, lease.holder, lease.epoch)


def check_lease(holder: str, ttl_s: float) -> None:
    """Raise Misuse for a lease that nobody could hold."""
    if not holder.strip():
        raise Misuse("a lease needs a holder's name, such as machine:process")
    if not ttl_s > 0:
        raise Misuse(f"a lease of {ttl_s} s is over before it begins")
