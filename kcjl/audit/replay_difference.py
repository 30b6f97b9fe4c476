"""Two sides of the rows of a projection, held against each other byte for byte.

Promises: every row of either side is looked at, a page in memory at a time; the first one that
differs is named down to its field, with what stands on either side. The digest says all rows of
the replayed side in 64 digits, so that two machines can compare without a connection.
Invariant: both sides come in order of their keys.
Called by `replay_check.py`.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import zip_longest

import msgspec

__all__ = ["Compared", "Difference", "compare", "digest"]

SHOWN_MAX = 200
"""Characters of a value that are shown."""

Rows = Iterable[tuple[str, bytes]]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is not live as the log says."""

    projection: str
    key: str
    field: str
    """Where in the row, e.g. `row.lines[0].quantity`; empty when one side has no such row."""
    live: str | None
    """As JSON; None: it is not there."""
    replayed: str | None
    position: int = 0
    """Of the last event that touches the row; 0: none does."""
    event: str = ""
    """That event's type."""

    def told(self) -> str:
        """In one sentence."""
        return f"{self.projection} {self.key}: {self._what()}; {self._since()}"

    def _what(self) -> str:
        if self.field:
            live, replayed = self.live or "not there", self.replayed or "not there"
            return f"{self.field} is {live} live, and {replayed} replayed"
        if self.live is None:
            return "replayed, but not live"
        if self.replayed is None:
            return "live, but not replayed"
        return f"the same values, but written otherwise: {self.live} live, {self.replayed}"

    def _since(self) -> str:
        if not self.position:
            return "no event touches it"
        return f"the last event that touches it is {self.event} at position {self.position:,}"


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One projection: how many rows, what they are, and how many are not live so."""

    projection: str
    rows: int
    digest: str
    """SHA-256 over all replayed rows by key; of each, key and row with their lengths."""
    live_rows: int = 0
    different: int = 0
    """Rows that are on one side only, or not the same on both."""
    first: Difference | None = None


class _Digest:
    """Rows pass through, and are counted."""

    def __init__(self, rows: Rows) -> None:
        self.rows = 0
        self._rows = rows
        self._sha = hashlib.sha256()

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        update = self._sha.update
        for key, row in self._rows:
            name = key.encode()
            update(b"%d %d %b %b" % (len(name), len(row), name, row))
            self.rows += 1
            yield key, row

    def hex(self) -> str:
        return self._sha.hexdigest()


def digest(projection: str, rows: Rows) -> Compared:
    """Of rows that are compared with nothing."""
    counted = _Digest(rows)
    for _ in counted:
        pass
    return Compared(projection=projection, rows=counted.rows, digest=counted.hex())


async def compare(
    projection: str, replayed: Rows, live: AsyncIterator[Sequence[tuple[str, bytes]]]
) -> Compared:
    """Every row of both."""
    counted = _Digest(replayed)
    mine = iter(counted)
    ours = next(mine, None)
    first: Difference | None = None
    live_rows = different = 0
    async for page in live:
        live_rows += len(page)
        for theirs in page:
            while ours is not None and ours[0] < theirs[0]:
                different += 1
                first = first or _alone(projection, ours[0], replayed=ours[1])
                ours = next(mine, None)
            if ours is None or ours[0] > theirs[0]:
                different += 1
                first = first or _alone(projection, theirs[0], live=theirs[1])
                continue
            if ours[1] != theirs[1]:
                different += 1
                first = first or _differing(projection, *ours, theirs[1])
            ours = next(mine, None)
    while ours is not None:
        different += 1
        first = first or _alone(projection, ours[0], replayed=ours[1])
        ours = next(mine, None)
    return Compared(
        projection=projection,
        rows=counted.rows,
        digest=counted.hex(),
        live_rows=live_rows,
        different=different,
        first=first,
    )


def _alone(
    projection: str, key: str, *, live: bytes | None = None, replayed: bytes | None = None
) -> Difference:
    return Difference(
        projection=projection,
        key=key,
        field="",
        live=None if live is None else _cut(live.decode()),
        replayed=None if replayed is None else _cut(replayed.decode()),
    )


def _differing(projection: str, key: str, replayed: bytes, live: bytes) -> Difference:
    found = _field("", msgspec.json.decode(live), msgspec.json.decode(replayed))
    if found is None:
        at = _where(live, replayed)
        return Difference(
            projection=projection,
            key=key,
            field="",
            live=_cut(live[at:].decode(errors="replace")),
            replayed=_cut(replayed[at:].decode(errors="replace")),
        )
    field, theirs, ours = found
    return Difference(
        projection=projection, key=key, field=field, live=_shown(theirs), replayed=_shown(ours)
    )


class _Absent:
    """Stands for a field that is not there, which is not the same as null."""


_ABSENT = _Absent()


def _field(path: str, live: object, replayed: object) -> tuple[str, object, object] | None:
    """The first field, in the order of the live row, that is not the same."""
    if isinstance(live, dict) and isinstance(replayed, dict):
        pairs = [
            (f"{path}.{name}" if path else name, live.get(name, _ABSENT), other)
            for name, other in {
                **dict.fromkeys(live, _ABSENT),
                **replayed,
            }.items()
        ]
    elif isinstance(live, list) and isinstance(replayed, list):
        both = zip_longest(live, replayed, fillvalue=_ABSENT)
        pairs = [(f"{path}[{number}]", *each) for number, each in enumerate(both)]
    else:
        same = type(live) is type(replayed) and live == replayed
        return None if same else (path, live, replayed)
    found = (_field(*pair) for pair in pairs)
    return next((each for each in found if each is not None), None)


def _shown(value: object) -> str | None:
    if isinstance(value, _Absent):
        return None
    return _cut(msgspec.json.encode(value).decode())


def _where(live: bytes, replayed: bytes) -> int:
    """The first byte that differs, and a few before it."""
    same = 0
    for ours, theirs in zip(replayed, live, strict=False):
        if ours != theirs:
            break
        same += 1
    return max(0, same - 20)


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}… (cut off here)"
