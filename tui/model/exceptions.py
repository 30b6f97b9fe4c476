"""The work list: what went wrong, whose it is, how long is left, and what to do.

Promises: the order is the source's (most urgent first); severity is a sign and a word; money is
aligned with its currency. It computes no urgency of its own.
Called by the exceptions screen.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from kcjl.command import Command
from kcjl.exceptions.words import Wanted
from kcjl.readmodels import Cut, ExceptionRow, ExceptionStory
from tui.model.amounts import count_text, cut_text, money_text
from tui.model.filtering import Filter, FilterFields
from tui.model.moments import Zone, due_cell, full_text, span_text
from tui.model.plain import plain, plain_block
from tui.model.proposal import Field, Proposal
from tui.model.shapes import Cell, Column, DetailLine, DetailView, Row, Tone

__all__ = [
    "EXCEPTION_COLUMNS",
    "EXCEPTION_FIELDS",
    "exception_detail",
    "exception_key",
    "exception_proposal",
    "exception_row",
    "exceptions_title",
    "matching_exceptions",
]

_SEVERITIES = {
    "critical": Cell("‼ CRIT", Tone.BAD),
    "high": Cell("▲ HIGH", Tone.WARN),
    "medium": Cell("● MED", Tone.PLAIN),
    "low": Cell("· LOW", Tone.MUTED),
}

EXCEPTION_COLUMNS = (
    Column(title="SEV", width_min=6, width_max=12),
    Column(title="DUE IN", width_min=10, width_max=12),
    Column(title="AT RISK", width_min=12, width_max=18, right=True),
    Column(title="KIND", width_min=14, width_max=22),
    Column(title="SUBJECT", width_min=15, width_max=28),
    Column(title="OWNER", width_min=8, width_max=16, rank=1),
    Column(title="SEEN", width_min=5, width_max=7, rank=4, right=True),
    Column(title="AGE", width_min=8, width_max=8, rank=3, right=True),
    Column(title="WHAT HAPPENED", width_min=34, width_max=400, rank=2),
)


MANY = 20
"""From so many on a word is typed before they are accepted."""


class _Verb(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk can be told."""

    title: str
    effect: str
    fields: tuple[Field, ...]
    given: dict[str, str] = msgspec.field(default_factory=dict)
    """What the service wants to be told in any case."""
    word: str = ""


_REASON = Field(name="reason", label="why", hint="it stands in the log")
_VERBS = {
    "retry": _Verb(
        title="Retry",
        effect="The room that each is of tries again; it clears by itself when it goes well.",
        fields=(Field(name="reason", label="why (may be left empty)", needed=False),),
        given={"reason": ""},
    ),
    "assign": _Verb(
        title="Assign",
        effect="They are that person's or role's, whatever the rules say.",
        fields=(Field(name="to", label="to whom", hint="a person, or a role"),),
    ),
    "note": _Verb(
        title="Note on",
        effect="The note stands in the log for ever: nothing about the buyer.",
        fields=(Field(name="note", label="the note"),),
    ),
    "park": _Verb(
        title="Park",
        effect="They leave the desk until then, and clear meanwhile if they can.",
        fields=(
            Field(
                name="until", label="until", hint="30m · 4h · 2d · 2026-10-31 09:00", until=True
            ),
            _REASON,
        ),
    ),
    "accept": _Verb(
        title="Accept",
        effect="They leave the desk as they are, until something new is said of them.",
        fields=(_REASON,),
        word="accept",
    ),
}


def _money(row: ExceptionRow, _now: datetime) -> Decimal | None:
    return None if row.money_at_risk is None else row.money_at_risk.decimal()


def _age_s(row: ExceptionRow, now: datetime) -> Decimal:
    return Decimal(int((now - row.first_seen_at).total_seconds()))


def _left_s(row: ExceptionRow, now: datetime) -> Decimal | None:
    return None if row.deadline is None else Decimal(int((row.deadline - now).total_seconds()))


EXCEPTION_FIELDS: FilterFields[ExceptionRow] = FilterFields(
    texts={
        "kind": lambda row: row.kind,
        "severity": lambda row: row.severity,
        "subject": lambda row: row.subject,
        "owner": lambda row: row.owner,
        "message": lambda row: row.message,
        "next": lambda row: row.next_step,
        "id": lambda row: row.exception_id,
    },
    measures={
        "money": _money,
        "age": _age_s,
        "left": _left_s,
        "seen": lambda row, _now: Decimal(row.seen),
    },
    aliases={"class": "kind", "sev": "severity", "due": "left", "risk": "money"},
)


def exception_key(row: ExceptionRow) -> str:
    return row.exception_id


def exception_row(row: ExceptionRow, now: datetime) -> Row:
    return Row(
        key=row.exception_id,
        cells=(
            _severity(row.severity),
            due_cell(row.deadline, now),
            Cell(money_text(row.money_at_risk)),
            Cell(plain(row.kind), Tone.ACCENT),
            Cell(plain(row.subject)),
            Cell(plain(row.owner) or "-", Tone.PLAIN if row.owner else Tone.WARN),
            Cell(f"{count_text(row.seen)}×", Tone.MUTED),
            Cell(span_text(now - row.first_seen_at), Tone.MUTED),
            Cell(plain(row.message)),
        ),
    )


