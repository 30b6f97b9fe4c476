"""Calls about the tenant: V01, A01, PC01, SH21, SH12, RE01, OR75, A21, and all of it at once.

Promises: each call is one read; `tenant_profile` makes six of them, one after another, and is
whole or raises. It keeps nothing: all but V01 are once-a-day calls (contract d.1), and when
they are made is the caller's plan. Invariant: a tenant that lacks OR75 (404) has no taxes of
its own; any other refusal is raised. Called by `seller_api.py`, of which it is a part.
Source: contract johnlewis a.6, b.1.
"""

from collections.abc import Sequence

from kcjl.errors import NotFound
from kcjl.johnlewis import tenant_records
from kcjl.johnlewis.calls import AreaCalls
from kcjl.johnlewis.request import Call
from kcjl.johnlewis.tenant_port import (
    Account,
    Carrier,
    Platform,
    Reason,
    ShippingType,
    ShopStatistics,
    StatisticsPeriod,
    TaxCode,
    TenantProfile,
)

__all__ = ["TenantCalls"]


class TenantCalls(AreaCalls):
    """What the tenant says about itself."""

    rates_are_percent = False
    """A21's scale is not documented; 0 to 1 is assumed (contract g)."""

    async def ping(self) -> None:
        """V01: any 2xx is up; what it says may change and is not read."""
        await self._http.send(Call(operation="V01", path="/api/version"))

    async def account(self) -> Account:
        return tenant_records.account(await self._read("A01", "/api/account"), self._currency)

    async def platform(self) -> Platform:
        path = "/api/platform/configuration"
        return tenant_records.platform(await self._read("PC01", path))

    async def carriers(self) -> Sequence[Carrier]:
        return tenant_records.carriers(await self._read("SH21", "/api/shipping/carriers"))

    async def shipping_types(self) -> Sequence[ShippingType]:
        return tenant_records.shipping_types(await self._read("SH12", "/api/shipping/types"))

    async def reasons(self) -> Sequence[Reason]:
        return tenant_records.reasons(await self._read("RE01", "/api/reasons"))

    async def order_taxes(self) -> Sequence[TaxCode]:
        return tenant_records.order_taxes(await self._read("OR75", "/api/orders/taxes"))

    async def statistics(self, periods: Sequence[StatisticsPeriod] = ()) -> ShopStatistics:
        """A21 of these periods; of none named, of all that the tenant shows."""
        query = (("periods", ",".join(periods)),) if periods else ()
        call = Call(operation="A21", path="/api/account/statistics", query=query)
        body = (await self._http.send(call)).body
        return tenant_records.statistics(body, rates_are_percent=self.rates_are_percent)

    async def tenant_profile(self) -> TenantProfile:
        """One reading of all that the service would otherwise have to guess."""
        began = self._clock.now()
        account = await self.account()
        platform = await self.platform()
        carriers = tuple(await self.carriers())
        shipping_types = tuple(await self.shipping_types())
        reasons = tuple(await self.reasons())
        try:
            taxes = tuple(await self.order_taxes())
        except NotFound:
            taxes = ()
        return TenantProfile(
            account=account,
            platform=platform,
            carriers=carriers,
            shipping_types=shipping_types,
            reasons=reasons,
            taxes=taxes,
            read_at=began,
        )

    async def _read(self, operation: str, path: str) -> bytes:
        return (await self._http.send(Call(operation=operation, path=path))).body
