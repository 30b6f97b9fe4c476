"""A log, or a range of it, as one file that can be verified without kcjl's database.

Form: gzip, of lines of JSON in UTF-8. The first line is the header: format, merchant, genesis,
first and last position, the hash before the first (`previous`) and that of the last (`hash`).
Each further line is one event: every column, in the order of the table, `data` as text byte for
byte, hashes as hexadecimal digits, times in ISO 8601 and UTC.
Promises: the file is there whole or not at all, each link is computed before it is written, and
the same range is the same bytes each time. It seals nothing: who can write the file can write
another whole chain, and only a seal finds that.
Invariant: one event, one form: exported.py, which reads it, refuses other bytes of that sense.
Called by `kcjl log export`; `whole` by `kcjl log seal` too.
"""

import errno
import fcntl
import gzip
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Literal

import msgspec

from kcjl.errors import Misuse, Unavailable
from kcjl.log.chain import Entry, genesis, link_entry
from kcjl.log.verify import BrokenChain, EntryReader

__all__ = ["ENCODER", "ExportHeader", "ExportLine", "export", "whole"]

FORMAT: Literal["kcjl-export-1"] = "kcjl-export-1"
COMPRESSION = 6
"""Of gzip, from 1 to 9: above it costs much and saves little."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


_Count = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
"""As the table's columns have it."""


class ExportHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line: whose log, which range of it, and where the chain goes in and out."""

    format: Literal["kcjl-export-1"] = FORMAT
    merchant: str
    genesis: str
    first: _Count
    last: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    """The last position; first - 1 when there is no event."""
    previous: str
    hash: str


class ExportLine(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False
):
    """A further line: one event, with every column of the table in its order."""

    merchant: str
    position: _Count
    stream: str
    revision: _Count
    type: str
    schema: _Count
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]
    recorded_at: Annotated[datetime, msgspec.Meta(tz=True)]
    correlation_id: str
    causation: int | None
    by: str
    data: str
    hash: str


ENCODER = msgspec.json.Encoder()


async def export(
    reader: EntryReader,
    sink: IO[bytes],
    *,
    first: int = 1,
    last: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> ExportHeader:
    """Write `first <= position <= last` (to the present head when None) into `sink`.

    Raises BrokenChain for a log that does not hang together; what was written is no export.
    """
    head, _ = await reader.end()
    end = head.position if last is None else last
    if not 1 <= first <= end + 1 <= head.position + 1:
        raise Misuse(
            f"the log of {reader.merchant} has positions 1 to {head.position}: "
            "give a range in it"
        )
    hash_ = await _stored_hash(reader, first - 1)
    closing_hash = head.hash if end == head.position else await _stored_hash(reader, end)
    header = ExportHeader(
        merchant=reader.merchant,
        genesis=genesis(reader.merchant).hex(),
        first=first,
        last=end,
        previous=hash_.hex(),
        hash=closing_hash.hex(),
    )
    with gzip.GzipFile("", "wb", COMPRESSION, sink, mtime=0) as file:
        file.write(ENCODER.encode(header) + b"\n")
        position = first - 1
        async with aclosing(reader.entries(position, to=end)) as pages:
            async for page in pages:
                hash_ = _check_links(reader.merchant, position, hash_, page)
                file.write(ENCODER.encode_lines([_line(entry) for entry in page]))
                position = page[-1].position
                if progress is not None:
                    progress(position)
        if position < end or hash_ != closing_hash:
            expected = f"positions up to {end}, with the hash {closing_hash.hex()}"
            found = f"position {position}, with the hash {hash_.hex()}"
            raise BrokenChain(
                reader.merchant, position + 1, "the end", expected=expected, found=found
            )
    return header


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that is at `path` when the block ends well, and nowhere when it does not.

    What a killed process left half-made is written over. Raises Misuse where nothing can be
    written, or another process is writing; Unavailable when the disk is full.
    """
    half = path.with_name(f".{path.name}.part")
    try:
        with half.open("ab") as file:
            _claim(half, file)
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                half.replace(path)
            except BaseException:
                half.unlink(missing_ok=True)
                raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        told = f"{path} can't be written: {error.strerror}"
        if error.errno in _FULL:
            raise Unavailable(f"{told}: make room, then do it again") from None
        raise Misuse(told) from None


def _claim(half: Path, file: IO[bytes]) -> None:
    """Be the only one that writes it; the claim goes with the process."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = os.path.samestat(os.fstat(file.fileno()), half.stat())
    except (BlockingIOError, FileNotFoundError):
        ours = False
    if not ours:
        raise Misuse(f"{half} is being written by another process: wait, or name another file")
    file.truncate(0)


async def _stored_hash(reader: EntryReader, position: int) -> bytes:
    if position == 0:
        return genesis(reader.merchant)
    async with aclosing(reader.entries(position - 1, to=position)) as pages:
        async for page in pages:
            if page[0].position == position:
                return page[0].hash
    raise BrokenChain(reader.merchant, position, "it is missing")


def _check_links(merchant: str, position: int, hash_: bytes, page: Sequence[Entry]) -> bytes:
    """Nobody is handed a file that would be found broken: it is said here, where it broke."""
    for expected, entry in enumerate(page, start=position + 1):
        if entry.position != expected:
            raise BrokenChain(
                merchant,
                expected,
                "it is missing",
                expected=f"position {expected}",
                found=f"position {entry.position}",
            )
        hash_ = link_entry(hash_, entry)
        if entry.hash != hash_:
            raise BrokenChain(
                merchant,
                expected,
                "its content is not what was hashed",
                expected=hash_.hex(),
                found=entry.hash.hex(),
            )
    return hash_


def _line(entry: Entry) -> ExportLine:
    return ExportLine(
        merchant=entry.merchant,
        position=entry.position,
        stream=entry.stream,
        revision=entry.revision,
        type=entry.type,
        schema=entry.schema,
        occurred_at=entry.occurred_at.astimezone(UTC),
        recorded_at=entry.recorded_at.astimezone(UTC),
        correlation_id=entry.correlation_id,
        causation=entry.causation,
        by=entry.by,
        data=entry.data.decode(),
        hash=entry.hash.hex(),
    )
