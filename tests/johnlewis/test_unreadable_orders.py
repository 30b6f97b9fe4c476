"""OR11 with an order in it that can't be understood: it alone is refused, and it is told."""

from datetime import UTC, datetime

import pytest

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis.port import OrdersUnreadable
from kcjl.johnlewis.seller_api import SellerApi
from tests.johnlewis.samples import ORDER
from tests.johnlewis.server import Asked, ScriptedServer, said

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 2, 3, 8, 0, tzinfo=UTC)


def orders(count: int, wrong: dict[int, object]) -> list[object]:
    good = [{**ORDER, "order_id": f"O{number}"} for number in range(count)]
    return [wrong.get(number, row) for number, row in enumerate(good)]


def page_of(rows: list[object]) -> bytes:
    return said(200, {"orders": rows, "total_count": len(rows)})


def spoilt(number: int, **fields: object) -> dict[str, object]:
    return {**ORDER, "order_id": f"O{number}", **fields}


@pytest.mark.parametrize(
    ("lines", "skus"),
    [
        ([{"offer_sku": "A-1", "price": "dear"}, {"offer_sku": 4711}], ("A-1", "4711")),
        ([{"offer_sku": "A-1"}, {"offer_sku": None}], None),
        ([{"offer_sku": "A-1"}, {"offer_sku": ["A-2"]}], None),
        ([{"offer_sku": "A-1"}, "A-2"], None),
        ([], None),
        (None, None),
    ],
)
async def test_order_that_can_not_be_read_says_what_it_holds_or_that_nobody_knows(
    market: ScriptedServer, api: SellerApi, lines: object, skus: object
) -> None:
    """All its SKUs, or none: part of them would let the others be sold."""
    market.by = lambda _: page_of([spoilt(1, can_cancel="maybe", order_lines=lines)])

    with pytest.raises(OrdersUnreadable) as some:
        await api.orders_updated_since(SINCE)

    assert [skus] == [each.skus for each in some.value.unreadable]


@pytest.mark.parametrize(
    ("wrong", "named", "field"),
    [
        (spoilt(1, can_cancel="Ada Secret"), "O1", "can_cancel"),
        (spoilt(1, customer=["Ada Secret"]), "O1", "customer"),
        (spoilt(1, price=None), "O1", "price"),
        (spoilt(1, last_updated_date="yesterday"), "O1", "not a time"),
        (spoilt(1, order_lines=[{"order_line_id": "L", "quantity": "many"}]), "O1", "quantity"),
        ({"order_state": "SHIPPING"}, "", "id"),
        ("Ada Secret", "", "object"),
        (None, "", "object"),
    ],
)
async def test_order_that_can_not_be_read_does_not_take_its_page_with_it(
    market: ScriptedServer, api: SellerApi, wrong: object, named: str, field: str
) -> None:
    """The others are in the error; what stood in the field is not."""
    market.by = lambda _: page_of(orders(3, {1: wrong}))

    with pytest.raises(OrdersUnreadable) as some:
        await api.orders_updated_since(SINCE)

    assert ["O0", "O2"] == [order.order_id for order in some.value.read]
    (told,) = some.value.unreadable
    assert named == told.order_id
    assert field in told.message
    assert "1 of 3 orders" in some.value.message
    assert named in some.value.message
    assert "Secret" not in some.value.message


async def test_unreadable_orders_on_several_pages_are_all_told(
    market: ScriptedServer, api: SellerApi
) -> None:
    """The reading goes on to its last page."""
    rows = orders(250, {3: spoilt(3, price=None), 240: spoilt(240, can_cancel="x")})

    def answer(asked: Asked) -> bytes:
        start = int(asked.one("offset") or 0)
        return said(200, {"orders": rows[start : start + 100], "total_count": 250})

    market.by = answer

    with pytest.raises(OrdersUnreadable) as some:
        await api.orders_updated_since(SINCE)

    assert 248 == len({order.order_id for order in some.value.read})
    assert ["O3", "O240"] == [each.order_id for each in some.value.unreadable]
    assert 3 == len(market.asked)


async def test_unreadable_order_is_told_where_it_was_asked_for_by_id(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Whoever looks an order up is not told that there is none."""
    market.by = lambda _: page_of(orders(2, {1: spoilt(1, price=None)}))

    with pytest.raises(OrdersUnreadable) as some:
        await api.orders_by_id(["O0", "O1"])

    assert ["O0"] == [order.order_id for order in some.value.read]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'{"orders": 7}', b'{"message": "no"}'])
async def test_answer_that_is_no_page_is_no_list_of_unreadable_orders(
    market: ScriptedServer, api: SellerApi, body: bytes
) -> None:
    """Then nothing was taken, as ever."""
    market.by = lambda _: said(200, body)

    with pytest.raises(ProtocolSurprise) as surprise:
        await api.orders_updated_since(SINCE)

    assert not isinstance(surprise.value, OrdersUnreadable)
