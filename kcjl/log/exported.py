"""An exported file, read as `verify` reads a log: without a database, in bounded memory.

Promises: any change of its content, and its end before the end, is found, and the first bad
position is named; 0 is the header. A file that was unpacked, or packed anew, is as good. It
can't see that a shorter file with a header of its own was put in its place: seals do.
Invariant: a line is exactly as kcjl writes it: other bytes of the same sense are refused.
Called by `kcjl log verify FILE`.
"""

import gzip
import sqlite3
import zlib
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import closing
from datetime import UTC
from itertools import islice
from pathlib import Path
from typing import Self

import anyio.lowlevel
import msgspec

from kcjl.errors import CorruptLog, Misuse, Unavailable
from kcjl.log.chain import BareRow, Entry, genesis
from kcjl.log.export import ENCODER, ExportHeader, ExportLine
from kcjl.log.port import PAGE_EVENTS_MAX, Head
from kcjl.log.verify import BrokenChain, Verified, verify

__all__ = ["BrokenExport", "ExportReader", "verify_export"]

LINE_BYTES_MAX = 16 * 1024 * 1024
"""A payload has at most 1 MiB; a line that is longer than this is no event of ours."""
PAGE_BYTES_MAX = 8 * 1024 * 1024
"""Of lines that are held at once while a file is read."""
HASH_DIGITS = 64
_GZIP = b"\x1f\x8b"
_HEADER = msgspec.json.Decoder(ExportHeader)
_LINE = msgspec.json.Decoder(ExportLine)


class BrokenExport(CorruptLog):
    """Raised when an exported file is damaged, or not what was exported."""

    def __init__(
        self, path: Path, position: int, finding: str, *, expected: str = "", found: str = ""
    ) -> None:
        told = f"{finding}: expected {expected}, found {found}" if expected else finding
        super().__init__(f"{path} is broken at position {position}: {told}")
        self.position = position
        """The first bad one; 0 is the header."""
        self.finding = finding
        self.expected = expected
        self.found = found


