"""Khaos Control over its SOAP web service ("KWS"): the ERP port, whole.

Promises: each method of `WholeErp`, by the contract; Khaos's words, flags and wall times stop
here. What the web service has no operation for raises `Unsupported`, as `capabilities` say.
The halves are in `kws_stock.py` and `kws_orders.py`, and say what each of them promises.
Invariant: all calls of one adapter go through one `SoapService`, and through one turn per web
service. Called by the composition root. Source: contract khaos b, c, d, h.
"""

from collections.abc import Sequence

import aiohttp

from kcjl.calls.sync_log import SyncLog
from kcjl.clock import Clock
from kcjl.khaos.capabilities import Capabilities, Unsupported
from kcjl.khaos.kws_orders import KwsOrders
from kcjl.khaos.kws_packs import PackKnowledge
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.kws_stock import KwsStock
from kcjl.khaos.order_port import OrderStatus, RegisteredReturn, ReturnRequest
from kcjl.khaos.soap import SoapService
from kcjl.khaos.stock_port import Site
from kcjl.khaos.turns import Turns

__all__ = ["KwsSettings", "KwsSoapAdapter"]


class KwsSoapAdapter(KwsStock, KwsOrders):
    """The ERP behind one Khaos Control web service. Implements `WholeErp`."""

    def __init__(
        self,
        settings: KwsSettings,
        *,
        clock: Clock,
        session: aiohttp.ClientSession,
        sync_log: SyncLog | None = None,
        turns: Turns | None = None,
    ) -> None:
        service = SoapService(
            settings, clock=clock, session=session, sync_log=sync_log, turns=turns
        )
        KwsStock.__init__(self, settings, clock, service)
        KwsOrders.__init__(self, settings, clock, service)
        self._packs = PackKnowledge(
            clock,
            export=lambda refs: self.exported_orders(external_refs=refs),
            products=self.products,
        )

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            pull_stock=True,
            push_stock=False,
            lookup_order=True,
            sync_order_result=True,
            line_refs_in_shipments=False,
            returns=False,
            journals=False,
            max_external_ref=self._settings.max_external_ref,
            stock_potential=True,
            deleted_entries=True,
            exported_orders=True,
            orders_in_progress=True,
        )

    async def ping(self) -> str:
        return (await self._service.call("GetVersion")).text()

    async def sites(self) -> Sequence[Site]:
        answer = await self._service.call("GetSiteList")
        current = answer.value("CurrentSiteID")
        return [
            Site(
                site_id=fields["siteid"],
                name=fields.get("sitename", ""),
                is_default=fields["siteid"] == current,
            )
            for fields in answer.structs("SiteID")
            if fields["siteid"]
        ]

    async def order_statuses(self, external_refs: Sequence[str]) -> Sequence[OrderStatus]:
        """With boxes of packs told as the packs that were ordered, unless by setting."""
        statuses = await super().order_statuses(external_refs)
        if not self._settings.fold_packs:
            return statuses
        return await self._packs.told_in_packs(statuses)

    async def register_return(self, request: ReturnRequest) -> RegisteredReturn:
        """Raises Unsupported: the web service has no operation for it (contract b.9)."""
        raise Unsupported(
            f"register_return {request.return_ref} of order {request.external_order_ref}",
            adapter="the SOAP adapter",
            instead="enter the return in Khaos Control from the original order",
        )
