"""Available to sell: the figure of one stock code as a sum of named terms, and its sharing out.

Promises: pure; the terms add up to the quantity, and the quantity is never above
max(0, floor(level) - in flight) less the buffers (law 4): the type checks both, always. More
in flight, or a wider buffer, never offers more. Order and rounding: docs/stock.md.
It does not: decide when a figure is sent (`decide.py`), or read a policy (`policy_rules.py`).
Called by the stock actor, the preview of policies and `explain`. Source: design 6.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from kcjl.stock.policy_rules import InForce
from kcjl.stock.selling import Selling, held_for_speed
from kcjl.stock.state import STATUS_DISCONTINUED, Match, Product

__all__ = [
    "Available",
    "Circumstances",
    "Shelf",
    "Staleness",
    "Term",
    "TermName",
    "available_to_sell",
    "dealt_out",
    "shelf_of",
]

STATUS_NON_CONTROLLED = 5
PERCENT = 100
NEVER = datetime.min.replace(tzinfo=UTC)


class TermName(StrEnum):
    """What a term of the sum is for, in the order of the sum."""

    LEVEL = "level"
    PARTS = "parts of units"
    IN_FLIGHT = "in flight"
    BELOW_ZERO = "below zero"
    BUFFER = "buffer"
    PERCENT = "percent"
    SPEED = "speed"
    STALE = "stale"
    MULTIPLE = "sales multiple"
    CAP = "display cap"
    GATE = "gate"


THERE = (TermName.LEVEL, TermName.PARTS, TermName.IN_FLIGHT)
HELD = (TermName.BUFFER, TermName.PERCENT, TermName.SPEED, TermName.STALE)


class Staleness(StrEnum):
    """How old the stock feed is: within its limits, past the soft one, past the hard one."""

    FRESH = "fresh"
    SOFT = "soft"
    HARD = "hard"


class Term(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One term of the sum."""

    name: TermName
    units: int
    """Signed: what it adds."""
    why: str
    rests_on: str
    """The kind of the event, or the rule of the policy, that it comes from."""


