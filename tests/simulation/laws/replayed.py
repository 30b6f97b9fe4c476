"""Law 1: the log is the system.

Promises: chain, rows and rooms are each held against the log folded again from its first event.
It trusts no checkpoint and no snapshot. Called by `laws/__init__.py`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from kcjl.actors import Room
from kcjl.fold import Fold, Table
from kcjl.settlement.actor import Settlement
from kcjl.settlement.state import CYCLES, LINES
from tests.simulation.laws.evidence import Checker, Evidence

__all__ = ["CHECKERS"]


def chain_is_whole(evidence: Evidence) -> Iterator[str]:
    """The chain of hashes is whole, and ends at the head."""
    if evidence.chain_fault:
        yield evidence.chain_fault
    last = evidence.log[-1].position if evidence.log else 0
    if last != evidence.head.position:
        yield f"the head is at {evidence.head.position}, the last event at {last}"


def one_writer_at_a_time(evidence: Evidence) -> Iterator[str]:
    """Who has lost the lease appends nothing any more; and each position is written once."""
    at = 0
    for epoch, current, positions in evidence.appends:
        if epoch != current:
            yield (
                f"positions {positions[0]} to {positions[-1]} were appended in epoch {epoch}, "
                f"the log was in {current}"
            )
        if positions and positions != list(range(at + 1, at + 1 + len(positions))):
            yield f"positions {positions} were appended after {at}"
        at = positions[-1] if positions else at
    if evidence.appends and at != evidence.head.position:
        yield f"the last position that was appended is {at}, the head {evidence.head.position}"


def rows_are_the_log(evidence: Evidence) -> Iterator[str]:
    """Replaying the log gives the live projections, byte for byte."""
    if evidence.replayed.difference:
        yield evidence.replayed.difference
    if evidence.at_rest and evidence.rows_position != evidence.head.position:
        yield (
            f"the rows are at {evidence.rows_position} at rest, the log at "
            f"{evidence.head.position}"
        )


def rooms_are_the_log(evidence: Evidence) -> Iterator[str]:
    """What a living room knows is the fold of the log, and nothing else."""
    for room in evidence.rooms:
        if evidence.at_rest and room.applied != evidence.head.position:
            yield f"room {room.name} is at {room.applied}, the log at {evidence.head.position}"
        tables = zip(room._folds, room._tables, _folded_again(evidence, room), strict=True)
        for fold, table, again in tables:
            yield from (
                f"room {room.name}, {fold.entry_type.__name__} {difference}"
                for difference in _differences(again, table)
            )
        revisions = {
            each.stream: each.revision
            for each in evidence.log
            if each.position <= room.applied and each.stream in room._revisions
        }
        if revisions != room._revisions:
            yield f"room {room.name} counts other revisions than the log"


def let_go_of_nothing_open(evidence: Evidence) -> Iterator[str]:
    """Settlement holds each line that is untied, or on no payout that has its journal."""
    lines, cycles = evidence.folded(LINES), evidence.folded(CYCLES)
    for room in evidence.rooms:
        if not isinstance(room, Settlement) or room.applied != evidence.head.position:
            continue
        for line_id, line in lines.items():
            cycle = cycles.get(line.seen.cycle_id or "")
            is_open = line.wants_tie or cycle is None or not cycle.journals
            if is_open and line_id not in room.lines:
                yield f"transaction line {line_id} is open, and the room has let go of it"


def _folded_again(evidence: Evidence, room: Room) -> Sequence[Table[Any]]:
    """Its tables, from the first event on; of a room that lets go, in a room like it."""
    if isinstance(room, Settlement):
        twin = Settlement(
            room.log,
            room.clock,
            room.ids,
            marketplace=room._marketplace,
            ledger=room._ledger,
            documents=room._filing._documents,
            settings=room._settings,
            opening_accounts={},
            is_working_day=lambda _: True,
        )
        twin._apply([each for each in evidence.log if each.position <= room.applied])
        return twin.tables
    return [
        _table_again(evidence, room, fold, table)
        for fold, table in zip(room._folds, room._tables, strict=True)
    ]


def _table_again(
    evidence: Evidence, room: Room, fold: Fold[Any], live: Table[Any]
) -> Table[Any]:
    table = Table(fold, watch=live._watch, group=live._group)
    for recorded in evidence.heard(fold.hears):
        if recorded.position <= room.applied:
            table.apply(recorded.event)
    return table


def _differences(again: Table[Any], live: Table[Any]) -> Iterator[str]:
    for key in sorted({*again, *live}):
        if key not in live:
            yield f"{key}: replayed, but not live"
        elif key not in again:
            yield f"{key}: live, but not replayed"
        elif _bytes(again[key]) != _bytes(live[key]):
            yield f"{key}: {_bytes(again[key]).decode()[:200]} is not as it is live"
    if list(again._watched) != list(live._watched):
        yield "watches other entries than a replay"
    if again.contents().groups != live.contents().groups:
        yield "groups its entries otherwise than a replay"


def _bytes(entry: object) -> bytes:
    return msgspec.json.encode(entry, order="deterministic")


CHECKERS = (
    Checker(1, "chain", chain_is_whole),
    Checker(1, "writers", one_writer_at_a_time),
    Checker(1, "rows", rows_are_the_log),
    Checker(1, "rooms", rooms_are_the_log),
    Checker(1, "let go", let_go_of_nothing_open),
)
