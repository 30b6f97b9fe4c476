"""Cuts a file that arrives in pieces into rows, and decodes each run of whole rows at once.

Promises: what is held is one piece and one unfinished row, however long the file; a row longer
than `row_bytes_max` and a file that stops in the middle raise `ProtocolSurprise`; a byte order
mark is passed over. It judges no row and fetches nothing.
Invariant: every row of the file is given once and in its order, or the reading fails.
Called by `order_export.py`, `offers.py` and `account_calls.py`. Source: contract johnlewis b.
"""

import csv
import io
import re
from typing import Generic, Protocol, TypeVar

import msgspec

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis.reading import BYTE_ORDER_MARK, listed, plain_text, without_nul

__all__ = ["ROW_BYTES_MAX", "CsvRows", "JsonRows", "LineRows", "RowReader"]

ROW_BYTES_MAX = 8 * 1024 * 1024
"""No order, offer or transaction line is longer; a longer one is told, never held."""

_HEAD_BYTES = 20_000
"""So much of a file without rows is kept, to tell what it says instead."""

_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+([{}\[\]])', re.DOTALL)
"""Up to the next bracket that does not stand in a string."""

_OPENS_LIST = ord("[")

_Row = TypeVar("_Row")


class RowReader(Protocol[_Row]):
    """Takes a file's pieces in their order, gives its rows."""

    def feed(self, piece: bytes) -> list[_Row]: ...

    def finish(self) -> list[_Row]:
        """The rows that were held back. Raises `ProtocolSurprise` for a file cut short."""
        ...


class JsonRows(Generic[_Row]):
    """`{"orders": […]}`, also with other fields around the list, and a bare `[…]`."""

    def __init__(
        self, kind: type[_Row], *, name: str, what: str, row_bytes_max: int = ROW_BYTES_MAX
    ) -> None:
        self._decoder = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
        self._key = re.compile(rb'(?<!\\)"%b"\s*:\s*\Z' % re.escape(name.encode()))
        self._what = what
        self._row_bytes_max = row_bytes_max
        self._head = b""
        self._buffer = b""
        self._at = 0
        """Up to here the buffer was looked at."""
        self._depth = 0
        self._list_depth: int | None = None
        """The depth of the rows; None outside their list."""
        self._run_start = self._run_end = 0
        self._found = self._begun = False

    def feed(self, piece: bytes) -> list[_Row]:
        if len(self._head) < _HEAD_BYTES:
            self._head += piece[: _HEAD_BYTES - len(self._head)]
        self._buffer += piece
        if not self._begun:
            if len(self._buffer) < len(BYTE_ORDER_MARK):
                return []
            self._begun = True
            self._buffer = self._buffer.removeprefix(BYTE_ORDER_MARK)
        runs = self._runs()
        kept_from = self._at if self._list_depth is None else self._run_start
        self._buffer = self._buffer[kept_from:]
        self._at -= kept_from
        self._run_start = self._run_end = 0
        if len(self._buffer) > self._row_bytes_max:
            raise ProtocolSurprise(
                f"{self._what}: a row is longer than {self._row_bytes_max} bytes"
            )
        return [row for run in runs for row in self._rows(run)]

    def finish(self) -> list[_Row]:
        rows = [] if self._begun else self._shortest()
        if self._depth or self._buffer[self._at :].strip(b" \t\r\n\0"):
            raise ProtocolSurprise(f"{self._what}: the file stops in the middle")
        if not self._found:
            listed(None, self._head, self._what)
        return rows

    def _shortest(self) -> list[_Row]:
        """A file of fewer bytes than a byte order mark has."""
        self._begun = True
        return self.feed(b"")

    def _runs(self) -> list[bytes]:
        """The whole rows that the buffer holds, a run of them for each list."""
        runs: list[bytes] = []
        while (found := _BRACKET.match(self._buffer, self._at)) is not None:
            end = found.end()
            bracket = self._buffer[end - 1]
            if bracket in b"{[":
                if bracket == _OPENS_LIST and self._opens_rows(found.start(), end - 1):
                    self._list_depth = self._depth + 1
                    self._run_start = self._run_end = end
                    self._found = True
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth < 0:
                    raise ProtocolSurprise(f"{self._what}: the file closes more than it opens")
                if self._depth == self._list_depth:
                    self._run_end = end
                elif self._list_depth is not None and self._depth < self._list_depth:
                    runs.append(self._buffer[self._run_start : end - 1])
                    self._list_depth = None
            self._at = end
        if self._list_depth is not None and self._run_end > self._run_start:
            runs.append(self._buffer[self._run_start : self._run_end])
            self._run_start = self._run_end
        return runs

    def _opens_rows(self, since: int, bracket: int) -> bool:
        if self._list_depth is not None or self._depth > 1:
            return False
        if self._depth == 0:
            return not self._found
        return self._key.search(self._buffer, since, bracket) is not None

    def _rows(self, run: bytes) -> list[_Row]:
        inner = run.strip().removeprefix(b",")
        try:
            return self._decoder.decode(b"[" + without_nul(inner) + b"]")
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise ProtocolSurprise(f"{self._what}: rows could not be read: {error}") from None


