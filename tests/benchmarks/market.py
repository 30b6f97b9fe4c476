"""A marketplace that only answers, in a process of its own: pages of offers, a file of orders.

Everything that can be is made before the first request: what is measured is the client.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from aiohttp import web

from tests.benchmarks.serving import serving_alone
from tests.johnlewis.samples import LINE, ORDER

__all__ = ["OFFERS", "ORDERS", "serving"]

OFFERS = 100_000
ORDERS = 10_000
_PAGE = 100
_OFFER: dict[str, object] = {
    "offer_id": 0,
    "shop_sku": "KC-SHIRT-NUMBER",
    "product_sku": "MP-NUMBER",
    "product_references": [{"reference": "5012345NUMBER", "reference_type": "EAN"}],
    "product_title": "Shirt with a collar, blue, of organic cotton, size NUMBER",
    "product_brand": "Example Brand",
    "product_description": "A shirt that is worn over trousers. " * 8,
    "category_code": "SHIRTS",
    "category_label": "Shirts",
    "quantity": 12,
    "warehouses": [{"code": "MAIN", "quantity": 8}, {"code": "NORTH", "quantity": 4}],
    "price": 42.5,
    "total_price": 46.45,
    "applicable_pricing": {
        "price": 42.5,
        "unit_origin_price": 42.5,
        "unit_discount_price": 36.0,
        "discount_start_date": "2026-03-01T00:00:00Z",
        "discount_end_date": "2026-03-15T00:00:00Z",
        "volume_prices": [],
    },
    "all_prices": [
        {"price": 42.5, "unit_origin_price": 42.5, "context": {"channel_codes": []}}
    ],
    "currency_iso_code": "GBP",
    "state_code": "11",
    "active": True,
    "inactivity_reasons": [],
    "leadtime_to_ship": 2,
    "shipping_deadline": "2026-03-15T00:00:00Z",
    "logistic_class": {"code": "STD", "label": "Standard"},
    "min_order_quantity": 1,
    "max_order_quantity": 10,
    "package_quantity": 1,
    "min_quantity_alert": 3,
    "min_shipping_price": 3.95,
    "min_shipping_price_additional": 0,
    "min_shipping_type": "STD",
    "min_shipping_zone": "UK",
    "channels": ["JLUK"],
    "fulfillment": {"center": {"code": "DEFAULT"}},
    "offer_additional_fields": [{"code": "gift-wrap", "type": "BOOLEAN", "value": "true"}],
    "description": "Sold by the maker",
}


@contextmanager
def serving() -> Iterator[str]:
    """Its base URL, while it runs."""
    with serving_alone(_app) as url:
        yield url


def _app() -> web.Application:
    offer = msgspec.json.encode(_OFFER).replace(b'"offer_id":0', b'"offer_id":8NUMBER')
    orders = b'{"orders":[%b]}' % b",".join(_order(number) for number in range(ORDERS))

    async def offers(request: web.Request) -> web.Response:
        first = int(request.query.get("offset", "0"))
        numbers = range(first, min(first + _PAGE, OFFERS))
        rows = b",".join(
            offer.replace(b"NUMBER", b"%06d" % number).replace(b"42.5", _price(number))
            for number in numbers
        )
        return _json(b'{"offers":[%b],"total_count":%d}' % (rows, OFFERS))

    async def ask(_: web.Request) -> web.Response:
        return _json(b'{"tracking_id":"t"}')

    async def look(_: web.Request) -> web.Response:
        return _json(b'{"status":"COMPLETED","urls":["/api/orders/async-export/file/t"]}')

    async def file(_: web.Request) -> web.Response:
        return _json(orders)

    app = web.Application()
    app.router.add_get("/api/offers", offers)
    app.router.add_post("/api/orders/async-export", ask)
    app.router.add_get("/api/orders/async-export/status/t", look)
    app.router.add_get("/api/orders/async-export/file/t", file)
    return app


def _order(number: int) -> bytes:
    """One of two lines, the second without refunds."""
    order_id = f"7{number:08d}-A"
    lines = [
        {**LINE, "order_line_id": f"{order_id}-1"},
        {**LINE, "order_line_id": f"{order_id}-2", "refunds": []},
    ]
    return msgspec.json.encode({**ORDER, "order_id": order_id, "order_lines": lines})


def _price(number: int) -> bytes:
    """One of five thousand."""
    return b"%d.%02d" % divmod(1_000 + number % 5_000, 100)


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")
