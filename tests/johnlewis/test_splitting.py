"""Files that arrive in pieces: every row once, whatever the pieces are."""

import csv
import io
import tracemalloc
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis.reading import BYTE_ORDER_MARK
from kcjl.johnlewis.splitting import CsvRows, JsonRows, LineRows, RowReader

Row = TypeVar("Row")
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS | st.just('"[{\\}]'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=6)
CUTS = st.lists(st.integers(0, 400), max_size=8)


def pieces(body: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    return [body[a:b] for a, b in pairwise(places)]


def read(reader: RowReader[Row], parts: Sequence[bytes]) -> list[Row]:
    return [row for part in parts for row in reader.feed(part)] + reader.finish()


def json_rows() -> JsonRows[dict[str, object]]:
    return JsonRows(dict[str, object], name="orders", what="OR15")


@given(
    rows=ROWS,
    cuts=CUTS,
    around=st.dictionaries(TEXTS, VALUES, max_size=3),
    mark=st.sampled_from([b"", BYTE_ORDER_MARK]),
)
def test_json_file_cut_anywhere_gives_each_row_once(
    rows: list[dict[str, object]], cuts: list[int], around: dict[str, object], mark: bytes
) -> None:
    """Nothing is lost at a cut, and brackets within texts are no structure."""
    around = {name: value for name, value in around.items() if name != "orders"}
    body = msgspec.json.encode({**around, "orders": rows, "zz": around})
    body = mark + body

    expected = msgspec.json.decode(msgspec.json.encode(rows))

    assert expected == read(json_rows(), pieces(body, cuts))


def test_json_file_of_any_length_takes_the_memory_of_a_piece() -> None:
    """Six megabytes in pieces of 64 KiB are never held: the peak is that of a few pieces."""
    row = msgspec.json.encode({"id": 1, "text": "x" * 2_000, "inner": [{"a": "}"}] * 20})
    piece = b",".join([row] * (65_536 // len(row)))
    reader = json_rows()
    tracemalloc.start()

    count = len(reader.feed(b'{"orders":[' + piece))
    for _ in range(100):
        count += len(reader.feed(b"," + piece))
    count += len(reader.feed(b"]}")) + len(reader.finish())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 101 * (65_536 // len(row)) == count
    assert peak < 2 * 1024 * 1024


@given(rows=ROWS, cuts=CUTS)
def test_json_file_that_is_a_bare_list_is_read_too(
    rows: list[dict[str, object]], cuts: list[int]
) -> None:
    """The files of OF54 are not described: a list without a name is one."""
    body = msgspec.json.format(msgspec.json.encode(rows), indent=2)

    assert rows == read(json_rows(), pieces(body, cuts))


@given(rows=ROWS.filter(bool), cuts=CUTS, share=st.floats(0, 0.999))
def test_json_file_that_is_cut_short_is_a_surprise(
    rows: list[dict[str, object]], cuts: list[int], share: float
) -> None:
    """Half a file is never taken for the whole."""
    body = msgspec.json.encode({"orders": rows})
    short = body[: max(1, int(len(body) * share))]

    with pytest.raises(ProtocolSurprise):
        read(json_rows(), pieces(short, cuts))


@given(body=st.binary(max_size=60) | st.text('[]{}",:orders1\\ ', max_size=60).map(str.encode))
def test_json_file_of_anything_is_read_or_told(body: bytes) -> None:
    """No file can crash the reading."""
    told = "OR15"
    try:
        read(json_rows(), [body[:7], body[7:]])
    except ProtocolSurprise as surprise:
        told = surprise.message

    assert "OR15" in told


@pytest.mark.parametrize("body", [b"", b"{}", b'{"orders":null}', b'{"orders":[]}', b"[ ]\n"])
def test_json_file_without_rows_has_none(body: bytes) -> None:
    """An export of nothing is a file of nothing."""
    assert [] == read(json_rows(), [body])


@pytest.mark.parametrize(
    "body",
    [
        b'{"message":"export expired","status":410}',
        b"<html>maintenance</html>",
        b'{"orders":[{}]}}',
        b'{"orders":[{}]} more',
        b'{"orders":[{} {}]}',
        b'{"orders":[null]}',
        b'{"orders":["a"',
    ],
)
def test_json_file_that_says_something_else_is_a_surprise(body: bytes) -> None:
    """A page of maintenance is not an export without orders."""
    with pytest.raises(ProtocolSurprise, match="OR15"):
        read(json_rows(), [body])


def test_json_row_above_the_bound_is_told() -> None:
    """What can't be held is not held."""
    reader = JsonRows(dict[str, object], name="orders", what="OR15", row_bytes_max=100)

    with pytest.raises(ProtocolSurprise, match="longer than 100 bytes"):
        reader.feed(b'{"orders":[{"a":"' + b"x" * 200)


@given(
    rows=ROWS,
    cuts=CUTS,
    mark=st.sampled_from([b"", BYTE_ORDER_MARK]),
    last=st.sampled_from([b"", b"\n", b"\r\n\n"]),
)
def test_lines_cut_anywhere_give_each_row_once(
    rows: list[dict[str, object]], cuts: list[int], mark: bytes, last: bytes
) -> None:
    """NDJSON, with or without a newline at its end."""
    body = b"\n".join(map(msgspec.json.encode, rows)) + last
    body = mark + body

    assert rows == read(LineRows(dict[str, object], what="TL05"), pieces(body, cuts))


def test_line_that_is_cut_short_is_a_surprise() -> None:
    """A last line of half an object is not passed over."""
    with pytest.raises(ProtocolSurprise, match="TL05"):
        read(LineRows(dict[str, object], what="TL05"), [b'{"id":1}\n{"id":'])


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8) | (
    st.sampled_from(['a"b', "c;d", "e\nf", "", "g,h"])
)


@given(
    rows=st.lists(st.tuples(st.just("7"), CELLS, CELLS), max_size=5),
    cuts=CUTS,
    mark=st.sampled_from([b"", BYTE_ORDER_MARK]),
    delimiter=st.sampled_from(";,\t"),
)
def test_csv_cut_anywhere_gives_each_row_once(
    rows: list[tuple[str, str, str]], cuts: list[int], mark: bytes, delimiter: str
) -> None:
    """Cells may hold the delimiter, quotes and newlines; the tenant chooses the delimiter."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("offer-id", "B", "c"), *rows])
    body = mark + file.getvalue().encode()

    expected = [dict(zip(("offer-id", "b", "c"), row, strict=True)) for row in rows]

    assert expected == read(CsvRows(what="OF51"), pieces(body, cuts))


@pytest.mark.parametrize("body", [b'offer-id;a\n1;"half', b"offer-id;a\n\xff\xfe;1\n"])
def test_csv_that_stops_or_is_not_utf8_is_a_surprise(body: bytes) -> None:
    """A cell that is not closed means that the file is not whole."""
    with pytest.raises(ProtocolSurprise, match="OF51"):
        read(CsvRows(what="OF51"), [body])
