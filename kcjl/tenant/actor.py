"""The tenant, the shell: reads it once a day; a shop that we can't serve does not start.

Promises: one reading a day, also across restarts; a shop of another model than MARKETPLACE ends
the service with `ShopModelNotServed`, before any other room does anything. A tenant that can't
be read is no reason to stand still: the rooms go on with what was last read, or cautiously.
It writes nothing outside. Invariant: what was read is in the log before it is judged.
Called by `service.py`. Source: contract johnlewis a.6, d.1, e.8.
"""

from datetime import datetime

from kcjl.actors import Job, Room
from kcjl.clock import Clock, Ids
from kcjl.errors import CorruptLog, Fenced, KcjlError, ShopModelNotServed
from kcjl.johnlewis.tenant_port import TenantProfile, TenantReading, refuse_other_models
from kcjl.log.port import Log
from kcjl.tenant.events import TenantRead
from kcjl.tenant.state import KEY, READ_EVERY, TENANT, due_at

__all__ = ["Tenancy", "told"]


class Tenancy(Room):
    """The tenant's actor."""

    name = "tenant"

    def __init__(self, log: Log, clock: Clock, ids: Ids, *, marketplace: TenantReading) -> None:
        super().__init__(log, clock, ids)
        self._marketplace = marketplace
        self.tenant = self.table(TENANT)
        self.jobs = (Job("tenant", self._read, every=READ_EVERY),)

    async def open(self) -> None:
        """Read the tenant where that is due, before the other rooms begin.

        Raises ShopModelNotServed. That it can't be read now is said; the job tries again.
        """
        await self.catch_up()
        try:
            await self._read()
        except (Fenced, CorruptLog, ShopModelNotServed):
            raise
        except KcjlError as error:
            self._say.warning("tenant_not_read", error=f"{type(error).__name__}: {error}")
            if (known := self.tenant.get(KEY)) is not None:
                _check(known)

    async def _read(self) -> float | None:
        now, due = self.clock.now(), due_at(self.tenant.get(KEY))
        if due is not None and now < due:
            return (due - now).total_seconds()
        profile = await self._marketplace.tenant_profile()
        read = told(profile, now)
        await self.record(read)
        _check(read)
        return None


def _check(read: TenantRead) -> None:
    refuse_other_models(
        shop_id=read.shop_id,
        shop_name=read.shop_name,
        model=read.model,
        models_on=read.models_on,
    )


def told(profile: TenantProfile, at: datetime) -> TenantRead:
    """What of a profile the log keeps."""
    account, platform = profile.account, profile.platform
    workflows = {
        "pay_on_shipment": platform.pay_on_shipment,
        "pay_on_due_date": platform.pay_on_due_date,
        "no_customer_payment_confirmation": platform.no_customer_payment_confirmation,
        "pause_debit_workflow": platform.pause_debit_workflow,
    }
    return TenantRead(
        shop_id=account.shop_id,
        shop_name=account.shop_name,
        shop_state=account.state,
        model=account.model,
        models_on=platform.models,
        currency=account.currency,
        acceptance_is_automatic=platform.acceptance_is_automatic,
        details_before_acceptance=platform.addresses_before_acceptance,
        workflows=tuple(name for name, on in workflows.items() if on),
        multi_shipment=platform.multi_shipment,
        listed_carriers_only=platform.listed_carriers_only,
        tax_mode=platform.tax_mode,
        returns_on=profile.returns_on,
        documents_asked_of_shop=platform.documents_asked_of_shop,
        timezone=platform.timezone,
        carriers=tuple((each.code, each.label) for each in profile.carriers),
        shipping_types=tuple(
            (each.code, each.tracking_mandatory) for each in profile.shipping_types
        ),
        reasons=tuple(
            (each.code, each.kind, each.label)
            for each in profile.reasons
            if each.usable_by_shop
        ),
        taxes=tuple((each.code, each.rule) for each in profile.taxes),
        suspension=account.suspension_type or "",
        closed_from=account.closed_from,
        closed_until=account.closed_until,
        occurred_at=at,
    )
