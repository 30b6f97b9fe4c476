"""What can happen at the exceptions desk, and to the jobs of the service itself.

Stream: exception-<kind>-<subject>; job-<room>-<job>; writes.
"""

from datetime import datetime

from kcjl.money import Money
from kcjl.vocabulary import Event

__all__ = [
    "ExceptionCleared",
    "ExceptionRaised",
    "JobInterrupted",
    "JobResumed",
    "WritesSwitched",
    "job_stream",
]


class DeskEvent(Event, frozen=True, kw_only=True):
    kind: str
    subject: str

    @property
    def exception_id(self) -> str:
        return f"{self.kind}:{self.subject}"

    @property
    def stream(self) -> str:
        return f"exception-{self.kind}-{self.subject}"


class ExceptionRaised(DeskEvent, frozen=True, kw_only=True):
    """A condition needs a person; raised again while open, it is the same exception."""

    severity: str
    message: str
    next_step: str
    owner: str
    money_at_risk: Money | None = None
    deadline: datetime | None = None


class ExceptionCleared(DeskEvent, frozen=True, kw_only=True):
    """The condition is gone."""

    reason: str


class JobEvent(Event, frozen=True, kw_only=True):
    room: str
    job: str

    @property
    def stream(self) -> str:
        return job_stream(self.room, self.job)


def job_stream(room: str, job: str) -> str:
    return f"job-{room}-{job}"


class JobInterrupted(JobEvent, frozen=True, kw_only=True):
    """A job of a room failed and is tried again with growing pauses."""

    message: str
    code: str


class JobResumed(JobEvent, frozen=True, kw_only=True):
    """A job that had failed works again."""


class WritesSwitched(Event, frozen=True, kw_only=True):
    """Somebody has stopped, or allowed again, all writes to the outside: the kill switch."""

    allowed: bool
    reason: str

    @property
    def stream(self) -> str:
        return "writes"