class Available(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Available to sell of one stock code. Raises ValueError when the sum is not the figure."""

    quantity: int
    terms: tuple[Term, ...]
    level: Decimal = Decimal(0)
    """Of all sites, as it was read."""
    multiple: int = 1
    """Sold by so many: shares of the figure are whole multiples."""
    is_stale: bool = False
    """Nothing is offered because the stock feed is stale."""

    def __post_init__(self) -> None:
        total = there = held = 0
        for term in self.terms:
            total += term.units
            if term.name in THERE:
                there += term.units
            elif term.name in HELD:
                held += term.units
        bound = max(0, max(0, there) + held)
        if total != self.quantity or not 0 <= self.quantity <= bound:
            raise ValueError(
                f"a figure of {self.quantity} whose terms add up to {total}, "
                f"where at most {bound} may be offered: a fault of kcjl, publish nothing"
            )

    def of(self, *names: TermName) -> int:
        """What the terms of these names add."""
        return sum(term.units for term in self.terms if term.name in names)

    @property
    def held(self) -> int:
        """Units that buffers hold back."""
        return -self.of(*HELD)

    @property
    def reason(self) -> str:
        """Why it is not for sale at all; empty where it is."""
        return next((term.why for term in self.terms if term.name is TermName.GATE), "")


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one stock code, whichever offers sell it."""

    levels: tuple[tuple[str, Decimal], ...] = ()
    in_flight: int = 0
    """Over all offers of the stock code."""
    sales_multiple: int | None = None
    display_cap: int | None = None
    """Both the ERP's; None, 0: none."""
    closed: str = ""
    """Why it is not for sale; empty where it is."""
    closed_by: str = ""
    """The kind of the event that says so."""


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What else the sum depends on, at one moment."""

    rules: InForce
    at: datetime
    selling: Selling | None = None
    lag_s: float = 0
    """What the speed buffer covers."""
    staleness: Staleness = Staleness.FRESH
    stale_lag_s: float = 0
    """The same with the age of the feed in it; looked at when the feed is stale."""


def shelf_of(products: Sequence[Product]) -> Shelf:
    """The shelf that products of one stock code share: spellings, aliases, several offers.

    What the ERP said last counts; what one of them has in flight, all have.
    """
    known = [each for each in products if each.match is Match.CONFIRMED]
    in_flight = sum(each.units_in_flight for each in products)
    if not known:
        return Shelf(
            in_flight=in_flight,
            closed="the ERP does not know this SKU",
            closed_by="SkuUnmatched",
        )
    read = [each for each in known if each.levels is not None]
    last = max(
        read or known,
        key=lambda each: (each.level_read_at or NEVER, each.key),
    )
    closed, closed_by = _closed(known, last)
    multiples = [each.sales_multiple for each in known if (each.sales_multiple or 0) > 1]
    caps = [each.display_cap for each in known if (each.display_cap or 0) > 0]
    return Shelf(
        levels=last.levels or (),
        in_flight=in_flight,
        sales_multiple=math.lcm(*(each for each in multiples if each)) if multiples else None,
        display_cap=min(each for each in caps if each) if caps else None,
        closed=closed,
        closed_by=closed_by,
    )


def _closed(known: Sequence[Product], last: Product) -> tuple[str, str]:
    if any(each.discontinued for each in known):
        return "discontinued in the ERP", "SkuConfirmed"
    if last.status == STATUS_DISCONTINUED:
        return "discontinued in the ERP", "LevelRead"
    uncontrolled = "not stock-controlled in the ERP: no quantity is known"
    if not all(each.stock_controlled for each in known):
        return uncontrolled, "SkuConfirmed"
    if last.status == STATUS_NON_CONTROLLED:
        return uncontrolled, "LevelRead"
    if last.levels is None:
        return "the ERP has given no level for it", "SkuConfirmed"
    return "", ""


def available_to_sell(shelf: Shelf, now: Circumstances) -> Available:
    """The sum: levels, in flight, buffers, multiple and cap, gate. Never below 0."""
    terms = _there(shelf)
    free = _total(terms)
    held = _held(free, now)
    left = free + _total(held)
    trimmed = _trimmed(left, shelf, now.rules)
    left += _total(trimmed)
    terms += held + trimmed
    shut, rests_on = _gate(shelf, now)
    too_fast = "" if shut else _too_fast(now)
    if too_fast:
        rests_on = now.rules.rule_of("fast_mover_units_a_day")
    if why := shut or too_fast:
        terms.append(Term(name=TermName.GATE, units=-left, why=why, rests_on=rests_on))
        left = 0
    return Available(
        quantity=left,
        terms=tuple(terms),
        level=sum((level for _, level in shelf.levels), Decimal(0)),
        multiple=_multiple(shelf, now.rules),
        is_stale=bool(too_fast),
    )


def dealt_out(quantity: int, offers: int, *, multiple: int = 1) -> tuple[int, ...]:
    """A figure shared out over offers in whole sales multiples; the first have one more.

    >>> dealt_out(20, 3, multiple=4)
    (8, 8, 4)
    """
    share, more = divmod(quantity // multiple, offers)
    return tuple((share + (number < more)) * multiple for number in range(offers))


# ── the terms ───────────────────────────────────────────────────────────────────────────────


def _total(terms: Sequence[Term]) -> int:
    return sum([term.units for term in terms])


def _there(shelf: Shelf) -> list[Term]:
    terms = [
        Term(
            name=TermName.LEVEL,
            units=math.floor(level),
            why=f"site {site} has {level.normalize():f} free to sell",
            rests_on="LevelRead",
        )
        for site, level in shelf.levels
    ]
    whole = math.floor(sum([level for _, level in shelf.levels]))
    if parts := whole - _total(terms):
        why = "parts of units of several sites make whole ones"
        terms.append(Term(name=TermName.PARTS, units=parts, why=why, rests_on="LevelRead"))
    if shelf.in_flight:
        why = "units of marketplace orders that the ERP has not taken off its level"
        terms.append(
            Term(
                name=TermName.IN_FLIGHT,
                units=-shelf.in_flight,
                why=why,
                rests_on="OrderReceived",
            )
        )
    if (left := _total(terms)) < 0:
        why = "more is promised than is there"
        terms.append(Term(name=TermName.BELOW_ZERO, units=-left, why=why, rests_on="LevelRead"))
    return terms


def _held(free: int, now: Circumstances) -> list[Term]:
    """Fixed and percent of what is free; speed and stale of what those leave."""
    rules, left = now.rules, free
    terms: list[Term] = []

    def hold(name: TermName, wanted: int, why: str, term: str) -> int:
        units = min(wanted, left)
        if units > 0:
            rests_on = rules.rule_of(term)
            terms.append(Term(name=name, units=-units, why=why, rests_on=rests_on))
        return left - max(units, 0)

    if rules.buffer:
        left = hold(TermName.BUFFER, rules.buffer, f"a buffer of {rules.buffer}", "buffer")
    if rules.percent:
        percent = math.ceil(free * rules.percent / PERCENT)
        why = f"{rules.percent.normalize():f} % of {free}"
        left = hold(TermName.PERCENT, percent, why, "percent")
    if rules.speed is None or now.selling is None:
        return terms
    base, service = left, float(rules.speed)
    speed = held_for_speed(now.selling, base, lag_s=now.lag_s, service=service, at=now.at)
    if speed:
        why = f"sells on in a lag of {now.lag_s:.0f} s; service level {rules.speed:f}"
        left = hold(TermName.SPEED, speed, why, "speed")
    if now.staleness is not Staleness.FRESH:
        lag_s = max(now.lag_s, now.stale_lag_s)
        stale = held_for_speed(now.selling, base, lag_s=lag_s, service=service, at=now.at)
        why = f"the stock feed is stale: the lag is {lag_s:.0f} s"
        hold(TermName.STALE, stale - speed, why, "speed")
    return terms


def _multiple(shelf: Shelf, rules: InForce) -> int:
    return math.lcm(max(1, shelf.sales_multiple or 1), rules.multiple)


def _trimmed(left: int, shelf: Shelf, rules: InForce) -> list[Term]:
    """Whole sales multiples that fit below the cap: what is shown is a multiple, too."""
    terms = []
    multiple = _multiple(shelf, rules)
    odd = left % multiple
    if odd:
        why = f"sold by the {multiple}"
        rests_on = rules.rule_of("multiple") or "SkuConfirmed"
        terms.append(Term(name=TermName.MULTIPLE, units=-odd, why=why, rests_on=rests_on))
        left -= odd
    caps = [each for each in (shelf.display_cap, rules.cap) if each is not None and each > 0]
    cap = min(caps, default=left)
    cap -= cap % multiple
    if left > cap:
        rests_on = rules.rule_of("cap") if rules.cap == min(caps) else "SkuConfirmed"
        why = f"no more than {min(caps)} are shown"
        terms.append(Term(name=TermName.CAP, units=cap - left, why=why, rests_on=rests_on))
    return terms


def _gate(shelf: Shelf, now: Circumstances) -> tuple[str, str]:
    """Why nothing is offered, and what says so."""
    rules = now.rules
    if shelf.closed:
        return shelf.closed, shelf.closed_by
    if not rules.offer:
        return "the policy offers none", rules.rule_of("offer")
    return "", ""


def _too_fast(now: Circumstances) -> str:
    """Why a fast mover is not offered while the feed is stale; empty where it is."""
    fast = now.rules.fast_mover_units_a_day
    if now.staleness is not Staleness.HARD or fast is None or now.selling is None:
        return ""
    a_day = now.selling.units_a_day(now.at)
    return f"the stock feed is stale, and it sells {a_day:.1f} a day" if a_day >= fast else ""
