"""The SKUs: what can be sold of each, what is shown, what is in the way, and why.

Promises: the order is the source's (what needs a person first); a standing is a sign and a
word; each term of a sum names the events that it rests on by their position, so that `:#1234`
opens one. It works out no figure. Called by the stock screen.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from kcjl.readmodels_stock import ProductRow, ProductsCut, ProductStory
from kcjl.stock.explained import Explained, InFlightShown, OfferStanding, Origin, TermShown
from kcjl.stock.story import plain as units_text
from tui.model.amounts import count_text, cut_text
from tui.model.filtering import Filter, FilterFields
from tui.model.moments import Zone, clock_text, full_text, span_text
from tui.model.plain import plain
from tui.model.shapes import Cell, Column, DetailLine, DetailView, Row, Tone

__all__ = [
    "PRODUCT_COLUMNS",
    "PRODUCT_FIELDS",
    "matching_products",
    "product_detail",
    "product_key",
    "product_row",
    "products_title",
]

_STANDINGS = {
    "refused": Cell("✖ refused", Tone.BAD),
    "drifted": Cell("▲ drifted", Tone.BAD),
    "unmatched": Cell("✖ no code", Tone.WARN),
    "stale": Cell("▲ stale", Tone.WARN),
    "unasked": Cell("? unasked", Tone.MUTED),
    "confirmed": Cell("● matched", Tone.GOOD),
}
_NONE = Cell("-", Tone.MUTED)
_ORIGINS_SHOWN = 6
"""Events behind one term; a term of many orders says how many more there are."""

PRODUCT_COLUMNS = (
    Column(title="STATE", width_min=9, width_max=10),
    Column(title="SKU", width_min=12, width_max=24),
    Column(title="CAN SELL", width_min=8, width_max=9, right=True),
    Column(title="SHOWN", width_min=6, width_max=8, right=True),
    Column(title="LEVEL", width_min=6, width_max=9, right=True),
    Column(title="IN FLIGHT", width_min=9, width_max=9, right=True, rank=1),
    Column(title="HELD", width_min=5, width_max=7, right=True, rank=1),
    Column(title="SENT", width_min=5, width_max=8, right=True, rank=3),
    Column(title="ACK AGE", width_min=7, width_max=8, right=True, rank=1),
    Column(title="CODE", width_min=12, width_max=20, rank=4),
    Column(title="NOTE", width_min=36, width_max=400, rank=2),
)


def _standing(row: ProductRow) -> str:
    if row.state == "refused":
        return "refused"
    if row.drifted:
        return "drifted"
    return "stale" if row.stale and row.state == "confirmed" else row.state


def _note(row: ProductRow) -> str:
    return "; ".join(each for each in (row.reason, row.waits_for) if each)


def _seconds(then: datetime | None, now: datetime) -> Decimal | None:
    return None if then is None else Decimal(int((now - then).total_seconds()))


def _figure(figure: int | Decimal | None) -> Decimal | None:
    return None if figure is None else Decimal(figure)


PRODUCT_FIELDS: FilterFields[ProductRow] = FilterFields(
    texts={
        "sku": lambda row: row.sku,
        "code": lambda row: row.stock_code,
        "state": lambda row: f"{row.state} {_standing(row)}",
        "alias": lambda row: row.alias,
        "note": _note,
    },
    measures={
        "sell": lambda row, _now: Decimal(row.can_be_sold),
        "shown": lambda row, _now: _figure(row.shown),
        "level": lambda row, _now: _figure(row.level),
        "flight": lambda row, _now: Decimal(row.in_flight),
        "held": lambda row, _now: Decimal(row.held_back),
        "sent": lambda row, _now: _figure(row.sent),
        "age": lambda row, now: _seconds(row.acknowledged_at, now),
    },
    aliases={"can": "sell", "sold": "sell", "buffer": "held", "is": "state", "ack": "age"},
)


def product_key(row: ProductRow) -> str:
    return row.key


def product_row(row: ProductRow, now: datetime) -> Row:
    acked = row.acknowledged_at
    differs = row.shown is not None and row.shown != row.can_be_sold
    return Row(
        key=row.key,
        cells=(
            _STANDINGS.get(_standing(row)) or Cell(f"? {plain(row.state)}", Tone.WARN),
            Cell(plain(row.sku), Tone.ACCENT),
            Cell(count_text(row.can_be_sold), Tone.PLAIN if row.can_be_sold else Tone.WARN),
            Cell("?", Tone.WARN)
            if row.shown is None
            else Cell(count_text(row.shown), Tone.WARN if differs else Tone.PLAIN),
            _NONE if row.level is None else Cell(units_text(row.level)),
            Cell(count_text(row.in_flight)) if row.in_flight else _NONE,
            Cell(count_text(row.held_back)) if row.held_back else _NONE,
            _NONE if row.sent is None else Cell(count_text(row.sent)),
            Cell("never", Tone.MUTED)
            if acked is None
            else Cell(span_text(max(now - acked, now - now)), Tone.MUTED),
            Cell(plain(row.stock_code) or "-", Tone.MUTED),
            Cell(plain(_note(row))),
        ),
    )


def matching_products(
    cut: ProductsCut | None, wanted: Filter[ProductRow], now: datetime
) -> tuple[ProductRow, ...]:
    rows = () if cut is None else cut.rows
    return tuple(row for row in rows if wanted.matches(row, now)) if wanted else rows


def products_title(cut: ProductsCut | None, matching: int | None) -> str:
    if cut is None:
        return "Stock"
    return cut_text(len(cut.rows), cut.total, of="SKU", matching=matching)


def stopped_cell(cut: ProductsCut | None) -> Cell:
    """Why no figure goes out now, for the list's frame."""
    if cut is None or not cut.stopped:
        return Cell("")
    return Cell(
        f"▲ nothing is published: {plain(cut.stopped.partition(': kcjl ')[0])}", Tone.BAD
    )


