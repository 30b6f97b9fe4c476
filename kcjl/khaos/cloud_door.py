"""Who may call the Cloud feed's endpoints, and how often.

Promises: HTTP Basic, compared in constant time over digests of one length: how long a refusal
takes tells nothing; calls a minute are bounded, and strangers' apart, so that guessing does not
shut the ERP out. Real time, not the world's.
Invariant: the password is kept as a digest only. Called by `cloud_server.py`.
"""

import base64
import binascii
import hashlib
import hmac
import ssl

from kcjl.clock import real_monotonic
from kcjl.errors import CredentialsRefused, Refused, SettingsUnusable
from kcjl.khaos.cloud_settings import CloudSettings

__all__ = ["Door", "certificate"]

STRANGERS_PER_MINUTE = 60


class Door:
    """One listener's door."""

    def __init__(self, settings: CloudSettings) -> None:
        self._expected = _digest(f"{settings.user}:{settings.password}".encode())
        self._pace = _Pace(settings.requests_per_minute)
        self._strangers = _Pace(STRANGERS_PER_MINUTE)

    def enter(self, authorization: str) -> None:
        """Raises CredentialsRefused (401), or Refused (429) for one call too many."""
        if not self._knows(authorization):
            if not self._strangers.take():
                raise _too_many()
            raise CredentialsRefused("user or password is wrong", status=401)
        if not self._pace.take():
            raise _too_many()

    def _knows(self, authorization: str) -> bool:
        scheme, _, told = authorization.partition(" ")
        try:
            given = base64.b64decode(told.strip(), validate=True)
        except (binascii.Error, ValueError):
            given = b""
        right = hmac.compare_digest(_digest(given), self._expected)
        return right and scheme.casefold() == "basic"


class _Pace:
    """So many a minute, in real time."""

    def __init__(self, per_minute: int) -> None:
        self._per_s = per_minute / 60
        self._most = float(per_minute)
        self._left, self._at = self._most, real_monotonic()

    def take(self) -> bool:
        now = real_monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def certificate(settings: CloudSettings) -> ssl.SSLContext | None:
    """The listener's own certificate; None for plain HTTP on loopback."""
    if not settings.is_encrypted:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsUnusable(
            f"khaos cloud: {settings.certificate_file} and {settings.key_file} can't be used: "
            f"{error.strerror or type(error).__name__}"
        ) from None
    return context


def _too_many() -> Refused:
    return Refused("too many calls in a minute: later", reason_code="RATE", status=429)


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
