"""What every room keeps of the service's own events: interrupted jobs, and the kill switch.

Promises: pure. Called by `actors.py`, for every room, and by the desk.
"""

import msgspec

from kcjl.exceptions.events import JobInterrupted, JobResumed, Trouble, WritesSwitched
from kcjl.fold import Fold
from kcjl.vocabulary import Event

__all__ = ["JOBS", "SWITCH", "InterruptedJob"]


def _job_keys(event: Event) -> tuple[str, ...]:
    return (event.stream,) if isinstance(event, JobInterrupted | JobResumed) else ()


class InterruptedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that has not worked since."""

    now: Trouble
    met: tuple[Trouble, ...]
    """All that it has met, each once, in order."""


def _evolve_job(entry: InterruptedJob | None, event: Event, _key: str) -> InterruptedJob | None:
    if not isinstance(event, JobInterrupted):
        return None
    before = entry.met if entry else ()
    met = dict.fromkeys(before) | {event.trouble: None}
    return InterruptedJob(now=event.trouble, met=tuple(met))


def _switch_keys(event: Event) -> tuple[str, ...]:
    return ("writes",) if isinstance(event, WritesSwitched) else ()


def _evolve_switch(
    entry: WritesSwitched | None, event: Event, _key: str
) -> WritesSwitched | None:
    return event if isinstance(event, WritesSwitched) else entry


JOBS: Fold[InterruptedJob] = Fold(
    _job_keys, _evolve_job, InterruptedJob, hears=(JobInterrupted, JobResumed)
)
"""The jobs that are interrupted, of every room."""
SWITCH: Fold[WritesSwitched] = Fold(
    _switch_keys, _evolve_switch, WritesSwitched, hears=(WritesSwitched,)
)
