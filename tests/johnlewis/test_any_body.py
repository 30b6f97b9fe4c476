"""Whatever a field of an answer is — absent, null, another kind — it is read, or told where.

The bodies are the contract's samples with some of their fields changed; no change may crash a
decoder, and what is told names the operation and the field or the row.
"""

import copy
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis import (
    invoices,
    offer_records,
    offer_writing,
    order_records,
    order_wire,
    parcels,
    shop_account,
    wire,
)
from kcjl.johnlewis.exports import WireExport, WireExportStatus
from kcjl.johnlewis.offer_wire import WireChange
from kcjl.johnlewis.reading import holds, words_of_refusal
from kcjl.johnlewis.splitting import CsvRows, JsonRows, LineRows
from tests.johnlewis.samples import (
    INVOICE,
    OFFER,
    ORDER,
    PAID_CYCLE,
    SHIPMENT,
    TO_SHIP,
    TRANSACTION,
)
from tests.patience import unhurried

ABSENT = object()
Path = tuple[str | int, ...]
Decode = Callable[[bytes], object]

STRANGE = st.sampled_from(
    [
        ABSENT,
        None,
        "",
        " ",
        "SOMETHING_NEW",
        "2026-13-45T99:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "NaN",
        "-Infinity",
        "1e400",
        10**30,
        -1,
        0.1 + 0.2,
        1e300,
        True,
        [],
        [None],
        {},
        {"code": {"code": None}},
        [[[]]],
        "\x00\ud7ff",
    ]
)


def _orders_of_a_file(body: bytes) -> object:
    reader = JsonRows(order_wire.WireOrder, name="orders", what="OR15")
    rows = reader.feed(body) + reader.finish()
    return [order_records.order(row, "GBP", "OR15") for row in rows]


def _changes_of_a_file(body: bytes) -> object:
    reader = JsonRows(WireChange, name="offers", what="OF54")
    rows = reader.feed(body) + reader.finish()
    return [offer_records.change(row, "GBP", "OF54") for row in rows]


def _lines_of_a_file(body: bytes) -> object:
    reader = LineRows(wire.WireTransaction, what="TL05")
    rows = reader.feed(body) + reader.finish()
    return [shop_account.transaction_line(row, "GBP", "TL05") for row in rows]


def _status(body: bytes) -> object:
    told = wire.decoded(body, WireExportStatus, "OR14")
    return told.status, told.urls, words_of_refusal(holds(told.error) or b"")


CHANGE = {**OFFER, "deleted": False, "prices": OFFER["all_prices"]}
IMPORT = {"import_id": 9, "status": "COMPLETE", "date_created": "2026-02-03", "lines_read": 1}
OUTCOMES = {
    "shipment_success": [{"id": "s1"}],
    "shipment_errors": [{"id": "s2", "message": "x"}],
}
STATUS = {"status": "FAILED", "urls": ["u"], "error": {"code": "1", "detail": "d"}}

DECODERS: dict[str, tuple[object, Decode]] = {
    "OF21": ({"offers": [OFFER], "total_count": 1}, lambda b: offer_records.offers(b, "GBP")),
    "OF02": (IMPORT, lambda b: offer_writing.offer_import(b, 9)),
    "OF54": ({"offers": [CHANGE]}, _changes_of_a_file),
    "OR11": ({"orders": [ORDER], "total_count": 1}, lambda b: order_records.orders(b, "GBP")),
    "OR15": ({"orders": [ORDER, ORDER]}, _orders_of_a_file),
    "ST11": ({"data": [SHIPMENT], "next_page_token": "t"}, parcels.shipments),
    "ST12": ({"data": [TO_SHIP], "next_page_token": "t"}, parcels.orders_to_ship),
    "ST23": (OUTCOMES, lambda b: parcels.outcomes(b, ["s1", "s2"], "ST23")),
    "TL02": ({"data": [TRANSACTION]}, lambda b: shop_account.transaction_lines(b, "GBP")),
    "TL05": (TRANSACTION, _lines_of_a_file),
    "SBC11": ({"data": [PAID_CYCLE]}, lambda b: shop_account.billing_cycles(b, "GBP")),
    "IV01": ({"invoices": [INVOICE]}, lambda b: invoices.invoices(b, "GBP")),
    "OR13": ({"tracking_id": "t"}, lambda b: wire.decoded(b, WireExport, "OR13")),
    "OR14": (STATUS, _status),
}


