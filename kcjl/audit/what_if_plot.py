"""The picture of a what-if: day by day, what happened and what would have been. SVG.

Promises: the same answer is the same text; no font, script or file from elsewhere; what comes
from the log is numbers and days only. Called by `kcjl what-if --plot`.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate

from kcjl.audit.what_if_answer import Day
from kcjl.audit.what_if_shelf import Sums

__all__ = ["drawn"]

WIDTH, PANEL, LEFT, GAP, TOP = 760, 170, 80, 70, 46
RIGHT = 20
HAPPENED, OTHER = "#7a7a7a", "#b4491f"
TICKS = 4

Counted = Callable[[Sums], float]
PANELS: tuple[tuple[str, Counted, bool], ...] = (
    ("units oversold, added up", lambda sums: float(sums.units_oversold), True),
    ("unit-hours withheld, a day", lambda sums: sums.unit_hours_withheld, False),
    ("unit-hours shown and not there, a day", lambda sums: sums.unit_hours_overshown, False),
)


def drawn(days: Sequence[Day], *, other: str) -> str:
    """`other`: what the other world is called, a text of ours."""
    height = TOP + len(PANELS) * (PANEL + GAP)
    size = f'width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {size}',
        '  font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _key(LEFT, HAPPENED, "what happened"),
        _key(LEFT + 180, OTHER, other),
    ]
    for number, (title, counted, is_sum) in enumerate(PANELS):
        top = TOP + number * (PANEL + GAP) + 10
        lines = []
        for sums in ([day.happened for day in days], [day.other for day in days]):
            values = [counted(each) for each in sums]
            lines.append(list(accumulate(values)) if is_sum else values)
        parts += _panel(title, top, days, lines)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(
    title: str, top: int, days: Sequence[Day], lines: Sequence[Sequence[float]]
) -> list[str]:
    most = max((value for line in lines for value in line), default=0.0) or 1.0
    right, bottom = WIDTH - RIGHT, top + PANEL
    parts = [f'<text x="{LEFT}" y="{top - 6}" font-weight="bold">{title}</text>']
    for tick in range(TICKS + 1):
        y = bottom - PANEL * tick / TICKS
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#dddddd"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_written(most * tick / TICKS)}</text>"
        )
    places = [_x(number, len(days)) for number in range(len(days))]
    for line, colour, width in zip(lines, (HAPPENED, OTHER), (4, 1.6), strict=True):
        points = " ".join(
            f"{x:.1f},{bottom - PANEL * value / most:.1f}"
            for x, value in zip(places, line, strict=True)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}"/>'
        )
        parts += [
            f'<circle cx="{x:.1f}" cy="{bottom - PANEL * value / most:.1f}" '
            f'r="{width / 2 + 1}" fill="{colour}"/>'
            for x, value in zip(places, line, strict=True)
            if len(days) <= SINGLE_DAYS
        ]
    for number in _named(len(days)):
        parts.append(
            f'<text x="{places[number]:.1f}" y="{bottom + 16}" text-anchor="middle">'
            f"{days[number].day:%d %b %Y}</text>"
        )
    return parts


WHOLE_FROM = 100
SINGLE_DAYS = 40
"""Up to so many, each is a point as well."""


def _x(number: int, days: int) -> float:
    share = number / (days - 1) if days > 1 else 0.5
    return LEFT + (WIDTH - RIGHT - LEFT - 40) * share + 20


def _named(days: int) -> Sequence[int]:
    """The days that are written below: the first, the last, and some between."""
    return sorted(
        {round(step * (days - 1) / TICKS) for step in range(TICKS + 1)} if days else ()
    )


def _written(value: float) -> str:
    return f"{value:,.0f}" if value >= WHOLE_FROM else f"{value:.3g}"


def _key(x: int, colour: str, said: str) -> str:
    return (
        f'<path d="M{x} 18h24" stroke="{colour}" stroke-width="3"/>'
        f'<text x="{x + 30}" y="22">{said}</text>'
    )
