"""What the events of publishing say about conditions: imports, holds, the feed, the offers.

Promises: pure; a condition is cleared by the event that ends it, or by a later one that shows
that it is over. Called by `decide.py`. Source: design 6, 10.
"""

from kcjl.exceptions.conditions import Clear, Condition, Raise, clear
from kcjl.stock import events as stock
from kcjl.vocabulary import Event

__all__ = ["conditions"]

SHOP_NOT_OPEN = "SHOP_NOT_OPEN"
RAISED_CAUSES = frozenset({"foreign_writer", "listing_changed"})
"""Causes of drift that saying ours again does not mend (`stock/drift.py` names all)."""
IMPORT_KINDS = ("stock_import_failed", "stock_import_stuck")
_GUARDS = {
    "to_zero": "would go from something to 0",
    "moved": "would move by more than a factor of two",
}


def conditions(event: Event) -> tuple[Condition, ...]:
    """Of the stock room's publishing; of its codes `decide.py` has the table."""
    match event:
        case stock.StockImportFailed():
            return (Raise(kind="stock_import_failed", subject="stock", message=event.message),)
        case stock.StockImportGivenUp():
            return (Raise(kind="stock_import_stuck", subject="stock", message=event.message),)
        case stock.StockImportFinished():
            return _finished(event)
        case stock.PublishHeld():
            return (Raise(kind="publish_held", subject="stock", message=_held(event)),)
        case stock.PublishReleased():
            return (clear("stock", "publish_held", "released by a person"),)
        case stock.PublishHoldEnded():
            return (clear("stock", "publish_held", event.reason),)
        case stock.StockPublishingSwitched() if not event.on:
            message = f"no stock is published: {event.reason}"
            return (Raise(kind="publishing_off", subject="stock", message=message),)
        case stock.StockPublishingSwitched():
            return (clear("stock", "publishing_off", event.reason),)
        case stock.StockFeedStale():
            message = f"stock was last read at {event.read_at:%Y-%m-%d %H:%M} UTC: " + (
                "fast movers are offered at 0" if event.grade == "hard" else "buffers widen"
            )
            return (Raise(kind="stock_feed_stale", subject="stock", message=message),)
        case stock.StockFeedFresh():
            return (clear("stock", "stock_feed_stale", "stock is read again"),)
        case _:
            return _offers(event)


def _offers(event: Event) -> tuple[Condition, ...]:
    match event:
        case stock.OfferDrifted() if event.cause in RAISED_CAUSES:
            message = (
                f"it shows {event.found}, we had said {event.acknowledged} "
                f"({event.cause.replace('_', ' ')}); ours is said again"
            )
            return (Raise(kind="offer_drifted", subject=event.sku, message=message),)
        case stock.OfferDrifted() | stock.OfferMended():
            return (clear(event.sku, "offer_drifted", "it shows our figure again"),)
        case stock.OfferInactive():
            return (_inactive(event),)
        case stock.OfferActive():
            return (clear(event.sku, "offer_inactive", "it can be bought again"),)
        case stock.OfferRetried():
            return (clear(event.sku, "stock_line_refused", "a person has it sent again"),)
        case stock.OfferListed():
            return (clear(event.sku, "stock_line_refused", "it is listed again"),)
        case stock.OfferGone():
            kinds = ("stock_line_refused", "offer_drifted", "offer_inactive")
            return (Clear(subject=event.sku, kinds=kinds, reason="the offer is gone"),)
        case _:
            return ()


def _inactive(event: stock.OfferInactive) -> Condition:
    """That the shop is closed is said of the shop, and not of each of its offers."""
    own = [each for each in event.reasons if each != SHOP_NOT_OPEN]
    if not own:
        return clear(event.sku, "offer_inactive", "it is the whole shop that is not open")
    message = f"customers can't buy it: {', '.join(own)}"
    return Raise(kind="offer_inactive", subject=event.sku, message=message)


def _finished(event: stock.StockImportFinished) -> tuple[Condition, ...]:
    refused = {line.sku: line for line in event.refused}
    return (
        Clear(subject="stock", kinds=IMPORT_KINDS, reason="a later import went through"),
        *(
            _refused(refused[sku])
            if sku in refused
            else clear(sku, "stock_line_refused", "taken")
            for sku in event.skus
        ),
    )


def _refused(line: stock.ImportLineRefused) -> Condition:
    """Without the time of the next try: it is the same exception until it is taken."""
    then = "it is tried again" if line.retry_at else "it is parked, and still shows what it did"
    return Raise(kind="stock_line_refused", subject=line.sku, message=f"{line.message}; {then}")


def _held(event: stock.PublishHeld) -> str:
    told = " and ".join(
        f"{each.skus} of {each.offered} offered SKUs {_GUARDS.get(each.guard, each.guard)}"
        for each in event.findings
    )
    examples = event.findings[0].examples if event.findings else ()
    named = ", ".join(f"{each.sku} {each.before} to {each.after}" for each in examples)
    return f"nothing is published, hold {event.hold_id}: {told}; {named}"
