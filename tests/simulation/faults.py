"""What may go wrong in a run, kind by kind: how often, and when.

Promises: a `Faults` without arguments lets nothing go wrong; every kind can be switched off by
itself (`without`), so that a failure can be made smaller. Hours count from the run's beginning.
It draws nothing. Called by the scenario, the mishaps, the process and the run.
"""

import msgspec

__all__ = ["CALL_KINDS", "LOG_KINDS", "ClockShift", "DeathIn", "Fault", "Faults", "Restore"]

FOR_EVER_H = 1_000_000.0


class FaultRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of these records."""


class Fault(FaultRecord, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind: the share of the calls that it hits, from one hour of the run to another."""

    share: float = 0.0
    from_h: float = 0.0
    until_h: float = FOR_EVER_H
    operations: tuple[str, ...] = ()
    """OR11, ImportOrders, …; empty: all."""


class ClockShift(FaultRecord, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From that hour on, an outside clock is so many seconds fast (slow, below 0)."""

    at_h: float
    fast_s: float


class Restore(FaultRecord, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At that hour the ERP is set back to the backup taken `age_h` before."""

    at_h: float
    age_h: float = 1.0


class DeathIn(FaultRecord, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The process dies when a call has had its effect, and before anybody hears the answer."""

    operation: str
    """A method of a port: create_order, prepare, …"""
    call: int = 1
    """At the first call of it, the second, …"""


OFF = Fault()


class Faults(FaultRecord, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that may go wrong outside and in the database."""

    # ── calls to the outside ──
    silent: Fault = OFF
    """For hours nothing is done and no answer comes: to calls about parcels, or to all."""
    slow: Fault = OFF
    """The answer takes up to a minute."""
    lost_before: Fault = OFF
    """Nothing is done, and no answer comes."""
    lost_after: Fault = OFF
    """It is done, and no answer comes."""
    arrives_late: Fault = OFF
    """A write: no answer comes, and it is done a while later all the same."""
    rate_limited: Fault = OFF
    """429, and for minutes: a storm for this operation."""
    answers_late: Fault = OFF
    """Looked at or done at once, and the answer takes up to a minute: old news by then."""
    books_lost: Fault = OFF
    """The journal lies in the books, and whoever brought it does not hear of it."""
    truncated: Fault = OFF
    """Half an answer: a surprise for a read, an unknown outcome for a write that was done."""
    duplicated: Fault = OFF
    """Rows come twice."""
    reordered: Fault = OFF
    """Rows come in another order, where none is promised."""
    stale: Fault = OFF
    """A read is answered as it was some minutes ago."""
    moving: Fault = OFF
    """A list is read in small pages, and the world moves on between them."""

    orders_away: Fault = OFF
    """Nobody answers who asks for orders."""
    exports_off: Fault = OFF
    """The shop has no exports of orders: refused."""

    # ── the outside as a whole ──
    marketplace_clock: tuple[ClockShift, ...] = ()
    erp_clock: tuple[ClockShift, ...] = ()
    restores: tuple[Restore, ...] = ()

    # ── the database ──
    log_slow: Fault = OFF
    log_refuses: Fault = OFF
    log_dies_before_commit: Fault = OFF
    log_dies_after_commit: Fault = OFF

    def without(self, *kinds: str) -> "Faults":
        """The same with these kinds switched off, by their field names."""
        calm = Faults()
        return msgspec.structs.replace(self, **{kind: getattr(calm, kind) for kind in kinds})

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are switched on."""
        calm = Faults()
        return tuple(
            name
            for name in self.__struct_fields__
            if getattr(self, name) != getattr(calm, name)
        )


CALL_KINDS = (
    "silent", "lost_before", "lost_after", "arrives_late", "rate_limited", "truncated",
    "duplicated", "reordered", "stale", "moving", "slow", "answers_late",
    "books_lost", "orders_away", "exports_off",
)  # fmt: skip
"""Kinds that hit one call each."""

LOG_KINDS = (
    "log_slow", "log_refuses", "log_dies_before_commit", "log_dies_after_commit",
)  # fmt: skip
