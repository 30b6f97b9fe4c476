"""Law 4: never offer what is not there.

Promises: what was there is counted by the witness in the ERP's stock book and in the
marketplace's orders, not taken from our figures. A figure is judged at its own reads. Where the
outside showed old orders meanwhile, those count that the log knew; where it showed old levels,
nobody could know better and nothing is judged. Nor is it after a backup was restored, until an
answer leaves the forgotten orders out (`NOTICED_AFTER`: no read shows it sooner); an oversale
is explained by it until every level has been read again (`SWEPT_AFTER`).
Wide, and why: an order that has ended by the end of the run counts in no figure (when it ended
is not kept); a level that was read and lost with its process may be used or not; an oversale is
explained by as many units that left otherwise within two hours, whenever they were published,
and before that for as long as no read of orders was answered: no figure may rest on an old one;
what the speed buffer holds back at rest is that of a poll or of a look of the watch.
Invariant: units count as taken only by a level read that began after the ERP had the order.
Called by `laws/__init__.py`.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from kcjl.orders.events import OrderReceived
from kcjl.sandbox.warehouse.stock import key_of
from kcjl.sandbox.world_truth import OversoldLine, sales_orders_of
from kcjl.stock.conditions import conditions_at
from kcjl.stock.events import Figure, StockImportIntended, stock_key
from kcjl.stock.policy import PolicyDocument
from kcjl.stock.policy_book import POLICY_BOOK, PolicyBook
from kcjl.stock.publishing_state import PUBLISHING, Publishing
from kcjl.stock.reads import READS
from kcjl.stock.selling import held_for_speed
from kcjl.stock.state import PRODUCTS
from tests.simulation.laws.evidence import Checker, Evidence
from tests.simulation.laws.stock_policy import day_of, in_force, policies, said_of
from tests.simulation.laws.switched import stops
from tests.simulation.witness import Call, Outcome

__all__ = ["CHECKERS"]

SETTLED_AFTER = timedelta(minutes=45)
"""A product whose stock and orders have not moved for so long is shown as it is."""
SELLING_LAG = timedelta(hours=2)
"""So long before an oversale a movement of stock explains it: reads, publish and import."""
_ENDED = frozenset({"REFUSED", "CANCELED"})


def window_came_from_a_publish(evidence: Evidence) -> Iterator[str]:
    """What the window was set to came from an intention of ours, figure by figure."""
    intended = {
        (figure.sku, figure.quantity)
        for _, event in evidence.said(StockImportIntended)
        for figure in event.figures
    }
    for call in evidence.witness.of("publish_stock"):
        (figures, *_) = call.arguments
        assert isinstance(figures, list | tuple)
        for figure in figures:
            if (figure.sku, figure.quantity) not in intended:
                yield f"{figure.quantity} of {figure.sku} was published and never intended"


def offered_what_was_there(evidence: Evidence) -> Iterator[str]:
    """Published ≤ level − in flight − buffer, at the reads that it was computed from."""
    reads = _LevelReads(evidence)
    documents = {each.version: each.document for each in policies(evidence)}
    for recorded, event in evidence.said(StockImportIntended):
        for figure in event.figures:
            if figure.orders_read_at > recorded.recorded_at:
                yield f"{figure.sku}: its orders were read after it was published"
            if not figure.quantity:
                continue  # whatever was ordered, nothing is not too much
            if figure.level_read_at and figure.orders_read_at < figure.level_read_at:
                yield f"{figure.sku}: its orders were read before its level"
            document = documents.get(event.policy_version, PolicyDocument())
            kept = _Kept(evidence, document, figure.sku, day_of(event.occurred_at))
            most = reads.most_for(figure, kept, recorded.position)
            if most is None:
                yield f"{figure.quantity} of {figure.sku} was published on no read of its level"
            elif figure.quantity > most:
                yield (
                    f"{figure.quantity} of {figure.sku} was published at "
                    f"{recorded.recorded_at:%d %H:%M:%S}, at most {most} were there "
                    f"(our level {figure.level}, in flight {figure.in_flight}, buffer "
                    f"{figure.buffer}, orders read {figure.orders_read_at:%H:%M:%S})"
                )


class _LevelReads:
    """Every read of levels that was answered, and what it must have seen."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._flights = _Flights(evidence)
        self._calls: dict[str, list[Call]] = {}
        for call in evidence.witness.of("stock_levels"):
            codes = call.arguments[0]
            if call.outcome == Outcome.DONE and isinstance(codes, list | tuple):
                for code in codes:
                    self._calls.setdefault(key_of(str(code)), []).append(call)

    def most_for(self, figure: Figure, kept: "_Kept", position: int) -> float | None:
        """What could be offered of it by who published there; None where no read was."""
        key, read_by = key_of(figure.code or figure.sku), figure.orders_read_at
        if figure.level_read_at is None:
            return None
        before = [
            call
            for call in self._calls.get(key, ())
            if call.ended is not None
            and call.ended <= read_by
            and call.ended > figure.level_read_at  # a long list is asked for in parts
        ]
        lied = self._evidence.witness.lied_between
        if any(lied(call.began, read_by, "levels", "restores") for call in before):
            return math.inf
        most = (self._at(key, call, figure, kept, position) for call in before)
        return max(most, default=None)

    def _at(self, key: str, call: Call, figure: Figure, kept: "_Kept", position: int) -> int:
        witness = self._evidence.witness
        began = max(call.began, figure.level_read_at or call.began)
        levels = witness.levels_between(key, began, call.ended or began)
        hidden = witness.lied_between(call.began, figure.orders_read_at, "orders")
        # The ERP looked at one moment of the call: its level and its orders are of the same.
        could = [
            math.floor(level)
            - self._flights.of(
                key_of(figure.sku),
                taken_before=moment,
                by=figure.orders_read_at,
                known_before=position if hidden else None,
            )
            for moment, level in levels
        ]
        return kept.left_of(max(0, max(could, default=0)))


