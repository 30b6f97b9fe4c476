"""Alerts, the shell: tells owners over channels, and notes what became of each message.

Promises: a message is an intention in the log before it goes, and an outcome after; one without
an outcome is unknown, and goes once more under the same id at most. What could not go waits,
and goes as one message. A channel that does not work is asked with growing pauses, is one
exception on the desk, and holds no other channel up. The kill switch does not stop alerts:
they are what tells of it. No rules here. Built by `rooms.py` where a channel is set.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial

import msgspec

from kcjl.actors import Job, Room
from kcjl.alerts.alert_settings import AlertSettings
from kcjl.alerts.decide import (
    CHANNEL_DOWN,
    Waiting,
    decide_alert,
    decide_digest,
    decide_repeat,
    digest_day,
    may_try,
    of_digest,
    waiting,
)
from kcjl.alerts.events import AlertFailed, AlertIntended, AlertSent, AlertUnknown, Scope
from kcjl.alerts.message import message_of
from kcjl.alerts.port import AlertChannel
from kcjl.alerts.state import (
    CHANNELS,
    EPISODES,
    ROUTES,
    STORMS,
    RouteState,
    route_of,
)
from kcjl.clock import Clock, Ids, real_monotonic
from kcjl.errors import (
    CredentialsRefused,
    KcjlError,
    NotFound,
    OutcomeUnknown,
    Refused,
    Unavailable,
)
from kcjl.exceptions.service_events import ServiceConditionEnded, ServiceConditionFound
from kcjl.exceptions.service_state import FOUND, Finding, decide_look
from kcjl.log.port import Log

__all__ = ["Alerts", "Preview"]

LOOK_EVERY = timedelta(seconds=20)
"""What waits is gathered for longer than that."""
ANSWER_S = 10.0
"""Real seconds that one channel has when a person waits for it."""
NOTHING = RouteState()
Way = tuple[str, str]
"""A channel, and an owner as the settings name them."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What an owner's list would say."""

    channel: str
    owner: str
    title: str
    text: str


