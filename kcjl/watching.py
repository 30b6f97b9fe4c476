"""What one merchant's service watches beside its work, and at which bounds.

Promises: built of the settings and of what the run before said; it starts nothing.
Called by `service.py`.
"""

from datetime import timedelta
from pathlib import Path

from kcjl.calls.sync_log import SyncLog
from kcjl.clock import Clock, Ids
from kcjl.database import Database
from kcjl.exceptions.certificates import Certificates
from kcjl.exceptions.left_out import LeftOut
from kcjl.exceptions.probes import Chain, Clocks, Disk, Lease, Lists
from kcjl.exceptions.watch import Probe, ServiceWatch
from kcjl.log.postgres import PostgresLog
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.store import PostgresRows
from kcjl.settings import MerchantSettings, Settings

__all__ = ["watch_of"]

POLLS_MISSED = 3
"""A feed that is late by a poll does not stand still."""


def watch_of(
    settings: Settings,
    log: PostgresLog,
    database: Database,
    sync_log: SyncLog,
    clock: Clock,
    ids: Ids,
    *,
    lease_lost: str,
) -> ServiceWatch:
    """`lease_lost`: how the run before this one lost the lease, if it did."""
    mine = settings.merchants[log.merchant]
    bounds = mine.exceptions
    rows = PostgresRows(database, log.merchant)
    urls = {"johnlewis": mine.johnlewis.base_url, "khaos": mine.khaos.base_url}
    own = mine.khaos.cloud.certificate_file if mine.khaos.kind == "cloud" else ""
    files = {"the cloud feed": Path(own)} if own else {}
    names = [projection.name for projection in PROJECTIONS]
    probes: list[Probe] = [
        Disk(Path(settings.data_dir), bounds.disk_free_mb_min),
        Certificates(urls, files, timedelta(days=bounds.certificate_days)),
        LeftOut(rows, clock),
        Lists(log, rows, names, timedelta(minutes=bounds.projection_behind_minutes)),
        Lease(lease_lost),
        Clocks(sync_log.clocks, bounds.clock_skew_s_max),
    ]
    if bounds.chain_events_an_hour:
        probes.append(Chain(log, bounds.chain_events_an_hour))
    return ServiceWatch(log, clock, ids, probes=probes, stale_after=_stale_after(mine))


def _stale_after(mine: MerchantSettings) -> dict[str, timedelta]:
    least_s = mine.exceptions.feed_stale_minutes * 60
    polls_s = {
        "orders": mine.paced_orders.poll_s,
        "shipments": mine.dispatch.poll_s,
        "transactions": mine.settlement.transactions_poll_s,
    }
    return {
        feed: timedelta(seconds=max(least_s, POLLS_MISSED * poll_s))
        for feed, poll_s in polls_s.items()
    }
