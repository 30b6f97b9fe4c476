"""Why so many: a product's sum as named terms, each with the events that it rests on.

Promises: pure; the terms add up to the quantity; every term names at least one event, but for
those that rest on nothing being known. It reads nothing and decides nothing: the sum itself is
worked out where figures are.
Called by `kcjl stock show` and `explain`, and by the monitor's reading.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from kcjl.log.port import Recorded
from kcjl.orders.events import OrderReceived, SalesOrderPosted
from kcjl.stock.available import Available
from kcjl.stock.conditions import Conditions, worked_out
from kcjl.stock.events import BufferSet, LevelRead
from kcjl.stock.nearest import Near, how_near
from kcjl.stock.origins import GATE_EVENTS, Origins
from kcjl.stock.policy_events import StockPolicyApproved
from kcjl.stock.reads import Reads
from kcjl.stock.shown import Shown
from kcjl.stock.state import Match, Product
from kcjl.stock.story import sentence
from kcjl.vocabulary import Event

__all__ = [
    "Explained",
    "InFlightShown",
    "OfferStanding",
    "Origin",
    "Step",
    "TermShown",
    "explained",
    "origin",
    "steps_of",
]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the log, with both its clocks."""

    position: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    by: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the chain behind a sum, as a sentence."""

    said: str
    origin: Origin


class TermShown(msgspec.Struct, frozen=True, kw_only=True):
    """One term of the sum; what takes away is negative."""

    name: str
    units: int
    why: str
    rule: str
    """Of the policy, where it rests on one."""
    origins: tuple[Origin, ...]


class InFlightShown(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order that the ERP's level does not show yet."""

    order_id: str
    line_id: str
    units: int
    seen: Origin | None
    taken: Origin | None
    """The ERP has it; the level has not been read since."""


class OfferStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What the marketplace shows of one offer, as far as we know; None: not known."""

    sku: str
    shown: int | None
    listed: int | None
    """As it was found there last, where nothing of ours is acknowledged."""
    sent: int | None
    """On its way."""
    acknowledged: int | None
    acknowledged_at: datetime | None
    lag_s: float | None
    """From the beginning of the read of stock to the acknowledged figure."""
    waits_for: str
    """Why no figure is sent, or why the one that is there may not hold; empty: all is well."""
    inactive: tuple[str, ...]
    """Why customers can't buy it, where it is not for its quantity."""


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A product's sum, as of a position of the log."""

    sku: str
    stock_code: str
    alias: str
    shares_with: tuple[str, ...]
    """Other SKUs of the same stock code: they share one figure."""
    gate: str
    """open, or why it is shut."""
    nearest: tuple[Near, ...]
    position: int
    quantity: int
    terms: tuple[TermShown, ...]
    in_flight: tuple[InFlightShown, ...]
    offers: tuple[OfferStanding, ...]
    policy_version: int
    lag_s: float
    """What the speed buffer covers."""
    level_read_at: datetime | None
    level_read_by: datetime | None
    orders_read_at: datetime | None


def explained(
    product: Product,
    sharing: Sequence[Product],
    conditions: Conditions,
    reads: Reads | None,
    origins: Origins,
    *,
    position: int,
) -> Explained:
    """`sharing`: all products of its stock code, itself among them."""
    available = worked_out(sharing, conditions)
    nearest = [how_near(product.sku, code) for code in product.nearest]
    return Explained(
        sku=product.sku,
        stock_code=product.stock_code,
        alias=product.alias,
        shares_with=tuple(each.sku for each in sharing if each.key != product.key),
        gate=available.reason or _unasked(product) or "open",
        nearest=tuple(nearest),
        position=position,
        quantity=available.quantity,
        terms=_terms(available, origins, conditions.version),
        in_flight=_in_flight(sharing, origins),
        offers=tuple(map(standing, product.shown)),
        policy_version=conditions.version,
        lag_s=conditions.lag_s,
        level_read_at=product.level_read_at,
        level_read_by=product.level_read_by,
        orders_read_at=reads.orders_began_at if reads else None,
    )


