"""Alerts by web hook, against a real HTTP server that checks the signature as Slack says."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import pytest
from aiohttp import web

from kcjl.adaptersettings import webhook_access
from kcjl.alerts.alert_settings import WebhookSection
from kcjl.alerts.port import Message
from kcjl.alerts.webhook import WebhookAccess, WebhookAlerts
from kcjl.discretion import Secret
from kcjl.errors import (
    KcjlError,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SettingsUnusable,
    Unavailable,
)
from tests.alerts.room import SETTINGS, alerting, look
from tests.alerts.words import raised
from tests.clockwork import MORNING, Clockwork
from tests.rooms import Premises

pytestmark = pytest.mark.anyio

replace = msgspec.structs.replace
SECRET = "a long random text"
MESSAGE = Message(
    message_id="a1b2", title="[kcjl acme] <5 & more", text="all of it\n", written_at=MORNING
)


class Hook:
    """What came, and how it is to answer."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[dict[str, object]] = []
        self.ids: list[str] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.cuts = False

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        stamp = request.headers["X-Slack-Request-Timestamp"]
        assert abs(int(stamp) - int(MORNING.timestamp())) < 86_400
        signed = f"v0:{stamp}:{body.decode()}".encode()
        expected = "v0=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(expected, request.headers["X-Slack-Signature"])
        self.bodies.append(await request.json())
        self.ids.append(request.headers["Idempotency-Key"])
        if self.cuts and request.transport is not None:
            request.transport.abort()
        return web.Response(status=self.status, headers=self.headers, text="ok")


@asynccontextmanager
async def hooked() -> AsyncIterator[tuple[Hook, WebhookAlerts]]:
    hook, app = Hook(), web.Application()
    app.router.add_post("/services/T0/B0/xyz", hook.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    hook.url = f"http://{host}:{port}/services/T0/B0/xyz"
    access = WebhookAccess(url=Secret(hook.url), secret=Secret(SECRET), timeout_s=5)
    try:
        async with aiohttp.ClientSession() as session:
            yield hook, WebhookAlerts(access, clock=Clockwork(), session=session)
    finally:
        await runner.cleanup()


async def test_message_is_posted_in_slacks_form_signed_and_under_its_id() -> None:
    """The receiver checks the signature by Slack's own recipe; marks are left plain."""
    async with hooked() as (hook, channel):
        said = await channel.send(MESSAGE, "operations")

    told = "[kcjl acme] &lt;5 &amp; more\n\nall of it\n"
    assert [{"text": told, "mrkdwn": False}] == hook.bodies
    assert (["a1b2"], "200") == (hook.ids, said.answer)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (302, Refused),
        (404, Refused),
        (408, OutcomeUnknown),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
        (504, OutcomeUnknown),
    ],
)
async def test_answer_says_whether_it_went(status: int, error: type[KcjlError]) -> None:
    """And no message of ours says where it went: the address lets anybody post."""
    async with hooked() as (hook, channel):
        hook.status, hook.headers = status, {"Retry-After": "90"}
        with pytest.raises(error) as caught:
            await channel.send(MESSAGE, "operations")

    assert "xyz" not in caught.value.message
    if isinstance(caught.value, RateLimited):
        assert 90 == caught.value.retry_after_s


async def test_answer_that_does_not_come_leaves_it_unknown() -> None:
    """It has arrived, and nobody said so."""
    async with hooked() as (hook, channel):
        hook.cuts = True
        with pytest.raises(OutcomeUnknown, match="no answer") as caught:
            await channel.send(MESSAGE, "operations")

    assert 1 == len(hook.bodies)
    assert "xyz" not in caught.value.message


async def test_web_hook_that_is_not_there_got_nothing() -> None:
    """Nothing has left the machine; the address is not in the words."""
    async with hooked() as (hook, _):
        url = hook.url
    access = WebhookAccess(url=Secret(url), secret=Secret(SECRET))
    async with aiohttp.ClientSession() as session:
        channel = WebhookAlerts(access, clock=Clockwork(), session=session)
        with pytest.raises(Unavailable, match="could not be connected to") as caught:
            await channel.send(MESSAGE, "operations")

    assert "127.0.0.1" not in caught.value.message
    assert "xyz" not in repr(access)


async def test_message_whose_answer_was_lost_is_posted_once_more_under_the_same_id() -> None:
    """So that a receiver that keeps ids takes it once."""
    place = Premises()
    to_hook = replace(SETTINGS, owners={"*": ("webhook",)})
    async with hooked() as (hook, channel), alerting(place, channel, settings=to_hook) as room:
        await room.record(raised())
        await look(place, room)
        hook.cuts = True
        await look(place, room, minutes=1)
        hook.cuts = False
        await look(place, room, minutes=1)
        await look(place, room, minutes=60)

    assert 2 == len(hook.ids)
    assert 1 == len(set(hook.ids))
    assert hook.bodies[0] == hook.bodies[1]


@pytest.mark.parametrize(
    "url",
    ["hooks.example/x", "http://hooks.example/x", "https://me@hooks.example/x", "ftp://a"],
)
def test_address_in_the_clear_or_none_is_refused_at_the_start(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a secret, and travels with each request."""
    monkeypatch.setenv("KCJL_ALERT_WEBHOOK_URL", url)
    monkeypatch.setenv("KCJL_ALERT_WEBHOOK_SECRET", SECRET)
    with pytest.raises(SettingsUnusable, match="web hook address"):
        webhook_access(WebhookSection())


async def test_look_at_the_address_posts_nothing() -> None:
    """A check before going live: any answer will do, but for a server in trouble and none."""
    async with hooked() as (hook, channel):
        assert "(405 to HEAD)" in await channel.look()
    gone = WebhookAccess(url=Secret(hook.url), secret=Secret(SECRET))
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Unavailable, match="does not answer"):
            await WebhookAlerts(gone, clock=Clockwork(), session=session).look()

    assert [] == hook.bodies
