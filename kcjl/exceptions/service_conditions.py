"""What the events of the service itself say about conditions: jobs, the switch, surroundings.

Promises: pure; what a side says to every job (our key is refused, slow down, another
certificate) is one condition of that side, however many jobs meet it; everything else that
interrupts a job is the job's own. Called by `decide.py`. Source: design 10.
"""

from collections.abc import Iterable

from kcjl.exceptions.conditions import Condition, Raise, clear
from kcjl.exceptions.events import JobInterrupted, JobResumed, Trouble, WritesSwitched
from kcjl.exceptions.service_events import ServiceConditionEnded, ServiceConditionFound
from kcjl.vocabulary import Event

__all__ = ["SIDES", "conditions", "is_met"]

KIND_OF_CODE = {
    "KCJL-2005": "credentials_refused",
    "KCJL-3002": "rate_limited",
    "KCJL-3005": "certificate_changed",
}
SIDES = {"johnlewis": "the marketplace", "khaos": "Khaos Control"}
SAID = {
    "credentials_refused": "{side} does not accept our key, our user or its role",
    "rate_limited": "{side} asks us to slow down",
    "certificate_changed": "{side} shows another certificate than the pinned one",
}


def conditions(event: Event) -> tuple[Condition, ...]:
    """Of the service."""
    match event:
        case JobInterrupted():
            return _interrupted(event)
        case JobResumed():
            reason = "it works again"
            sides = (_of_side(each) for each in event.met)
            return (
                clear(f"{event.room}/{event.job}", "job_interrupted", reason),
                *(
                    clear(subject, kind, "a job that met it works again")
                    for kind, subject in filter(None, sides)
                ),
            )
        case WritesSwitched() if not event.allowed:
            message = f"all writes to the outside are stopped: {event.reason}"
            return (Raise(kind="writes_off", subject="service", message=message),)
        case WritesSwitched():
            return (clear("service", "writes_off", event.reason),)
        case ServiceConditionFound():
            return (Raise(kind=event.kind, subject=event.subject, message=event.message),)
        case ServiceConditionEnded():
            return (clear(event.subject, event.kind, event.reason),)
        case _:
            return ()


def is_met(kind: str, subject: str, troubles: Iterable[Trouble]) -> bool:
    """Does a job among those with these troubles still meet this condition of a side?"""
    return any(_of_side(each) == (kind, subject) for each in troubles)


def _interrupted(event: JobInterrupted) -> tuple[Condition, ...]:
    own = f"{event.room}/{event.job}"
    found = _of_side(event.trouble)
    if found is None:
        return (Raise(kind="job_interrupted", subject=own, message=event.message),)
    kind, subject = found
    message = SAID[kind].format(side=SIDES[subject])
    return (
        clear(own, "job_interrupted", f"it is the side's: {kind.replace('_', ' ')}"),
        Raise(kind=kind, subject=subject, message=message),
    )


def _of_side(trouble: Trouble) -> tuple[str, str] | None:
    """(kind, subject) of what concerns a whole side; None: it is the job's own."""
    kind = KIND_OF_CODE.get(trouble.code)
    return None if kind is None or trouble.side not in SIDES else (kind, trouble.side)
