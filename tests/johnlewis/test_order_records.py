"""The seller API: everything that OR11 tells of an order's money, people, times and parcels."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis.order_port import (
    AdditionalField,
    Customer,
    Order,
    OrderState,
    OrderTracking,
    TaxAmount,
)
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.money import Money
from tests.johnlewis.samples import LINE, ORDER, RICH_LINE, RICH_ORDER
from tests.johnlewis.server import ScriptedServer, said

pytestmark = pytest.mark.anyio


async def read(market: ScriptedServer, api: SellerApi, order: dict[str, object]) -> Order:
    market.will_say(said(200, {"orders": [order], "total_count": 1}))
    (told,) = await api.orders_by_id(["700123456-A"])
    return told


async def test_order_tells_when_and_how_it_was_paid(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OR11: decision, debit, workflow, transaction (b.3)."""
    order = await read(market, api, RICH_ORDER)

    assert datetime(2026, 2, 3, 8, 10, 2, tzinfo=UTC) == order.acceptance_decided_at
    assert datetime(2026, 2, 3, 8, 12, 39, 118_000, tzinfo=UTC) == order.debited_at
    assert ("PAY_ON_ACCEPTANCE", "CARD", "TX-900871") == (
        order.payment_workflow,
        order.payment_type,
        order.transaction_number,
    )
    assert (Money(1247), Money(600)) == (order.total_commission, order.promotions_total)
    assert (TaxAmount(code="ECO", amount=Money(110), rate=Decimal("5.5")),) == order.order_taxes


