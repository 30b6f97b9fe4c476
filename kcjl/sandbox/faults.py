"""What goes wrong between a client and the two outside systems, by plan.

Promises: a fault hits the calls that it names (side, operation, world time), so many times, at
a seeded chance; each kind says whether the call's effect was done. It changes no model.
Invariant: where two faults fit one call, the one planned first is taken.
Called by the doorkeeper, by the effects (`fault_effects`) and by the control routes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from kcjl.clock import chance
from kcjl.errors import Misuse

__all__ = ["Fault", "FaultPlan", "PlannedFault", "faults_from"]

_PLANNED_MAX = 10_000
"""Faults that one plan holds; more is a mistake of the plan's maker."""
_SLOW_MAX_S = 600.0
_OF_SOAP = frozenset({"soap_fault", "empty_string"})


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of failure, and which calls it hits."""

    kind: Literal[
        "lost_before", "lost_after", "status", "rate_limit", "slow", "truncated", "empty",
        "slow_body", "half_json", "wrong_type", "duplicated_rows", "stale", "soap_fault",
        "empty_string", "repeated",
    ]  # fmt: skip
    """lost_before: connection cut, nothing done. lost_after: effect done, connection cut.
    status: an error page. rate_limit: 429. slow: a late answer. truncated: half of the body,
    then cut. empty: effect done, 200 without a body. slow_body: the body comes bit by bit.
    half_json: half of the body as if it were whole. wrong_type: the body, called text/html.
    duplicated_rows: each list of a JSON answer has its last row twice. stale: what the same
    reading was answered before; the first time, and for what changes something, as ever.
    soap_fault: a SOAP fault with `message` and `class_name`. empty_string: the SOAP answer's
    return is an empty string. repeated: a call of the Cloud ERP is made twice. Of the others,
    only lost_before, lost_after, slow and status strike its calls."""
    side: Literal["johnlewis", "khaos", "khaos_cloud", "xero", "*"] = "*"
    operation: str = "*"
    """OR21, ST01, ImportOrders, OrderDownload, …"""
    times: int | None = 1
    """None: always."""
    share: float = 1.0
    """The chance that a fitting call is hit."""
    from_time: datetime | None = None
    """World time, included."""
    until_time: datetime | None = None
    """World time, not included."""
    status: int = 500
    body: Literal["html", "json", "plain", "empty"] = "html"
    retry_after_s: int | None = 30
    """For rate_limit; None leaves the header out."""
    seconds: float = 5.0
    """For slow and slow_body: real seconds."""
    after_effect: bool = False
    """For status, rate_limit, slow and soap_fault: whether the call is carried out first."""
    message: str = "lock conflict on no wait transaction"
    """For soap_fault."""
    class_name: str = "EIBInterBaseError"
    """For soap_fault: the exception's class."""

    def __post_init__(self) -> None:
        if self.kind in _OF_SOAP and self.side != "khaos":
            raise ValueError(f"{self.kind} is a fault of the side khaos, not of {self.side}")
        if not 0 <= self.share <= 1:
            raise ValueError(f"the share of a fault is from 0 to 1, not {self.share}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"a fault happens at least once, not {self.times} times")
        if not 0 <= self.seconds <= _SLOW_MAX_S:
            raise ValueError(f"a slow answer takes 0 to {_SLOW_MAX_S:.0f} s")
        if not 400 <= self.status <= 599:  # noqa: PLR2004 - HTTP errors
            raise ValueError(f"an error has a status from 400 to 599, not {self.status}")


class PlannedFault(msgspec.Struct, kw_only=True):
    """A fault in a plan, and how often it has happened."""

    number: int
    fault: Fault
    happened: int = 0

    @property
    def is_spent(self) -> bool:
        return self.fault.times is not None and self.happened >= self.fault.times


class FaultPlan:
    """The faults that are to come, and their chance."""

    def __init__(self, seed: int) -> None:
        self._chance = chance(f"faults/{seed}")
        self.planned: list[PlannedFault] = []
        self._numbers = 0

    def add(self, faults: Sequence[Fault]) -> list[PlannedFault]:
        if len(self.planned) + len(faults) > _PLANNED_MAX:
            raise Misuse(f"a fault plan holds {_PLANNED_MAX} faults at most: clear it first")
        added = []
        for fault in faults:
            self._numbers += 1
            added.append(PlannedFault(number=self._numbers, fault=fault))
        self.planned.extend(added)
        return added

    def clear(self) -> int:
        count = len(self.planned)
        self.planned.clear()
        return count

    def remove(self, number: int) -> PlannedFault:
        """Take one fault out of the plan; Misuse where it is not in it."""
        for planned in self.planned:
            if planned.number == number:
                self.planned.remove(planned)
                return planned
        raise Misuse(f"there is no fault number {number} in the plan")

    def take(self, side: str, operation: str, now: datetime) -> PlannedFault | None:
        """The fault that hits this call, counted as happened; mostly None."""
        for planned in self.planned:
            if not planned.is_spent and self._hits(planned.fault, side, operation, now):
                planned.happened += 1
                return planned
        return None

    def happened_before(self, number: int) -> None:
        """Count a fault that happened in an earlier run of this world."""
        for planned in self.planned:
            if planned.number == number:
                planned.happened += 1

    def _hits(self, fault: Fault, side: str, operation: str, now: datetime) -> bool:
        return (
            fault.side in ("*", side)
            and fault.operation in ("*", operation)
            and (fault.from_time is None or fault.from_time <= now)
            and (fault.until_time is None or now < fault.until_time)
            and (fault.share >= 1 or self._chance.random() < fault.share)
        )


def faults_from(written: bytes | str, *, of: str) -> list[Fault]:
    """One fault, or a list of them, from JSON; Misuse names what can't be read."""
    try:
        faults = msgspec.json.decode(written, type=Fault | list[Fault])
    except (msgspec.DecodeError, UnicodeDecodeError) as trouble:
        raise Misuse(f"{of} is no fault plan: {trouble}") from None
    faults = faults if isinstance(faults, list) else [faults]
    for fault in faults:
        for moment in (fault.from_time, fault.until_time):
            if moment is not None and moment.tzinfo is None:
                raise Misuse(f"{of} is no fault plan: the time {moment} has no time zone")
    return faults
