"""Alerts by web hook, in the form that Slack takes.

Promises: one POST of `{"text": …, "mrkdwn": false}` a message, signed as Slack signs its own
requests (v0, HMAC-SHA256 over time and body), with the intention's id as Idempotency-Key; no
redirect is followed, and the answer is bounded. An answer that says no is Refused, one that
says not now is Unavailable, and none at all is OutcomeUnknown. The address is a secret: it is
in no message.
Built by `service.py` and `kcjl alerts test`. Source: Slack's incoming web hooks, verifying
requests.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping

import aiohttp
import msgspec
from aiohttp import hdrs

from kcjl.alerts.alert_settings import WEBHOOK
from kcjl.alerts.port import Delivered, Message
from kcjl.calls.port import Side
from kcjl.calls.sync_log import Attempt, SyncLog
from kcjl.clock import Clock
from kcjl.discretion import Secret
from kcjl.errors import KcjlError, OutcomeUnknown, RateLimited, Refused, Unavailable

__all__ = ["WebhookAccess", "WebhookAlerts", "signature"]

ANSWER_BYTES_MAX = 4_096
TEXT_CHARACTERS_MAX = 35_000
"""Slack cuts what is above 40,000."""
RETRY_AFTER_DEFAULT_S = 60.0
EVERYBODY = re.compile(r"@(?=(?:channel|group|here|everyone|all)\b)", re.IGNORECASE)
_OK = range(200, 300)
_TIMED_OUT, _TOO_MANY, _SERVERS_FAULT, _GATEWAY_TIMED_OUT = 408, 429, 500, 504

_UNSENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)
"""Errors that are raised before anything of the request has left the machine."""


class WebhookAccess(msgspec.Struct, frozen=True, kw_only=True):
    url: Secret
    secret: Secret
    timeout_s: float = 15


class WebhookAlerts:
    """The channel."""

    name = WEBHOOK

    def __init__(
        self,
        access: WebhookAccess,
        *,
        clock: Clock,
        session: aiohttp.ClientSession,
        sync_log: SyncLog | None = None,
    ) -> None:
        self._access = access
        self._clock = clock
        self._session = session
        self._sync_log = sync_log or SyncLog(None, clock)

    async def send(self, message: Message, owner: str, /) -> Delivered:
        """See the port. Whoever reads the web hook's channel sees every owner's."""
        body = msgspec.json.encode({"text": slack_text(message), "mrkdwn": False})
        stamp = str(int(self._clock.now().timestamp()))
        headers = {
            hdrs.CONTENT_TYPE: "application/json",
            "Idempotency-Key": message.message_id,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(self._access.secret, stamp, body),
        }
        with self._sync_log.attempt(
            Side.WEBHOOK, "post", subject=f"{message.message_id} to {owner}", writes=True
        ) as attempt:
            attempt.bytes_sent = len(body)
            retry_after = await self._answered(body, headers, attempt)
            if attempt.status not in _OK:
                raise _failure(attempt.status or 0, retry_after)
        return Delivered(answer=str(attempt.status))

    async def look(self) -> str:
        """See the port: HEAD, which no web hook takes for a message; whatever it answers."""
        with self._sync_log.attempt(Side.WEBHOOK, "look", writes=False) as attempt:
            try:
                with self._clock.deadline(self._access.timeout_s):
                    async with self._session.head(
                        str(self._access.url), allow_redirects=False, raise_for_status=False
                    ) as response:
                        attempt.status = response.status
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                what = type(error).__name__
                raise Unavailable(f"the web hook does not answer ({what})") from None
            if response.status >= _SERVERS_FAULT:
                raise Unavailable(f"the web hook answered {response.status}")
        return f"the web hook's address answers ({response.status} to HEAD)"

    async def _answered(self, body: bytes, headers: Mapping[str, str], attempt: Attempt) -> str:
        """The answer's Retry-After; its status is with the attempt."""
        try:
            with self._clock.deadline(self._access.timeout_s):
                async with self._session.post(
                    str(self._access.url),
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    raise_for_status=False,
                ) as response:
                    attempt.status = response.status
                    said = await response.content.read(ANSWER_BYTES_MAX)
                    attempt.bytes_received = len(said)
                    return response.headers.get(hdrs.RETRY_AFTER, "")
        except _UNSENT as error:
            what = type(error).__name__
            raise Unavailable(f"the web hook could not be connected to ({what})") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if attempt.status is not None:  # it has said how it went; the rest is no matter
                return ""
            what = type(error).__name__
            raise OutcomeUnknown(f"the web hook gave no answer ({what})") from None


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Over the time and the body, as Slack signs: v0=… in hexadecimal.

    >>> signature("key", "1531420618", b"{}")[:12]
    'v0=bf18dc83e'
    """
    signed = b"v0:" + stamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def slack_text(message: Message) -> str:
    """Title and text, with what Slack would read as a mark of its own left plain.

    Others that take this form (Mattermost, Rocket.Chat, Discord) call everybody for a bare
    @channel: the sign stands there in its full width.
    """
    text = f"{message.title}\n\n{message.text}"
    if len(text) > TEXT_CHARACTERS_MAX:
        cut = len(text) - TEXT_CHARACTERS_MAX
        text = f"{text[:TEXT_CHARACTERS_MAX]}\n[{cut:,} characters more: kcjl exceptions list]"
    text = EVERYBODY.sub("＠", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _failure(status: int, retry_after: str) -> KcjlError:
    said = f"the web hook answered {status}"
    if status in (_TIMED_OUT, _GATEWAY_TIMED_OUT):
        return OutcomeUnknown(said)
    if status == _TOO_MANY:
        told = re.fullmatch(r"\d{1,6}", retry_after.strip())
        wait_s = float(told.group()) if told else RETRY_AFTER_DEFAULT_S
        return RateLimited(said, retry_after_s=wait_s)
    if status >= _SERVERS_FAULT:
        return Unavailable(said)
    return Refused(said, status=status)