class _Kept:
    """What a policy keeps back of a SKU, but for its speed."""

    def __init__(
        self, evidence: Evidence, document: PolicyDocument, sku: str, day: date
    ) -> None:
        offer = evidence.world.marketplace.offers.get(sku)
        category = offer.category_code if offer is not None else ""

        def said(term: str) -> object:
            return said_of(document, term, sku, category, day)

        self.fixed = int(str(said("buffer") or 0))
        self.percent = Decimal(str(said("percent") or 0))
        self.service = float(str(said("speed") or 0))
        self.cap = int(str(said("cap") or 0))
        self.multiple = int(str(said("multiple") or 1))
        self.is_offered = said("offer") is not False

    def left_of(self, free: int) -> int:
        """Rounded down, buffers added up; before multiple and cap."""
        if not self.is_offered:
            return 0
        return max(0, free - self.fixed - math.ceil(free * self.percent / 100))

    def trimmed(self, quantity: int, multiple: int, cap: int) -> int:
        """With the ERP's own multiple and cap."""
        multiple = math.lcm(self.multiple, max(multiple, 1))
        bounds = [each for each in (self.cap, cap) if each > 0]
        quantity = min(quantity, *bounds) if bounds else quantity
        return quantity - quantity % multiple


class _Flights:
    """Units on orders, by stock key: when they were placed, and when the ERP took them."""

    def __init__(self, evidence: Evidence) -> None:
        self._of: defaultdict[str, list[_Flight]] = defaultdict(list)
        known = {event.order_id: each.position for each, event in evidence.said(OrderReceived)}
        for order in evidence.world.marketplace.orders.values():
            if order.state in _ENDED:
                continue
            taken = sales_orders_of(evidence.world.warehouse, order)
            taken_at = min((each.created_at for each in taken), default=None)
            for line in order.lines:
                if line.is_live:
                    units = line.quantity - line.not_to_ship
                    flight = _Flight(
                        order.created_at, taken_at, known.get(order.order_id), units
                    )
                    self._of[key_of(line.sku)].append(flight)

    def of(
        self, key: str, *, taken_before: datetime, by: datetime, known_before: int | None
    ) -> int:
        """Of orders placed by then that the ERP did not have when its level was read;
        `known_before`: those only that the log had before a position.
        """
        return sum(
            flight.units
            for flight in self._of.get(key, ())
            if flight.placed_at <= by
            and (flight.taken_at is None or flight.taken_at > taken_before)
            and (
                known_before is None
                or (flight.known_at is not None and flight.known_at < known_before)
            )
        )


class _Flight(NamedTuple):
    """Units of one order line."""

    placed_at: datetime
    taken_at: datetime | None
    known_at: int | None
    """The position at which the log learnt of the order."""
    units: int


def oversold_only_by_others(evidence: Evidence) -> Iterator[str]:
    """More is sold than is there only where the stock moved elsewhere in the meantime.

    Or where a person had stopped all writes, so that the window could not follow.
    """
    stopped = list(stops(evidence))
    for line in evidence.world.buying.oversold:
        if any(
            off <= line.at and (on is None or line.at < on + SELLING_LAG) for off, on in stopped
        ):
            continue
        if not _is_explained(evidence, line):
            yield (
                f"order {line.order_id}: {line.units_oversold} of {line.quantity} {line.sku} "
                f"were sold and not there at {line.at:%d %H:%M:%S}, and nothing explains it"
            )


