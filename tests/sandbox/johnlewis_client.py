"""A plain client of the seller API, and a shop that is served to it over real HTTP.

Promises: nothing is hidden from a test: statuses, headers and bytes as they came; each answer
is held against the OpenAPI description. Loopback, a port of the machine's choosing. Called by
the tests of the John Lewis face.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
from aiohttp import ClientResponse, ClientSession, FormData, web

from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.johnlewis.http import LINE_BYTES_MAX, johnlewis_app
from kcjl.sandbox.marketplace import MarketplaceSettings, Order
from tests.sandbox.described_answers import assert_described
from tests.sandbox.marketplace_shop import Shop

__all__ = ["KEY", "Answer", "Client", "all_lines", "serving", "stock_file"]

KEY = "johnlewis-sandbox-key"


class Answer:
    """A status, headers, and the body as JSON with exact numbers."""

    def __init__(self, response: ClientResponse, body: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = body

    def json(self) -> dict[str, object]:
        return msgspec.json.decode(self.body, type=dict[str, object])

    def rows(self, name: str) -> list[dict[str, object]]:
        return msgspec.convert(self.json()[name], list[dict[str, object]])


class Client:
    """A client of the shop's, as plain as can be."""

    def __init__(self, shop: Shop, gate: DirectGate, session: ClientSession, base: str) -> None:
        self.shop = shop
        self.gate = gate
        self._session = session
        self.base = base

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        key: str = KEY,
        headers: Mapping[str, str] | None = None,
        data: FormData | bytes | None = None,
    ) -> Answer:
        sent = {"Authorization": key, **(headers or {})}
        if json is not None:
            data = msgspec.json.encode(json)
            sent["Content-Type"] = "application/json"
        async with self._session.request(
            method, self.base + path, headers=sent, data=data
        ) as response:
            answer = Answer(response, await response.read())
        assert_described(method, path, answer.status, answer.headers, answer.body)
        return answer

    async def get(self, path: str) -> Answer:
        return await self.ask("GET", path)

    async def one(self, order: Order) -> dict[str, object]:
        """The order as OR11 shows it."""
        (shown,) = (await self.get(f"/api/orders?order_ids={order.order_id}")).rows("orders")
        return shown


@asynccontextmanager
async def serving(settings: MarketplaceSettings | None = None) -> AsyncIterator[Client]:
    """A shop's seller API on a port of this machine."""
    shop = Shop(settings)
    gate = DirectGate(shop.agenda, {"johnlewis": shop.marketplace})
    runner = web.AppRunner(johnlewis_app(shop.marketplace, gate), max_line_size=LINE_BYTES_MAX)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with ClientSession() as session:
            yield Client(shop, gate, session, f"http://{host}:{port}")
    finally:
        await runner.cleanup()


def stock_file(content: str) -> FormData:
    form = FormData()
    form.add_field("file", content.encode(), filename="stock.csv", content_type="text/csv")
    return form


async def all_lines(
    client: Client, query: str, following: object = None
) -> list[dict[str, object]]:
    """TL02 to its last page, or the pages that follow a token."""
    rows: list[dict[str, object]] = []
    token = "" if following is None else f"&page_token={following}"
    while True:
        answer = await client.get(f"/api/sellerpayment/transactions_logs?{query}{token}")
        rows += answer.rows("data")
        following = answer.json()["next_page_token"]
        if following is None:
            return rows
        token = f"&page_token={following}"