async def test_order_tells_what_may_be_done_with_it(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Flags that are null are not told, or off (b.3)."""
    order = await read(market, api, RICH_ORDER)

    assert (False, True, True, False, False, False) == (
        order.can_cancel,
        order.can_ship,
        order.has_incident,
        order.has_invoice,
        order.fully_refunded,
        order.has_customer_message,
    )


async def test_order_tells_where_it_came_from_and_where_it_goes(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Channel, zone, pick-up point, window and tracking (b.3)."""
    order = await read(market, api, RICH_ORDER)

    assert ("JLUK", "UK", "77") == (
        order.channel_code,
        order.shipping_zone_code,
        order.pickup_point_id,
    )
    assert datetime(2026, 2, 5, tzinfo=UTC) == order.deliver_from
    assert datetime(2026, 2, 8, tzinfo=UTC) == order.deliver_until
    assert (
        OrderTracking(
            carrier_code="RM",
            carrier_name="Royal Mail",
            tracking_number="AB123456789GB",
            tracking_url="https://carrier.example/t/AB123456789GB",
        )
        == order.tracking
    )


async def test_order_tells_who_bought_and_who_pays(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Names are for the vault; two addresses that differ stay two."""
    order = await read(market, api, RICH_ORDER)

    assert (
        Customer(
            customer_id="C-881",
            civility="Dr",
            first_name="Ada",
            last_name="Example",
            locale="en_GB",
        )
        == order.customer
    )
    assert order.billing_address is not None
    assert order.delivery_address is not None
    assert ("2 Billing Road", "1 Test Street") == (
        order.billing_address.street_1,
        order.delivery_address.street_1,
    )


async def test_order_that_is_billed_where_it_goes_has_one_address(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Ten thousand orders are read at once: what is alike is kept once."""
    customer = {"shipping_address": {"city": "Leeds"}, "billing_address": {"city": "Leeds"}}

    order = await read(market, api, {**ORDER, "customer": customer})

    assert order.delivery_address is order.billing_address
    assert order.customer is None


async def test_order_line_tells_its_taxes_and_its_times(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Taxes by code, rate and rule; times in seconds or milliseconds (b.0, b.3)."""
    (line,) = (await read(market, api, RICH_ORDER)).lines

    assert (
        TaxAmount(
            code="VAT20",
            amount=Money(800),
            rate=Decimal(20),
            rule="PROPORTIONAL_TO_AMOUNT",
        ),
    ) == line.taxes
    assert [Money(66)] == [tax.amount for tax in line.shipping_taxes]
    assert [("TAXDEFAULT", Money(208))] == [
        (tax.code, tax.amount) for tax in line.commission_taxes
    ]
    assert (Money(3000), Money(600), "34", "MP0001", "81234", 1) == (
        line.original_unit_price,
        line.promotions_total,
        line.state_reason_code,
        line.product_sku,
        line.offer_id,
        line.line_index,
    )
    assert (None, datetime(2026, 2, 9, 10, 0, 0, 500_000, tzinfo=UTC)) == (
        line.shipped_at,
        line.received_at,
    )
    assert datetime(2026, 2, 3, 8, 12, 39, tzinfo=UTC) == line.debited_at
    assert line.can_refund


async def test_order_line_tells_its_refunds_with_what_the_operator_gives_back(
    market: ScriptedServer, api: SellerApi
) -> None:
    """refunds[] (b.3): the commission and its tax come back with the money."""
    ((refund,),) = [line.refunds for line in (await read(market, api, RICH_ORDER)).lines]

    assert ("55012", "0d1c", 1, "17", "REFUNDED", "TX-R1") == (
        refund.refund_id,
        refund.order_refund_id,
        refund.quantity,
        refund.reason_code,
        refund.state,
        refund.transaction_number,
    )
    assert (Money(480), Money(96), Money(576)) == (
        refund.commission,
        refund.commission_tax,
        refund.commission_total,
    )
    assert (TaxAmount(code="VAT20", amount=Money(400)),) == refund.taxes
    assert datetime(2026, 2, 10, 11, 3, tzinfo=UTC) == refund.transaction_at


async def test_order_line_tells_its_cancelations(
    market: ScriptedServer, api: SellerApi
) -> None:
    """cancelations[] (b.3): the tax on the commission is what the total has above it."""
    ((made,),) = [line.cancelations for line in (await read(market, api, RICH_ORDER)).lines]

    assert ("9001", Money(2400), Money(100), 1, "34") == (
        made.cancelation_id,
        made.amount,
        made.shipping_amount,
        made.quantity,
        made.reason_code,
    )
    assert (Money(500), Money(100), Money(600)) == (
        made.commission,
        made.commission_tax,
        made.commission_total,
    )
    assert ([Money(400)], [Money(17)]) == (
        [tax.amount for tax in made.taxes],
        [tax.amount for tax in made.shipping_taxes],
    )
    assert datetime(2026, 2, 3, 8, 30, 0, 250_000, tzinfo=UTC) == made.created_at


async def test_additional_fields_of_any_type_come_as_text(
    market: ScriptedServer, api: SellerApi
) -> None:
    """The value goes by the field's type (AF01)."""
    nested = {"code": "deep", "type": None, "value": {"a": [1]}}
    number = {"code": "n", "value": 12.50}
    line = {**RICH_LINE, "order_line_additional_fields": [nested, number]}

    order = await read(market, api, {**RICH_ORDER, "order_lines": [line]})

    assert (
        AdditionalField(code="gift", value="true", kind="BOOLEAN"),
        AdditionalField(code="notes", value="a,b", kind="LIST"),
        AdditionalField(code="none", value="", kind="STRING"),
    ) == order.additional_fields
    assert ['{"a":[1]}', "12.5"] == [each.value for each in order.lines[0].additional_fields]


async def test_order_that_tells_nothing_more_than_it_must_is_read(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Absent and null are alike, for every field of an order and of its line (b.0)."""
    must = {"order_line_id": "1", "quantity": 1, "price": 5}
    least = {
        "order_id": "700123456-A",
        "created_date": "2026-02-03T08:01:12Z",
        "price": 5,
        "order_lines": [must],
    }
    nulls = {
        **dict.fromkeys(RICH_ORDER),
        **least,
        "order_lines": [{**dict.fromkeys(RICH_LINE), **must}],
    }

    bare = await read(market, api, least)

    assert bare == await read(market, api, nulls)
    assert (None, None, (), None, OrderState.UNKNOWN) == (
        bare.can_cancel,
        bare.tracking,
        bare.lines[0].cancelations,
        bare.lines[0].promotions_total,
        bare.state,
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"refunds": [{"amount": 1}]}, "line 700123456-A-1: a refund's id is missing"),
        ({"cancelations": [{"amount": 1}]}, "a cancelation's id is missing"),
        ({"shipped_date": "yesterday"}, "'yesterday' is not a time"),
        ({"taxes": [{"amount": "1e99"}]}, "a number is out of all bounds"),
        ({"commission_taxes": [{"amount": "NaN"}]}, "a number is out of all bounds"),
        (
            {"taxes": {}},
            "Expected `array | null`, got `object` - at `$.order_lines[0].taxes`",
        ),
        ({"quantity": 1.5}, "1.5 is not a whole number"),
    ],
)
async def test_order_line_that_can_not_be_read_names_order_line_and_field(
    market: ScriptedServer, api: SellerApi, change: dict[str, object], words: str
) -> None:
    """No line is left out in silence."""
    with pytest.raises(ProtocolSurprise) as surprise:
        await read(market, api, {**ORDER, "order_lines": [{**LINE, **change}]})
    assert surprise.value.message.startswith("OR11")
    assert words in surprise.value.message
