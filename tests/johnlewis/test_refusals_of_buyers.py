"""What the marketplace quotes of a buyer in a refusal is not repeated; what to act on is."""

import pytest

from kcjl.errors import KcjlError, Refused
from kcjl.johnlewis import buyers
from kcjl.johnlewis.buyers import without_buyers
from kcjl.johnlewis.port import ShipmentRequest
from kcjl.johnlewis.seller_api import SellerApi
from tests.johnlewis.samples import ORDER
from tests.johnlewis.server import ScriptedServer, said

pytestmark = pytest.mark.anyio

BUYER = {
    "firstname": "Perpetua",
    "lastname": "Featherstonehaugh",
    "company": "Larkspur Limited",
    "street_1": "17 Larkspur Crescent",
    "street_2": "Flat 2",
    "city": "Harrogate",
    "zip_code": "HG1 9ZZ",
    "state": "North Yorkshire",
    "country": "United Kingdom",
    "phone": "01423 496 0123",
    "additional_info": "behind the windmill",
}
PERSONAL = [
    "Perpetua",
    "FEATHERSTONEHAUGH",
    "Larkspur",
    "Harrogate",
    "HG1 9ZZ",
    "01423 496 0123",
    "windmill",
    "abc123@notification.example",
]


def _order(order_id: str, **buyer: object) -> dict[str, object]:
    customer = {"firstname": "P", "shipping_address": {**BUYER, **buyer}}
    return {**ORDER, "order_id": order_id, "customer": customer}


def _orders(*orders: dict[str, object]) -> bytes:
    return said(200, {"orders": list(orders), "total_count": len(orders)})


async def _message(api: SellerApi, order_id: str = "700-A") -> str:
    with pytest.raises(KcjlError) as told:
        await api.ship(order_id)
    return told.value.message


def _quoted(words: str) -> bool:
    return any(each.casefold() in words.casefold() for each in PERSONAL)


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500])
async def test_refusal_about_an_order_tells_nothing_of_its_buyer(
    market: ScriptedServer, api: SellerApi, status: int
) -> None:
    """Each word of the address that was read with the order, however it is spelt."""
    market.will_say(
        _orders(_order("700-A")), said(status, {"message": f"No: {', '.join(PERSONAL)}; STD"})
    )
    await api.orders_by_id(["700-A"])
    message = await _message(api)

    assert not _quoted(message)
    assert "OR24 of order 700-A" in message
    assert message.endswith("; STD")


async def test_refusal_that_names_another_order_tells_nothing_of_its_buyer(
    market: ScriptedServer, api: SellerApi
) -> None:
    """The order is known by its number, wherever it stands."""
    market.will_say(
        _orders(_order("700-A")), said(400, {"message": "Perpetua has 700-A already"})
    )
    await api.orders_by_id(["700-A"])

    assert "[…] has 700-A already" in await _message(api, "800-A")


async def test_refusal_that_quotes_whole_lines_of_any_address_is_told_without(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Also where nothing says which order it is about; a single word may be anybody's."""
    words = "17 Larkspur Crescent, Perpetua Featherstonehaugh: Flat 9, Leeds"
    market.will_say(_orders(_order("700-A")), said(400, {"message": words}))
    await api.orders_by_id(["700-A"])

    assert "[…], […]: Flat 9, Leeds" in await _message(api, "800-A")


async def test_item_that_is_refused_inside_a_success_tells_nothing_of_the_buyer(
    market: ScriptedServer, api: SellerApi
) -> None:
    """ST01 and OR04 refuse in a 2xx."""
    quoting = {"message": "Featherstonehaugh does not live there"}
    market.will_say(
        _orders(_order("700-A")),
        said(201, {"shipment_errors": [{"order_id": "700-A", **quoting}]}),
        said(200, {"updated_orders": [{"order_id": "700-A", "errors": [quoting]}]}),
    )
    await api.orders_by_id(["700-A"])
    parcel = ShipmentRequest(
        order_id="700-A", lines=(("700-A-1", 1),), tracking=None, package_reference="B"
    )
    with pytest.raises(Refused) as refusal:
        await api.create_shipment(parcel)
    kept = await api.write_seller_references({"700-A": "SO1"})

    assert not _quoted(refusal.value.message)
    assert {"700-A": "[…] does not live there"} == kept


async def test_words_of_the_trade_stay_whatever_a_buyer_writes(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A note to the courier in ordinary words does not hide why an order was refused."""
    note = "leave the order with Perpetua, shipping entrance"
    market.will_say(
        _orders(_order("700-A", additional_info=note)),
        said(400, {"message": f"Order is not in state SHIPPING; {note}"}),
    )
    await api.orders_by_id(["700-A"])

    assert (await _message(api)).endswith("Order is not in state SHIPPING; […]")


async def test_unknown_buyer_is_told_without_what_has_a_form(
    market: ScriptedServer, api: SellerApi
) -> None:
    """After a restart nothing is remembered: mail, telephone, postcode show themselves."""
    words = "ada.l+x@example.co.uk, LS1 1AA, +44 7000 000000 and 020 7946 0000"
    market.will_say(said(400, {"message": words, "code": "ada@example.org"}))

    with pytest.raises(Refused) as refusal:
        await api.ship("700-A")
    assert "[…], […], […] and […]" in refusal.value.message
    assert "[…]" == refusal.value.reason_code


@pytest.mark.parametrize(
    "words",
    [
        "order 700123456-A line 700123456-A-1 is SHIPPED",
        "SKU AB12CD is not one of yours; KC-SHIRT-M-BLU is",
        "tracking 15501234567890, JD0002233445566778, AB123456789GB",
        "at 2026-02-03T08:12:39.118Z: 17 of 20 lines, error E1",
        "import 0a5b1f4e-9f0c-4b7f-8f2e-2f1f3e9b7a01 and 5 refused",
    ],
)
def test_what_somebody_has_to_act_on_stays_readable(words: str) -> None:
    """Numbers, SKUs, codes and times are nobody's address."""
    assert words == without_buyers(words)


async def test_newest_orders_are_remembered_and_no_more(
    market: ScriptedServer, api: SellerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory is bounded: the order read longest ago is forgotten first."""
    monkeypatch.setattr(buyers, "ORDERS_REMEMBERED_MAX", 2)
    names = {"1-A": "Aldhelm", "2-A": "Botolph", "3-A": "Cuthbert"}
    orders = [_order(order_id, lastname=name) for order_id, name in names.items()]
    refusal = said(400, {"message": "of 1-A, 2-A, 3-A: Aldhelm Botolph Cuthbert"})
    market.will_say(_orders(*orders), _orders(orders[0]), refusal)
    await api.orders_by_id(list(names))
    await api.orders_by_id(["1-A"])

    assert "[…] Botolph […]" in await _message(api, "9-A")
