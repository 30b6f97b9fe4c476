"""Who may write a merchant's log, and until when.

Promises: a lease is held by one holder at a time; it is taken over only when it has expired, or
by the same holder come back; each taking raises the epoch in the log's head in the same
transaction, which fences off a writer that does not know yet. It keeps no timer of its own.
Invariant: expiry is judged by the database's clock, in real seconds, whatever time a sandbox
world has; the fence, not the expiry, is what makes the log safe.
Called by the service: acquire, open the log with the epoch, renew well before `ttl_s` is over.
"""

from datetime import datetime

import msgspec

from kcjl.database import Database
from kcjl.errors import Fenced, Misuse, Unavailable
from kcjl.log.chain import genesis
from kcjl.log.drafting import check_merchant

__all__ = ["Lease", "LeaseHeld", "acquire", "release", "renew"]

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
_RENEW = """
update lease set expires_at = clock_timestamp() + make_interval(secs => $4)
where merchant = $1 and holder = $2 and epoch = $3
returning expires_at
"""
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


async def acquire(database: Database, merchant: str, holder: str, *, ttl_s: float) -> Lease:
    """Take the lease, in a new epoch. Raises LeaseHeld when a live other has it."""
    check_merchant(merchant)
    _check(holder, ttl_s)
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
            )
        held = await transaction.fetchrow(_HELD, merchant)
    if held is None:
        raise Unavailable(f"the lease of {merchant} changed hands just now: try again")
    raise LeaseHeld(merchant, held["holder"], held["expires_at"], held["left_s"])


async def renew(database: Database, lease: Lease, *, ttl_s: float) -> Lease:
    """Hold it longer, in the same epoch. Raises Fenced when somebody else has taken it."""
    _check(lease.holder, ttl_s)
    async with database.transaction() as transaction:
        expires_at = await transaction.fetchval(
            _RENEW, lease.merchant, lease.holder, lease.epoch, ttl_s
        )
    if expires_at is None:
        raise Fenced(
            f"the lease of {lease.merchant} in epoch {lease.epoch} was taken over: "
            f"{lease.holder} must stop writing"
        )
    return msgspec.structs.replace(lease, expires_at=expires_at)


async def release(database: Database, lease: Lease) -> None:
    """Let the next holder in at once. Nothing happens when it is no longer ours."""
    await database.execute(_RELEASE, lease.merchant, lease.holder, lease.epoch)


def _check(holder: str, ttl_s: float) -> None:
    if not holder.strip():
        raise Misuse("a lease needs a holder's name, such as machine:process")
    if not ttl_s > 0:
        raise Misuse(f"a lease of {ttl_s} s is over before it begins")
