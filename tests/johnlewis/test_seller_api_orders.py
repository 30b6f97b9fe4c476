"""The seller API: reading orders, and writing on them."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from kcjl.errors import Misuse, ProtocolSurprise
from kcjl.johnlewis.port import (
    Address,
    OrderState,
    Tracking,
)
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.money import Money
from tests.johnlewis.samples import LINE, ORDER
from tests.johnlewis.server import Asked, ScriptedServer, said

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 2, 3, 8, 0, 0, 999_000, tzinfo=timezone(timedelta(hours=1)))


def json_of(asked: Asked) -> object:
    return msgspec.json.decode(asked.body)


def order(**changes: object) -> dict[str, object]:
    return {**ORDER, **changes}


def line(**changes: object) -> dict[str, object]:
    return {**LINE, **changes}


async def test_orders_as_in_the_contract_are_read_whole(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR11: every field of the sample that the port has."""
    market.will_say(said(200, {"orders": [order()], "total_count": 1}))

    (read,) = await api.orders_updated_since(SINCE)

    assert market.asked[0].query == [
        ("start_update_date", "2026-02-03T07:00:00Z"),
        ("offset", "0"),
        ("max", "100"),
    ]
    assert (
        read.order_id,
        read.commercial_id,
        read.customer_order_number,
        read.seller_reference,
    ) == ("700123456-A", "700123456", "JL-55001234", None)
    assert (
        read.state,
        read.state_raw,
        read.fulfilled_by_us,
    ) == (OrderState.SHIPPING, "SHIPPING", True)
    assert datetime(2026, 2, 5, 23, 59, 59, 999_000, tzinfo=UTC) == read.ship_by
    assert (Money(4800), Money(395), Money(5195)) == (
        read.price,
        read.shipping_price,
        read.total_price,
    )
    assert Address(
        first_name="Ada", last_name="Example", street_1="1 Test Street", street_2="Flat 2",
        postcode="LS1 1AA", city="Leeds", country="United Kingdom", country_code="GBR",
        phone="07000000000",
    ) == read.delivery_address  # fmt: skip
    (bought,) = read.lines
    assert (
        bought.line_id,
        bought.sku,
        bought.quantity,
    ) == ("700123456-A-1", "KC-SHIRT-M-BLU", 2)
    assert (Money(2400), Money(1039), Money(208)) == (
        bought.unit_price,
        bought.commission,
        bought.commission_tax,
    )
    assert [("55012", Money(2400), "REFUNDED")] == [
        (refund.refund_id, refund.amount, refund.state) for refund in bought.refunds
    ]


