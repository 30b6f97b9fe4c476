"""Access to one organisation's books in Xero: where, as whom, and how journals are written.

Promises: what can't work is refused when the settings are read, not at the first call; the
secret is in no message and no representation. It opens no connection. Invariant: neither the
secret nor a token travels in the clear but to this machine.
Called by `xero.py` and the settings.
"""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from kcjl.discretion import Secret
from kcjl.errors import SettingsUnusable
from kcjl.loopback import is_loopback

__all__ = ["XeroAccess"]


class XeroAccess(msgspec.Struct, frozen=True, kw_only=True):
    """A custom connection to one organisation. Time-outs are seconds of real time."""

    base_url: str
    """Before /api.xro/2.0/."""
    token_url: str
    client_id: str
    client_secret: Secret
    scope: str
    refresh_token_file: str = ""
    """Holds the rotating refresh token; empty: client credentials."""
    tenant_id: str = ""
    """Of the organisation; empty: the header is left out, the connection knows its own."""
    post_as: Literal["draft", "posted"] = "draft"
    line_amounts: Literal["NoTax", "Exclusive"] = "NoTax"
    tax_types: Mapping[str, str] = {}
    """Tax code of the account map -> the ledger's tax type; others are NONE."""
    currency: str = "GBP"
    """The organisation's own: manual journals have no other."""
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0
    body_bytes_max: int = 8 * 1024 * 1024
    """A page of 100 journals with their lines is some 200 KB."""

    def __post_init__(self) -> None:
        for name in ("base_url", "token_url"):
            told = getattr(self, name)
            url = urlsplit(told)
            if url.scheme not in {"http", "https"} or not url.hostname or "@" in url.netloc:
                raise SettingsUnusable(f"xero {name} must be like https://xero.example")
            if url.query or url.fragment:
                raise SettingsUnusable(f"xero {name} must not have a query or a fragment")
            if url.scheme == "http" and not is_loopback(url.hostname):
                raise SettingsUnusable(
                    f"xero {name} must be https: a secret does not travel in the clear"
                )
        for name in ("client_id", "client_secret", "scope"):
            word = getattr(self, name)
            if not word.strip() or not (word.isascii() and word.isprintable()):
                raise SettingsUnusable(
                    f"xero {name} is empty or has characters no header can hold"
                )
        if min(self.connect_timeout_s, self.read_timeout_s) <= 0:
            raise SettingsUnusable("xero connect_timeout_s and read_timeout_s must be above 0")

    def __repr__(self) -> str:
        return f"XeroAccess(base_url={self.base_url!r}, client_secret=***, …)"
