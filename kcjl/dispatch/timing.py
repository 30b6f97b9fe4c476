"""An order's time, the record: at which stage it was until when, and whose each stage is.

Promises: pure; stages follow one another without a gap, so their spans add up to all the time
that has passed. It knows no business time and judges nothing.
Invariant: `spans` holds the stages that are over, each no earlier than the one before.
Called by `timekeeping.py`, `deadlines.py`, `minutes.py`, `metrics.py`. Source: design 8.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from kcjl.money import Money

__all__ = ["FINAL", "WHOSE", "Stage", "TimedParcel", "Timing", "Whose", "is_waiting"]


class Whose(StrEnum):
    """Who has to do the next thing."""

    MARKETPLACE = "marketplace"
    """The customer or the marketplace: payment, checks."""
    US = "us"
    """kcjl and what it waits for on its way between the two."""
    OUTAGE = "outage"
    """Nobody: the marketplace answers no confirmation."""
    WAREHOUSE = "warehouse"
    PERSON = "person"
    """Somebody holds it, or has to decide something."""


class Stage(StrEnum):
    """Where an order is on its way to the customer."""

    AT_MARKETPLACE = "at_marketplace"
    ACCEPTING = "accepting"
    HELD = "held"
    POSTING = "posting"
    TO_PICK = "to_pick"
    """The ERP has it; nothing is printed or picked yet."""
    HELD_IN_ERP = "held_in_erp"
    PICKING = "picking"
    """Printed: it is picked, packed and shipped."""
    UNTRACKED = "untracked"
    """Shipped, and its number is missing, or it holds what nobody ordered."""
    UNMAPPED = "unmapped"
    """Shipped, by a courier that no carrier of the marketplace is known for."""
    CONFIRMING = "confirming"
    GIVEN_UP = "given_up"
    """Shipped, and the marketplace has not taken it for so long that a person has to look."""
    CONFIRMED = "confirmed"
    ENDED = "ended"
    PASSED_OVER = "passed_over"


WHOSE: Mapping[Stage, Whose] = {
    Stage.AT_MARKETPLACE: Whose.MARKETPLACE,
    Stage.ACCEPTING: Whose.US,
    Stage.HELD: Whose.PERSON,
    Stage.POSTING: Whose.US,
    Stage.TO_PICK: Whose.WAREHOUSE,
    Stage.HELD_IN_ERP: Whose.PERSON,
    Stage.PICKING: Whose.WAREHOUSE,
    Stage.UNTRACKED: Whose.WAREHOUSE,
    Stage.UNMAPPED: Whose.PERSON,
    Stage.CONFIRMING: Whose.US,
    Stage.GIVEN_UP: Whose.PERSON,
}
FINAL = frozenset({Stage.CONFIRMED, Stage.ENDED, Stage.PASSED_OVER})


class TimedParcel(msgspec.Struct, frozen=True, kw_only=True):
    parcel_key: str
    courier: str
    units: int
    tracked: bool
    """It has a number of its carrier's form, or one that a person says is right."""
    stage: Stage = Stage.CONFIRMING
    """One of those after shipping; ENDED: it needs no confirmation any more."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """One order's time."""

    order_id: str
    ordered_at: datetime
    ship_by: datetime | None
    """The marketplace's deadline."""
    money: Money
    lines: int
    skus: tuple[str, ...]
    state: str
    """At the marketplace."""
    stage: Stage
    spans: tuple[tuple[Stage, datetime], ...] = ()
    """Each stage that is over, and until when; the first began when it was ordered."""
    ready_at: datetime | None = None
    """It could be posted from then on: decided and paid."""
    accepted: bool = False
    refused: int = 0
    """Lines."""
    cancelled: tuple[str, ...] = ()
    """Lines of which something was cancelled."""
    held: bool = False
    posted: bool = False
    units: int = 0
    """Units of the sales order."""
    lost: bool = False
    """The ERP has lost the sales order: a person says what is to be done."""
    in_erp: str = ""
    """As it was last staged there."""
    complete: bool = False
    """The whole sales order was shipped."""
    parcels: tuple[TimedParcel, ...] = ()
    parcel_confirmed_at: datetime | None = None
    """The last one; whether more are to come, the closing says."""
    confirmed_at: datetime | None = None
    """The marketplace shows the whole order as shipped since then."""
    said: str = ""
    """That it is at risk, or late, has been said of it by name: the kind."""

    @property
    def since(self) -> datetime:
        """When the present stage began."""
        return self.spans[-1][1] if self.spans else self.ordered_at

    @property
    def tracked(self) -> bool:
        """Every parcel of it has a number that counts."""
        return bool(self.parcels) and all(each.tracked for each in self.parcels)


def is_waiting(timing: Timing) -> bool:
    """Something is still to be done."""
    return timing.stage not in FINAL
