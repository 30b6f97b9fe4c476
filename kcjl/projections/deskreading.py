"""The exceptions desk out of PostgreSQL: lists in order of urgency, whole totals, one by one.

Promises: a list is bounded, its total and its money are not: they are counted over every row
that matches. A kind that is a storm is one row with its count, unless it is asked for by kind.
Called by the read models and by `kcjl exceptions`.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kcjl.database import Database
from kcjl.exceptions.catalogue import KINDS, kinds_of_lane, lane_of
from kcjl.exceptions.kind import commands_of
from kcjl.exceptions.projection import (
    EXCEPTIONS_SHOWN,
    STORMS_SHOWN,
    ExceptionLife,
    Storm,
    deadline_of,
)
from kcjl.exceptions.words import Wanted
from kcjl.money import Money, total_by_currency
from kcjl.readmodels import ExceptionRow, ExceptionStory, Said

__all__ = ["ANY_STATE", "DeskList", "DeskRows", "KindTotal", "story_of"]

ANY_STATE = "all"
STORM_ID = "storm:"
"""Before the kind: the id of a row that stands for many."""


class KindTotal(msgspec.Struct, frozen=True, kw_only=True):
    """All that match, of one kind."""

    kind: str
    exceptions: int
    money: tuple[Money, ...]
    deadline: datetime | None
    """The soonest."""


class DeskList(msgspec.Struct, frozen=True, kw_only=True):
    """The most urgent rows, and how much there is in all."""

    rows: tuple[ExceptionRow, ...]
    shown: int
    """Exceptions that these rows stand for."""
    total: int
    total_rows: int
    """Of which a storm is one."""
    money: tuple[Money, ...]


_LIVE = """
r.merchant = $1 and r.projection = 'exceptions' and r.version = (
    select version from projection_checkpoint
    where merchant = $1 and projection = 'exceptions' and live
)
"""


_STATE = "split_part(r.data::text, '\"', 4)"
_URGENCY = "split_part(r.data::text, '\"', 10)"
"""What stands first in a row: the fourth and the tenth piece between quotes. Read so, a row
need not be parsed, which for ten thousand takes half a second; the desk's index has them.
"""


class DeskRows:
    """One merchant's desk."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant

    async def one(self, exception_id: str) -> ExceptionLife | None:
        row = await self._database.fetchval(
            f"select r.data::text from projection_row r where {_LIVE} and r.key = $2",  # noqa: S608 - the text above
            self._merchant,
            exception_id,
        )
        return None if row is None else EXCEPTIONS_SHOWN.entry(row)

    async def storms(self) -> Sequence[Storm]:
        """Those that are on, the oldest first."""
        rows = await self._database.fetch(
            """
            select data::text as data from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'storms' and live and data->>'state' = 'on'
            """,
            self._merchant,
        )
        storms = [STORMS_SHOWN.entry(row["data"]) for row in rows]
        return sorted(storms, key=lambda storm: (storm.began_at, storm.kind))

    async def totals(self, wanted: Wanted, state: str) -> Sequence[KindTotal]:
        """Every exception that matches, counted and summed by kind.

        Without `offset 0` whole rows are sorted, and ten thousand go through the disk.
        """
        where, arguments = _matching(wanted, state, self._merchant)
        rows = await self._database.fetch(
            f"""
            select kind, split_part(urgency, ' ', 5) as currency, count(*) as exceptions,
                sum(split_part(urgency, ' ', 6)::bigint) as amount,
                min(split_part(urgency, ' ', 1)) as deadline
            from (
                select split_part(r.key, ':', 1) as kind, {_URGENCY} as urgency
                from projection_row r where {where} offset 0
            ) found
            group by 1, 2 order by 1, 2
            """,  # noqa: S608 - made of the texts here; what was asked for travels as arguments
            *arguments,
        )
        by_kind: dict[str, list[KindTotal]] = {}
        for row in rows:
            currency = row["currency"]
            money = () if currency == "-" else (Money(int(row["amount"]), currency),)
            total = KindTotal(
                kind=row["kind"],
                exceptions=row["exceptions"],
                money=money,
                deadline=deadline_of(row["deadline"]),
            )
            by_kind.setdefault(total.kind, []).append(total)
        return [_summed(kind, parts) for kind, parts in by_kind.items()]

    async def list(self, wanted: Wanted, *, state: str, limit: int) -> DeskList:
        """The most urgent, storms as one row each; a kind that is asked for is opened out."""
        totals = {each.kind: each for each in await self.totals(wanted, state)}
        storms = () if wanted.kind or state != "open" else await self.storms()
        folded = [each for each in storms if each.kind in totals]
        without = tuple(each.kind for each in folded)
        singles = await self._most_urgent(wanted, state, limit, without=without)
        kept = [(life.urgency, _row(life)) for life in singles]
        for storm in folded:
            of_kind = msgspec.structs.replace(wanted, kind=storm.kind)
            first = await self._most_urgent(of_kind, state, 1)
            of_it = totals[storm.kind]
            kept.extend((life.urgency, _storm_row(storm, of_it, life)) for life in first)
        kept.sort(key=lambda each: each[0])
        shown = tuple(row for _, row in kept[:limit])
        total = sum(each.exceptions for each in totals.values())
        in_storms = sum(totals[each.kind].exceptions for each in folded)
        return DeskList(
            rows=shown,
            shown=sum(row.folded for row in shown),
            total=total,
            total_rows=total - in_storms + len(folded),
            money=total_by_currency(m for each in totals.values() for m in each.money),
        )

    async def _most_urgent(
        self, wanted: Wanted, state: str, limit: int, *, without: Sequence[str] = ()
    ) -> Sequence[ExceptionLife]:
        where, arguments = _matching(wanted, state, self._merchant)
        if without:
            arguments.append(list(without))
            where += f" and split_part(r.key, ':', 1) <> all(${len(arguments)}::text[])"
        arguments.append(limit)
        rows = await self._database.fetch(
            f"""
            select r.data::text as data from projection_row r where {where}
            order by {_URGENCY} collate "C" limit ${len(arguments)}
            """,  # noqa: S608 - made of the texts here; what was asked for travels as arguments
            *arguments,
        )
        return [EXCEPTIONS_SHOWN.entry(row["data"]) for row in rows]