class LineRows(Generic[_Row]):
    """NDJSON: one object a line; empty lines are passed over."""

    def __init__(
        self, kind: type[_Row], *, what: str, row_bytes_max: int = ROW_BYTES_MAX
    ) -> None:
        self._decoder = msgspec.json.Decoder(kind)
        self._what = what
        self._row_bytes_max = row_bytes_max
        self._buffer = b""
        self._begun = False

    def feed(self, piece: bytes) -> list[_Row]:
        whole, newline, self._buffer = (self._buffer + piece).rpartition(b"\n")
        if len(self._buffer) > self._row_bytes_max:
            raise ProtocolSurprise(
                f"{self._what}: a line is longer than {self._row_bytes_max} bytes"
            )
        return self._rows(whole) if newline else []

    def finish(self) -> list[_Row]:
        left, self._buffer = self._buffer, b""
        return self._rows(left)

    def _rows(self, lines: bytes) -> list[_Row]:
        if not self._begun:
            self._begun = True
            lines = lines.removeprefix(BYTE_ORDER_MARK)
        try:
            return [
                self._decoder.decode(line)
                for line in without_nul(lines).split(b"\n")
                if line.strip()
            ]
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise ProtocolSurprise(f"{self._what}: a line could not be read: {error}") from None


class CsvRows:
    """CSV with a header, semicolons or whatever the header uses (contract a.6, b.2).

    A row is given as its cells by the header's names; a cell without a name is left out.
    """

    def __init__(self, *, what: str, row_bytes_max: int = ROW_BYTES_MAX) -> None:
        self._what = what
        self._row_bytes_max = row_bytes_max
        self._buffer = b""
        self._header: list[str] | None = None
        self._delimiter = ";"

    def feed(self, piece: bytes) -> list[dict[str, str]]:
        self._buffer += piece
        end = self._end_of_whole_rows()
        if len(self._buffer) - end > self._row_bytes_max:
            raise ProtocolSurprise(
                f"{self._what}: a row is longer than {self._row_bytes_max} bytes"
            )
        rows, self._buffer = self._buffer[:end], self._buffer[end:]
        return self._rows(rows)

    def finish(self) -> list[dict[str, str]]:
        left, self._buffer = self._buffer, b""
        if left.count(b'"') % 2:
            raise ProtocolSurprise(f"{self._what}: the file stops in the middle of a cell")
        return self._rows(left)

    def _end_of_whole_rows(self) -> int:
        """After the last newline that does not stand in a quoted cell."""
        end = self._buffer.rfind(b"\n") + 1
        quotes = self._buffer.count(b'"', 0, end)
        while end and quotes % 2:
            before = self._buffer.rfind(b"\n", 0, end - 1) + 1
            quotes -= self._buffer.count(b'"', before, end)
            end = before
        return end

    def _rows(self, raw: bytes) -> list[dict[str, str]]:
        try:
            told = without_nul(raw).decode("utf-8-sig" if self._header is None else "utf-8")
            if self._header is None:
                first = told.lstrip("\r\n").partition("\n")[0]
                self._delimiter = max(";,\t|", key=first.count)
            text = io.StringIO(told, newline="")
            rows = [row for row in csv.reader(text, delimiter=self._delimiter) if any(row)]
        except UnicodeDecodeError:
            raise ProtocolSurprise(f"{self._what}: the file is not UTF-8") from None
        except csv.Error as error:
            raise ProtocolSurprise(
                f"{self._what}: rows could not be read: {plain_text(str(error))}"
            ) from None
        if self._header is None and rows:
            self._header = [name.strip().lower() for name in rows.pop(0)]
        names = self._header or []
        return [dict(zip(names, row, strict=False)) for row in rows]
