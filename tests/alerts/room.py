"""The alerts room on the premises' log, a process at a time, with channels that can be hurt."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from kcjl.alerts.actor import Alerts
from kcjl.alerts.alert_settings import AlertSettings, EmailSection
from kcjl.alerts.events import AlertEvent
from kcjl.alerts.port import AlertChannel
from kcjl.clock import SeededIds
from kcjl.events import vocabulary
from kcjl.log.memory import MemoryLog
from tests.rooms import MERCHANT, Premises

__all__ = ["SETTINGS", "alerting", "look", "outcomes"]

ADDRESSES = ("ops@brand.example", "night@brand.example")
SETTINGS = AlertSettings(
    owners={"operations": ADDRESSES, "*": ("lead@brand.example",)},
    email=EmailSection(host="127.0.0.1", sender="kcjl@brand.example"),
    digest_at="",
)


@asynccontextmanager
async def alerting(
    place: Premises, *channels: AlertChannel, settings: AlertSettings = SETTINGS
) -> AsyncIterator[Alerts]:
    """The room, in a process of its own."""
    epoch = place.store.take_over(MERCHANT)
    async with MemoryLog.open(place.store, MERCHANT, vocabulary(), place.clock, epoch) as log:
        alerts = Alerts(
            log, place.clock, SeededIds(epoch), channels=channels, settings=settings
        )
        await alerts.catch_up()
        yield alerts


async def look(place: Premises, alerts: Alerts, *, minutes: float = 0) -> None:
    """So much time passes; then every channel's job runs once, each after it has heard all."""
    place.clock.tick(minutes * 60)
    for job in alerts.jobs:
        await alerts.catch_up()
        await job.run()
    await alerts.catch_up()


async def outcomes(place: Premises) -> Sequence[str]:
    """What was said of messages, by name."""
    return [type(event).__name__ for event in await place.said(AlertEvent)]
