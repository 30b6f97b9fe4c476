"""What the service's own events raise and clear, for the table of all conditions."""

from kcjl.exceptions.events import JobInterrupted, JobResumed, Trouble
from kcjl.exceptions.service_events import (
    ServiceConditionEnded,
    ServiceConditionFound,
    ServiceKind,
)
from kcjl.vocabulary import Event
from tests.trade import at

__all__ = ["CLEARED_OF_SERVICE", "RAISED_OF_SERVICE", "interrupted", "resumed"]


def interrupted(code: str, side: str = "johnlewis", job: str = "intake") -> JobInterrupted:
    return JobInterrupted(
        room="orders",
        job=job,
        message=f"it failed: {code}",
        code=code,
        side=side,
        occurred_at=at(1),
    )


def resumed(*codes: str, side: str = "johnlewis", job: str = "intake") -> JobResumed:
    met = tuple(Trouble(code=code, side=side) for code in codes)
    return JobResumed(room="orders", job=job, met=met, occurred_at=at(2))


def found(kind: ServiceKind) -> ServiceConditionFound:
    return ServiceConditionFound(kind=kind, subject="it", message="so it is", occurred_at=at(1))


def ended(kind: ServiceKind) -> ServiceConditionEnded:
    return ServiceConditionEnded(kind=kind, subject="it", reason="gone", occurred_at=at(2))


OF_SURROUNDINGS: tuple[ServiceKind, ...] = (
    "alert_channel_down",
    "certificate_expiring",
    "chain_broken",
    "clock_skew",
    "disk_low",
    "feed_stale",
    "lease_lost",
    "left_out",
    "projection_behind",
)

RAISED_OF_SERVICE: list[tuple[Event, str, str]] = [
    (interrupted("KCJL-2005"), "credentials_refused", "johnlewis"),
    (interrupted("KCJL-2005", "khaos"), "credentials_refused", "khaos"),
    (interrupted("KCJL-2005", ""), "job_interrupted", "orders/intake"),
    (interrupted("KCJL-3002"), "rate_limited", "johnlewis"),
    (interrupted("KCJL-3005", "khaos"), "certificate_changed", "khaos"),
    *((found(kind), kind, "it") for kind in OF_SURROUNDINGS),
]

CLEARED_OF_SERVICE: list[tuple[Event, Event]] = [
    (interrupted("KCJL-2005"), resumed("KCJL-2005")),
    (interrupted("KCJL-3002"), resumed("KCJL-3001", "KCJL-3002")),
    (interrupted("KCJL-3005", "khaos"), resumed("KCJL-3005", side="khaos")),
    *((found(kind), ended(kind)) for kind in OF_SURROUNDINGS),
]
