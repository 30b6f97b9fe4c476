"""The alerts' laws, whatever dies, is lost or is down: the real room on drawn misfortunes."""

from collections import Counter
from contextlib import AsyncExitStack
from datetime import datetime

import anyio
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kcjl.alerts.actor import Alerts
from kcjl.alerts.alert_settings import EmailSection
from kcjl.alerts.events import AlertIntended, AlertSent, AlertUnknown
from kcjl.alerts.port import Delivered, Message
from kcjl.errors import OutcomeUnknown, Refused, Unavailable
from tests.alerts.room import SETTINGS, alerting, look
from tests.alerts.words import Channel, over, raised
from tests.outside.mishaps import Killed
from tests.patience import unhurried
from tests.rooms import Premises

EVERYBODY = msgspec.structs.replace(
    SETTINGS,
    owners={"*": ("lead@brand.example",)},
    pause_minutes=0,
    email=EmailSection(host="127.0.0.1", sender="kcjl@brand.example"),
)
TROUBLES = ("", "away", "refused", "lost", "lost before", "killed", "killed before")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("raise", "clear", "look", "look", "restart")),
        st.sampled_from(("O1", "O2", "O3")),
        st.sampled_from(TROUBLES),
    ),
    max_size=40,
)


class Unlucky(Channel):
    """It arrives, or not; it answers, or not; or the process dies of it."""

    trouble = ""

    async def send(self, message: Message, owner: str, /) -> Delivered:
        trouble, self.trouble = self.trouble, ""
        if trouble in ("", "lost", "killed"):
            self.sent.append((message, owner))
        match trouble:
            case "away":
                raise Unavailable("away")
            case "refused":
                raise Refused("no")
            case "lost" | "lost before":
                raise OutcomeUnknown("lost")
            case "killed" | "killed before":
                raise Killed
            case _:
                return Delivered(answer="250")


class Story:
    """What happens to one merchant's alerts."""

    def __init__(self) -> None:
        self.place = Premises()
        self.mail = Unlucky()
        self.open: dict[str, datetime] = {}
        """By subject: since when."""

    async def run(self, steps: list[tuple[str, str, str]]) -> None:
        left = list(steps)
        while left:
            await self._process(left)
        async with alerting(self.place, self.mail, settings=EVERYBODY) as alerts:
            for _ in range(4):
                await look(self.place, alerts, minutes=31)

    async def _process(self, left: list[tuple[str, str, str]]) -> None:
        """One process, until it is killed, ends, or nothing more happens."""
        async with AsyncExitStack() as stack:
            room = alerting(self.place, self.mail, settings=EVERYBODY)
            alerts = await stack.enter_async_context(room)
            while left:
                word, subject, trouble = left.pop(0)
                if word == "restart":
                    return
                try:
                    await self._step(alerts, word, subject, trouble)
                except Killed:
                    return

    async def _step(self, alerts: Alerts, word: str, subject: str, trouble: str) -> None:
        self.place.clock.tick(60)
        now = self.place.clock.now()
        if word == "raise" and subject not in self.open:
            self.open[subject] = now
            await alerts.record(raised(subject, now))
        elif word == "clear" and subject in self.open:
            del self.open[subject]
            await alerts.record(over(subject, now))
        elif word == "look":
            self.mail.trouble = trouble
            try:
                await look(self.place, alerts, minutes=2)
            finally:
                self.mail.trouble = ""


@unhurried
@given(steps=STEPS)
def test_alerts_keep_their_laws_whatever_happens(steps: list[tuple[str, str, str]]) -> None:
    """Meant before it goes; an id at most twice, the same words; a life in one message that
    may have arrived; and in the end, with a channel that works, nobody is left untold.
    """
    story = Story()
    anyio.run(story.run, steps)

    meant, sent, lost = anyio.run(_said, story.place)
    first = {each.alert_id: each for each in meant if each.attempt == 1}
    arrived = Counter(story.mail.ids())
    assert set(arrived) <= set(first)
    assert all(count <= 2 for count in arrived.values())
    assert len({(each.message_id, each.text) for each, _ in story.mail.sent}) == len(arrived)
    maybe = {each.alert_id for each in (*sent, *lost)}
    lives = Counter(
        (told.exception_id, told.opened_at, told.step)
        for alert_id in maybe
        for told in first[alert_id].told
    )
    assert all(count == 1 for count in lives.values())
    told_of = {(told.exception_id, told.opened_at) for each in sent for told in each.told}
    assert {(f"posting_refused:{name}", at) for name, at in story.open.items()} <= told_of


async def _said(
    place: Premises,
) -> tuple[list[AlertIntended], list[AlertSent], list[AlertUnknown]]:
    return (
        await place.said(AlertIntended),
        await place.said(AlertSent),
        await place.said(AlertUnknown),
    )
