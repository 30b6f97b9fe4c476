"""Alerts, the read model: one row a message, what it was about, and what became of it.

Called by the runner, and by `kcjl alerts list`.
"""

from datetime import date, datetime

import msgspec

from kcjl.alerts.events import (
    AlertEvent,
    AlertFailed,
    AlertIntended,
    AlertSent,
    AlertUnknown,
    KindCount,
    Named,
    Purpose,
)
from kcjl.fold import Fold
from kcjl.projections.projection import Projection
from kcjl.vocabulary import Event

__all__ = ["ALERTS_SHOWN", "AlertShown"]


class AlertShown(msgspec.Struct, frozen=True, kw_only=True):
    """One message."""

    written_at: datetime
    channel: str
    owner: str
    purpose: Purpose
    day: date | None
    named: tuple[Named, ...]
    others: tuple[KindCount, ...]
    attempts: int
    state: str = "meant"
    said_at: datetime | None = None
    """When the newest outcome was."""
    code: str = ""
    message: str = ""
    """What went wrong."""
    not_reached: int = 0
    """Of the owner's addresses, how many were refused."""


def _keys(event: Event) -> tuple[str, ...]:
    return (event.alert_id,) if isinstance(event, AlertEvent) else ()


def _evolve(row: AlertShown | None, event: Event, _key: str) -> AlertShown | None:
    if isinstance(event, AlertIntended):
        return _meant(event)
    if row is None:
        return None
    row = msgspec.structs.replace(row, said_at=event.occurred_at)
    match event:
        case AlertSent():
            return msgspec.structs.replace(
                row,
                state="sent" if event.certain else "taken_for_sent",
                not_reached=event.not_reached,
            )
        case AlertFailed():
            # The first attempt may have arrived, where this is the second.
            state = "unknown" if row.attempts > 1 else "not_sent"
            return _went_wrong(row, state, event.code, event.message)
        case AlertUnknown():
            return _went_wrong(row, "unknown", event.code, event.message)
        case _:
            return row


def _meant(event: AlertIntended) -> AlertShown:
    return AlertShown(
        written_at=event.written_at,
        channel=event.channel,
        owner=event.owner,
        purpose=event.purpose,
        day=event.day,
        named=event.named,
        others=event.others,
        attempts=event.attempt,
    )


def _went_wrong(row: AlertShown, state: str, code: str, message: str) -> AlertShown:
    return msgspec.structs.replace(row, state=state, code=code, message=message)


ALERTS_SHOWN = Projection(
    "alerts", Fold(_keys, _evolve, AlertShown, hears=(AlertEvent,)), lambda row: row.state
)