def paths(value: object, above: Path = ()) -> Iterator[Path]:
    """Every place in a body."""
    inner: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(value, dict):
        inner = iter(value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    for name, each in inner:
        yield (*above, name)
        yield from paths(each, (*above, name))


def changed(body: object, path: Path, value: object) -> object:
    """The body with one place changed, where an earlier change left that place there."""
    whole = copy.deepcopy(body)
    place = whole
    for name in path[:-1]:
        try:
            place = place[name]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return body
    try:
        if value is ABSENT:
            del place[path[-1]]  # type: ignore[attr-defined]
        else:
            place[path[-1]] = value  # type: ignore[index]
    except (KeyError, IndexError, TypeError):
        return body
    return whole


@pytest.mark.parametrize("operation", DECODERS)
@unhurried
@given(choice=st.data())
def test_any_body_is_read_or_told_where(operation: str, choice: st.DataObject) -> None:
    """No field, however strange, takes the reading down."""
    body, decode = DECODERS[operation]
    everywhere = st.sampled_from(list(paths(body)))
    for path, value in choice.draw(st.lists(st.tuples(everywhere, STRANGE), max_size=4)):
        body = changed(body, path, value)

    told = operation
    try:
        decode(msgspec.json.encode(body))
    except ProtocolSurprise as surprise:
        told = surprise.message

    assert operation in told


@pytest.mark.parametrize("operation", DECODERS)
def test_body_with_any_one_field_absent_or_null_is_the_same(operation: str) -> None:
    """Absent and null are alike: both are read as one thing, or both are told."""
    body, decode = DECODERS[operation]
    different = []
    for path in paths(body):
        if isinstance(path[-1], int):
            continue
        ends: list[object] = []
        for value in (ABSENT, None):
            try:
                ends.append(decode(msgspec.json.encode(changed(body, path, value))))
            except ProtocolSurprise:
                ends.append("told")
        if ends[0] != ends[1]:
            different.append(path)

    assert [] == different


@unhurried
@given(body=st.binary(max_size=50))
def test_bytes_of_any_kind_are_read_or_told(body: bytes) -> None:
    """A page of HTML, half a UTF-8 letter, nothing at all."""
    for operation, (_, decode) in DECODERS.items():
        told = operation
        try:
            decode(body)
        except ProtocolSurprise as surprise:
            told = surprise.message

        assert operation in told


@unhurried
@given(report=st.text(max_size=80).map(str.encode) | st.binary(max_size=80))
def test_error_report_of_any_kind_is_read_or_told(report: bytes) -> None:
    """OF03 is for people: whatever it says, the import has ended."""
    told = "OF03"
    try:
        offer_writing.import_errors(report)
    except ProtocolSurprise as surprise:
        told = surprise.message

    assert "OF03" in told


@unhurried
@given(
    cells=st.dictionaries(
        st.sampled_from(
            ["offer-id", "price", "active", "deleted", "quantity", "prices", "last-updated"]
        ),
        st.text(max_size=6) | st.sampled_from(["7", "1.5", "true", "maybe", "2026-02-01"]),
    )
)
def test_row_of_csv_of_any_kind_is_read_or_told(cells: dict[str, str]) -> None:
    """OF51: a cell is a text, and a field is not."""
    told = "OF51"
    try:
        offer_records.change_of_cells(cells, "GBP", "OF51")
    except ProtocolSurprise as surprise:
        told = surprise.message

    assert "OF51" in told


def test_field_that_is_missing_is_named() -> None:
    """Who reads the message knows which order, and which field of it."""
    body = msgspec.json.encode({"orders": [{**ORDER, "price": None}]})

    with pytest.raises(ProtocolSurprise, match="OR15: order 700123456-A: its price is missing"):
        _orders_of_a_file(body)
    with pytest.raises(ProtocolSurprise, match=r"OR15.*\$\[0\]\.price"):
        _orders_of_a_file(body.replace(b'"price":null', b'"price":{}', 1))


def test_csv_without_a_row_is_empty() -> None:
    """A header alone is an export of nothing."""
    reader = CsvRows(what="OF51")

    assert [] == reader.feed(b"offer-id;price") + reader.finish()
