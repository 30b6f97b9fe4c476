"""A real SMTP server on this machine, that keeps what it gets and can be told to refuse.

Promises: aiosmtpd's own protocol over a real socket, with TLS and logins where asked for.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

__all__ = ["PASSWORD", "USER", "MailServer"]

USER, PASSWORD = "kcjl", "open sesame"


class MailServer:
    """What came, and how it is to answer."""

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[EmailMessage] = []
        self.to: list[list[str]] = []
        self.was_tls: list[bool] = []
        self.logins: list[str] = []
        self.refuses: dict[str, str] = {}
        """Address -> the answer to it."""
        self.answer = "250 taken"
        """To the message; empty: none, the line is cut when it has come."""

    # ── what aiosmtpd calls ─────────────────────────────────────────────────────────────────

    async def handle_RCPT(  # noqa: N802 - the library's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.to.append(list(envelope.rcpt_tos))
        transport = server.transport
        assert isinstance(transport, asyncio.Transport)
        self.was_tls.append(transport.get_extra_info("ssl_object") is not None)
        if not self.answer:
            transport.abort()
        return self.answer or "250 nobody hears it"

    def authenticate(
        self,
        _server: SMTP,
        _session: Session,
        _envelope: Envelope,
        _mechanism: str,
        told: object,
    ) -> AuthResult:
        assert isinstance(told, LoginPassword)
        self.logins.append(told.login.decode())
        return AuthResult(success=told.password.decode() == PASSWORD, handled=False)

    @classmethod
    @asynccontextmanager
    async def serve(
        cls,
        *,
        pem: Path | None = None,
        security: str = "plain",
        port: int = 0,
        login: bool = False,
    ) -> AsyncIterator["MailServer"]:
        """`pem`: its certificate and key, for "starttls" and "tls"."""
        server, loop, tls = cls(), asyncio.get_running_loop(), None
        if pem is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(pem)
        listener = await loop.create_server(
            lambda: SMTP(
                server,
                loop=loop,
                hostname="mail.example",
                tls_context=tls if security == "starttls" else None,
                require_starttls=security == "starttls",
                auth_required=login,
                auth_require_tls=security == "starttls",
                authenticator=server.authenticate,
            ),
            "127.0.0.1",
            port,
            ssl=tls if security == "tls" else None,
        )
        server.port = listener.sockets[0].getsockname()[1]
        try:
            yield server
        finally:
            listener.close()
            await listener.wait_closed()
