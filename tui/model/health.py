"""The service's health: a row for each thing that is watched, and all about it.

Promises: the order is the source's (what is wrong first); how it stands is a sign and a word;
a curve names its unit, its step and its most; what has no past says so when another time is
looked at. Called by the health screen.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from kcjl.readmodels_health import Fault, HealthReading, HealthRow, Series
from tui.model.amounts import count_text
from tui.model.filtering import Filter, FilterFields
from tui.model.moments import Zone, full_text, span_text
from tui.model.plain import plain
from tui.model.shapes import Cell, Column, DetailLine, DetailView, Row, Tone
from tui.model.sparkline import sparkline

__all__ = [
    "HEALTH_COLUMNS",
    "HEALTH_FIELDS",
    "health_detail",
    "health_row",
    "health_title",
    "matching_health",
]

CURVE = 24
"""Steps of a curve in the list."""
CURVE_DETAIL = 60
CHART_ROWS = 6
NO_PAST = "as it is now, not as of then"
CLOCKS_DIFFER = timedelta(seconds=1)

HEALTH_COLUMNS = (
    Column(title="STATE", width_min=6, width_max=6),
    Column(title="WHAT", width_min=7, width_max=11),
    Column(title="NAME", width_min=14, width_max=28),
    Column(title="LAST", width_min=7, width_max=8, right=True),
    Column(title="CURVE", width_min=CURVE, width_max=CURVE, rank=2),
    Column(title="HOW IT STANDS", width_min=30, width_max=400),
)

_STANDINGS = {
    "bad": Cell("✖ BAD", Tone.BAD),
    "warn": Cell("▲ LOOK", Tone.WARN),
    "ok": Cell("● OK", Tone.GOOD),
    "unknown": Cell("? -", Tone.MUTED),
}

HEALTH_FIELDS: FilterFields[HealthRow] = FilterFields(
    texts={
        "state": lambda row: _STANDINGS[row.standing].text,
        "what": lambda row: row.group,
        "name": lambda row: row.name,
        "says": lambda row: row.said,
    },
    measures={
        "age": lambda row, now: (
            None if row.at is None else Decimal(int((now - row.at).total_seconds()))
        ),
        "faults": lambda row, _now: Decimal(len(row.faults)),
    },
    aliases={"group": "what", "kind": "what", "last": "age"},
)


def health_row(row: HealthRow, now: datetime, *, past: bool) -> Row:
    """`past`: another time than now is looked at."""
    standing, said = _STANDINGS[row.standing], plain(row.said)
    if past and not row.has_past:
        standing, said = _STANDINGS["unknown"], f"{NO_PAST}: {said}"
    return Row(
        key=row.key,
        cells=(
            standing,
            Cell(plain(row.group), Tone.MUTED),
            Cell(plain(row.name), Tone.ACCENT),
            _last(row, now, past=past),
            Cell(sparkline(row.series[0].counts, CURVE) if row.series else ""),
            Cell(said),
        ),
    )


def matching_health(
    reading: HealthReading | None, wanted: Filter[HealthRow], now: datetime
) -> Sequence[HealthRow]:
    rows = () if reading is None else reading.rows
    return tuple(row for row in rows if wanted.matches(row, now)) if wanted else rows


def health_title(reading: HealthReading | None, matching: int | None) -> str:
    if reading is None:
        return "Health"
    shown = len(reading.rows)
    if matching is not None:
        return f"{count_text(matching)} of {count_text(shown)} watched match"
    bad = sum(row.standing == "bad" for row in reading.rows)
    look = sum(row.standing == "warn" for row in reading.rows)
    said = f"✖ {bad} wrong" if bad else "● nothing is wrong"
    more = f", ▲ {look} to look at" if look else ""
    return f"{count_text(shown)} watched: {said}{more}"


def health_detail(row: HealthRow, now: datetime, zone: Zone, *, past: bool) -> DetailView:
    standing = _STANDINGS[row.standing]
    lines = [
        DetailLine(label="state", value=standing.text, tone=standing.tone),
        DetailLine(label="says", value=plain(row.said)),
    ]
    if row.at is not None:
        since = f"{full_text(row.at, zone)}, {_span(row.at, now)}"
        lines.append(DetailLine(label="last", value=since))
    lines += [DetailLine(label=plain(name), value=plain(said)) for name, said in row.facts]
    for series in row.series:
        lines.append(_chart(series))
    lines += _fault_lines(row.faults, zone)
    note = f"This is {NO_PAST}: it has no past." if past and not row.has_past else ""
    return DetailView(
        key=row.key,
        title=f"{plain(row.group)} · {plain(row.name)}",
        lines=tuple(lines),
        note=note,
    )


def _last(row: HealthRow, now: datetime, *, past: bool) -> Cell:
    if row.at is None or (past and not row.has_past):
        return Cell("-", Tone.MUTED)
    if row.at > now:
        return Cell("now", Tone.MUTED)
    return Cell(span_text(now - row.at), Tone.MUTED)


def _span(at: datetime, now: datetime) -> str:
    return f"{span_text(now - at)} ago" if at <= now else f"in {span_text(at - now)}"


def _chart(series: Series) -> DetailLine:
    """Columns with an axis: its top is written, and what a column is of."""
    counts = series.counts[-CURVE_DETAIL:]
    top = max(counts, default=0)
    width = len(f"{top:,}")
    lines = []
    for level in range(CHART_ROWS, 0, -1):
        mark = f"{top:>{width},}" if level == CHART_ROWS else " " * width
        lines.append(f"{mark} ┤{''.join(_piece(each, top, level) for each in counts)}")
    lines.append(f"{0:>{width}} ┼{'─' * len(counts)}")
    steps = f"{len(counts)} × {series.step}, newest at the right"
    lines.append(f"{' ' * width}  {steps}")
    label = f"{plain(series.name).upper()} in {plain(series.unit)}, most {top:,}"
    value = "\n".join(lines) if counts else "nothing yet"
    return DetailLine(label=label, value=value, block=True)


def _piece(count: int, top: int, level: int) -> str:
    """What of a column is seen in one row of the chart: eighths."""
    if count <= 0 or top <= 0:
        return " "
    eighths = max(1, round(count * CHART_ROWS * 8 / top)) - (level - 1) * 8
    return " ▁▂▃▄▅▆▇█"[max(0, min(8, eighths))]


def _fault_lines(faults: Sequence[Fault], zone: Zone) -> Iterator[DetailLine]:
    if not faults:
        return
    yield DetailLine(label="LAST FAULTS, newest first", value="", block=True)
    for each in faults:
        happened = full_text(each.occurred_at, zone)
        late = each.recorded_at - each.occurred_at > CLOCKS_DIFFER
        learnt = f", learnt {full_text(each.recorded_at, zone)}" if late else ""
        said = f"{plain(each.subject)}: {plain(each.said)}\n{happened}{learnt}"
        yield DetailLine(label=f"#{each.position}", value=said)
