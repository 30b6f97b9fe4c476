"""The demo's world as seen from outside: its clock, its truth, and the people in it.

Promises: asks the sandbox's control routes only. The people do what people would: when a
courier is not mapped, somebody in operations maps it; when a box went out without a number,
somebody in the warehouse enters one. Called by `demo.py`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import aiohttp
import msgspec

from kcjl.clock import Clock, RandomIds, real_sleep
from kcjl.command import Command
from kcjl.commands import issue
from kcjl.database import OPERATOR, Database
from kcjl.errors import KcjlError, Unavailable
from kcjl.projections.reading import PostgresReadModels

__all__ = ["WorldView", "people", "troubles"]

ANSWER_S = 10.0
LOOK_EVERY_S = 1.0
MAPPED_AFTER = timedelta(hours=1)
"""World time that operations take to map a courier."""
CARRIER_OF_VAN = "DHL"


class WorldNow(msgspec.Struct, frozen=True):
    now: datetime
    finished: bool
    ended: bool
    starts_at: datetime
    trade_ends_at: datetime | None = None


class WorldView:
    """The sandbox's control routes."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def clock(self) -> WorldNow:
        return msgspec.json.decode(await self._get("/sandbox/clock"), type=WorldNow)

    async def truth(self) -> dict[str, object]:
        return msgspec.json.decode(await self._get("/sandbox/truth"), type=dict[str, object])

    async def orders(self) -> list[dict[str, object]]:
        """Every marketplace order, on both sides."""
        found = msgspec.json.decode(await self._get("/sandbox/orders"))
        return found if isinstance(found, list) else list(found["orders"])

    async def ask(self, path: str, arguments: Mapping[str, object]) -> bool:
        """A person's hand in the world; False when the world says no."""
        async with self._session.post(
            self._url + path,
            data=msgspec.json.encode(dict(arguments)),
            headers={"Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=ANSWER_S),
        ) as response:
            return response.ok

    async def _get(self, path: str) -> bytes:
        try:
            async with self._session.get(
                self._url + path, timeout=aiohttp.ClientTimeout(total=ANSWER_S)
            ) as response:
                response.raise_for_status()
                return await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the sandbox does not answer: {type(error).__name__}") from None


def troubles(start: datetime) -> list[dict[str, object]]:
    """What goes wrong in the demo besides dirty data: a lost answer of the ERP after it took an
    order, and an hour in which the marketplace takes no confirmation.
    """

    def at(hours: float) -> str:
        return (start + timedelta(hours=hours)).isoformat()

    return [
        {
            "kind": "lost_after",
            "side": "khaos",
            "operation": "ImportOrders",
            "times": 2,
            "from_time": at(2),
        },
        {
            "kind": "lost_after",
            "side": "johnlewis",
            "operation": "ST01",
            "times": 1,
            "from_time": at(3),
        },
        {
            "kind": "status",
            "side": "johnlewis",
            "operation": "ST01",
            "times": None,
            "status": 503,
            "body": "html",
            "from_time": at(6),
            "until_time": at(7),
        },
    ]


async def people(view: WorldView, dsn: str, merchant: str, clock: Clock) -> None:
    """Act like the people around the service, for ever."""
    async with Database(dsn, role=OPERATOR) as database:
        models = PostgresReadModels(database, merchant, clock)
        mapped: set[str] = set()
        while True:
            await real_sleep(LOOK_EVERY_S)
            try:
                await _map_couriers(models, database, merchant, clock, mapped)
                await _enter_numbers(view)
            except (KcjlError, aiohttp.ClientError, TimeoutError):
                continue  # whoever is away comes back; people wait


async def _map_couriers(
    models: PostgresReadModels,
    database: Database,
    merchant: str,
    clock: Clock,
    mapped: set[str],
) -> None:
    for row in (await models.exceptions()).exceptions:
        if row.kind != "courier_unmapped" or row.subject in mapped:
            continue
        if clock.now() - row.first_seen_at < MAPPED_AFTER:
            continue
        command = Command(
            verb="map-courier",
            arguments={"courier": row.subject, "carrier_code": CARRIER_OF_VAN},
        )
        await issue(
            database,
            merchant,
            command,
            by="demo operations",
            at=clock.now(),
            ids=RandomIds(),
        )
        mapped.add(row.subject)


class _Parcel(msgspec.Struct):
    invoice_code: str
    consignment: str


class _SalesOrder(msgspec.Struct):
    parcels: list[_Parcel]


class _Order(msgspec.Struct):
    sales_orders: list[_SalesOrder]


async def _enter_numbers(view: WorldView) -> None:
    for order in msgspec.convert(await view.orders(), list[_Order]):
        for sales_order in order.sales_orders:
            by_invoice: dict[str, int] = {}
            for parcel in sales_order.parcels:
                number = by_invoice[parcel.invoice_code] = (
                    by_invoice.get(parcel.invoice_code, 0) + 1
                )
                if not parcel.consignment:
                    await view.ask(
                        "/sandbox/warehouse/set_consignment",
                        {
                            "invoice_code": parcel.invoice_code,
                            "box_number": number,
                            "consignment": _number_of_van(parcel.invoice_code, number),
                        },
                    )


def _number_of_van(invoice_code: str, box: int) -> str:
    """A number as the carrier that the van is mapped to has them: fourteen digits."""
    digits = "".join(filter(str.isdigit, invoice_code))
    return f"{digits:0>12}{box:02}"
