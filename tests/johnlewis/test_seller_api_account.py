"""The seller API: parcels, and the shop's account."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from kcjl.errors import NotFound, OutcomeUnknown, ProtocolSurprise, Refused
from kcjl.johnlewis.port import (
    ShipmentRequest,
    Tracking,
)
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.money import Money
from tests.johnlewis.samples import PAID_CYCLE, TRANSACTION
from tests.johnlewis.server import Asked, ScriptedServer, said

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 2, 3, 8, 0, 0, 999_000, tzinfo=timezone(timedelta(hours=1)))
PARCEL = ShipmentRequest(
    order_id="700123456-A",
    lines=(("700123456-A-1", 1),),
    tracking=Tracking(carrier_code="RM", tracking_number="AB123456789GB"),
    package_reference="P1",
    invoice_reference="INV-104455",
)


def json_of(asked: Asked) -> object:
    return msgspec.json.decode(asked.body)


# ── parcels ─────────────────────────────────────────────────────────────────────────────────


async def test_shipment_with_one_parcel_is_created_and_shipped(
    market: ScriptedServer, api: SellerApi
) -> None:
    """ST01 as in the contract (b.4); a sparse answer is filled up from the request."""
    market.will_say(
        said(201, {"shipment_success": [{"id": "9d0c"}], "shipment_errors": []}),
    )

    made = await api.create_shipment(PARCEL)

    assert json_of(market.asked[0]) == {
        "shipments": [
            {
                "order_id": "700123456-A",
                "shipment_lines": [
                    {"order_line_id": "700123456-A-1", "quantity": 1, "package_reference": "P1"}
                ],
                "tracking": {"carrier_code": "RM", "tracking_number": "AB123456789GB"},
                "invoice_reference": "INV-104455",
                "shipped": True,
            }
        ]
    }
    assert ("9d0c", "700123456-A", "AB123456789GB", PARCEL.lines) == (
        made.shipment_id,
        made.order_id,
        made.tracking_number,
        made.lines,
    )


@pytest.mark.parametrize("name", ["shipment_errors", "creation_errors", "errors"])
async def test_shipment_refused_inside_a_201_is_refused(
    market: ScriptedServer, api: SellerApi, name: str
) -> None:
    """A 201 does not mean success; the list of errors is spelled in more than one way."""
    error = {"order_id": "700123456-A", "message": "is SHIPPED", "code": "STATE"}
    market.will_say(said(201, {"shipment_success": None, name: [error]}))

    with pytest.raises(Refused, match="is SHIPPED") as refusal:
        await api.create_shipment(PARCEL)
    assert (refusal.value.reason_code, refusal.value.status) == ("STATE", 201)


@pytest.mark.parametrize(
    "answer",
    [
        said(201),
        said(201, {}),
        said(201, b"{"),
        said(204),
        said(201, {"shipment_success": [{"id": "s", "order_id": "another"}]}),
        said(201, {"shipment_success": [{"order_id": "700123456-A"}]}),
    ],
)
async def test_shipment_with_an_empty_answer_is_unknown(
    market: ScriptedServer, api: SellerApi, answer: bytes
) -> None:
    """Neither made nor refused: look at ST11 before writing again (d.5)."""
    market.will_say(answer)

    with pytest.raises(OutcomeUnknown):
        await api.create_shipment(PARCEL)


async def test_shipment_where_the_feature_is_off_is_not_found(
    market: ScriptedServer, api: SellerApi
) -> None:
    """ST01 answers 404 without multi-shipment (b.4, f.14)."""
    market.will_say(said(404, {"message": "Not found", "status": 404}))

    with pytest.raises(NotFound):
        await api.create_shipment(PARCEL)


async def test_shipments_of_an_order_are_read_over_all_pages(
    market: ScriptedServer, api: SellerApi
) -> None:
    """ST11: the same filters go with each page token."""
    row = {"id": "s1", "order_id": "A", "status": "ODD", "tracking": None}
    other = {"id": "s2", "order_id": "A", "shipment_lines": [{"quantity": 2}]}
    market.will_say(
        said(200, {"data": [row], "next_page_token": "t/1+"}),
        said(200, {"data": [row, other]}),
    )

    read = await api.shipments("A")

    assert [(one.shipment_id, one.status, one.lines) for one in read] == [
        ("s1", "ODD", ()),
        ("s2", "", (("", 2),)),
    ]
    assert (market.asked[1].query) == [
        ("order_id", "A"),
        ("limit", "100"),
        ("page_token", "t/1+"),
    ]


# ── the shop's account ──────────────────────────────────────────────────────────────────────


async def test_transaction_lines_with_every_tie_are_read(
    market: ScriptedServer, api: SellerApi
) -> None:
    """TL02: signed as it came, tied as it was told (e.3, e.7)."""
    market.will_say(said(200, {"data": [TRANSACTION], "next_page_token": "n"}))
    older = {**TRANSACTION, "id": 7, "last_updated": "2026-02-10T00:00:00Z"}
    market.will_say(said(200, {"data": [older], "next_page_token": ""}))

    first, last = await api.transaction_lines(SINCE)

    assert market.asked[0].query == [
        ("last_updated_from", "2026-02-03T07:00:00Z"),
        ("sort", "lastUpdated,ASC"),
        ("limit", "2000"),
    ]
    assert first.line_id == "7"
    assert ("COMMISSION_FEE", Money(-1039), "PAID", "000117", "INV-JL-000981") == (
        last.kind,
        last.amount,
        last.payment_state,
        last.voucher,
        last.document_number,
    )
    assert (
        last.order_id,
        last.order_line_id,
        last.refund_id,
        last.customer_order_number,
        last.seller_reference,
    ) == ("700123456-A", "700123456-A-1", None, "JL-55001234", "KC-SO-104455")


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (b'"amount":-10.390', Money(-1039)),
        (b'"amount":"0.10"', Money(10)),
        (b'"amount":70368744177.66', Money(7036874417766)),
        (b'"amount":null,"amount_credited":0,"amount_debited":10.39', Money(-1039)),
        (b'"amount_debited":2.08', Money(-208)),
        (b'"amount":0,"amount_credited":5', Money(0)),
    ],
)
async def test_transaction_amounts_in_any_form_are_exact(
    market: ScriptedServer, api: SellerApi, amounts: bytes, expected: Money
) -> None:
    """Numbers or strings, never through a float; without order, voucher or type."""
    body = b'{"data":[{"id":"x","last_updated":"2026-02-03T08:01:12.118Z",%b}]}' % amounts
    market.will_say(said(200, body))

    (read,) = await api.transaction_lines(SINCE)

    assert expected == read.amount
    assert (read.kind, read.order_id, read.cycle_id) == ("UNKNOWN", None, None)


@pytest.mark.parametrize(
    "amount",
    [b"10.395", b"10.39000000000000000000000000000001", b"null", b'"Infinity"', b"1e30"],
)
async def test_transaction_amount_that_is_no_money_is_a_surprise(
    market: ScriptedServer, api: SellerApi, amount: bytes
) -> None:
    """Settlement is exact or stops: no penny is rounded into being (law 5)."""
    body = b'{"data":[{"id":"x","last_updated":"2026-02-03T08:01:12Z","amount":%b}]}' % amount
    market.will_say(said(200, body))

    with pytest.raises(ProtocolSurprise):
        await api.transaction_lines(SINCE)


async def test_billing_cycles_in_every_payout_state_are_read(
    market: ScriptedServer, api: SellerApi
) -> None:
    """SBC11: reference and date only when paid, a reason only when failed (b.6)."""
    failed = {
        "id": "c2",
        "date_created": "2026-02-21T01:00:00Z",
        "amount_transferred_to_seller": -3.5,
        "pay_out": {"state": "FAILED", "failure_reason": "INCOMPLETE_KYC"},
    }
    untold = {**failed, "id": "c3", "pay_out": None}
    market.will_say(said(200, {"data": [PAID_CYCLE, failed, untold]}))

    read = await api.billing_cycles(SINCE)

    assert [value for name, value in market.asked[0].query if name == "pay_out_state"] == [
        "TO_PAY",
        "FAILED",
        "PAID",
    ]
    assert [
        (one.payout_state, one.payout_reference, one.failure_reason) for one in read[:2]
    ] == [("PAID", "BACS-889120", None), ("FAILED", None, "INCOMPLETE_KYC")]
    assert (Money(2102), Money(2243), "000117") == (
        read[0].amount_to_seller,
        read[0].amount_to_operator,
        read[0].voucher,
    )
    assert datetime(2026, 2, 13, tzinfo=UTC) == read[0].paid_at
    assert ("TO_PAY", Money(-350)) == (read[2].payout_state, read[2].amount_to_seller)