# ── all about one ───────────────────────────────────────────────────────────────────────────


def product_detail(
    row: ProductRow, story: ProductStory | None, now: datetime, zone: Zone
) -> DetailView:
    standing = _STANDINGS.get(_standing(row)) or Cell(plain(row.state))
    lines = [
        DetailLine(label="can be sold", value=count_text(row.can_be_sold)),
        DetailLine(label="standing", value=standing.text, tone=standing.tone),
    ]
    if row.waits_for:
        lines.append(DetailLine(label="but", value=plain(row.waits_for), tone=Tone.WARN))
    if story is None:
        lines.append(DetailLine(label="the sum", value="being read…", tone=Tone.MUTED))
    else:
        lines += _sum_lines(story.sum, now, zone)
        for offer in story.sum.offers:
            lines += _offer_lines(offer, now, zone)
        lines += _flying(story.sum.in_flight, now, zone)
        lines += _around(story.sum, now, zone)
        lines += _history(story, now, zone)
    return DetailView(key=row.key, title=plain(row.sku), lines=tuple(lines))


def _sum_lines(found: Explained, now: datetime, zone: Zone) -> Iterable[DetailLine]:
    yield DetailLine(label="Why so many", value="", block=True)
    for place, term in enumerate(found.terms):
        sign = "" if not place else "−" if term.units < 0 else "+"
        units = f"{sign} {count_text(abs(term.units))}".strip()
        yield DetailLine(label=plain(term.name), value=f"{units:>7}  {plain(term.why)}")
        yield from _resting(term, now, zone)
    yield DetailLine(
        label="can be sold", value=f"{'= ' + count_text(found.quantity):>7}", tone=Tone.ACCENT
    )
    if found.gate != "open":
        yield DetailLine(label="gate", value=f"shut: {plain(found.gate)}", tone=Tone.WARN)


def _resting(term: TermShown, now: datetime, zone: Zone) -> Iterable[DetailLine]:
    if term.rule:
        yield DetailLine(label="", value=f"├ rule «{plain(term.rule)}»", tone=Tone.MUTED)
    shown = term.origins[-_ORIGINS_SHOWN:]
    for place, origin in enumerate(shown):
        last = place == len(shown) - 1 and len(shown) == len(term.origins)
        said = f"{'└' if last else '├'} {_told(origin, now, zone)}"
        yield DetailLine(label="", value=said, tone=Tone.MUTED)
    more = len(term.origins) - len(shown)
    if more:
        yield DetailLine(label="", value=f"└ and {more:,} before", tone=Tone.MUTED)


