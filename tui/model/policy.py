"""Policy: every rule and map that is in force, since when and by whom, and its versions.

Promises: the kinds stand in the source's order; a state is a sign and a word; a version is
shown whole, and names its position in the log. What a proposed policy would change is shown
only once it was worked out. Called by the policy screen.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from kcjl.readmodels_policy import (
    PolicyCut,
    PolicyKind,
    PolicyRow,
    PolicyStory,
    PolicyVersion,
    WhatIf,
)
from tui.model.amounts import count_text, cut_text
from tui.model.filtering import Filter, FilterFields
from tui.model.moments import Zone, clock_text, full_text, zone_name
from tui.model.plain import plain, plain_block
from tui.model.shapes import Cell, Column, DetailLine, DetailView, Row, Tone

__all__ = [
    "POLICY_FIELDS",
    "matching_policies",
    "policies_title",
    "policy_columns",
    "policy_detail",
    "policy_key",
    "policy_row",
]

KIND_TEXTS = {
    PolicyKind.STOCK: "stock policy",
    PolicyKind.CARRIER: "carrier map",
    PolicyKind.ACCOUNT: "account map",
    PolicyKind.TERMS: "commission",
    PolicyKind.ROUTING: "routing",
    PolicyKind.ACCEPTANCE: "acceptance",
}
_STATES = {
    "in force": Cell("● in force", Tone.GOOD),
    "mapped": Cell("● mapped", Tone.GOOD),
    "same name": Cell("● same name", Tone.GOOD),
    "proposed": Cell("▲ proposed", Tone.WARN),
    "to come": Cell("◷ to come", Tone.ACCENT),
    "not today": Cell("· not today", Tone.MUTED),
    "waiting": Cell("✖ waiting", Tone.BAD),
    "gone": Cell("✖ gone", Tone.BAD),
    "none": Cell("▲ none", Tone.WARN),
}
WHOLE = "(the whole)"
CHANGES_SHOWN = 12

POLICY_FIELDS: FilterFields[PolicyRow] = FilterFields(
    texts={
        "kind": lambda row: KIND_TEXTS[row.kind],
        "name": lambda row: row.name or WHOLE,
        "says": lambda row: row.says,
        "state": lambda row: row.state,
        "by": lambda row: row.by,
    },
    measures={
        "version": lambda row, _now: Decimal(row.version),
        "age": lambda row, now: (
            None if row.since is None else Decimal(int((now - row.since).total_seconds()))
        ),
    },
    aliases={"is": "state", "who": "by", "v": "version"},
)


def policy_columns(zone: Zone, now: datetime) -> tuple[Column, ...]:
    return (
        Column(title="KIND", width_min=12, width_max=13),
        Column(title="NAME", width_min=14, width_max=28),
        Column(title="STATE", width_min=11, width_max=11),
        Column(title="VER", width_min=3, width_max=5, right=True),
        Column(title=f"SINCE {zone_name(now, zone)}", width_min=12, width_max=14, rank=4),
        Column(title="BY", width_min=9, width_max=14, rank=3),
        Column(title="WHAT IT SAYS", width_min=24, width_max=400),
    )


def policy_key(row: PolicyRow) -> str:
    return row.key


def policy_row(row: PolicyRow, now: datetime, zone: Zone) -> Row:
    since = (
        Cell("-", Tone.MUTED) if row.since is None else Cell(clock_text(row.since, zone, now))
    )
    return Row(
        key=row.key,
        cells=(
            Cell(KIND_TEXTS[row.kind], Tone.MUTED),
            Cell(plain(row.name), Tone.ACCENT) if row.name else Cell(WHOLE),
            _state(row),
            Cell(str(row.version), Tone.PLAIN) if row.version else Cell("-", Tone.MUTED),
            since,
            Cell(plain(row.by)) if row.by else Cell("the house", Tone.MUTED),
            Cell(plain(row.says)),
        ),
    )


def _state(row: PolicyRow) -> Cell:
    return _STATES.get(row.state) or Cell(f"? {plain(row.state)}", Tone.WARN)


def matching_policies(
    cut: PolicyCut | None, wanted: Filter[PolicyRow], now: datetime
) -> tuple[PolicyRow, ...]:
    rows = () if cut is None else cut.rows
    return tuple(row for row in rows if wanted.matches(row, now)) if wanted else rows


def policies_title(cut: PolicyCut | None, matching: int | None) -> str:
    if cut is None:
        return "Policy"
    return cut_text(len(cut.rows), cut.total, of="line", matching=matching) + " of policy"


# ── all about one ───────────────────────────────────────────────────────────────────────────


def policy_detail(
    row: PolicyRow,
    story: PolicyStory | None,
    what_if: WhatIf | None,
    now: datetime,
    zone: Zone,
) -> DetailView:
    state = _state(row)
    name = plain(row.name) or WHOLE
    lines = [
        DetailLine(label="kind", value=KIND_TEXTS[row.kind]),
        DetailLine(label="name", value=name),
        DetailLine(label="state", value=state.text, tone=state.tone),
        DetailLine(label="says", value=plain(row.says), tone=Tone.ACCENT),
    ]
    if row.nearest:
        lines.append(DetailLine(label="near to it", value=", ".join(map(plain, row.nearest))))
    if row.since is not None:
        lines.append(DetailLine(label="since", value=full_text(row.since, zone)))
    lines.append(DetailLine(label="by", value=plain(row.by) or "nobody: the house's own"))
    if what_if is not None and row.state == "proposed" and what_if.version == row.version:
        lines += _what_if_lines(what_if)
    if story is None:
        lines.append(DetailLine(label="versions", value="being read…", tone=Tone.MUTED))
    else:
        lines += _version_lines(story, now, zone)
    title = f"{KIND_TEXTS[row.kind]} {name}"
    return DetailView(key=row.key, title=title, lines=tuple(lines))


def _what_if_lines(found: WhatIf) -> Iterable[DetailLine]:
    yield DetailLine(label="If it were in force now", value="", block=True)
    yield DetailLine(label="changes", value=changes_text(found))
    yield DetailLine(
        label="units",
        value=f"{count_text(found.units_now)} offered now, {count_text(found.units_then)} then",
    )
    for sku, now, then, why in found.largest[:CHANGES_SHOWN]:
        figures = f"{count_text(now)} → {count_text(then)}"
        yield DetailLine(label=plain(sku), value=f"{figures}  {plain(why)}")
    more = found.changes - min(CHANGES_SHOWN, len(found.largest))
    if more > 0:
        yield DetailLine(label="", value=f"… and {more:,} more", tone=Tone.MUTED)
    for each in found.unmet:
        yield DetailLine(label="a slip?", value=plain(each), tone=Tone.WARN)


def changes_text(found: WhatIf) -> str:
    return f"{count_text(found.changes)} of {count_text(found.products)} products"


def _version_lines(story: PolicyStory, now: datetime, zone: Zone) -> Iterable[DetailLine]:
    if not story.versions:
        yield DetailLine(label="versions", value="none: nobody has said otherwise")
        return
    total = count_text(story.total)
    cut = f"the newest {len(story.versions)} of {total}"
    whole = cut if len(story.versions) < story.total else f"all {total}, newest first"
    yield DetailLine(label=f"Versions: {whole}", value="", block=True)
    for each in story.versions:
        yield DetailLine(
            label=f"#{each.position}",
            value=f"version {each.version} {plain(each.what)} by {plain(each.by)}, "
            f"{_clocks(each, now, zone)}",
            tone=Tone.ACCENT,
        )
        if each.valid_from is not None:
            yield DetailLine(label="holds from", value=full_text(each.valid_from, zone))
        if each.reason:
            yield DetailLine(label="because", value=plain(each.reason))
        if each.text:
            yield DetailLine(label="as written", value=plain_block(each.text), block=True)


def _clocks(version: PolicyVersion, now: datetime, zone: Zone) -> str:
    """When it was said, and where that differs, when it was recorded."""
    said = clock_text(version.occurred_at, zone, now)
    recorded = clock_text(version.recorded_at, zone, now)
    return said if said == recorded else f"{said}, recorded {recorded}"
