"""The Cloud feed on PostgreSQL, and the sandbox's Cloud ERP that calls it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import aiohttp

from kcjl.calls.memory import MemoryCalls
from kcjl.calls.sync_log import SyncLog
from kcjl.database import Database
from kcjl.khaos.cloud import CloudFeedAdapter
from kcjl.khaos.cloud_postgres import PostgresCloudFeed
from kcjl.khaos.cloud_server import CloudListener
from kcjl.khaos.cloud_settings import CloudSettings
from kcjl.khaos.port import DeliveryAddress
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.khaos_cloud import Channel, ChannelSettings, CloudAccess, CloudDriver
from kcjl.sandbox.warehouse import Warehouse
from kcjl.vault import PostgresVault
from tests.khaos.laws.bench import REF, AgendaClock, Bench, new_warehouse

MERCHANT = "acme"
USER, PASSWORD = "channel", "sesame & salt"
REF_FORMAT = "KCC{0}"
"""Of the channel in XML."""
_STEP = timedelta(minutes=1)


class CloudBench(Bench):
    """The ERP calls us; what it has told is what the adapter knows."""

    def __init__(
        self,
        warehouse: Warehouse,
        database: Database,
        session: aiohttp.ClientSession,
        switches: ChannelSettings,
        form: str,
    ) -> None:
        super().__init__(warehouse)
        self._database = database
        self._session = session
        self._form = form
        self.channel = Channel(warehouse.agenda, warehouse, switches)
        self._gate = DirectGate(
            warehouse.agenda, {"khaos": warehouse, "khaos_cloud": self.channel}
        )
        self._running = AsyncExitStack()
        self._port = 0
        self._adapter: CloudFeedAdapter | None = None
        self._driver: CloudDriver | None = None
        self._faults: list[Fault] = []
        self._repeats = False

    @property
    def port(self) -> CloudFeedAdapter:
        assert self._adapter is not None
        return self._adapter

    async def start(self) -> None:
        settings = cloud_settings(self._port, self._form)
        clock = AgendaClock(self.warehouse.agenda)
        feed = PostgresCloudFeed(self._database, MERCHANT)
        self._adapter = new_adapter(settings, clock, feed, self._database)
        listener = CloudListener(
            settings,
            clock=clock,
            feed=feed,
            adapter=self._adapter,
            sync_log=SyncLog(MemoryCalls(), clock),
        )
        await self._running.enter_async_context(listener.listening())
        self._port = int(listener.config_url.split(":")[2].partition("/")[0])
        if self._driver is None:
            access = CloudAccess(config_url=listener.config_url, user=USER, password=PASSWORD)
            self._driver = CloudDriver(
                self.channel,
                self._gate,
                access,
                session=self._session,
                take_fault=self._take_fault,
            )

    async def stop(self) -> None:
        await self._running.aclose()
        self._running = AsyncExitStack()

    async def pass_minutes(self, minutes: int) -> None:
        assert self._driver is not None
        agenda = self.warehouse.agenda
        for _ in range(minutes):
            agenda.advance(agenda.now + _STEP)
            await self._driver.turn()

    def ref(self, ref: str = REF) -> str:
        return self.channel.settings.order_ref_format.format(ref)

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def lose_next_answer(self) -> None:
        self._faults.append(Fault(kind="lost_after", operation="OrderDownload"))
        self._faults.append(Fault(kind="lost_after", operation="OrderStatusUpload"))

    def repeat_everything(self) -> None:
        self._repeats = True

    def _take_fault(self, _: str, operation: str) -> Fault | None:
        for fault in self._faults:
            if fault.operation == operation:
                self._faults.remove(fault)
                return fault
        return Fault(kind="repeated") if self._repeats else None


def cloud_settings(port: int = 0, form: str = "json") -> CloudSettings:
    return CloudSettings(
        user=USER,
        password=PASSWORD,
        port=port,
        format="xml" if form == "xml" else "json",
        order_ref_format=REF_FORMAT if form == "xml" else "{0}",
        max_external_ref=30,
        frequency_minutes=1,
        requests_per_minute=1_000_000,
        company_code="JLMKT",
        company_class="Marketplace",
        sales_source="John Lewis",
        clearing_account="John Lewis Clearing",
        courier_code="DPD24",
        invoice_address=DeliveryAddress(
            line1="1 Example Road", town="London", postcode="ZZ1 1ZZ", country_code="GBR",
            surname="Accounts",
        ),
    )  # fmt: skip


def new_adapter(
    settings: CloudSettings,
    clock: AgendaClock,
    feed: PostgresCloudFeed,
    database: Database,
) -> CloudFeedAdapter:
    return CloudFeedAdapter(
        settings,
        clock=clock,
        feed=feed,
        vault=PostgresVault(database, MERCHANT, b"k" * 32),
        keep_documents=timedelta(days=90),
    )


@asynccontextmanager
async def cloud_bench(database: Database, form: str = "json") -> AsyncIterator[CloudBench]:
    """A linked channel: products and levels have been sent."""
    switches = ChannelSettings(statuses_every_minutes=1, stock_levels_every_minutes=1)
    if form == "xml":
        switches = ChannelSettings(
            statuses_every_minutes=1,
            stock_levels_every_minutes=1,
            status_field="OrderStatus",
            description_field="StockDescription",
            courier_by="name",
            order_ref_format=REF_FORMAT,
            consignments_joined="; ",
            sends_empty_levels=True,
            first_contact="now",
            repeats="post",
        )
    async with aiohttp.ClientSession() as session:
        bench = CloudBench(new_warehouse(), database, session, switches, form)
        await bench.start()
        try:
            await bench.pass_minutes(2)
            yield bench
        finally:
            await bench.stop()