class Alerts(Room):
    """The alerts actor."""

    name = "alerts"

    def __init__(
        self,
        log: Log,
        clock: Clock,
        ids: Ids,
        *,
        channels: Sequence[AlertChannel],
        settings: AlertSettings,
    ) -> None:
        super().__init__(log, clock, ids)
        self._plan = settings.plan()
        self._channels = {channel.name: channel for channel in channels}
        self.episodes = self.table(EPISODES)
        self._storms = self.table(STORMS)
        self.routes = self.table(ROUTES)
        self._failing = self.table(CHANNELS)
        self._found = self.table(FOUND)
        self._since: dict[Way, datetime] = {}
        self._under_way: set[str] = set()
        """Routes on which this process waits for an answer."""
        self.jobs = tuple(
            Job(f"tell by {name}", partial(self._tell, name), every=LOOK_EVERY)
            for name in self._channels
        )

    # ── what people ask for ─────────────────────────────────────────────────────────────────

    async def send_digest(self, owner: str, *, by: str) -> str:
        """Send owners their lists now, beside those of the day. Empty: all of them.

        Each channel has ANSWER_S real seconds for all of them: others wait behind this word. A
        list without an answer by then is unknown, and goes once more by itself.
        """
        sent, failed, nothing, not_begun = 0, 0, 0, 0
        ends: dict[str, float] = {}
        for way in self._ways_to(owner):
            left_s = ends.setdefault(way[0], real_monotonic() + ANSWER_S) - real_monotonic()
            meant = self._digest(way)
            if meant is None:
                nothing += 1
            elif left_s <= 0:
                not_begun += 1
            elif await self._send(meant, by=by, within_s=left_s):
                sent += 1
            else:
                failed += 1
        said = f"{sent} sent, {failed} did not get through, {nothing} had nothing to say"
        if not_begun:
            said += f", {not_begun} not begun: the channel is slow, ask for them again"
        if failed + not_begun and not sent:
            raise Refused(f"{said}: see `kcjl alerts list`")
        return said

    def preview_digest(self, owner: str) -> Sequence[Preview]:
        """What would be sent."""
        previews = []
        for way in self._ways_to(owner):
            meant = self._digest(way)
            if meant is not None:
                says = message_of(meant, self.log.merchant)
                previews.append(
                    Preview(channel=way[0], owner=way[1], title=says.title, text=says.text)
                )
        return previews

    def _ways_to(self, owner: str) -> list[Way]:
        """Raises NotFound for an owner whom the settings do not name."""
        if owner and owner not in self._plan.channels_of:
            known = ", ".join(self._plan.channels_of)
            raise NotFound(f"{owner!r} is not among the owners of the settings: {known}")
        every = [way for channel in self._channels for way in self._ways(channel)]
        return [way for way in every if owner in ("", way[1])]

    # ── the job ─────────────────────────────────────────────────────────────────────────────

    async def _tell(self, channel: str) -> None:
        await self._forget_strangers(channel)
        await self._settle(channel)
        now = self.clock.now()
        found = self._waiting(now)
        for way in self._ways(channel):
            if way in found:
                self._since.setdefault(way, now)
            else:
                self._since.pop(way, None)
        known = self.applied
        for way in self._ways(channel):
            if not may_try(self._failing.get(channel), self.clock.now()):
                return
            if self.applied != known:  # the message before took its time
                known, found = self.applied, self._waiting(self.clock.now())
            if may_try(self._failing.get(route_of(*way)), self.clock.now()):
                await self._tell_owner(way, found.get(way, ()))

    async def _tell_owner(self, way: Way, told: Sequence[Waiting]) -> None:
        now, state = self.clock.now(), self._state(way)
        match decide_repeat(state, now):
            case AlertSent() as taken:
                await self.commit((taken,), correlation_id=taken.alert_id)
                return  # what waits is another now
            case AlertIntended() as again:
                await self._send(again)
                return
        meant = decide_alert(
            self._plan,
            way,
            self._state(way),
            told,
            since=self._since.get(way, now),
            alert_id=self.ids.new(),
            now=now,
        )
        if meant is not None:
            self._since.pop(way, None)
            await self._send(meant)
        due = digest_day(self._plan, self._state(way), now)
        if due is None or not may_try(self._failing.get(way[0]), self.clock.now()):
            return
        meant = self._digest(way, *due)
        if meant is not None:
            await self._send(meant)

    def _digest(
        self, way: Way, day: date | None = None, before: datetime | None = None
    ) -> AlertIntended | None:
        """Of a day, or now."""
        listed = of_digest(self._plan, way[1], self.episodes.values(), before)
        return decide_digest(
            way,
            self._state(way),
            listed,
            day,
            alert_id=self.ids.new(),
            now=self.clock.now(),
        )

    async def _send(
        self, meant: AlertIntended, *, by: str | None = None, within_s: float = math.inf
    ) -> bool:
        """The intention, the call, the outcome; whether it has certainly gone.

        One at a time on each way: a second one is not begun. `within_s`: real seconds.
        """
        route = route_of(meant.channel, meant.owner)
        if route in self._under_way:
            return False
        self._under_way.add(route)
        try:
            await self.commit((meant,), correlation_id=meant.alert_id, by=by)
            outcome = await self._called(meant, within_s)
            await self.record(outcome, correlation_id=meant.alert_id)
        finally:
            self._under_way.discard(route)
        await self._say_how_it_is(meant, outcome)
        return isinstance(outcome, AlertSent)

    async def _called(
        self, meant: AlertIntended, within_s: float
    ) -> AlertSent | AlertFailed | AlertUnknown:
        channel, message = self._channels[meant.channel], message_of(meant, self.log.merchant)
        try:
            with self.clock.deadline(within_s):
                delivered = await channel.send(message, meant.owner)
        except TimeoutError:
            said = f"no answer came within {within_s:.0f} s of a person's word"
            return _unknown(self.clock.now(), meant, said)
        except OutcomeUnknown as error:
            return _unknown(self.clock.now(), meant, error.message, error.code)
        except CredentialsRefused as error:
            return _not_sent(self.clock.now(), meant, "channel", error)
        except Refused as error:
            return _not_sent(self.clock.now(), meant, "owner", error)
        except Unavailable as error:
            return _not_sent(self.clock.now(), meant, "channel", error)
        return AlertSent(
            channel=meant.channel,
            owner=meant.owner,
            alert_id=meant.alert_id,
            purpose=meant.purpose,
            not_reached=delivered.not_reached,
            told=meant.told,
            day=meant.day,
            occurred_at=self.clock.now(),
        )

    async def _settle(self, channel: str) -> None:
        """What an earlier process meant and did not live to hear of is unknown."""
        for way in self._ways(channel):
            meant, route = self._state(way).open, route_of(*way)
            if meant is None or self._state(way).answered or route in self._under_way:
                continue
            said = "the service stopped before the answer came"
            lost = _unknown(self.clock.now(), meant, said)
            await self.commit((lost,), correlation_id=meant.alert_id)

    # ── a channel that does not work ────────────────────────────────────────────────────────

    async def _say_how_it_is(
        self, meant: AlertIntended, outcome: AlertSent | AlertFailed | AlertUnknown
    ) -> None:
        channel, route = meant.channel, route_of(meant.channel, meant.owner)
        match outcome:
            case AlertSent(not_reached=0):
                await self._say_wrong({channel: "", route: ""})
            case AlertSent():
                refused = f"{outcome.not_reached} of the owner's addresses were refused"
                await self._say_wrong({channel: "", route: refused})
            case AlertFailed(scope="owner"):
                await self._say_wrong(
                    {route: self._words(outcome.message, channel, meant.owner)}
                )
            case _:
                await self._say_wrong({channel: self._words(outcome.message, channel)})

    def _words(self, message: str, channel: str, owner: str = "") -> str:
        ids = {
            each.told.exception_id
            for (by, to), several in self._waiting(self.clock.now()).items()
            for each in several
            if by == channel and owner in ("", to)
        }
        return f"{message}; waiting to be told: {len(ids):,}"

    async def _say_wrong(self, wrong: Mapping[str, str]) -> None:
        """By subject what is wrong with it; empty: nothing is."""
        known = [each for each in self._found.values() if each.kind == CHANNEL_DOWN]
        findings = [
            Finding(kind=CHANNEL_DOWN, subject=subject, message=message)
            for subject, message in wrong.items()
            if message
        ]
        before = [each for each in known if each.subject in wrong]
        if events := decide_look(findings, before, self.clock.now()):
            await self.record(*events)

    async def _forget_strangers(self, channel: str) -> None:
        """What is not in the settings any more can't be down."""
        mine = {channel} | {route_of(*way) for way in self._ways(channel)}
        gone = [
            ServiceConditionEnded(
                kind=each.kind,
                subject=each.subject,
                reason="it is not in the settings any more",
                occurred_at=self.clock.now(),
            )
            for each in self._found.values()
            if _is_stranger(each, mine, self._channels)
        ]
        if gone:
            await self.record(*gone)

    # ── what is known ───────────────────────────────────────────────────────────────────────

    def _ways(self, channel: str) -> list[Way]:
        return [
            (channel, owner)
            for owner, channels in self._plan.channels_of.items()
            if channel in channels
        ]

    def _state(self, way: Way) -> RouteState:
        return self.routes.get(route_of(*way)) or NOTHING

    def _waiting(self, now: datetime) -> dict[Way, list[Waiting]]:
        return waiting(self._plan, self.episodes.items(), dict(self._storms.items()), now)


def _unknown(now: datetime, meant: AlertIntended, message: str, code: str = "") -> AlertUnknown:
    return AlertUnknown(
        channel=meant.channel,
        owner=meant.owner,
        alert_id=meant.alert_id,
        code=code,
        message=message,
        occurred_at=now,
    )


def _not_sent(
    now: datetime, meant: AlertIntended, scope: Scope, error: KcjlError
) -> AlertFailed:
    rest_s = error.retry_after_s if isinstance(error, Unavailable) else None
    return AlertFailed(
        channel=meant.channel,
        owner=meant.owner,
        alert_id=meant.alert_id,
        scope=scope,
        code=error.code,
        message=error.message,
        retry_after_s=math.ceil(rest_s or 0),
        occurred_at=now,
    )


def _is_stranger(
    found: ServiceConditionFound, mine: set[str], channels: Mapping[str, AlertChannel]
) -> bool:
    if found.kind != CHANNEL_DOWN or found.subject in mine:
        return False
    channel = found.subject.partition("/")[0]
    return channel not in channels or any(each.partition("/")[0] == channel for each in mine)
