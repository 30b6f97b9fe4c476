"""The seller API: refunds and cancelations, one line a call."""

import msgspec
import pytest

from kcjl.errors import Misuse, NotFound, OutcomeUnknown, RateLimited, Refused
from kcjl.johnlewis.order_port import TaxAmount
from kcjl.johnlewis.reversal_port import (
    CancelationRequest,
    ItemResult,
    RefundRequest,
    ReversalPort,
)
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.money import Money
from tests.johnlewis.server import CUT, ScriptedServer, half_of, said

pytestmark = pytest.mark.anyio

LINE_ID = "700123456-A-1"


def refund(line_id: str = LINE_ID, amount: int = 2400) -> RefundRequest:
    return RefundRequest(
        line_id=line_id,
        amount=Money(amount),
        shipping_amount=Money(0),
        reason_code="17",
        tax_mode="TAX_INCLUDED",
        quantity=1,
        taxes=(TaxAmount(code="VAT20", amount=Money(400)),),
        shipping_taxes=(TaxAmount(code="VAT20", amount=Money(0)),),
    )


def cancelation() -> CancelationRequest:
    return CancelationRequest(
        line_id=LINE_ID,
        amount=Money(2400),
        shipping_amount=Money(5),
        reason_code="34",
        tax_mode="TAX_EXCLUDED",
        quantity=1,
    )


def refunded(line_id: object = LINE_ID, **changes: object) -> bytes:
    made = {"refund_id": "55012", "order_line_id": line_id, "amount": 24.0, **changes}
    return said(200, {"order_tax_mode": "TAX_INCLUDED", "refunds": [made]})


async def test_seller_api_as_a_reversal_port_has_every_call(api: SellerApi) -> None:
    """The adapter can stand wherever money is taken off lines."""
    port: ReversalPort = api

    assert port is api


