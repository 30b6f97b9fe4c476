"""What the service finds out about itself and its surroundings: a condition holds, or is over.

Stream: service-<kind>-<subject>.
"""

from typing import Literal

from kcjl.vocabulary import Event

__all__ = ["ServiceConditionEnded", "ServiceConditionFound", "ServiceKind"]

ServiceKind = Literal[
    "alert_channel_down",
    "certificate_expiring",
    "chain_broken",
    "clock_skew",
    "disk_low",
    "feed_stale",
    "lease_lost",
    "left_out",
    "projection_behind",
]


class ServiceEvent(Event, frozen=True, kw_only=True):
    kind: ServiceKind
    """Of the exception that it raises."""
    subject: str

    @property
    def stream(self) -> str:
        return f"service-{self.kind}-{self.subject}"


class ServiceConditionFound(ServiceEvent, frozen=True, kw_only=True):
    """A look at the service or its surroundings has found that something is wrong."""

    message: str


class ServiceConditionEnded(ServiceEvent, frozen=True, kw_only=True):
    """A later look does not find it any more."""

    reason: str
