"""The seller API: parcels that are there, and what is still to ship."""

from datetime import UTC, datetime

import msgspec
import pytest

from kcjl.errors import Misuse, OutcomeUnknown, ProtocolSurprise
from kcjl.johnlewis.parcel_port import ShipmentOutcomeKind
from kcjl.johnlewis.port import Tracking
from kcjl.johnlewis.seller_api import SellerApi
from tests.johnlewis.conftest import JumpingClock
from tests.johnlewis.samples import SHIPMENT, TO_SHIP
from tests.johnlewis.server import CUT, Asked, ScriptedServer, said

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 2, 4, 9, tzinfo=UTC)
UNTIL = datetime(2026, 2, 5, 9, tzinfo=UTC)
BY_ROYAL_MAIL = Tracking(carrier_code="RM", tracking_number="AB1", carrier_name="Royal Mail")

DONE, REFUSED, UNKNOWN = ShipmentOutcomeKind


# ── ST11 ────────────────────────────────────────────────────────────────────────────────────


async def test_parcels_of_many_orders_are_asked_for_by_hundreds(
    market: ScriptedServer, api: SellerApi
) -> None:
    """No more than 100 ids a call; every page of each; what was not asked for is left out."""

    def answer(asked: Asked) -> bytes:
        wanted = [value for name, value in asked.query if name == "order_id"]
        assert len(wanted) <= 100
        if asked.one("page_token"):
            return said(
                200, {"data": [{**SHIPMENT, "id": f"s{wanted[-1]}", "order_id": wanted[-1]}]}
            )
        rows = [{**SHIPMENT, "id": f"s{wanted[0]}", "order_id": wanted[0]}, SHIPMENT]
        return said(200, {"data": rows, "next_page_token": "t"})

    market.by = answer

    read = await api.shipments_of([*(f"O{n}" for n in range(150)), "O0"])

    assert ["O0", "O99", "O100", "O149"] == [each.order_id for each in read]
    assert 4 == len(market.asked)


async def test_parcels_by_update_time_are_read_with_every_field(
    market: ScriptedServer, api: SellerApi
) -> None:
    """ST11 from a time to a time (b.4)."""
    market.will_say(said(200, {"data": [SHIPMENT], "next_page_token": None}))

    (read,) = await api.shipments_updated(SINCE, UNTIL)

    assert [
        ("last_updated_from", "2026-02-04T09:00:00Z"),
        ("last_updated_to", "2026-02-05T09:00:00Z"),
        ("limit", "100"),
    ] == market.asked[0].query
    assert ("NO_DEBIT", "UNVERIFIED", ("P1",), "INV-104455", "https://carrier.example/t") == (
        read.debit_status,
        read.validity,
        read.packages,
        read.invoice_reference,
        read.tracking_url,
    )
    assert datetime(2026, 2, 4, 10, 0, 1, 120_000, tzinfo=UTC) == read.updated_at
    assert datetime(2026, 2, 4, 10, 0, 2, tzinfo=UTC) == read.shipped_at


# ── ST12 ────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_still_to_ship_is_read_over_all_pages(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """An order that comes in two rows is one, and a row that comes twice counts once."""
    other = {"order_line_id": "L2", "quantity": 1}
    market.will_say(
        said(200, {"data": [TO_SHIP], "next_page_token": "t"}),
        said(200, {"data": [TO_SHIP, {**TO_SHIP, "shipment_lines": [other]}]}),
        said(200, {"data": None}),
    )

    (read,) = await api.orders_to_ship()

    assert [("limit", "100")] == market.asked[0].query
    assert [("700123456-A-1", "KC-SHIRT-M-BLU", 2), ("L2", "", 1)] == [
        (item.line_id, item.sku, item.quantity) for item in read.items
    ]
    assert read.delivery_address is not None
    assert ("JL-55001234", "Leeds", "STD", True) == (
        read.customer_order_number,
        read.delivery_address.city,
        read.shipping_type_code,
        read.fulfilled_by_us,
    )
    assert () == await api.orders_to_ship(["A"])
    assert [300.0] == clock.slept_s