async def test_refund_is_written_as_in_the_contract(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR28: amounts are JSON numbers, taxes are named, the currency too (b.3)."""
    market.will_say(refunded(order_refund_id="uuid", shipping_amount=0, quantity=1))

    made = await api.refund(refund())

    asked = market.asked[0]
    assert ("PUT", "/api/orders/refund") == (asked.method, asked.path)
    assert "application/json" == asked.headers["content-type"]
    assert {
        "order_tax_mode": "TAX_INCLUDED",
        "refunds": [
            {
                "order_line_id": LINE_ID,
                "amount": 24.00,
                "shipping_amount": 0,
                "quantity": 1,
                "reason_code": "17",
                "currency_iso_code": "GBP",
                "excluded_from_shipment": False,
                "taxes": [{"code": "VAT20", "amount": 4.00}],
                "shipping_taxes": [{"code": "VAT20", "amount": 0}],
            }
        ],
    } == msgspec.json.decode(asked.body)
    assert ("55012", "uuid", Money(2400), True) == (
        made.reversal_id,
        made.order_refund_id,
        made.amount,
        made.as_asked,
    )


async def test_cancelation_is_written_as_in_the_contract(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR30: its quantity is mandatory, its tax mode is the order's (b.3)."""
    market.will_say(said(200, {"cancelations": [{"cancelation_id": 9001}]}))

    made = await api.cancel_line(cancelation())

    asked = market.asked[0]
    assert ("PUT", "/api/orders/cancel") == (asked.method, asked.path)
    assert {
        "order_tax_mode": "TAX_EXCLUDED",
        "cancelations": [
            {
                "order_line_id": LINE_ID,
                "amount": 24.00,
                "shipping_amount": 0.05,
                "quantity": 1,
                "reason_code": "34",
                "taxes": [],
                "shipping_taxes": [],
            }
        ],
    } == msgspec.json.decode(asked.body)
    assert ("9001", Money(2400), Money(5), True) == (
        made.reversal_id,
        made.amount,
        made.shipping_amount,
        made.as_asked,
    )


async def test_order_is_cancelled_without_a_body(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR29 sends Content-Length: 0 (b.0)."""
    market.will_say(said(204), said(400, {"message": "debited", "status": 400}), CUT)

    await api.cancel_order("7/A")

    asked = market.asked[0]
    assert ("PUT", "/api/orders/7%2FA/cancel", "0") == (
        asked.method,
        asked.target,
        asked.headers["content-length"],
    )
    with pytest.raises(Refused, match="OR29 of order A: answered 400: debited"):
        await api.cancel_order("A")
    with pytest.raises(OutcomeUnknown):
        await api.cancel_order("A")


@pytest.mark.parametrize("changes", [{"amount": 23.99}, {"reason_code": 15}])
async def test_refund_that_was_taken_otherwise_says_so(
    market: ScriptedServer, api: SellerApi, changes: dict[str, object]
) -> None:
    """What they took counts, not what we asked for."""
    market.will_say(refunded(**changes))

    made = await api.refund(refund())

    assert not made.as_asked


@pytest.mark.parametrize(
    "answer",
    [
        CUT,
        half_of(refunded()),
        said(500, b"<p>oops"),
        said(200, b""),
        said(200, {}),
        said(200, {"refunds": None}),
        said(200, {"refunds": [{"refund_id": 1, "order_line_id": "another"}]}),
        said(200, {"refunds": [{"order_line_id": LINE_ID}]}),
        said(200, {"refunds": "done"}),
    ],
)
async def test_refund_without_a_clear_answer_is_unknown(
    market: ScriptedServer, api: SellerApi, answer: bytes
) -> None:
    """It may be paid: nobody sends it again before they have looked (d.5)."""
    market.will_say(answer)

    with pytest.raises(OutcomeUnknown, match=f"OR28 of line {LINE_ID}"):
        await api.refund(refund())
    assert 1 == len(market.asked)


async def test_refund_with_errors_inside_a_success_is_refused(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A 2xx is read to its end, also where the contract names no errors."""
    market.will_say(
        said(200, {"refunds": [], "refund_errors": [{"code": "BALANCE", "message": "low"}]})
    )

    with pytest.raises(Refused, match="low") as refusal:
        await api.refund(refund())
    assert "BALANCE" == refusal.value.reason_code


async def test_refunds_of_several_lines_are_one_call_each(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A refusal stops nothing; each line has its own outcome (g)."""
    market.will_say(
        refunded("A"), said(400, {"message": "too much", "code": "AMOUNT"}), refunded("C")
    )

    outcomes = await api.refund_lines([refund("A"), refund("B"), refund("C")])

    assert [("A", "DONE"), ("B", "REFUSED"), ("C", "DONE")] == [
        (each.line_id, each.result) for each in outcomes
    ]
    assert ("AMOUNT", None) == (outcomes[1].reason_code, outcomes[1].made)
    assert outcomes[0].made is not None
    assert 3 == len(market.asked)


@pytest.mark.parametrize(
    ("answer", "result"),
    [(CUT, ItemResult.UNKNOWN), (said(429, b"", Retry_After="7"), ItemResult.UNSENT)],
)
async def test_refunds_after_an_open_one_stay_unsent(
    market: ScriptedServer, api: SellerApi, answer: bytes, result: ItemResult
) -> None:
    """First look, then go on."""
    market.will_say(refunded("A"), answer)

    outcomes = await api.refund_lines([refund("A"), refund("B"), refund("C")])

    assert [ItemResult.DONE, result, ItemResult.UNSENT] == [each.result for each in outcomes]
    assert "line B came before" in outcomes[2].message
    assert 2 == len(market.asked)


async def test_cancelations_of_several_lines_are_one_call_each(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR30 as OR28."""
    market.will_say(said(404, {"message": "feature off"}))

    (outcome,) = await api.cancel_lines([cancelation()])

    assert (ItemResult.REFUSED, True) == (outcome.result, "feature off" in outcome.message)


async def test_reversal_failures_keep_their_kind(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Not taken, refused, feature off: never unknown."""
    market.will_say(said(429, b""), said(404, b""))

    with pytest.raises(RateLimited):
        await api.refund(refund())
    with pytest.raises(NotFound):
        await api.cancel_line(cancelation())


def test_reversal_that_makes_no_sense_is_misuse() -> None:
    """Nothing of it is sent."""
    with pytest.raises(Misuse, match="more than nothing"):
        refund(amount=0)
    with pytest.raises(Misuse, match="adds nothing"):
        refund(amount=-1)
    with pytest.raises(Misuse, match="names a line"):
        refund(line_id=" ")
    with pytest.raises(Misuse, match="one currency"):
        RefundRequest(
            line_id="A",
            amount=Money(1),
            shipping_amount=Money(1, "EUR"),
            reason_code="17",
            tax_mode="TAX_INCLUDED",
        )
    with pytest.raises(Misuse, match="at least one unit"):
        CancelationRequest(
            line_id="A",
            amount=Money(1),
            shipping_amount=Money(0),
            reason_code="34",
            tax_mode="TAX_INCLUDED",
        )