def _matching(wanted: Wanted, state: str, merchant: str) -> tuple[str, list[object]]:
    """(the condition, its arguments); what costs least is asked first."""
    arguments: list[object] = [merchant]
    said = [_LIVE]

    def ask(condition: str, argument: object) -> None:
        arguments.append(argument)
        said.append(condition.format(f"${len(arguments)}"))

    if state != ANY_STATE:
        ask(_STATE + " = {}", state)
    if wanted.ids:
        ask("r.key = any({}::text[])", list(wanted.ids))
    if wanted.kind:
        ask("split_part(r.key, ':', 1) = {}", wanted.kind)
    if wanted.lane:
        kinds = list(kinds_of_lane(wanted.lane))
        ask("split_part(r.key, ':', 1) = any({}::text[])", kinds)
    if wanted.subject:
        ask("substr(r.key, strpos(r.key, ':') + 1) || '/' like {}", _beginning(wanted.subject))
    if wanted.owner:
        ask("r.data->'row'->>'owner' = {}", wanted.owner)
    if wanted.since is not None:
        ask("(r.data->'row'->>'opened_at')::timestamptz >= {}", wanted.since)
    if wanted.above is not None:
        money = "r.data->'row'->'raised'->'money_at_risk'"
        ask(money + "->>'currency' = {}", wanted.above.currency)
        ask("(" + money + "->>'amount_minor')::bigint >= {}", wanted.above.amount_minor)
    return " and ".join(said), arguments


def _beginning(subject: str) -> str:
    """A pattern: the whole subject, or all of it before a slash."""
    literal = subject.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{literal}/%"


def _summed(kind: str, parts: Sequence[KindTotal]) -> KindTotal:
    deadlines = [part.deadline for part in parts if part.deadline is not None]
    return KindTotal(
        kind=kind,
        exceptions=sum(part.exceptions for part in parts),
        money=total_by_currency(money for part in parts for money in part.money),
        deadline=min(deadlines, default=None),
    )


def _row(life: ExceptionLife) -> ExceptionRow:
    raised = life.raised
    return ExceptionRow(
        exception_id=raised.exception_id,
        kind=raised.kind,
        severity=raised.severity,
        subject=raised.subject,
        message=raised.message,
        next_step=raised.next_step,
        owner=life.owner,
        money_at_risk=raised.money_at_risk,
        deadline=raised.deadline,
        first_seen_at=life.first_seen_at,
        last_seen_at=life.last_seen_at,
        seen=life.seen,
        state=EXCEPTIONS_SHOWN.state_of(life),
        cleared_at=life.cleared_at,
        lane=lane_of(raised.kind),
        opened=life.opened,
        attempts=life.attempts,
        parked_until=life.parked_until,
    )


def _storm_row(storm: Storm, total: KindTotal, first: ExceptionLife) -> ExceptionRow:
    """One row for all of a kind: what the most urgent of them says, and how many there are."""
    count = f"{total.exceptions:,}"
    money = ", ".join(map(str, total.money))
    return msgspec.structs.replace(
        _row(first),
        exception_id=STORM_ID + storm.kind,
        subject=f"{count} of them",
        message=f"{count} since {storm.began_at:%d %b %H:%M} UTC, {money or 'no money'} at "
        f"risk; the most urgent is {first.raised.subject}: {first.raised.message}",
        next_step=f"kcjl exceptions list --kind {storm.kind} opens it out. "
        f"{first.raised.next_step}",
        money_at_risk=next(iter(total.money), None),
        deadline=total.deadline,
        first_seen_at=storm.began_at,
        folded=total.exceptions,
    )


def story_of(life: ExceptionLife) -> ExceptionStory:
    """What the desk says of one, beside its row."""
    raised = life.raised
    kind = KINDS.get(raised.kind)
    rules = f"by rules version {raised.rules_version}"
    routed = rules if raised.rules_version else "the kind's own"
    return ExceptionStory(
        exception_id=raised.exception_id,
        clears="" if kind is None else kind.clears,
        commands=() if kind is None else commands_of(kind, raised.subject),
        offers=() if kind is None else kind.actions,
        page="" if kind is None else kind.page,
        owned="given by a person" if life.assigned else routed,
        stays="" if kind is None else kind.stays,
        words=tuple(Said(at=word.at, by=word.by, text=word.said) for word in life.words),
        words_before=life.words_before,
    )
