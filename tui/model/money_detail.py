"""All about one payout: its sum, its gaps, its journals, its life; and each penny's way.

Promises: a part of a sum names the event that it rests on (#1234); both clocks stand where they
differ; what was cut says so. It adds nothing up. Called by the money screen.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from kcjl.readmodels_money import (
    BuildUp,
    DayTotal,
    Gap,
    Journal,
    PayoutMoment,
    PayoutRow,
    PayoutStory,
    PennyWay,
    Term,
)
from tui.model.amounts import amount_text, count_text, money_text
from tui.model.moments import Zone, date_text, full_text, span_text
from tui.model.money import OPEN_KEY, state_cell
from tui.model.plain import plain
from tui.model.shapes import DetailLine, DetailView, Tone

__all__ = ["open_detail", "payout_detail", "ways_detail"]

BAR = 12
"""Cells of the longest bar."""
CLOCKS_DIFFER = timedelta(seconds=1)


def payout_detail(
    row: PayoutRow, story: PayoutStory | None, now: datetime, zone: Zone
) -> DetailView:
    """The facts of the row at once, and the whole account when it has come."""
    lines = [*_facts(row, now, zone)]
    if story is None:
        lines.append(DetailLine(label="account", value="reading…", tone=Tone.MUTED))
    else:
        lines += _account(story, zone)
    return DetailView(key=row.payout, title=f"payout {plain(row.payout)}", lines=tuple(lines))


def ways_detail(
    row: PayoutRow, story: PayoutStory | None, ways: Sequence[PennyWay] | None
) -> DetailView:
    """Why it is this much: the sum with its events, then the first pennies' ways."""
    lines = list(_sum_lines(story)) if story is not None else []
    if ways is None:
        lines.append(DetailLine(label="ways", value="reading…", tone=Tone.MUTED))
    else:
        lines.append(DetailLine(label="EACH PENNY'S WAY", value="", block=True))
        lines += [_way(each) for each in ways]
        said = f"The first {len(ways)}; the filter's first word finds others. w: the account."
        lines.append(DetailLine(label="", value=said, tone=Tone.MUTED))
    return DetailView(
        key=f"{row.payout} why", title=f"why payout {plain(row.payout)}", lines=tuple(lines)
    )


def open_detail(item: BuildUp, now: datetime, zone: Zone) -> DetailView:
    """What builds up: by day, then the orders that wait longest."""
    payable = ", ".join(map(money_text, item.payable)) or "-"
    lines = [
        DetailLine(label="all of it", value=", ".join(map(money_text, item.amounts)) or "-"),
        DetailLine(label="payable", value=f"{payable}: the next payout may take it"),
        DetailLine(label="lines", value=count_text(item.lines)),
    ]
    if item.oldest_at is not None:
        age = span_text(now - item.oldest_at)
        lines.append(
            DetailLine(label="oldest", value=f"{date_text(item.oldest_at, zone)}, {age} ago")
        )
    if item.days:
        lines.append(
            _tree("BUILD-UP BY DAY (London): sum so far, and the day", _bars(item.days))
        )
    waiting = [
        (
            f"{money_text(each.amount):>14}  {plain(each.order_id) or 'of no order'}: "
            f"{span_text(now - each.since)}, {_lines(each.lines)}, {plain(each.payment_state)}"
        )
        for each in item.waiting
    ]
    more = item.waiting_total - len(waiting)
    if more > 0:
        waiting.append(f"… and {count_text(more)} more (kcjl payouts list --unpaid has all)")
    lines.append(_tree("WAITING LONGEST", waiting))
    return DetailView(key=OPEN_KEY, title="on no payout yet", lines=tuple(lines))


# ── parts ───────────────────────────────────────────────────────────────────────────────────


def _facts(row: PayoutRow, now: datetime, zone: Zone) -> Iterator[DetailLine]:
    state = state_cell(row)
    yield DetailLine(label="state", value=f"{state.text} ({plain(row.state)})", tone=state.tone)
    if row.note:
        yield DetailLine(label="note", value=plain(row.note), tone=Tone.WARN)
    age = span_text(now - row.began_at)
    yield DetailLine(label="cycle of", value=f"{date_text(row.began_at, zone)}, {age} ago")
    paid = full_text(row.paid_at, zone) if row.paid_at is not None else plain(row.paid)
    yield DetailLine(label="paid", value=paid)
    yield DetailLine(label="reference", value=plain(row.reference) or "none yet")
    yield DetailLine(label="stated", value=money_text(row.stated))
    yield DetailLine(label="expected", value=money_text(row.expected))
    yield DetailLine(label="banked", value=money_text(row.banked))
    tone = Tone.BAD if row.residue else Tone.PLAIN
    yield DetailLine(label="residue", value=money_text(row.residue), tone=tone)
    if row.to_enter:
        entered = ", ".join(map(plain, row.to_enter))
        yield DetailLine(label="to enter", value=f"▲ {entered}", tone=Tone.WARN)