def steps_of(sharing: Sequence[Product], origins: Origins) -> tuple[Step, ...]:
    """The events behind a sum that say something of its products, oldest first."""
    skus = frozenset(
        each
        for one in sharing
        for each in (one.key, *one.asked_for, *(shown.sku for shown in one.shown))
    )
    return tuple(
        Step(said=said, origin=origin(each))
        for each in origins.chain
        if (said := sentence(each, skus))
    )


def standing(shown: Shown) -> OfferStanding:
    """One offer, in words where words are needed."""
    return OfferStanding(
        sku=shown.sku,
        shown=shown.quantity,
        listed=shown.listed,
        sent=shown.sent,
        acknowledged=shown.acknowledged,
        acknowledged_at=shown.acknowledged_at,
        lag_s=shown.lag_s,
        waits_for=waits_for(shown),
        inactive=shown.inactive,
    )


def waits_for(shown: Shown) -> str:
    """Why no figure is sent for an offer, or why it may not show ours; empty: all is well."""
    if shown.gone:
        return "the marketplace has no offer under this SKU any more"
    if shown.refused and shown.retry_at is None:
        return (
            f"refused, and parked until the offer changes or a person retries: {shown.refused}"
        )
    if shown.refused:
        return f"refused, sent again at {shown.retry_at:%Y-%m-%d %H:%M}Z: {shown.refused}"
    if shown.drifted:
        return f"it was found to show {shown.listed}: {shown.drifted.replace('_', ' ')}"
    return ""


def _unasked(product: Product) -> str:
    return "the ERP has not been asked yet" if product.match == Match.UNASKED else ""


def _terms(available: Available, origins: Origins, version: int) -> tuple[TermShown, ...]:
    """The terms of the sum, each with the events behind it; those of a policy with its rule."""
    policy = _newest(origins.policy, lambda event: _is_policy(event, version))
    orders = [origin(each) for each in origins.orders if isinstance(each.event, OrderReceived)]
    said = _newest(origins.products, lambda event: isinstance(event, GATE_EVENTS))
    read = _newest(origins.products, lambda event: isinstance(event, LevelRead))
    kinds = {"LevelRead": read, "SkuConfirmed": said, "SkuUnmatched": said}
    shown = []
    for term in available.terms:
        if term.rests_on == "OrderReceived":
            there, rule = orders, ""
        elif term.rests_on in kinds:
            kind = kinds[term.rests_on]
            there, rule = [kind] if kind else [], ""
        else:
            there, rule = [policy] if policy else [], term.rests_on
        shown.append(
            TermShown(
                name=term.name.value,
                units=term.units,
                why=term.why,
                rule=rule,
                origins=tuple(there),
            )
        )
    return tuple(shown)


def _is_policy(event: Event, version: int) -> bool:
    return isinstance(event, BufferSet | StockPolicyApproved) and event.version == version


def _in_flight(sharing: Sequence[Product], origins: Origins) -> tuple[InFlightShown, ...]:
    seen: dict[str, Origin] = {}
    taken: dict[str, Origin] = {}
    for recorded in origins.orders:
        if isinstance(recorded.event, OrderReceived):
            seen[recorded.event.order_id] = origin(recorded)
        elif isinstance(recorded.event, SalesOrderPosted):
            taken[recorded.event.order_id] = origin(recorded)
    return tuple(
        InFlightShown(
            order_id=each.order_id,
            line_id=each.line_id,
            units=each.units,
            seen=seen.get(each.order_id),
            taken=taken.get(each.order_id),
        )
        for product in sharing
        for each in product.in_flight
    )


def _newest(events: Sequence[Recorded], fits: Callable[[Event], bool]) -> Origin | None:
    return next((origin(each) for each in reversed(events) if fits(each.event)), None)


def origin(recorded: Recorded) -> Origin:
    """Where in the log something stands."""
    return Origin(
        position=recorded.position,
        type=recorded.type,
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        by=recorded.by,
    )
