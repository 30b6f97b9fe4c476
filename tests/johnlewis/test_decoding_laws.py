"""Whatever an answer looks like: it is read, or a typed error names what it was.

One field of a whole sample is left out, made null, filled with a surprise or given another
shape; or the whole body is any JSON at all.
"""

import copy
import json
from collections.abc import Callable, Iterator, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import ProtocolSurprise, Refused
from kcjl.johnlewis import (
    documents,
    order_records,
    returns,
    reversals,
    shop_account,
    tenant_records,
)
from kcjl.johnlewis.order_rows import order_rows
from kcjl.johnlewis.reversal_port import RefundRequest
from kcjl.money import Money
from tests.johnlewis import samples

Json = object
Read = Callable[[bytes], object]

REQUEST = RefundRequest(
    line_id="700123456-A-1",
    amount=Money(2400),
    shipping_amount=Money(0),
    reason_code="17",
    tax_mode="TAX_INCLUDED",
)
REFUNDED: Json = {
    "order_tax_mode": "TAX_INCLUDED",
    "refunds": [
        {
            "refund_id": "55012",
            "order_refund_id": "uuid",
            "order_line_id": "700123456-A-1",
            "amount": 24.00,
            "shipping_amount": 0,
            "quantity": 1,
            "reason_code": "17",
            "taxes": [{"code": "VAT20", "amount": 4.00}],
        }
    ],
}
RETURNS_DONE: Json = {
    "return_success": [{"id": "R1"}],
    "return_errors": [{"id": "R2", "message": "wrong state", "errors": [{"code": "X"}]}],
}
UPLOADED: Json = {
    "errors_count": 2,
    "order_documents": [
        {"file_name": "a.pdf", "errors": [{"code": "TYPE", "message": "unknown type"}]},
        {"input": {"file_name": "b.pdf"}, "errors": [{"code": "NAME"}]},
    ],
}

CASES: dict[str, tuple[Json, Read]] = {
    "OR11": (
        {"orders": [samples.RICH_ORDER], "total_count": 1},
        lambda body: order_records.orders(body, "GBP"),
    ),
    "A01": (samples.ACCOUNT, lambda body: tenant_records.account(body, "GBP")),
    "PC01": (samples.PLATFORM, tenant_records.platform),
    "SH21": (samples.CARRIERS, tenant_records.carriers),
    "SH12": (samples.SHIPPING_TYPES, tenant_records.shipping_types),
    "RE01": (samples.REASONS, tenant_records.reasons),
    "OR75": (samples.ORDER_TAXES, tenant_records.order_taxes),
    "A21": (
        samples.STATISTICS,
        lambda body: tenant_records.statistics(body, rates_are_percent=True),
    ),
    "OR28": (
        REFUNDED,
        lambda body: reversals.reversal_made(body, "OR28", "refunds", REQUEST),
    ),
    "RT11": ({"data": [samples.RETURN], "next_page_token": "t"}, returns.returns_page),
    "RT21": (RETURNS_DONE, lambda body: returns.return_outcomes(body, "RT21", ["R1", "R2"])),
    "OR72": (samples.DOCUMENTS, documents.order_documents),
    "OR74": (
        UPLOADED,
        lambda body: documents.upload_outcomes(body, "OR74", ["a.pdf", "b.pdf"]),
    ),
    "TL02": (
        {"data": [samples.TRANSACTION]},
        lambda body: shop_account.transaction_lines(body, "GBP"),
    ),
    "SBC11": (
        {"data": [samples.PAID_CYCLE]},
        lambda body: shop_account.billing_cycles(body, "GBP"),
    ),
}


def as_json(body: Json) -> bytes:
    """Also what no careful writer says: half a surrogate pair."""
    return json.dumps(body).encode()


SURPRISES: Sequence[Json] = (
    None, True, 0, -1, 7, 2.5, 1e300, 10**30, "", "  ", "SOMETHING_NEW", "NaN", "sNaN",
    "Infinity", "-0", "1e999999", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00", "x" * 3_000, [], {}, [None], [[]], {"code": None},
    [{"surprise": 1}], "\ud83d\ude00", "\ud83d", "\x00",
)  # fmt: skip


