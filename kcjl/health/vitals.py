"""What a process knows of the merchants that it serves, for whoever watches over it.

Promises: it reads what the rooms hold already; it asks no database and calls nobody, so a
question costs the service nothing and is answered while everything else hangs. It holds
nothing of a buyer and no secret.
Invariant: a merchant is in exactly one `State`.
Told by the CLI's `run` and the composition root; read by `faces.py` and `metrics.py`.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

__all__ = ["MerchantVitals", "Report", "RoomLike", "State", "Vitals"]


class State(StrEnum):
    """What this process does for a merchant."""

    STARTING = "starting"
    STANDBY = "standby"
    """Another process holds the merchant's lease; we take over when it ends."""
    SERVING = "serving"
    AWAY = "away"
    """The database, or the lease, is lost; it begins again by itself."""
    NOT_SERVED = "not_served"
    """A person has to change something before it can be served."""


READY = (State.SERVING, State.STANDBY)


class RoomLike(Protocol):
    """What is read of a room."""

    name: str
    applied: int

    @property
    def failing(self) -> Sequence[str]: ...

    @property
    def writes_allowed(self) -> bool: ...


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant in one answer of `/readyz`."""

    merchant: str
    state: State
    because: str
    """What it waits for; empty while it is serving."""
    position: int
    """The last event that every room has heard."""
    failing: tuple[str, ...]
    """Jobs whose last try failed, as room/job; they are tried again."""
    writes_allowed: bool


class MerchantVitals:
    """One merchant, as this process serves it."""

    def __init__(self, merchant: str) -> None:
        self.merchant = merchant
        self.state = State.STARTING
        self.because = ""
        self.starts = 0
        """How often it began to serve."""
        self.rooms: Sequence[RoomLike] = ()

    def serves(self, rooms: Sequence[RoomLike]) -> None:
        """The rooms are up."""
        self.rooms = rooms
        self.starts += 1
        self.state, self.because = State.SERVING, ""

    def waits(self, state: State, because: str) -> None:
        """It is not served now."""
        self.rooms = ()
        self.state, self.because = state, because

    def report(self) -> Report:
        return Report(
            merchant=self.merchant,
            state=self.state,
            because=self.because,
            position=min((room.applied for room in self.rooms), default=0),
            failing=tuple(f"{room.name}/{job}" for room in self.rooms for job in room.failing),
            writes_allowed=all(room.writes_allowed for room in self.rooms),
        )


class Vitals:
    """All merchants of a process."""

    def __init__(self, merchants: Sequence[str]) -> None:
        self.merchants = {each: MerchantVitals(each) for each in merchants}

    @property
    def ready(self) -> bool:
        """Each merchant is served by us, or by another process that we stand by for."""
        return all(each.state in READY for each in self.merchants.values())

    def reports(self) -> list[Report]:
        return [each.report() for each in self.merchants.values()]