def _told(origin: Origin, now: datetime, zone: Zone) -> str:
    return f"#{origin.position} {plain(origin.type)} · {_clocks(origin, now, zone)}"


def _clocks(origin: Origin, now: datetime, zone: Zone) -> str:
    """When it was true, and where that differs, when we learnt it."""
    true = clock_text(origin.occurred_at, zone, now)
    learnt = clock_text(origin.recorded_at, zone, now)
    return true if true == learnt else f"{true}, learnt {learnt}"


def _offer_lines(offer: OfferStanding, now: datetime, zone: Zone) -> Iterable[DetailLine]:
    yield DetailLine(label=f"Offer {plain(offer.sku)}", value="", block=True)
    shown = "not known" if offer.shown is None else count_text(offer.shown)
    yield DetailLine(label="shows", value=shown)
    if offer.acknowledged is not None:
        yield DetailLine(
            label="acknowledged",
            value=f"{count_text(offer.acknowledged)}, {_ago(offer.acknowledged_at, now, zone)}",
        )
    elif offer.listed is not None:
        yield DetailLine(label="was listed", value=f"with {count_text(offer.listed)}")
    if offer.sent is not None:
        yield DetailLine(label="on its way", value=count_text(offer.sent), tone=Tone.ACCENT)
    if offer.lag_s is not None:
        yield DetailLine(label="lag", value=f"{offer.lag_s:,.0f}s from the read to that")
    if offer.waits_for:
        yield DetailLine(label="but", value=plain(offer.waits_for), tone=Tone.WARN)
    if offer.inactive:
        why = ", ".join(map(plain, offer.inactive))
        yield DetailLine(label="not for sale", value=why, tone=Tone.WARN)


def _flying(
    lines: tuple[InFlightShown, ...], now: datetime, zone: Zone
) -> Iterable[DetailLine]:
    if lines:
        yield DetailLine(label="In flight", value="", block=True)
    for each in lines:
        yield DetailLine(
            label=f"{count_text(each.units)} unit{'' if each.units == 1 else 's'}",
            value=f"order {plain(each.order_id)}, line {plain(each.line_id)}",
        )
        if each.seen:
            yield DetailLine(label="", value=f"├ seen {_told(each.seen, now, zone)}")
        taken = _told(each.taken, now, zone) if each.taken else "not by the ERP yet"
        yield DetailLine(label="", value=f"└ taken {taken}", tone=Tone.MUTED)


def _around(found: Explained, now: datetime, zone: Zone) -> Iterable[DetailLine]:
    yield DetailLine(label="What it rests on", value="", block=True)
    yield DetailLine(label="stock code", value=plain(found.stock_code) or "none")
    if found.alias:
        yield DetailLine(label="stands for", value=f"{plain(found.alias)}, as a person said")
    if found.shares_with:
        shared = ", ".join(map(plain, found.shares_with))
        yield DetailLine(label="shares with", value=shared)
    if found.nearest:
        near = "; ".join(f"{plain(each.code)} ({plain(each.reason)})" for each in found.nearest)
        yield DetailLine(label="near codes", value=near, tone=Tone.ACCENT)
    yield DetailLine(label="policy", value=f"version {found.policy_version}")
    yield DetailLine(label="lag covered", value=f"{found.lag_s:,.0f}s, from read to shown")
    yield DetailLine(label="level read", value=_ago(found.level_read_at, now, zone))
    yield DetailLine(label="orders read", value=_ago(found.orders_read_at, now, zone))
    yield DetailLine(label="as of", value=f"#{found.position}", tone=Tone.MUTED)


def _history(story: ProductStory, now: datetime, zone: Zone) -> Iterable[DetailLine]:
    if story.steps:
        yield DetailLine(label="How it came about, newest first", value="", block=True)
    for step in reversed(story.steps):
        origin = step.origin
        yield DetailLine(label=f"#{origin.position}", value=plain(step.said))
        yield DetailLine(
            label="",
            value=f"└ {_clocks(origin, now, zone)} · by {plain(origin.by)}",
            tone=Tone.MUTED,
        )


def _ago(then: datetime | None, now: datetime, zone: Zone) -> str:
    if then is None:
        return "never"
    return f"{span_text(max(now - then, now - now))} ago, {full_text(then, zone)}"