def matching_exceptions(
    cut: Cut | None, wanted: Filter[ExceptionRow], now: datetime
) -> tuple[ExceptionRow, ...]:
    rows = () if cut is None else cut.exceptions
    return tuple(row for row in rows if wanted.matches(row, now)) if wanted else rows


def exceptions_title(cut: Cut | None, matching: int | None) -> str:
    """How much of the list is on screen."""
    if cut is None:
        return "Exceptions"
    shown = len(cut.exceptions)
    return cut_text(shown, cut.total, of="open exception", matching=matching)


def exception_proposal(verb: str, rows: Sequence[ExceptionRow]) -> Proposal:
    """What the desk is to do to these rows; a storm's row stands for its whole kind."""
    said = _VERBS[verb]
    count = sum(row.folded for row in rows)
    kinds = tuple(row.kind for row in rows if row.folded > 1)
    ids = tuple(row.exception_id for row in rows if row.folded == 1)
    meant = [Wanted(kind=kind) for kind in kinds] + ([Wanted(ids=ids)] if ids else [])
    return Proposal(
        title=f"{said.title} {count:,} exception{'' if count == 1 else 's'}",
        effect=said.effect,
        commands=tuple(
            Command(
                verb=f"exceptions-{verb}",
                arguments={
                    "wanted": msgspec.json.encode(wanted).decode(),
                    "preview": "no",
                    **said.given,
                },
            )
            for wanted in meant
        ),
        lines=tuple(f"{row.kind} · {row.subject} · {_risk(row)}" for row in rows),
        fields=said.fields,
        word=said.word if count >= MANY else "",
    )


def _risk(row: ExceptionRow) -> str:
    at_risk = "no money" if row.money_at_risk is None else money_text(row.money_at_risk)
    return f"{row.folded:,} of them, {at_risk}" if row.folded > 1 else at_risk


def told_lines(story: ExceptionStory, zone: Zone) -> tuple[DetailLine, ...]:
    """What is typed to mend it, what clears it, whose it is, and what was said of it."""
    typed = tuple(
        DetailLine(label="type" if not place else "or", value=plain(command), tone=Tone.ACCENT)
        for place, command in enumerate(story.commands)
    )
    older = f"{story.words_before:,} older words stand in the log"
    return (
        *typed,
        DetailLine(label="clears when", value=plain(story.clears)),
        DetailLine(label="the desk can", value=", ".join(story.offers)),
        *((DetailLine(label="can't accept", value=plain(story.stays)),) if story.stays else ()),
        DetailLine(label="whose", value=plain(story.owned)),
        DetailLine(label="manual", value=f"kcjl manual {story.page}"),
        DetailLine(label="SAID OF IT", value="", block=True),
        *((DetailLine(label="before", value=older),) if story.words_before else ()),
        *(
            DetailLine(
                label=plain(word.by) or "-",
                value=f"{full_text(word.at, zone)}  {plain_block(word.text)}",
            )
            for word in story.words
        ),
    )


def exception_detail(
    row: ExceptionRow, now: datetime, zone: Zone, story: ExceptionStory | None = None
) -> DetailView:
    severity = _severity(row.severity)
    due = due_cell(row.deadline, now)
    owner = plain(row.owner) or "nobody yet"
    lines = [
        DetailLine(label="what happened", value=plain_block(row.message), block=True),
        DetailLine(
            label="next step", value=plain_block(row.next_step), tone=Tone.ACCENT, block=True
        ),
        DetailLine(
            label="severity",
            value=f"{severity.text[:1]} {plain(row.severity)}",
            tone=severity.tone,
        ),
        DetailLine(label="kind", value=plain(row.kind)),
        DetailLine(label="subject", value=plain(row.subject)),
        DetailLine(label="owner", value=owner, tone=Tone.PLAIN if row.owner else Tone.WARN),
        DetailLine(label="at risk", value=money_text(row.money_at_risk)),
        DetailLine(label="due in", value=due.text, tone=due.tone),
    ]
    if row.deadline is not None:
        lines.append(DetailLine(label="deadline", value=full_text(row.deadline, zone)))
    lines += [
        DetailLine(label="first seen", value=full_text(row.first_seen_at, zone)),
        DetailLine(label="last seen", value=full_text(row.last_seen_at, zone)),
        DetailLine(label="seen", value=f"{count_text(row.seen)} times"),
        DetailLine(label="state", value=plain(row.state)),
    ]
    if row.cleared_at is not None:
        lines.append(DetailLine(label="cleared", value=full_text(row.cleared_at, zone)))
    if story is not None and story.exception_id == row.exception_id:
        lines += told_lines(story, zone)
    lines.append(DetailLine(label="id", value=plain(row.exception_id), tone=Tone.MUTED))
    return DetailView(key=row.exception_id, title=plain(row.subject), lines=tuple(lines))


def _severity(severity: str) -> Cell:
    return _SEVERITIES.get(severity.lower()) or Cell(f"? {plain(severity)}", Tone.WARN)