class ExportReader:
    """An exported file, read as `verify` reads a log. Nothing of it is held but a page."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(self._lines()) as lines:
            self.header = self._header(lines)
        self.merchant = self.header.merchant
        self._after = 0
        self._streams = _Streams()

    async def end(self) -> tuple[Head, int]:
        header = self.header
        head = Head(position=header.last, hash=bytes.fromhex(header.hash), epoch=0)
        return head, header.last

    async def entries(
        self, after: int = 0, *, to: int | None = None
    ) -> AsyncGenerator[Sequence[Entry], None]:
        """Raises BrokenExport for what is no line of an export, and for a file's odd end."""
        header = self.header
        end = header.last if to is None else to
        self._after = max(after, header.first - 1)
        self._streams.forget()
        position = self._after
        with closing(self._lines()) as lines:
            self._header(lines)
            self._skip(lines, position - header.first + 1)
            while position < end:
                page, trouble = self._first_beginnings(*self._page(lines, position, end))
                await anyio.lowlevel.checkpoint()
                if page:
                    yield page
                self._streams.remember(page)
                position += len(page)
                if trouble is not None:
                    raise trouble  # only now: what stands before it may be worse
            if end == header.last and next(lines, None) is not None:
                raise self._broken(
                    end + 1, f"there are more lines than the header says, {header.last}"
                )

    async def positions(self, revisions: Sequence[tuple[str, int]]) -> Sequence[int | None]:
        """Where these were; of a stream that began before what was read, that is trusted."""
        trusted = self._after or None
        return [self._streams.position(*each, unknown=trusted) for each in revisions]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._streams.close()

    def _header(self, lines: Iterator[bytes]) -> ExportHeader:
        raw = next(lines, b"")
        try:
            header = _HEADER.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._broken(0, f"its header can't be read ({error})") from None
        if ENCODER.encode(header) + b"\n" != raw:
            raise self._broken(0, "its header is not written as kcjl writes it")
        own = genesis(header.merchant).hex()
        if header.genesis != own:
            raise self._broken(0, f"genesis: expected {own}, found {header.genesis}")
        if header.first < 1 or header.last < header.first - 1:
            raise self._broken(0, f"its range is {header.first} to {header.last}")
        if header.first == 1 and header.previous != own:
            raise self._broken(0, f"previous: expected {own}, found {header.previous}")
        for text in (header.previous, header.hash):
            if len(text) != HASH_DIGITS or not set(text) <= set("0123456789abcdef"):
                raise self._broken(0, f"{text} is not a hash")
        return header

    def _page(
        self, lines: Iterator[bytes], position: int, end: int
    ) -> tuple[list[Entry], BrokenExport | None]:
        """A page, and why there is not more of it, when there ought to be."""
        page: list[Entry] = []
        size = 0
        wanted = min(PAGE_EVENTS_MAX, end - position)
        try:
            for raw in islice(lines, wanted):
                page.append(self._entry(raw, position + len(page) + 1))
                size += len(raw)
                if size > PAGE_BYTES_MAX:
                    return page, None
        except BrokenExport as trouble:
            return page, trouble
        if len(page) < wanted:
            finding = f"the file ends here; its header promises {self.header.last}"
            return page, self._broken(position + len(page) + 1, finding)
        return page, None

    def _first_beginnings(
        self, page: list[Entry], trouble: BrokenExport | None
    ) -> tuple[list[Entry], BrokenExport | None]:
        """A stream begins once: a file has no unique index that would see to it."""
        for number, entry in enumerate(page):
            if entry.revision == 1 and self._streams.position(entry.stream, 1, unknown=0) != 0:
                finding = f"stream {entry.stream} begins a second time"
                return page[:number], self._broken(entry.position, finding)
        return page, trouble

    def _entry(self, raw: bytes, position: int) -> Entry:
        try:
            line = _LINE.decode(raw)
            hash_ = bytes.fromhex(line.hash)
        except (msgspec.MsgspecError, ValueError) as error:
            raise self._broken(position, f"its line can't be read ({error})") from None
        in_utc = line.occurred_at.tzinfo is UTC and line.recorded_at.tzinfo is UTC
        if not in_utc or ENCODER.encode(line) + b"\n" != raw or hash_.hex() != line.hash:
            raise self._broken(position, "its line is not written as kcjl writes it")
        if line.merchant != self.header.merchant:
            raise self._broken(
                position, f"merchant: expected {self.header.merchant}, found {line.merchant}"
            )
        return Entry(
            merchant=line.merchant,
            position=line.position,
            stream=line.stream,
            revision=line.revision,
            type=line.type,
            schema=line.schema,
            occurred_at=line.occurred_at,
            recorded_at=line.recorded_at,
            correlation_id=line.correlation_id,
            causation=line.causation,
            by=line.by,
            data=line.data.encode(),
            hash=hash_,
        )

    def _skip(self, lines: Iterator[bytes], count: int) -> None:
        for _ in islice(lines, count):
            pass

    def _lines(self) -> Generator[bytes, None, None]:
        """The file's lines, unpacked; a plain text, already unpacked, will do too."""
        number = 0
        try:
            with self.path.open("rb") as packed:
                is_packed = packed.read(len(_GZIP)) == _GZIP
                packed.seek(0)
                file = gzip.GzipFile(fileobj=packed, mode="rb") if is_packed else packed
                while line := file.readline(LINE_BYTES_MAX):
                    if len(line) == LINE_BYTES_MAX or not line.endswith(b"\n"):
                        raise self._broken(self._at(number), "its line has no end")
                    yield line
                    number += 1
        except EOFError:
            raise self._broken(
                self._at(number), "the compressed file is cut off here"
            ) from None
        except (zlib.error, gzip.BadGzipFile) as error:
            finding = f"the compressed file is damaged here or just after ({error})"
            raise self._broken(self._at(number), finding) from None
        except (FileNotFoundError, IsADirectoryError):
            raise Misuse(f"there is no exported file at {self.path}") from None
        except OSError as error:
            raise Unavailable(f"{self.path} can't be read: {error.strerror}") from None

    def _at(self, number: int) -> int:
        """The position that the line of this number ought to have."""
        header: ExportHeader | None = getattr(self, "header", None)
        return 0 if header is None or number == 0 else header.first + number - 1

    def _broken(self, position: int, finding: str) -> BrokenExport:
        return BrokenExport(self.path, position, finding)


async def verify_export(
    reader: ExportReader,
    *,
    first: int | None = None,
    to: int | None = None,
    progress: Callable[[int], None] | None = None,
    sound: Callable[[Sequence[BareRow]], None] | None = None,
) -> Verified:
    """Verify a file from `first` (its own first position when None) to `to` (its end).

    `progress` and `sound` as of `verify`. Raises BrokenExport.
    """
    header = reader.header
    start = header.first if first is None else first
    if not header.first <= start <= header.last + 1:
        raise Misuse(f"{reader.path} has positions {header.first} to {header.last}")
    own = start == header.first and start > 1
    try:
        return await verify(
            reader,
            after=start - 1,
            to=to,
            previous=bytes.fromhex(header.previous) if own else None,
            progress=progress,
            sound=sound,
        )
    except BrokenChain as error:
        raise BrokenExport(
            reader.path,
            error.position,
            error.finding,
            expected=error.expected,
            found=error.found,
        ) from None


class _Streams:
    """The latest revision of each stream: on disk as it grows, so that memory does not."""

    def __init__(self) -> None:
        self._store = sqlite3.connect("")
        self._store.execute(
            "create table latest (stream text primary key, revision int, position int) "
            "without rowid"
        )

    def forget(self) -> None:
        self._store.execute("delete from latest")

    def remember(self, page: Sequence[Entry]) -> None:
        latest = {entry.stream: (entry.revision, entry.position) for entry in page}
        self._store.executemany(
            "insert or replace into latest values (?, ?, ?)",
            [(stream, *where) for stream, where in latest.items()],
        )

    def position(self, stream: str, revision: int, *, unknown: int | None) -> int | None:
        row = self._store.execute(
            "select revision, position from latest where stream = ?", (stream,)
        ).fetchone()
        if row is None:
            return unknown
        return int(row[1]) if row[0] == revision else None

    def close(self) -> None:
        self._store.close()
