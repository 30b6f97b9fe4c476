"""Publishing, the fold: the switch, the hold, the pace, the lags, and how stale the feed is.

Promises: pure; one entry, `publishing`, beside the imports on their way and the late ones.
What was let through by a release is used up by the imports that were acknowledged, and by
nothing else. It decides nothing.
Called by `sending.py`, `publishing.py`, `listing.py` and `freshness.py`.
"""

import math
from datetime import datetime

import msgspec

from kcjl.fold import Fold
from kcjl.stock.events import (
    OffersRead,
    PublishEvent,
    PublishHeld,
    PublishHoldEnded,
    PublishReleased,
    StockFeedFresh,
    StockFeedStale,
    StockImportEndedLate,
    StockImportFailed,
    StockImportFinished,
    StockImportGivenUp,
    StockImportIntended,
    StockImportSent,
    StockImportUnknown,
    StockPublishingSwitched,
)
from kcjl.stock.guards import MOVED, TO_ZERO, Hold, is_moved, is_to_zero
from kcjl.vocabulary import Event

__all__ = ["LATE", "PUBLISHES", "PUBLISHING", "OnItsWay", "Publish", "Publishing"]

LAGS_KEPT = 100
"""Imports over which the lag is measured: about a day of busy trade."""
LAG_SHARE = 0.95


class Publish(msgspec.Struct, frozen=True, kw_only=True):
    """One stock import on its way; gone when it has an outcome."""

    publish_id: str
    skus: tuple[str, ...]
    import_id: str = ""
    intended_at: datetime | None = None


class OnItsWay(msgspec.Struct, frozen=True, kw_only=True):
    """The import that is being followed, as far as pace, lag and hold need it."""

    publish_id: str
    stock_read_at: datetime | None
    to_zero: int
    moved: int


class Publishing(msgspec.Struct, frozen=True, kw_only=True):
    """All that publishing as a whole has to know."""

    is_on: bool = True
    off_because: str = ""
    hold: Hold | None = None
    intended_at: datetime | None = None
    """When the last import was intended: the next one waits its time."""
    on_its_way: OnItsWay | None = None
    lags_s: tuple[float, ...] = ()
    """From the beginning of a stock read to the end of an import, newest last."""
    stale: str = ""
    """soft, hard, or empty while the feed is fresh."""
    offers_listed_at: datetime | None = None
    """The whole list was last read then; `offers_read_at` counts what changed too."""
    offers_read_at: datetime | None = None

    @property
    def lag_p95_s(self) -> float | None:
        """Stock read to acknowledged: nineteen of twenty imports took no longer."""
        if not self.lags_s:
            return None
        return sorted(self.lags_s)[math.ceil(len(self.lags_s) * LAG_SHARE) - 1]


def _keys(event: Event) -> tuple[str, ...]:
    return ("publishing",) if isinstance(event, _HEARS) else ()


def _evolve(entry: Publishing | None, event: Event, _key: str) -> Publishing:
    publishing = entry or Publishing()
    replace = msgspec.structs.replace
    match event:
        case StockPublishingSwitched():
            return replace(
                publishing, is_on=event.on, off_because="" if event.on else event.reason
            )
        case StockFeedStale():
            return replace(publishing, stale=event.grade)
        case StockFeedFresh():
            return replace(publishing, stale="")
        case OffersRead():
            listed = event.occurred_at if event.whole else publishing.offers_listed_at
            return replace(
                publishing, offers_listed_at=listed, offers_read_at=event.occurred_at
            )
        case PublishHeld() | PublishReleased() | PublishHoldEnded():
            return replace(publishing, hold=_evolve_hold(publishing.hold, event))
        case _:
            return _evolve_import(publishing, event)


