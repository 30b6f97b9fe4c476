"""The kill switch: while somebody has stopped all writes to the outside, none is sent.

Promises: judged by the calls that a witness saw and by when the switch stands in the log; what
was decided before the switch was heard of has time to be sent. It says nothing about reading,
which goes on. Called by `laws/__init__.py`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from kcjl.exceptions.events import WritesSwitched
from tests.simulation.laws.evidence import Checker, Evidence

__all__ = ["CHECKERS", "UNDER_WAY", "stops"]

UNDER_WAY = timedelta(minutes=5)
"""For a write that was decided before: its intention waits for a database that is away, and may
wait a second time behind another."""
WRITES = (
    "accept", "create_order", "create_shipment", "prepare", "publish_stock",
    "set_shipment_tracking", "set_tracking", "ship",
    "write_seller_references", "refund", "cancel_line", "cancel_order",
)  # fmt: skip
"""Of the ports' operations, those that change something outside."""


def nothing_is_written_while_stopped(evidence: Evidence) -> Iterator[str]:
    """Once all writes were stopped, nothing is sent outside until they are allowed again."""
    for off, on in stops(evidence):
        for call in evidence.witness.of(*WRITES):
            if off + UNDER_WAY < call.began and (on is None or call.began < on):
                yield (
                    f"{call.operation} was sent at {call.began}, though writes were stopped "
                    f"from {off} until {on or 'the end'}"
                )


def stops(evidence: Evidence) -> Iterator[tuple[datetime, datetime | None]]:
    """From a stop to the next permission."""
    off: datetime | None = None
    for recorded, switched in evidence.said(WritesSwitched):
        if switched.allowed and off is not None:
            yield off, recorded.recorded_at
            off = None
        elif not switched.allowed and off is None:
            off = recorded.recorded_at
    if off is not None:
        yield off, None


CHECKERS = (Checker(2, "stopped", nothing_is_written_while_stopped),)