@pytest.mark.parametrize(
    "row",
    [{}, {"order_id": "A", "shipment_lines": [{"order_line_id": "x"}]}, {"order_id": " "}],
)
async def test_what_is_still_to_ship_without_order_or_units_is_a_surprise(
    market: ScriptedServer, api: SellerApi, row: dict[str, object]
) -> None:
    """Nobody guesses how many units have to go."""
    market.will_say(said(200, {"data": [row]}))

    with pytest.raises(ProtocolSurprise, match="ST12"):
        await api.orders_to_ship()


async def test_what_is_still_to_ship_is_asked_for_by_date(
    market: ScriptedServer, api: SellerApi
) -> None:
    """ST12's filters go with every page; pages that go round are told."""
    market.by = lambda _: said(200, {"data": [TO_SHIP], "next_page_token": "again"})

    with pytest.raises(ProtocolSurprise, match="do not come to an end"):
        await api.orders_to_ship(["A"], shipping_since=SINCE, shipping_until=UNTIL)
    assert [
        ("order_id", "A"),
        ("shipping_date_from", "2026-02-04T09:00:00Z"),
        ("shipping_date_to", "2026-02-05T09:00:00Z"),
        ("limit", "100"),
        ("page_token", "again"),
    ] == market.asked[1].query


# ── ST23, ST24 ──────────────────────────────────────────────────────────────────────────────


async def test_tracking_of_several_parcels_has_an_outcome_each(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A 200 is no success: each parcel is read; one that is not named is unknown."""
    market.will_say(
        said(
            200,
            {
                "shipment_success": [{"id": "s1"}, {"id": "s4"}],
                "shipment_errors": [
                    {"id": "s2", "message": "carrier unknown", "code": "CARRIER"},
                    {"id": "s4", "message": "both"},
                ],
            },
        )
    )

    read = await api.set_shipment_tracking(
        dict.fromkeys(["s1", "s2", "s3", "s4"], BY_ROYAL_MAIL)
    )

    assert [
        ("s1", DONE, "", ""),
        ("s2", REFUSED, "carrier unknown", "CARRIER"),
        ("s3", UNKNOWN, "the answer does not name this parcel", ""),
        ("s4", REFUSED, "both", ""),
    ] == [(one.shipment_id, one.kind, one.message, one.reason_code) for one in read]
    sent = msgspec.json.decode(market.asked[0].body, type=dict[str, list[dict[str, object]]])
    assert sent["shipments"][0] == {
        "id": "s1",
        "tracking": {
            "carrier_code": "RM",
            "carrier_name": "Royal Mail",
            "tracking_number": "AB1",
        },
    }
    assert ("POST", "/api/shipments/tracking") == (market.asked[0].method, market.asked[0].path)


async def test_parcels_shipped_with_an_error_for_none_are_unknown(
    market: ScriptedServer, api: SellerApi
) -> None:
    """An error without an id may be anybody's: ST11 tells."""
    market.will_say(said(200, {"shipment_errors": [{"message": "try later"}]}))

    read = await api.ship_shipments(["s1", "s2", "s1"])

    assert [("s1", UNKNOWN, "try later"), ("s2", UNKNOWN, "try later")] == [
        (one.shipment_id, one.kind, one.message) for one in read
    ]
    assert ("PUT", "/api/shipments/ship", b'{"shipments":[{"id":"s1"},{"id":"s2"}]}') == (
        market.asked[0].method,
        market.asked[0].path,
        market.asked[0].body,
    )


@pytest.mark.parametrize(
    "answer", [CUT, said(502), said(200), said(200, b"["), said(200, {"shipment_errors": [1]})]
)
async def test_parcels_of_an_answer_that_can_not_be_read_are_unknown(
    market: ScriptedServer, api: SellerApi, answer: bytes
) -> None:
    """It was taken or it was not: look before writing again (d.5)."""
    market.will_say(answer)

    with pytest.raises(OutcomeUnknown):
        await api.ship_shipments(["s1"])
    assert 1 == len(market.asked)


@pytest.mark.parametrize("ids", [[], [" "], [f"s{n}" for n in range(1_001)]])
async def test_parcels_too_many_or_none_are_misuse(api: SellerApi, ids: list[str]) -> None:
    """Up to 1,000 a call (d.2); one request is one write."""
    with pytest.raises(Misuse, match="ST24"):
        await api.ship_shipments(ids)
