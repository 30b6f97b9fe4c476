"""Alerts by e-mail, over SMTP.

Promises: one message to all addresses of an owner; its Message-ID is made of the intention, so
a repeat after a lost answer is one to a mail program. TLS is verified, and a password never
travels without it. An address that is refused keeps the message from none of the others. What
the server says beside its code is in no message: it may name people.
Built by `service.py` and `kcjl alerts test`.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib
import msgspec

from kcjl.alerts.alert_settings import EMAIL
from kcjl.alerts.port import Delivered, Message
from kcjl.calls.port import Side
from kcjl.calls.sync_log import Attempt, SyncLog
from kcjl.clock import Clock
from kcjl.discretion import Secret
from kcjl.errors import CredentialsRefused, OutcomeUnknown, Refused, Unavailable

__all__ = ["EmailAccess", "EmailAlerts"]

DOMAIN = "alerts.kcjl.invalid"
"""Right-hand side of a Message-ID: it is nobody's (RFC 2606)."""
LINE_CHARACTERS_MAX = 900
"""Of the text; a server may refuse 998 and more (RFC 5321)."""
OFFER_STEPS = 3
"""All before the message itself takes so many times the time of one step at most."""
QUIT_S = 2
_PERMANENT = 500


class EmailAccess(msgspec.Struct, frozen=True, kw_only=True):
    """A server, and who sends."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: Secret = Secret()
    timeout_s: float = 30
    tls: ssl.SSLContext | None = None
    """None: as this machine trusts."""


class EmailAlerts:
    """The channel."""

    name = EMAIL

    def __init__(
        self,
        access: EmailAccess,
        addresses: Mapping[str, tuple[str, ...]],
        *,
        clock: Clock,
        sync_log: SyncLog | None = None,
    ) -> None:
        """`addresses`: by owner."""
        self._access = access
        self._addresses = addresses
        self._clock = clock
        self._sync_log = sync_log or SyncLog(None, clock)

    async def send(self, message: Message, owner: str, /) -> Delivered:
        """See the port."""
        addresses = self._addresses.get(owner, ())
        with self._sync_log.attempt(
            Side.EMAIL, "send", subject=f"{message.message_id} to {owner}", writes=True
        ) as attempt:
            return await self._sent(message, addresses, attempt)

    async def look(self) -> str:
        """See the port: connected to, logged in, and left again."""
        client = self._client()
        with self._sync_log.attempt(Side.EMAIL, "look", writes=False):
            try:
                with self._nothing_has_gone():
                    await client.connect()
                    await client.noop()
                with suppress(aiosmtplib.SMTPException, OSError):
                    await client.quit(timeout=QUIT_S)
            finally:
                client.close()
        login = f", and takes {self._access.user}'s login" if self._access.user else ""
        return f"{self._server} answers{login}"

    async def _sent(
        self, message: Message, addresses: tuple[str, ...], attempt: Attempt
    ) -> Delivered:
        client = self._client()
        try:
            refused = await self._offered(client, addresses)
            body = self._mail(message, addresses)
            attempt.bytes_sent = len(body)
            attempt.status = await self._given(client, body)
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=QUIT_S)
        finally:
            client.close()
        return Delivered(
            addresses=len(addresses) - refused,
            not_reached=refused,
            answer=str(attempt.status),
        )

    def _client(self) -> aiosmtplib.SMTP:
        access = self._access
        return aiosmtplib.SMTP(
            hostname=access.host,
            port=access.port,
            local_hostname=socket.gethostname(),
            timeout=access.timeout_s,
            use_tls=access.security == "tls",
            start_tls=access.security == "starttls",
            tls_context=access.tls,
            username=access.user or None,
            password=str(access.password) or None,
        )

    async def _offered(self, client: aiosmtplib.SMTP, addresses: tuple[str, ...]) -> int:
        """Up to the point from which on it may have gone; how many addresses were refused."""
        refused: list[int] = []
        with self._nothing_has_gone():
            await client.connect()
            await client.mail(self._access.sender)
            for address in addresses:
                refused += await _refusal(client, address)
        if len(refused) < len(addresses):
            return len(refused)
        if all(code >= _PERMANENT for code in refused):
            raise Refused(f"{self._server} refuses each address ({refused[0]})")
        raise Unavailable(f"{self._server} takes no address now ({refused[0]})")

    @contextmanager
    def _nothing_has_gone(self) -> Iterator[None]:
        """What goes wrong in this block goes wrong before any message."""
        try:
            with self._clock.deadline(self._access.timeout_s * OFFER_STEPS):
                yield
        except aiosmtplib.SMTPAuthenticationError as error:
            raise CredentialsRefused(
                f"{self._server} refuses our user or its password ({error.code})",
                status=error.code,
            ) from None
        except aiosmtplib.SMTPResponseException as error:
            raise Unavailable(f"{self._server} answered {error.code}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            what = type(error.__cause__ or error).__name__
            raise Unavailable(f"{self._server} could not be asked ({what})") from None

    async def _given(self, client: aiosmtplib.SMTP, body: bytes) -> int:
        try:
            answer = await client.data(body)
        except aiosmtplib.SMTPDataError as error:
            said = f"{self._server} answered {error.code} to the message"
            if error.code >= _PERMANENT:
                raise Refused(said, status=error.code) from None
            raise Unavailable(said) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            what = type(error).__name__
            raise OutcomeUnknown(f"{self._server} gave no answer ({what})") from None
        return answer.code

    def _mail(self, message: Message, addresses: tuple[str, ...]) -> bytes:
        mail = EmailMessage()
        mail["From"] = self._access.sender
        mail["To"] = ", ".join(addresses)
        mail["Subject"] = message.title
        mail["Date"] = format_datetime(message.written_at)
        mail["Message-ID"] = f"<{message.message_id}@{DOMAIN}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(_folded(message.text), cte="quoted-printable")
        return mail.as_bytes()

    @property
    def _server(self) -> str:
        return f"the mail server {self._access.host}:{self._access.port}"


async def _refusal(client: aiosmtplib.SMTP, address: str) -> list[int]:
    """The code with which an address is refused; none: it is taken."""
    try:
        await client.rcpt(address)
    except aiosmtplib.SMTPRecipientRefused as error:
        return [error.code]
    return []


def _folded(text: str) -> str:
    """No line longer than a server takes; what is longer goes on on the next."""
    lines = []
    for line in text.splitlines():
        starts = range(0, max(len(line), 1), LINE_CHARACTERS_MAX)
        lines += [line[start : start + LINE_CHARACTERS_MAX] for start in starts]
    return "\n".join(lines) + "\n"
