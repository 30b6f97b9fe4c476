"""What a merchant's service uses beside both systems: alert channels, and a live ledger.

Promises: built of the settings; nothing is called until somebody asks it to.
Called by `service.py`, and by verbs that try or look at them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp

from kcjl.adaptersettings import email_access, webhook_access, xero_access
from kcjl.alerts.alert_settings import EMAIL, WEBHOOK
from kcjl.alerts.email import EmailAlerts
from kcjl.alerts.port import AlertChannel
from kcjl.alerts.webhook import WebhookAlerts
from kcjl.calls.sync_log import SyncLog
from kcjl.clock import Clock
from kcjl.errors import SettingsUnusable
from kcjl.ledger.port import LiveLedger
from kcjl.ledger.xero import XeroLedger
from kcjl.settings import MerchantSettings, Settings

__all__ = ["alert_channels", "beside_alone", "check_alerts", "check_live", "live_ledger"]


@asynccontextmanager
async def beside_alone(
    mine: MerchantSettings, *, clock: Clock
) -> AsyncIterator[tuple[list[AlertChannel], LiveLedger | None]]:
    """The channels and the ledger, without any database. Raises SettingsUnusable."""
    noted = SyncLog(None, clock)
    async with aiohttp.ClientSession() as session:
        yield (
            alert_channels(mine, clock=clock, session=session, sync_log=noted),
            live_ledger(mine, clock=clock, session=session, sync_log=noted),
        )


def live_ledger(
    mine: MerchantSettings, *, clock: Clock, session: aiohttp.ClientSession, sync_log: SyncLog
) -> LiveLedger | None:
    """Where journals are entered by a call; None: in files alone. Raises SettingsUnusable."""
    if mine.ledger.kind != "xero":
        return None
    access = xero_access(mine.ledger.xero)
    return XeroLedger(access, clock=clock, session=session, sync_log=sync_log)


def alert_channels(
    mine: MerchantSettings, *, clock: Clock, session: aiohttp.ClientSession, sync_log: SyncLog
) -> list[AlertChannel]:
    """Those over which the settings have somebody told. Raises SettingsUnusable."""
    told, channels = mine.alerts, list[AlertChannel]()
    if told.uses(EMAIL):
        access, to = email_access(told.email), told.addresses()
        channels.append(EmailAlerts(access, to, clock=clock, sync_log=sync_log))
    if told.uses(WEBHOOK):
        hook = webhook_access(told.webhook)
        channels.append(WebhookAlerts(hook, clock=clock, session=session, sync_log=sync_log))
    return channels


def check_alerts(settings: Settings, mine: MerchantSettings) -> None:
    """Raise SettingsUnusable when the channels can't be used as configured."""
    if mine.alerts.uses(EMAIL):
        check_live(settings, "the alerts' mail server", f"//{mine.alerts.email.host}")
        email_access(mine.alerts.email)
    if mine.alerts.uses(WEBHOOK):
        hook = webhook_access(mine.alerts.webhook)
        check_live(settings, "the alerts' web hook", str(hook.url))


def check_live(settings: Settings, name: str, url: str) -> None:
    """Raise SettingsUnusable for a system elsewhere, where `live` is not true."""
    host = urlsplit(url).hostname or ""
    if not settings.live and host not in ("127.0.0.1", "::1", "localhost"):
        raise SettingsUnusable(
            f"{name} is at {host}, and the configuration does not say `live = true`: "
            "nothing is written to a system that is not on this machine without it"
        )
