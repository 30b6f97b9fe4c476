"""What an address shows before anybody logs in: its clock and its certificate.

Promises: no key is sent. A certificate is read even where it would not be trusted, because
when it ends is what is asked; whoever calls the system verifies it.
Called by `checking.py` and `kcjl init`.
"""

import asyncio
import hashlib
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp
import anyio
import msgspec
from cryptography import x509

__all__ = ["Door", "look_at"]

LOOK_S = 15.0


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen at an address."""

    answers: bool
    said: str = ""
    """Why not."""
    clock: datetime | None = None
    certificate_ends_at: datetime | None = None
    certificate_sha256: str = ""
    untrusted: str = ""
    """Why its certificate is not trusted by this machine; empty: it is, or there is none."""


async def look_at(url: str) -> Door:
    """Ask for the address itself, without a key."""
    try:
        with anyio.fail_after(LOOK_S):
            shown = await _certificate(url)
            untrusted = await _why_untrusted(url) if shown else ""
            clock = await _clock(url)
    except (OSError, aiohttp.ClientError, TimeoutError) as error:
        return Door(answers=False, said=f"{type(error).__name__}: {error}".rstrip(": "))
    if not shown:
        return Door(answers=True, clock=clock)
    return Door(
        answers=True,
        clock=clock,
        certificate_ends_at=x509.load_der_x509_certificate(shown).not_valid_after_utc,
        certificate_sha256=hashlib.sha256(shown).hexdigest(),
        untrusted=untrusted,
    )


async def _clock(url: str) -> datetime | None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, ssl=_unverified(), allow_redirects=False) as answer,
    ):
        try:
            told = parsedate_to_datetime(answer.headers.get("Date", ""))
        except ValueError:
            return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


async def _certificate(url: str) -> bytes:
    """As it is shown; empty where nothing is encrypted."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return b""
    _, writer = await asyncio.open_connection(
        parts.hostname, parts.port or 443, ssl=_unverified()
    )
    try:
        return bytes(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
    finally:
        writer.close()


async def _why_untrusted(url: str) -> str:
    parts = urlsplit(url)
    trusting = ssl.create_default_context()
    try:
        _, writer = await asyncio.open_connection(
            parts.hostname, parts.port or 443, ssl=trusting
        )
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    writer.close()
    return ""


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