def paths(body: Json, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to each value of a body."""
    inner: Sequence[tuple[str | int, Json]] = ()
    if isinstance(body, dict):
        inner = list(body.items())
    elif isinstance(body, list):
        inner = list(enumerate(body))
    for name, value in inner:
        yield (*before, name)
        yield from paths(value, (*before, name))


def changed(
    body: Json, path: Sequence[str | int], surprise: Json, *, absent: bool = False
) -> bytes:
    whole = copy.deepcopy(body)
    place: Json = whole
    for step in path[:-1]:
        place = place[step]  # type: ignore[index] # the path was made from this body
    if absent:
        del place[path[-1]]  # type: ignore[attr-defined] # the same
    else:
        place[path[-1]] = surprise  # type: ignore[index] # the same
    return as_json(whole)


def is_read_or_named(operation: str, read: Read, body: bytes) -> None:
    """Read, refused by the marketplace's own word, or a surprise that says where."""
    message = operation
    try:
        read(body)
    except (ProtocolSurprise, Refused) as error:
        message = error.message

    assert message.startswith(operation)


@pytest.mark.parametrize("operation", CASES)
def test_answer_with_one_field_odd_is_read_or_named(operation: str) -> None:
    """Absent, null, unknown or of another shape: every field, every surprise."""
    body, read = CASES[operation]
    for path in paths(body):
        is_read_or_named(operation, read, changed(body, path, None, absent=True))
        for surprise in SURPRISES:
            is_read_or_named(operation, read, changed(body, path, surprise))


@pytest.mark.parametrize("operation", CASES)
def test_answer_with_an_unknown_field_anywhere_is_read_as_without(operation: str) -> None:
    """What a newer platform adds is passed over (b.0)."""
    body, read = CASES[operation]
    expected = read(as_json(body))
    objects = [path for path in ((), *paths(body)) if isinstance(_at(body, path), dict)]
    for path in objects:
        for surprise in SURPRISES:
            if surprise == "\ud83d":
                continue  # no text at all: such a body is refused whole
            whole = copy.deepcopy(body)
            place = _at(whole, path)
            assert isinstance(place, dict)
            place["brand_new"] = surprise

            assert expected == read(as_json(whole))


def _at(body: Json, path: Sequence[str | int]) -> Json:
    for step in path:
        body = body[step]  # type: ignore[index] # the path was made from this body
    return body


any_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(CASES)), st.binary() | any_json.map(as_json))
def test_answer_of_any_json_or_bytes_is_read_or_named(operation: str, body: bytes) -> None:
    """A page of a proxy, half a body, a list in place of an object: never a crash."""
    is_read_or_named(operation, CASES[operation][1], body)


@given(st.sampled_from(sorted(CASES)), st.data())
def test_answer_with_any_value_in_any_places_is_read_or_named(
    operation: str, data: st.DataObject
) -> None:
    """Two places at once, with whatever JSON can say."""
    body, read = CASES[operation]
    raw = as_json(body)
    for _ in range(2):
        there = msgspec.json.decode(raw)
        path = data.draw(st.sampled_from(list(paths(there)) or [()]))
        if path:
            raw = changed(there, path, data.draw(any_json))
    is_read_or_named(operation, read, raw)


def test_order_beside_one_with_any_odd_field_is_read() -> None:
    """OR11: whatever is wrong with one order of a page, the next one is read all the same."""
    good: Json = {**samples.RICH_ORDER, "order_id": "GOOD"}
    expected = order_records.orders(as_json({"orders": [good]}), "GBP").rows
    for path in paths(samples.RICH_ORDER):
        for surprise in SURPRISES:
            if surprise == "\ud83d":
                continue  # no JSON any more: such a page is refused whole
            odd = changed(samples.RICH_ORDER, path, surprise)
            page = b'{"orders": [' + odd + b", " + as_json(good) + b'], "total_count": 2}'
            told = order_rows(page, "GBP")

            assert 2 == told.total
            assert expected == told.rows[1:]
