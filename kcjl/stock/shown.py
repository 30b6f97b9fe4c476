"""What the marketplace shows of one offer, as far as we know: sent, acknowledged, in doubt.

Promises: pure; a figure counts as acknowledged only when its import came to its end without
refusing it; whatever may have moved the offer otherwise puts it in doubt, and what is in doubt
is said again. It decides nothing.
Invariant: `acknowledged` is a fact of the past and stays; `in_doubt` says that it may not hold.
Called by `state.py`.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from kcjl.stock.events import (
    Figure,
    ImportLineRefused,
    OfferActive,
    OfferDrifted,
    OfferGone,
    OfferInactive,
    OfferListed,
    OfferMended,
    OfferRetried,
    StockImportEndedLate,
    StockImportFailed,
    StockImportFinished,
    StockImportGivenUp,
    StockImportIntended,
    StockImportUnknown,
)
from kcjl.vocabulary import Event

__all__ = [
    "OFFER_EVENTS",
    "SHOWN_EVENTS",
    "Shown",
    "evolve_shown",
    "listed_again",
    "moved_outside",
]

FORMER_MAX = 3
"""Figures that are remembered, to tell a lost import from a foreign writer."""

OFFER_EVENTS = (OfferInactive, OfferActive, OfferGone, OfferDrifted, OfferMended, OfferRetried)
"""Events of one offer that is listed."""
SHOWN_EVENTS = (
    *OFFER_EVENTS,
    StockImportIntended,
    StockImportUnknown,
    StockImportFinished,
    StockImportFailed,
    StockImportGivenUp,
    StockImportEndedLate,
)


_Line = Figure | ImportLineRefused | str


class Shown(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One offer. Without any figure of ours, `listed` is what was found there."""

    sku: str
    offer_id: int = 0
    category_code: str = ""
    listed: int | None = None
    sent: int | None = None
    """On its way with an import; None when nothing is, or when it is contradicted already."""
    sent_stock_read_at: datetime | None = None
    acknowledged: int | None = None
    acknowledged_at: datetime | None = None
    stock_read_at: datetime | None = None
    """The read of stock on which the acknowledged figure rests."""
    publish_id: str = ""
    """Of the import that was acknowledged, or is on its way."""
    former: tuple[int, ...] = ()
    """Figures that were acknowledged before, newest first."""
    in_doubt: bool = True
    withheld: bool = False
    """The last figure was low for a stale feed."""
    refused: str = ""
    refusals: int = 0
    retry_at: datetime | None = None
    inactive: tuple[str, ...] = ()
    gone: bool = False
    drifted: str = ""
    """The cause, until it is found in order."""

    @property
    def quantity(self) -> int | None:
        """What it shows, if nothing has gone wrong; None: not known."""
        if self.sent is not None:
            return self.sent
        return None if self.in_doubt else self.acknowledged

    @property
    def before(self) -> int | None:
        """What a new figure is compared with by the guards."""
        return self.listed if self.acknowledged is None else self.acknowledged

    @property
    def is_parked(self) -> bool:
        return self.gone or (bool(self.refused) and self.retry_at is None)

    def waits(self, now: datetime | None) -> bool:
        """No figure is sent for it now: parked, or its pause is not over."""
        return self.is_parked or (
            self.retry_at is not None and now is not None and now < self.retry_at
        )

    @property
    def lag_s(self) -> float | None:
        """From the beginning of the read of stock to the acknowledged figure."""
        if self.acknowledged_at is None or self.stock_read_at is None:
            return None
        return (self.acknowledged_at - self.stock_read_at).total_seconds()


def moved_outside(shown: Shown) -> Shown:
    """The marketplace has, or may have, moved the figure by itself."""
    return msgspec.structs.replace(shown, sent=None, in_doubt=True)


def listed_again(shown: Shown, event: OfferListed) -> Shown:
    """It is listed (again): another offer under the same SKU knows nothing of our figures."""
    return msgspec.structs.replace(
        shown,
        offer_id=event.offer_id,
        category_code=event.category_code or shown.category_code,
        listed=event.quantity,
        in_doubt=True,
        refused="",
        refusals=0,
        retry_at=None,
        gone=False,
    )


def evolve_shown(shown: Shown, event: Event) -> Shown:
    """After an event of the offer, or of an import that may hold it."""
    replace = msgspec.structs.replace
    if isinstance(event, OFFER_EVENTS):
        return _evolve_offer(shown, event) if event.sku == shown.sku else shown
    line = _lines_of(event).get(shown.sku)
    if line is None:
        return shown
    match event:
        case StockImportIntended() if isinstance(line, Figure):
            return replace(
                shown,
                sent=line.quantity,
                sent_stock_read_at=event.stock_read_at,
                publish_id=event.publish_id,
                in_doubt=False,
                withheld=line.held.stale > 0,
            )
        case StockImportFinished():
            return _finished(shown, event, line)
        case _:
            return moved_outside(shown)


def _evolve_offer(shown: Shown, event: Event) -> Shown:
    replace = msgspec.structs.replace
    match event:
        case OfferInactive():
            return replace(shown, inactive=event.reasons)
        case OfferActive():
            return replace(shown, inactive=(), refused="", refusals=0, retry_at=None)
        case OfferGone():
            return replace(shown, gone=True, in_doubt=True)
        case OfferRetried():
            return replace(shown, refused="", refusals=0, retry_at=None, in_doubt=True)
        case OfferDrifted():
            return replace(shown, in_doubt=True, listed=event.found, drifted=event.cause)
        case OfferMended():
            return replace(shown, drifted="")
        case _:
            return shown


def _finished(shown: Shown, event: StockImportFinished, line: _Line) -> Shown:
    replace = msgspec.structs.replace
    if isinstance(line, ImportLineRefused):
        return replace(
            shown,
            sent=None,
            in_doubt=True,
            refused=line.message or "refused without a word",
            refusals=shown.refusals + 1,
            retry_at=line.retry_at,
        )
    shown = replace(shown, refused="", refusals=0, retry_at=None)
    if shown.sent is None:
        return shown  # something has moved the offer while the import was on its way
    former = shown.former
    if shown.acknowledged is not None and shown.acknowledged != shown.sent:
        former = (shown.acknowledged, *former)[:FORMER_MAX]
    return replace(
        shown,
        sent=None,
        acknowledged=shown.sent,
        acknowledged_at=event.occurred_at,
        stock_read_at=shown.sent_stock_read_at,
        former=former,
    )


class _LastImport:
    """The lines of the import event that was looked at last: one event touches thousands of
    offers, one after another, and its lines are put in order once for all of them.
    """

    event: Event | None = None
    lines: Mapping[str, _Line] = {}


def _lines_of(event: Event) -> Mapping[str, _Line]:
    if _LastImport.event is event:
        return _LastImport.lines
    lines: dict[str, _Line] = {}
    match event:
        case StockImportIntended():
            lines = {each.sku: each for each in event.figures}
        case StockImportFinished():
            lines = {sku: sku for sku in event.skus}
            lines |= {each.sku: each for each in event.refused if each.sku in lines}
        case (
            StockImportUnknown()
            | StockImportFailed()
            | StockImportGivenUp()
            | StockImportEndedLate()
        ):
            lines = {sku: sku for sku in event.skus}
        case _:
            pass
    _LastImport.event, _LastImport.lines = event, lines
    return lines