async def test_orders_before_acceptance_have_no_address(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Addresses are null until the tenant shows them; a shell of nulls is none either (b.3)."""
    shell = {"shipping_address": {"street_1": None, "city": None}}
    hidden = {"customer_id": "C", "shipping_address": None}
    market.will_say(
        said(
            200,
            {
                "orders": [
                    order(order_id=f"{n}", order_state="WAITING_ACCEPTANCE", customer=customer)
                    for n, customer in enumerate((None, shell, hidden))
                ],
                "total_count": 3,
            },
        )
    )

    read = await api.orders_updated_since(SINCE)

    assert [one.delivery_address for one in read] == [None, None, None]


async def test_orders_with_absent_and_null_fields_are_read_alike(
    market: ScriptedServer, api: SellerApi
) -> None:
    """What the schema does not promise may be missing or null: both are None (b.0)."""
    least = {
        "order_id": 700123456,
        "order_state": "SOMETHING_NEW",
        "created_date": "2026-02-03T08:01:12Z",
        "price": "63.50",
        "order_lines": [{"order_line_id": 98765, "quantity": 2, "price": 63.5}],
    }
    nulls = dict.fromkeys(ORDER) | least | {"order_id": "X"}
    market.will_say(said(200, {"orders": [least, nulls], "total_count": None}))
    market.will_say(said(200, {"orders": []}))

    absent, null = await api.orders_updated_since(SINCE)

    assert (absent.order_id, null.order_id) == ("700123456", "X")
    for read in (absent, null):
        assert (read.state, read.state_raw) == (OrderState.UNKNOWN, "SOMETHING_NEW")
        assert read.customer_order_number == read.order_id
        assert read.updated_at == read.created_at
        assert (
            read.ship_by,
            read.delivery_address,
            read.notification_email,
        ) == (None, None, None)
        assert (Money(6350), Money(0), Money(6350)) == (
            read.price,
            read.shipping_price,
            read.total_price,
        )
        assert ("98765", "", Money(3175), OrderState.UNKNOWN) == (
            read.lines[0].line_id,
            read.lines[0].sku,
            read.lines[0].unit_price,
            read.lines[0].state,
        )


async def test_orders_of_another_centre_are_not_ours_to_ship(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A fulfilment centre that is not DEFAULT is somebody else's stock (b.3, f.22)."""
    theirs = {"center": {"code": "JL-HUB"}}
    market.will_say(said(200, {"orders": [order(fulfillment=theirs)], "total_count": 1}))

    (read,) = await api.orders_updated_since(SINCE)

    assert not read.fulfilled_by_us


@pytest.mark.parametrize(
    ("changes", "tax"),
    [
        ({"commission_taxes": [{"amount": 2.0}, {"amount": "0.08"}, {"amount": None}]}, 208),
        ({"commission_taxes": None}, 777),
        ({"commission_taxes": [], "commission_vat": None}, 208),
        ({"commission_taxes": None, "commission_vat": None, "total_commission": None}, 0),
    ],
)
async def test_orders_with_commission_taxes_told_in_any_way_are_read(
    market: ScriptedServer, api: SellerApi, changes: dict[str, object], tax: int
) -> None:
    """The list of taxes, its deprecated sum, or what the total leaves (b.3)."""
    told = line(**{"commission_vat": 7.77, "total_commission": 12.47, **changes})
    market.will_say(said(200, {"orders": [order(order_lines=[told])], "total_count": 1}))

    (read,) = await api.orders_updated_since(SINCE)

    assert Money(tax) == read.lines[0].commission_tax


@pytest.mark.parametrize(
    "broken",
    [
        {"order_id": None},
        {"price": None},
        {"created_date": None, "last_updated_date": None},
        {"created_date": "yesterday"},
        {"order_lines": [{"order_line_id": "A-1", "quantity": 1.5, "price": 1}]},
        {"order_lines": [{"order_line_id": "A-1", "price": 1}]},
        {"price": "NaN"},
        {"price": "1E999999"},
    ],
)
async def test_orders_without_what_an_order_needs_are_a_surprise(
    market: ScriptedServer, api: SellerApi, broken: dict[str, object]
) -> None:
    """A row that can't be understood is told, never left out."""
    market.will_say(said(200, {"orders": [order(**broken)], "total_count": 1}))

    with pytest.raises(ProtocolSurprise):
        await api.orders_updated_since(SINCE)


async def test_orders_by_id_asks_for_a_hundred_at_a_time(
    market: ScriptedServer, api: SellerApi
) -> None:
    """More than 100 ids in one filter is a 400 (b.0); ids are asked for once."""

    def found(asked: Asked) -> bytes:
        ids = (asked.one("order_ids") or "").split(",")
        rows = [order(order_id=one) for one in [*ids, "not asked for"] if one != "O7"]
        start = int(asked.one("offset") or 0)
        return said(200, {"orders": rows[start : start + 100], "total_count": len(rows)})

    market.by = found

    read = await api.orders_by_id([f"O{n}" for n in range(250)] + ["O0"])

    assert {f"O{n}" for n in range(250)} - {"O7"} == {one.order_id for one in read}
    assert [
        len((asked.one("order_ids") or "").split(","))
        for asked in market.asked
        if asked.one("offset") == "0"
    ] == [100, 100, 50]


async def test_orders_by_id_without_ids_asks_nothing(
    market: ScriptedServer, api: SellerApi
) -> None:
    """An empty filter would be all orders."""
    assert list(await api.orders_by_id([])) == []
    assert market.asked == []


async def test_accept_with_decisions_sends_every_line(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR21 → 204 without a body."""
    market.will_say(said(204))

    await api.accept("700 1/A", {"A-1": True, "A-2": False})

    assert (
        market.asked[0].method,
        market.asked[0].target,
    ) == ("PUT", "/api/orders/700%201%2FA/accept")
    assert json_of(market.asked[0]) == {
        "order_lines": [{"id": "A-1", "accepted": True}, {"id": "A-2", "accepted": False}]
    }
    assert market.asked[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("order_id", ["", "  ", "..", "."])
async def test_writes_with_an_impossible_order_id_send_nothing(
    market: ScriptedServer, api: SellerApi, order_id: str
) -> None:
    """An id that would change the path is refused here."""
    with pytest.raises(Misuse):
        await api.ship(order_id)
    assert market.asked == []


async def test_tracking_and_ship_send_what_the_contract_says(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR23 names the carrier by code or by name; OR24 has no body and says so (b.0)."""
    market.will_say(said(204), said(204), said(200, b"whatever"))

    await api.set_tracking("A", Tracking(carrier_code="RM", tracking_number="AB1"))
    await api.set_tracking(
        "A", Tracking(carrier_code="", tracking_number="", carrier_name="Bike")
    )
    await api.ship("A")

    by_code, by_name, ship = market.asked
    assert json_of(by_code) == {"carrier_code": "RM", "tracking_number": "AB1"}
    assert json_of(by_name) == {"carrier_name": "Bike"}
    assert (ship.method, ship.target, ship.body) == ("PUT", "/api/orders/A/ship", b"")
    assert ship.headers["content-length"] == "0"
    assert "content-type" not in ship.headers
    assert "transfer-encoding" not in ship.headers


async def test_seller_references_refused_by_item_are_returned(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR04 is 200 also where items failed; blank references never leave the house."""
    market.will_say(
        said(
            200,
            {
                "updated_orders": [
                    {"order_id": "A", "errors": [], "updated": {"references": {}}},
                    {"order_id": "B", "errors": None},
                    {
                        "order_id": "C",
                        "errors": [{"code": "X1", "field": "ref", "message": "too\tlong"}],
                    },
                    {"order_id": "D", "errors": [{}]},
                ]
            },
        )
    )

    refused = await api.write_seller_references(
        {"A": "1", "B": "2", "C": "3", "D": "4", "E": "5", "F": " ", "G": "x" * 2001}
    )

    assert {"C", "D", "E", "F", "G"} == set(refused)
    assert refused["C"] == "ref: too long"
    assert {
        "orders": [
            {"order_id": one, "references": {"order_reference_for_seller": number}}
            for one, number in zip("ABCDE", "12345", strict=True)
        ]
    } == json_of(market.asked[0])


async def test_seller_references_by_the_hundred_are_sent_in_chunks(
    market: ScriptedServer, api: SellerApi
) -> None:
    """At most 100 orders a call (d.1)."""

    def taken(asked: Asked) -> bytes:
        sent = msgspec.json.decode(asked.body)["orders"]
        return said(200, {"updated_orders": [{"order_id": o["order_id"]} for o in sent]})

    market.by = taken

    refused = await api.write_seller_references({f"O{n}": "KC" for n in range(101)})

    assert refused == {}
    assert len(market.asked) == 2
