"""When the certificates of the two sides, and our own, end.

Promises: a side's certificate is looked at as any caller sees it, whether it is trusted or not;
nothing is sent. Our own is read out of its file.
Built by `service.py`, run by the watch.
"""

import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import anyio
from anyio.streams.tls import TLSAttribute
from cryptography import x509

from kcjl.errors import SettingsUnusable, Unavailable
from kcjl.exceptions.service_events import ServiceConditionFound, ServiceKind
from kcjl.exceptions.service_state import Finding

__all__ = ["Certificates", "ends_at"]

CONNECT_S = 20.0
HTTPS_PORT = 443


class Certificates:
    """Those that end soon."""

    name = "certificates"
    kinds: tuple[ServiceKind, ...] = ("certificate_expiring",)
    every = timedelta(hours=6)

    def __init__(
        self, urls: Mapping[str, str], files: Mapping[str, Path], before: timedelta
    ) -> None:
        """`urls`, `files`: by the name under which a certificate is told of."""
        self._urls = {
            name: url for name, url in urls.items() if urlsplit(url).scheme == "https"
        }
        self._files = dict(files)
        self._before = before

    async def look(
        self,
        now: datetime,
        _known: Sequence[ServiceConditionFound],
    ) -> Sequence[Finding]:
        ends = {name: await ends_at(url) for name, url in self._urls.items()}
        ends |= {name: _end_of(path) for name, path in self._files.items()}
        return tuple(
            Finding(
                kind="certificate_expiring",
                subject=name,
                message=f"the certificate of {name} ends at {end:%Y-%m-%d %H:%M} UTC",
            )
            for name, end in ends.items()
            if end - now < self._before
        )


async def ends_at(url: str) -> datetime:
    """Until when the certificate at an https address is good. Raises Unavailable."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or HTTPS_PORT
    context = ssl.create_default_context()
    context.check_hostname = False  # only its dates are read
    context.verify_mode = ssl.CERT_NONE
    try:
        with anyio.fail_after(CONNECT_S):
            stream = await anyio.connect_tcp(
                host, port, tls=True, ssl_context=context, tls_standard_compatible=False
            )
            async with stream:
                der = stream.extra_attributes[TLSAttribute.peer_certificate_binary]()
    except (OSError, TimeoutError, anyio.BrokenResourceError, ssl.SSLError) as error:
        raise Unavailable(f"{host}:{port} shows no certificate now: {error}") from None
    if der is None:
        raise Unavailable(f"{host}:{port} shows no certificate")
    return x509.load_der_x509_certificate(der).not_valid_after_utc


def _end_of(path: Path) -> datetime:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise SettingsUnusable(f"the certificate {path} can't be read: {error}") from None
