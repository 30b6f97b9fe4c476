"""Stock imports, the rules: when one may go, when one is given up, what a refusal leads to.

Promises: pure; at most one import in `every_s`; a refused line is sent again with growing
pauses where the message lets hope, and parked where only a change of the offer can help; one
that does not end is given up, and still looked at for a while, since it may yet be applied.
Invariant: what may go is decided on all figures that differ, not on those of one file only.
Called by `publishing.py` (the shell). Source: design 6; contract johnlewis b.2, g.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from kcjl.errors import Misuse
from kcjl.stock.events import (
    ImportLineRefused,
    OfferRetried,
    StockImportEndedLate,
    StockImportGivenUp,
    StockPublishingSwitched,
)
from kcjl.stock.publishing_state import Publish, Publishing
from kcjl.stock.shown import Shown
from kcjl.stock.state import Product
from kcjl.vocabulary import Event

__all__ = [
    "decide_given_up",
    "decide_late",
    "decide_publishing_switch",
    "decide_retry",
    "offered_skus",
    "refused_lines",
    "wait_s",
]

RETRY_PAUSES = (
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=24),
)
"""After the first, second, … refusal of one SKU in a row; then once a day."""

LATE_FOR = timedelta(hours=48)
"""So long a given-up import is looked at."""

MESSAGE_BYTES_MAX = 1_000
MESSAGES_BYTES_MAX = 300_000
"""Of one message, and of all of an import: its event has to fit into the log."""

_PARKED = re.compile(
    r"not exist|unknown|not found|no offer|closed|deleted|invalid state|wrong state|"
    r"not a whole number|is above|do not follow|not a value",
    re.IGNORECASE,
)
"""Messages that saying the same again can't mend: the offer has to be changed first."""


def wait_s(publishing: Publishing | None, now: datetime, *, every_s: float) -> float:
    """Seconds until the next import may go."""
    if publishing is None or publishing.intended_at is None:
        return 0.0
    due = publishing.intended_at + timedelta(seconds=every_s)
    return max(0.0, (due - now).total_seconds())


def offered_skus(products: Iterable[Product]) -> int:
    """How many SKUs are on sale, as far as we know: what the guards' shares are of."""
    return sum(
        1
        for product in products
        for shown in product.shown
        if not shown.gone and (shown.before or 0) > 0
    )


def refused_lines(
    refusals: Sequence[tuple[str, str]], products: dict[str, int], now: datetime
) -> tuple[ImportLineRefused, ...]:
    """The refused lines of an import, (SKU, message), each with its next step.

    `products`: how often each SKU was refused in a row before.
    """
    bytes_max = min(MESSAGE_BYTES_MAX, MESSAGES_BYTES_MAX // max(len(refusals), 1))
    return tuple(
        ImportLineRefused(
            sku=sku,
            message=_shortened(message, bytes_max),
            retry_at=_retry_at(message, products.get(sku, 0), now),
        )
        for sku, message in refusals
    )


def _shortened(message: str, bytes_max: int) -> str:
    encoded = message.encode()
    if len(encoded) <= bytes_max:
        return message
    return f"{encoded[:bytes_max].decode(errors='ignore')}…"


def _retry_at(message: str, refused_before: int, now: datetime) -> datetime | None:
    if _PARKED.search(message):
        return None
    return now + RETRY_PAUSES[min(refused_before, len(RETRY_PAUSES) - 1)]


def decide_given_up(
    publish: Publish, now: datetime, *, ends_within_s: float
) -> tuple[Event, ...]:
    """An import that is on its way for too long; one of an unknown time is not judged."""
    if publish.intended_at is None:
        return ()
    if now - publish.intended_at < timedelta(seconds=ends_within_s):
        return ()
    return (
        StockImportGivenUp(
            publish_id=publish.publish_id,
            import_id=publish.import_id,
            message=f"import {publish.import_id} of {len(publish.skus)} SKUs, begun at "
            f"{publish.intended_at:%Y-%m-%d %H:%M} UTC, has not ended; fresh figures are sent",
            skus=publish.skus,
            occurred_at=now,
        ),
    )


def decide_late(
    publish: Publish, now: datetime, *, ended: str, overwrote: bool
) -> tuple[Event, ...]:
    """What has become of a given-up import; `ended` is empty while it has not ended."""
    too_old = publish.intended_at is not None and now - publish.intended_at > LATE_FOR
    if not ended and not too_old:
        return ()
    message = ended or f"not ended within {LATE_FOR}; it is not looked at any more"
    return (
        StockImportEndedLate(
            publish_id=publish.publish_id,
            import_id=publish.import_id,
            message=message,
            skus=publish.skus if overwrote else (),
            occurred_at=now,
        ),
    )


def decide_publishing_switch(
    publishing: Publishing | None, *, on: bool, reason: str, now: datetime
) -> tuple[Event, ...]:
    """The kill switch of publishing; switching to what is already so is nothing new."""
    if on == (publishing is None or publishing.is_on):
        return ()
    return (StockPublishingSwitched(on=on, reason=reason, occurred_at=now),)


def decide_retry(shown: Shown | None, sku: str, now: datetime) -> tuple[Event, ...]:
    """A person's word for a refused offer. Raises Misuse where nothing is refused."""
    if shown is None or shown.gone:
        raise Misuse(f"SKU {sku!r} can't be retried: the marketplace has no offer of that name")
    if not shown.refused:
        raise Misuse(f"SKU {sku!r} can't be retried: its last figure was not refused")
    return (OfferRetried(sku=sku, occurred_at=now),)
