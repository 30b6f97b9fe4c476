"""DATA/postgres.log: what PostgreSQL itself says, and the line of it that explains a failure.

Promises: the file stays near LOG_BYTES_MAX: at a start, an older and longer one becomes
postgres.log.1. It does not interpret beyond FATAL and PANIC. Called by `server`, `cluster`.
"""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["last_line", "last_words", "open_log"]

LOG_BYTES_MAX = 8 * 1024 * 1024  # at a start the older log becomes postgres.log.1


def open_log(path: Path) -> int:
    with suppress(FileNotFoundError):
        if path.lstat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_name("postgres.log.1"))
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


def last_line(output: str) -> str:
    return (output.strip().splitlines() or ["no output"])[-1].strip()


def last_words(log: Path, start: int) -> str:
    """The line of the log that says most about the start that began at that byte."""
    try:
        lines = log.read_bytes()[start:].decode(errors="replace")
    except OSError:
        return "its log can't be read"
    fatal = [line for line in lines.splitlines() if "FATAL:" in line or "PANIC:" in line]
    return last_line(fatal[-1] if fatal else lines)