def _account(story: PayoutStory, zone: Zone) -> Iterator[DetailLine]:
    yield from _sum_lines(story)
    if story.gaps:
        yield _tree("GAPS", _gap_lines(story))
    if story.untied:
        yield _tree("TIED TO NO ORDER", [plain(each) for each in story.untied])
    for each in story.journals:
        yield _journal(each)
    if story.receipts:
        said = [
            f"{each.number}: {money_text(each.amount)} on {each.received_on}, "
            f"{plain(each.said)}"
            for each in story.receipts
        ]
        yield _tree("IN THE BANK", said)
    moments = [_moment(each, zone) for each in story.moments]
    older = story.moments_total - len(moments)
    if older > 0:
        moments.insert(0, f"… {count_text(older)} older: filter the log by its stream")
    yield _tree("LIFE", moments)


def _sum_lines(story: PayoutStory) -> Iterator[DetailLine]:
    sums = [_term(each) for each in story.terms]
    sums.append(f"{money_text(story.payout.stated):>14}  = stated")
    yield _tree("THE SUM", sums)


def _term(term: Term) -> str:
    place = f"  #{term.position}" if term.position is not None else ""
    name = plain(term.name).replace("_", " ").lower()
    return f"{money_text(term.amount):>14}  {name}: {plain(term.why)}{place}"


def _gap_lines(story: PayoutStory) -> list[str]:
    lines = [_gap(each) for each in story.gaps]
    more = story.gaps_total - len(lines)
    return [*lines, f"… and {count_text(more)} more"] if more > 0 else lines


def _gap(gap: Gap) -> str:
    kind, since = gap.kind.replace("_", " "), plain(gap.ended) or "stands"
    return (
        f"{money_text(gap.amount):>14}  {kind} {plain(gap.subject)}: {plain(gap.said)} "
        f"(charged {money_text(gap.charged)}, expected {money_text(gap.expected)}; {since})"
        f"  #{gap.position}"
    )


def _journal(journal: Journal) -> DetailLine:
    undone = f", undone by {plain(journal.undone_by)}" if journal.undone_by else ""
    place = f"  #{journal.position}" if journal.position is not None else ""
    entries = [
        (
            f"{'debit' if each.debit else 'credit':<6} "
            f"{money_text(each.debit or each.credit):>14}  {plain(each.account)}, "
            f"{plain(each.memo)}" + (f" ({plain(each.tax_code)})" if each.tax_code else "")
        )
        for each in journal.entries
    ]
    head = f"{plain(journal.narrative)}\n{journal.posting_date}: {plain(journal.place)}"
    return DetailLine(
        label=f"JOURNAL {plain(journal.reference)} ({plain(journal.kind)})",
        value="\n".join((f"{head}{undone}{place}", *_branches(entries))),
        block=True,
    )


def _moment(each: PayoutMoment, zone: Zone) -> str:
    """Both clocks, where what happened was learnt later."""
    happened = full_text(each.occurred_at, zone)
    later = each.recorded_at - each.occurred_at > CLOCKS_DIFFER
    learnt = f", learnt {full_text(each.recorded_at, zone)}" if later else ""
    return f"#{each.position} {plain(each.type)} {happened}{learnt}, by {plain(each.by)}"


def _way(way: PennyWay) -> DetailLine:
    steps = [
        f"{'  ' * depth}└ {plain(step.at)} {plain(step.name)}: {plain(step.said)}"
        for depth, step in enumerate(way.steps)
    ]
    return DetailLine(
        label=f"{money_text(way.amount)}  {plain(way.line_id)}",
        value="\n".join(steps),
        block=True,
    )


def _bars(days: Sequence[DayTotal]) -> list[str]:
    """What there was at each day's end: a bar, the sum so far, and what the day brought."""
    sums = [days[0].amount]
    for each in days[1:]:
        sums.append(sums[-1] + each.amount)
    top = max(1, *(each.amount_minor for each in sums))
    return [
        f"{day.day:%m-%d} {'█' * _length(total.amount_minor, top):<{BAR}} "
        f"{money_text(total):>14} {_signed(day)}"
        for day, total in zip(days, sums, strict=True)
    ]


def _signed(day: DayTotal) -> str:
    sign = "+" if day.amount.amount_minor >= 0 else ""
    return f"{sign}{amount_text(day.amount, day.amount.currency)}"


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count_text(count)} lines"


def _length(minor: int, top: int) -> int:
    return max(0, -(-minor * BAR // top)) if minor > 0 else 0


def _tree(label: str, lines: Sequence[str]) -> DetailLine:
    return DetailLine(label=label, value="\n".join(_branches(lines)) or "none", block=True)


def _branches(lines: Sequence[str]) -> list[str]:
    last = len(lines) - 1
    return [f"{'└' if place == last else '├'} {line}" for place, line in enumerate(lines)]
