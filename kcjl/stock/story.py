"""The events behind a product, told in plain sentences.

Promises: pure; one sentence an event, and none for events that say nothing of the product.
Called by `kcjl stock explain`.
"""

from decimal import Decimal

from kcjl.log.port import Recorded
from kcjl.orders.events import OrderChanged, OrderPassedOver, OrderReceived, SalesOrderPosted
from kcjl.stock.events import (
    BufferSet,
    LevelRead,
    OfferActive,
    OfferDrifted,
    OfferGone,
    OfferInactive,
    OfferListed,
    OfferMended,
    OfferRetried,
    SkuAliasApproved,
    SkuAliasWithdrawn,
    SkuConfirmed,
    SkuUnmatched,
    StockImportFailed,
    StockImportFinished,
    StockImportGivenUp,
    StockImportIntended,
    StockImportSent,
    StockImportUnknown,
    stock_key,
)
from kcjl.stock.policy_events import StockPolicyApproved, StockPolicyProposed
from kcjl.vocabulary import Event

__all__ = ["plain", "sentence"]


def sentence(recorded: Recorded, skus: frozenset[str]) -> str:
    """What it says about the products of these SKUs; empty: nothing."""
    event = recorded.event
    said = (
        _of_codes(event, recorded.by)
        or _of_offer(event, recorded.by)
        or _of_order(event, skus)
        or _of_import(event, skus)
    )
    if isinstance(event, BufferSet):
        return f"policy version {event.version} by {recorded.by}: a buffer of {event.units}"
    if isinstance(event, StockPolicyProposed):
        return f"{recorded.by} proposed policy version {event.version}"
    if isinstance(event, StockPolicyApproved):
        since = f"{event.valid_from:%Y-%m-%d %H:%M}Z"
        return f"{recorded.by} approved policy version {event.version}, in force from {since}"
    return said


def plain(units: Decimal) -> str:
    """A number of units as people write it: without a fraction that is none."""
    whole = units == units.to_integral_value()
    return f"{int(units):,}" if whole else f"{units.normalize():f}"


def _of_codes(event: Event, by: str) -> str:
    match event:
        case SkuConfirmed():
            return f"the ERP has {event.sku} as stock code {event.stock_code}" + _limits(event)
        case SkuUnmatched():
            because = f": {event.because}" if event.because else ""
            near = ", ".join(event.nearest) or "none"
            return f"the ERP does not know {event.sku}{because}; nearest codes: {near}"
        case SkuAliasApproved():
            return f"{by} said that {event.sku} stands for stock code {event.stock_code}"
        case SkuAliasWithdrawn():
            return f"{by} said that {event.sku} stands for {event.stock_code} no more"
        case LevelRead():
            sites = ", ".join(f"{plain(level)} at site {site}" for site, level in event.levels)
            return f"the ERP has {sites or 'nothing'} free to sell of {event.sku}"
        case _:
            return ""


def _of_offer(event: Event, by: str) -> str:
    match event:
        case OfferListed():
            return f"the marketplace lists an offer {event.sku}, with {event.quantity:,}"
        case OfferInactive():
            return f"customers can't buy {event.sku}: {', '.join(event.reasons)}"
        case OfferActive():
            return f"customers can buy {event.sku} again"
        case OfferGone():
            return f"the marketplace has no offer {event.sku} any more"
        case OfferDrifted():
            cause = event.cause.replace("_", " ")
            return (
                f"{event.sku} was read back and showed {event.found:,}, not "
                f"{event.acknowledged:,}: {cause}"
            )
        case OfferMended():
            return f"{event.sku} was read back and shows {event.quantity:,} again"
        case OfferRetried():
            return f"{by} had the figure of {event.sku} sent again"
        case _:
            return ""


def _limits(event: SkuConfirmed) -> str:
    said = [
        "discontinued" if event.discontinued else "",
        "run to zero" if event.run_to_zero else "",
        "" if event.stock_controlled else "not stock-controlled",
        f"sold in {event.sales_multiple}s" if event.sales_multiple else "",
        f"{event.display_cap} shown at most" if event.display_cap else "",
    ]
    there = [each for each in said if each]
    return f" ({', '.join(there)})" if there else ""


def _of_order(event: Event, skus: frozenset[str]) -> str:
    keys = {stock_key(each) for each in skus}
    match event:
        case OrderReceived():
            units = sum(line.quantity for line in event.lines if stock_key(line.sku) in keys)
            return f"order {event.order_id} was seen ({event.state}): {units:,} of it"
        case OrderChanged():
            return f"order {event.order_id} became {event.state}"
        case OrderPassedOver():
            return f"order {event.order_id} is passed over: {event.reason}"
        case SalesOrderPosted():
            return f"the ERP has order {event.order_id} as {event.erp_order_code}"
        case _:
            return ""


def _of_import(event: Event, skus: frozenset[str]) -> str:
    match event:
        case StockImportIntended():
            figures = [each for each in event.figures if each.sku in skus]
            told = ", ".join(f"{each.quantity:,} for {each.sku}" for each in figures)
            return f"about to be published: {told}"
        case StockImportSent():
            return f"the marketplace took stock import {event.import_id}"
        case StockImportFinished():
            refused = [each for each in event.refused if each.sku in skus]
            if refused:
                said = "; ".join(f"{each.sku}: {each.message}" for each in refused)
                return f"the marketplace refused it: {said}"
            return f"stock import {event.import_id} ended: the marketplace shows it"
        case StockImportUnknown():
            return f"the answer was lost ({event.message}); fresh figures follow"
        case StockImportGivenUp():
            return f"the stock import did not come to its end: {event.message}"
        case StockImportFailed():
            return f"the stock import failed: {event.message}"
        case _:
            return ""
