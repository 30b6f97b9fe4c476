"""One worker among others: which merchants it serves now, each on its own.

Promises: it serves what is its share and free, and gives what is not, a few at a time; while
the database can't be asked it keeps what it holds. One merchant's trouble ends no other.
Invariant: the lease decides who writes; a look that is old or wrong costs time alone.
Called by the CLI's `run`. The rules are in `shares.py`; source: docs/decisions/0029.
"""

from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup

import kcjl
from kcjl.calls.port import CallRecord
from kcjl.clock import RandomIds, real_sleep
from kcjl.errors import CorruptLog, Fenced, KcjlError, ShopModelNotServed, Unavailable
from kcjl.health.vitals import MerchantVitals, State, Vitals
from kcjl.log.lease import LeaseHeld, LeaseLapsed
from kcjl.rooms import Rooms
from kcjl.roster import MerchantKept, Roll, Roster
from kcjl.service import run_merchant
from kcjl.settings import Settings
from kcjl.shares import share_out
from kcjl.worker import Worker

__all__ = ["Serving"]

LOOK_EVERY_S = 2.0
GIVEN_A_LOOK_MAX = 8
"""A merchant that moves is not served for some seconds: not all of them at once."""
LEAVES_S = 2.0
AWAY_S = 1.0
"""Between looks for a database that went away while a merchant was served."""


class Serving:
    """What `kcjl run` does, on a worker that is open."""

    def __init__(
        self,
        settings: Settings,
        vitals: Vitals,
        worker: Worker,
        *,
        holder: str,
        tell: Callable[[str], None],
        observer: Callable[[str], Callable[[CallRecord], None]] = lambda _: _unobserved,
    ) -> None:
        """`vitals` names the merchants that it may serve; `observer` is asked, for each, for
        what is given its calls.
        """
        self._settings = settings
        self._vitals = vitals.merchants
        self._worker = worker
        self._holder = holder
        self._tell = tell
        self._observer = observer
        self._roster = Roster(worker.database(), holder, kcjl.__version__)
        self._running: dict[str, anyio.CancelScope] = {}
        self._able = set(self._vitals)
        self._alone = len(self._able) == 1
        self._said: dict[str, str] = {}
        """Why a merchant is not served, as it was said last."""

    async def run(self) -> None:
        """Until cancelled. Raises Unavailable when the first look can't be taken, and what
        ends a merchant for good where it is the only one.
        """
        roll = await self._roster.look(self._able)
        async with anyio.create_task_group() as group:
            try:
                while True:
                    self._share(roll, group)
                    await real_sleep(LOOK_EVERY_S)
                    roll = await self._looked() or roll
            finally:
                await self._leave()

    async def _looked(self) -> Roll | None:
        """None: the database can't be asked."""
        try:
            roll = await self._roster.look(self._able)
        except KcjlError as error:
            self._say("", f"{error.message}; what is served here goes on")
            return None
        self._said.pop("", None)
        return roll

    async def _leave(self) -> None:
        with anyio.move_on_after(LEAVES_S, shield=True):
            try:
                await self._roster.leave()
            except KcjlError as error:
                self._tell(f"{error.message}; others wait until we are taken for dead")

    def _share(self, roll: Roll, group: TaskGroup) -> None:
        shares = share_out(roll.living(), [each.seen() for each in roll.merchants])
        kept = {each.merchant: each for each in roll.merchants}
        given = 0
        for merchant, vitals in self._vitals.items():
            is_ours = shares.get(merchant) == self._holder
            if merchant not in self._able:
                continue
            if is_ours and merchant not in self._running:
                scope = self._running[merchant] = anyio.CancelScope()
                group.start_soon(self._serve_within, vitals, scope, name=f"serve/{merchant}")
            elif not is_ours:
                why = self._why(kept[merchant], shares)
                if merchant in self._running:
                    if not kept[merchant].paused:
                        given += 1
                    if given > GIVEN_A_LOOK_MAX:
                        continue
                    self._running[merchant].cancel()
                vitals.waits(State.STANDBY, why)
                self._say(merchant, why)

    def _why(self, kept: MerchantKept, shares: dict[str, str]) -> str:
        """It is not for us to serve this merchant."""
        if kept.paused:
            reason = f": {kept.reason}" if kept.reason else ""
            return f"{kept.merchant} is paused by {kept.by}{reason}"
        other = shares.get(kept.merchant, "nobody")
        return f"{kept.merchant} is served by {other}; standing by"

    def _say(self, merchant: str, why: str) -> None:
        """Once, until it is otherwise."""
        if self._said.get(merchant) != why:
            self._said[merchant] = why
            self._tell(why)

    # ── one merchant ────────────────────────────────────────────────────────────────────────

    async def _serve_within(self, vitals: MerchantVitals, scope: anyio.CancelScope) -> None:
        try:
            with scope:
                await self.serve(vitals)
        finally:
            del self._running[vitals.merchant]

    async def serve(self, vitals: MerchantVitals) -> None:
        """Run it until it is not ours any more; while the database is away, wait.

        A shop that we don't serve, or a log that is not whole, stops no other merchant.
        """
        merchant, lapsed = vitals.merchant, ""

        def up(rooms: Rooms) -> None:
            vitals.serves(rooms.all())
            self._said.pop(merchant, None)
            self._tell(f"serving {merchant}")

        while True:
            try:
                await run_merchant(
                    self._settings,
                    merchant,
                    worker=self._worker,
                    holder=self._holder,
                    ids=RandomIds(),
                    ready=up,
                    observe=self._observer(merchant),
                    tell=self._tell,
                    lease_lost=lapsed,
                )
            except LeaseHeld as held:
                vitals.waits(State.STANDBY, held.message)
                self._say(merchant, f"{held.message}; waiting for it")
                await real_sleep(min((held.retry_after_s or 0) + 0.1, LOOK_EVERY_S))
            except LeaseLapsed as error:
                vitals.waits(State.AWAY, error.message)
                self._tell(f"{error.message}; it begins again")
                lapsed = error.message
            except Fenced as error:
                vitals.waits(State.AWAY, error.message)
                self._tell(error.message)
                return  # the next look says whose it is
            except (ShopModelNotServed, CorruptLog) as error:
                if self._alone:
                    raise
                vitals.waits(State.NOT_SERVED, error.message)
                self._able.discard(merchant)
                self._tell(f"{merchant} is not served: {error.message} [{error.code}]")
                return
            except Unavailable as error:
                if self._alone and not lapsed:
                    raise
                vitals.waits(State.AWAY, error.message)
                self._say(merchant, f"{error.message}; waiting for it")
                await real_sleep(AWAY_S)


def _unobserved(_call: CallRecord) -> None:
    """Nobody counts."""
