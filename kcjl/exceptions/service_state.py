"""What is wrong with the service or its surroundings: the fold, and what a look says.

Promises: pure; what is found again with the same words is nothing new; what is not found any
more is over. Called by `watch.py`.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kcjl.dispatch.events import ShipmentsRead
from kcjl.exceptions.service_events import (
    ServiceConditionEnded,
    ServiceConditionFound,
    ServiceKind,
)
from kcjl.fold import Fold
from kcjl.orders.events import OrdersRead
from kcjl.settlement.events import TransactionsRead
from kcjl.vocabulary import Event

__all__ = ["FEEDS_READ", "FOUND", "FeedRead", "Finding", "decide_look"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something is wrong; the words are the same as long as it is the same trouble."""

    kind: ServiceKind
    subject: str
    message: str


class FeedRead(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime


FEEDS: dict[type[Event], str] = {
    OrdersRead: "orders",
    ShipmentsRead: "shipments",
    TransactionsRead: "transactions",
}
"""What is read of the outside; levels have a kind of their own, which shrinks figures."""


def _feed_keys(event: Event) -> tuple[str, ...]:
    feed = FEEDS.get(type(event))
    return () if feed is None else (feed,)


def _evolve_feed(_entry: FeedRead | None, event: Event, _key: str) -> FeedRead | None:
    return FeedRead(at=event.occurred_at)


FEEDS_READ: Fold[FeedRead] = Fold(_feed_keys, _evolve_feed, FeedRead, hears=tuple(FEEDS))
"""When each was last read."""


def _keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, ServiceConditionFound | ServiceConditionEnded):
        return (event.stream,)
    return ()


def _evolve(
    _entry: ServiceConditionFound | None, event: Event, _key: str
) -> ServiceConditionFound | None:
    return event if isinstance(event, ServiceConditionFound) else None


FOUND: Fold[ServiceConditionFound] = Fold(
    _keys, _evolve, ServiceConditionFound, hears=(ServiceConditionFound, ServiceConditionEnded)
)
"""What is open."""


def decide_look(
    findings: Sequence[Finding],
    known: Sequence[ServiceConditionFound],
    now: datetime,
) -> tuple[ServiceConditionFound | ServiceConditionEnded, ...]:
    """`known`: what was open before, of what was looked for."""
    before = {each.stream: each.message for each in known}
    found = [
        ServiceConditionFound(
            kind=each.kind, subject=each.subject, message=each.message, occurred_at=now
        )
        for each in findings
    ]
    still = {each.stream for each in found}
    return (
        *(each for each in found if before.get(each.stream) != each.message),
        *(
            ServiceConditionEnded(
                kind=each.kind,
                subject=each.subject,
                reason="a later look does not find it any more",
                occurred_at=now,
            )
            for each in known
            if each.stream not in still
        ),
    )
