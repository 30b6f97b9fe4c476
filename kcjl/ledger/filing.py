"""Files that are there whole or not at all. Called by `pack.py` and by whoever files packs."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import anyio.to_thread

from kcjl.errors import Unavailable
from kcjl.ledger.port import JournalDocument

__all__ = ["digest_of", "half_of", "put_in_place", "written_whole"]


def half_of(target: Path) -> Path:
    """Where a file is written before it is whole."""
    return target.with_name(f"{target.name}.part")


def put_in_place(target: Path) -> None:
    """What was written to its half is the file now, and is on the disk."""
    half = half_of(target)
    with half.open("rb+") as file:
        os.fsync(file.fileno())
    half.replace(target)


def digest_of(path: Path) -> JournalDocument:
    """The file's name and SHA-256."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return JournalDocument(name=path.name, sha256=sha256)


async def written_whole(target: Path, write: Callable[[Path], object]) -> JournalDocument:
    """Have it written, beside the event loop; one that is there already stays as it is.

    Raises Unavailable when the disk does not take it.
    """

    def make() -> JournalDocument:
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write(half_of(target))
            put_in_place(target)
        return digest_of(target)

    try:
        return await anyio.to_thread.run_sync(make)
    except OSError as error:
        raise Unavailable(f"{target.name} can't be written: {error.strerror}") from None