def _is_explained(evidence: Evidence, line: OversoldLine) -> bool:
    witness = evidence.witness
    since = _could_follow_at(evidence, line.at) - SELLING_LAG
    fell = witness.fell_elsewhere(key_of(line.sku), since, line.at)
    since = line.at - SELLING_LAG
    lied = witness.lied_between(since, line.at, "orders", "levels", "forgotten")
    return fell >= line.units_oversold or lied


def _could_follow_at(evidence: Evidence, at: datetime) -> datetime:
    """When the window could follow the stock last, at the latest then.

    Earlier where reads of orders were tried meanwhile, and none was answered; what nobody
    tried explains nothing.
    """
    could = at
    unanswered_from: datetime | None = None
    for call in evidence.witness.of("orders_updated_since"):
        if call.ended is None or call.ended > at:
            continue
        if call.outcome == Outcome.UNAVAILABLE:
            unanswered_from = unanswered_from or call.began
        elif call.outcome == Outcome.DONE:
            if unanswered_from and call.ended > at - SELLING_LAG:
                could = min(could, unanswered_from)
            unanswered_from = None
    return min(could, unanswered_from or at)


def window_at_rest_is_what_is_there(evidence: Evidence) -> Iterator[str]:
    """At rest the window shows what is there, to the unit, less what the policy holds back."""
    if not evidence.at_rest:
        return
    world = evidence.world
    day = day_of(world.agenda.now)
    policy = in_force(policies(evidence), world.agenda.now, len(evidence.log) + 1)
    document = policy.document if policy else PolicyDocument()
    shown: dict[str, int] = {}
    skus: dict[str, str] = {}
    for sku in world.marketplace.offers:
        skus[key_of(sku)] = sku
        shown[key_of(sku)] = shown.get(key_of(sku), 0) + world.marketplace.offered(sku)
    for key, quantity in shown.items():
        kept = _Kept(evidence, document, skus[key], day)
        there = _available(evidence, key, kept)
        if there is not None and quantity not in there:
            can = " or ".join(map(str, sorted(there)))
            yield f"the window shows {quantity} of {key}, {can} can be sold"


def _available(evidence: Evidence, key: str, kept: _Kept) -> set[int] | None:
    """What can be sold now, whether a watch holds or not; None where it moved a moment ago."""
    world = evidence.world
    sold = evidence.folded(PRODUCTS).get(stock_key(key))
    alias = sold.alias if sold is not None else ""
    item = world.warehouse.stock.find(key) or world.warehouse.stock.find(alias or key)
    if item is None or item.discontinued or not item.stock_controlled:
        return {0}
    settled = world.agenda.now - SETTLED_AFTER
    if item.moved_at > settled or item.revised_at > settled:
        return None
    flying = 0
    for order in world.marketplace.orders.values():
        lines = [line for line in order.lines if key_of(line.sku) == key]
        if any(line.updated_at > settled for line in lines):
            return None
        if lines and order.state not in _ENDED and not _taken(evidence, order.order_id):
            flying += sum(line.quantity - line.not_to_ship for line in lines if line.is_live)
    left = kept.left_of(max(0, math.floor(item.level()) - flying))
    return {
        kept.trimmed(left - held, item.sales_multiple, item.max_display)
        for held in _held_for_speed(evidence, key, left, kept.service)
    }


def _held_for_speed(evidence: Evidence, key: str, left: int, service: float) -> set[int]:
    """What the falls that the log knows hold back of so many, by the policy's own sum."""
    sold = evidence.folded(PRODUCTS).get(stock_key(key))
    selling = sold.selling if sold is not None else None
    if not service or selling is None:
        return {0}
    settings = evidence.stock
    book = evidence.folded(POLICY_BOOK).get("policy") or PolicyBook()
    publishing = evidence.folded(PUBLISHING).get("publishing") or Publishing()
    reads = evidence.folded(READS).get("reads")
    held = set()
    for poll_s in {settings.poll_s, settings.watch_s or settings.poll_s}:
        found = conditions_at(book, publishing, reads, evidence.now, poll_s=poll_s)
        if found is not None:
            lag_s = max(found.lag_s, found.stale_lag_s)
            held.add(held_for_speed(selling, left, lag_s=lag_s, service=service, at=found.at))
    return held


def _taken(evidence: Evidence, order_id: str) -> bool:
    world = evidence.world
    return bool(sales_orders_of(world.warehouse, world.marketplace.orders[order_id]))


CHECKERS = (
    Checker(4, "window", window_came_from_a_publish),
    Checker(4, "figures", offered_what_was_there),
    Checker(4, "oversales", oversold_only_by_others),
    Checker(4, "window at rest", window_at_rest_is_what_is_there),
)