def _evolve_hold(hold: Hold | None, event: Event) -> Hold | None:
    match event:
        case PublishHeld():
            counted = {each.guard: each.skus for each in event.findings}
            return Hold(
                hold_id=event.hold_id,
                to_zero=counted.get(TO_ZERO, 0),
                moved=counted.get(MOVED, 0),
            )
        case PublishReleased() if hold is not None and hold.hold_id == event.hold_id:
            return msgspec.structs.replace(hold, released=True)
        case PublishHoldEnded():
            return None
        case _:
            return hold


def _evolve_import(publishing: Publishing, event: Event) -> Publishing:
    replace = msgspec.structs.replace
    if isinstance(event, StockImportIntended):
        return replace(
            publishing,
            intended_at=event.occurred_at,
            on_its_way=OnItsWay(
                publish_id=event.publish_id,
                stock_read_at=event.stock_read_at,
                to_zero=sum(map(is_to_zero, event.figures)),
                moved=sum(map(is_moved, event.figures)),
            ),
        )
    gone = publishing.on_its_way
    if not isinstance(event, PublishEvent) or gone is None:
        return publishing
    if gone.publish_id != event.publish_id:
        return publishing
    if isinstance(event, StockImportFinished):
        publishing = _acknowledged(publishing, gone, event.occurred_at)
    return replace(publishing, on_its_way=None)


def _acknowledged(publishing: Publishing, gone: OnItsWay, at: datetime) -> Publishing:
    replace = msgspec.structs.replace
    hold, lags_s = publishing.hold, publishing.lags_s
    if hold is not None and hold.released:
        hold = replace(
            hold,
            to_zero=max(0, hold.to_zero - gone.to_zero),
            moved=max(0, hold.moved - gone.moved),
        )
    if gone.stock_read_at is not None:
        lag_s = max(0.0, (at - gone.stock_read_at).total_seconds())
        lags_s = (*lags_s, lag_s)[-LAGS_KEPT:]
    return replace(publishing, hold=hold, lags_s=lags_s)


_HEARS = (
    StockPublishingSwitched,
    StockFeedStale,
    StockFeedFresh,
    OffersRead,
    PublishHeld,
    PublishReleased,
    PublishHoldEnded,
    StockImportIntended,
    StockImportFinished,
    StockImportUnknown,
    StockImportFailed,
    StockImportGivenUp,
    StockImportEndedLate,
)

PUBLISHING: Fold[Publishing] = Fold(_keys, _evolve, Publishing, hears=_HEARS)

# ── imports ─────────────────────────────────────────────────────────────────────────────────

_PUBLISH_EVENTS = (
    StockImportIntended,
    StockImportSent,
    StockImportUnknown,
    StockImportFinished,
    StockImportFailed,
    StockImportGivenUp,
    StockImportEndedLate,
)


def _publish_keys(event: Event) -> tuple[str, ...]:
    return (event.publish_id,) if isinstance(event, PublishEvent) else ()


def _evolve_publish(entry: Publish | None, event: Event, key: str) -> Publish | None:
    match event:
        case StockImportIntended():
            return Publish(
                publish_id=key,
                skus=tuple(f.sku for f in event.figures),
                intended_at=event.occurred_at,
            )
        case StockImportSent():
            entry = entry or Publish(publish_id=key, skus=event.skus)
            return msgspec.structs.replace(entry, skus=event.skus, import_id=event.import_id)
        case _:
            return None


PUBLISHES: Fold[Publish] = Fold(_publish_keys, _evolve_publish, Publish, hears=_PUBLISH_EVENTS)


def _late_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, StockImportGivenUp | StockImportEndedLate):
        return (event.publish_id,)
    return ()


def _evolve_late(_entry: Publish | None, event: Event, key: str) -> Publish | None:
    if not isinstance(event, StockImportGivenUp):
        return None
    return Publish(
        publish_id=key,
        skus=event.skus,
        import_id=event.import_id,
        intended_at=event.occurred_at,
    )


LATE: Fold[Publish] = Fold(
    _late_keys, _evolve_late, Publish, hears=(StockImportGivenUp, StockImportEndedLate)
)
"""Imports that were given up and may yet be applied. `intended_at`: when that was."""
