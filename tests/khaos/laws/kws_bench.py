"""The SOAP adapter and the sandbox's web service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
from aiohttp import web

from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.sandbox.fault_effects import faulty
from kcjl.sandbox.faults import Fault, FaultPlan
from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.khaos.http import khaos_app, operation_of
from kcjl.sandbox.warehouse import Warehouse
from tests.khaos.conftest import settings_for
from tests.khaos.laws.bench import AgendaClock, Bench, new_warehouse


class KwsBench(Bench):
    """Whatever happens, happens in the warehouse; each question is a call."""

    def __init__(
        self,
        warehouse: Warehouse,
        url: str,
        session: aiohttp.ClientSession,
        plan: FaultPlan,
    ) -> None:
        super().__init__(warehouse)
        self._url = url
        self._session = session
        self._plan = plan
        self._adapter = self._new_adapter()

    @property
    def port(self) -> KwsSoapAdapter:
        return self._adapter

    async def pass_minutes(self, minutes: int) -> None:
        agenda = self.warehouse.agenda
        agenda.advance(agenda.now + timedelta(minutes=minutes))

    async def restart(self) -> None:
        self._adapter = self._new_adapter()

    def lose_next_answer(self) -> None:
        self._plan.add([Fault(kind="lost_after", operation="ImportOrders")])

    def repeat_everything(self) -> None:
        """The web service calls nobody: whoever asks twice is answered twice."""

    def _new_adapter(self) -> KwsSoapAdapter:
        settings = settings_for(self._url, sales_source="John Lewis")
        clock = AgendaClock(self.warehouse.agenda)
        return KwsSoapAdapter(settings, clock=clock, session=self._session)


@asynccontextmanager
async def kws_bench() -> AsyncIterator[KwsBench]:
    warehouse = new_warehouse()
    plan = FaultPlan(seed=1)

    def take(side: str, operation: str) -> Fault | None:
        planned = plan.take(side, operation, warehouse.agenda.now)
        return None if planned is None else planned.fault

    async def operation(request: web.Request) -> str:
        return operation_of(await request.read(), request.headers.get("SOAPAction", ""))

    app = khaos_app(warehouse, DirectGate(warehouse.agenda, {"khaos": warehouse}), "/Live")
    app.middlewares.insert(0, faulty("khaos", operation, take))
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/Live"
        async with aiohttp.ClientSession() as session:
            yield KwsBench(warehouse, url, session, plan)
    finally:
        await runner.cleanup()
