"""Access to one shop of one tenant: where it is, the key, and the bounds we keep.

Promises: what can't work is refused when the settings are read, not at the first call; the key
is in no message and no representation. It opens no connection. Invariant: a key never travels
in the clear unless the settings say so. Called by `http.py`, `seller_api.py` and the settings.
"""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from kcjl.discretion import Secret
from kcjl.errors import SettingsUnusable
from kcjl.johnlewis.budget import Budget, checked_budgets
from kcjl.loopback import is_loopback

__all__ = ["SellerApiSettings"]


ROWS_PER_FILE = (10_000, 1_000_000)
"""What `items_per_chunk` may be (contract b.3)."""


class SellerApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Access to one shop of one tenant. Time-outs are seconds of real time."""

    base_url: str
    """https://<tenant host>; every path below starts with /api/."""
    api_key: str
    """Shown in no message, no representation."""
    shop_id: int | None = None
    """Needed only when the key's user reaches several shops."""
    authorization: Literal["key", "bearer"] = "key"
    """The raw key; some tenants want an OAuth bearer token instead (contract b.0)."""
    user_agent: str = "kcjl"
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0
    """From the connection to the last byte of the answer."""
    body_bytes_max: int = 64 * 1024 * 1024
    budgets: Mapping[str, tuple[Budget, ...]] = {}
    """Operation -> its call budgets, instead of those of contract d.1; empty means none."""
    external_partner: bool = False
    """The key's user is an "External Partner": orders at most every 15 minutes (d.1, g)."""
    currency_default: str = "GBP"
    """Where a row names no currency."""
    retry_after_default_s: float = 60.0
    """World seconds of rest after a 429 that names none; Retry-After is not promised (g)."""
    offers_a_call_max: int = 2_000
    """Offers in one OF24: no limit is stated, a few thousand are advised (b.2)."""
    stock_lines_max: int = 10_000
    """Lines in one STO01 file; the tenant's own limit is not known (contract g)."""
    rates_are_percent: bool = False
    """A21 gives rates as 0 to 100 instead of 0 to 1 (not documented; contract b.1, g)."""
    allow_plain_http: bool = False
    """http:// is refused but for loopback; a key does not travel in the clear."""
    export_hosts: tuple[str, ...] = ()
    """Hosts beside the tenant's whose files of exports are fetched, without the key;
    `.x.example` is every host below x.example, `*` is any."""
    export_age_s_max: float = 6 * 3600.0
    """World seconds after which an export or import that is not done is given up."""
    file_bytes_max: int = 2 * 1024 * 1024 * 1024
    """Of one file of an export, unpacked; it is read piece by piece and never held."""
    file_timeout_s: float = 1800.0
    """Real seconds that we wait for one file in all; each piece has read_timeout_s."""
    export_rows_per_file: int = 10_000
    """What an export is asked to put into one file: the least that they take (OR13, OF52)."""
    document_bytes_max: int = 20 * 1024 * 1024
    """Of one invoice (IV02)."""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "api_key", Secret(self.api_key))
        url = urlsplit(self.base_url)
        if url.scheme not in {"http", "https"} or not url.hostname or "@" in url.netloc:
            raise SettingsUnusable(
                "base_url must be like https://tenant.example, without a user"
            )
        if url.query or url.fragment:
            raise SettingsUnusable("base_url must not have a query or a fragment")
        if url.scheme == "http" and not (self.allow_plain_http or is_loopback(url.hostname)):
            raise SettingsUnusable("base_url must be https; see allow_plain_http")
        for name, word in (("api_key", self.api_key), ("user_agent", self.user_agent)):
            if not word.strip() or not (word.isascii() and word.isprintable()):
                raise SettingsUnusable(f"{name} is empty or has characters no header can hold")
        if min(self.connect_timeout_s, self.read_timeout_s) <= 0:
            raise SettingsUnusable("connect_timeout_s and read_timeout_s must be above 0")
        if self.retry_after_default_s <= 0:
            raise SettingsUnusable("retry_after_default_s must be above 0")
        if min(self.body_bytes_max, self.stock_lines_max, self.offers_a_call_max) < 1:
            raise SettingsUnusable(
                "body_bytes_max, stock_lines_max and offers_a_call_max must be above 0"
            )
        if min(self.export_age_s_max, self.file_timeout_s) <= 0:
            raise SettingsUnusable("export_age_s_max and file_timeout_s must be above 0")
        if min(self.file_bytes_max, self.document_bytes_max) < 1:
            raise SettingsUnusable("file_bytes_max and document_bytes_max must be above 0")
        if not ROWS_PER_FILE[0] <= self.export_rows_per_file <= ROWS_PER_FILE[1]:
            raise SettingsUnusable(f"export_rows_per_file must be within {ROWS_PER_FILE}")
        checked_budgets(self.budgets)

    def __repr__(self) -> str:
        return f"SellerApiSettings(base_url={self.base_url!r}, api_key=***, …)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("base_url", self.base_url), ("api_key", "***")]

    @property
    def root(self) -> str:
        """What comes before /api/, however the setting was written."""
        return self.base_url.rstrip("/").removesuffix("/api")

    def may_be_plain(self, host: str) -> bool:
        """Whether http:// may be spoken with this host."""
        return self.allow_plain_http or is_loopback(host)

    def allows_files_of(self, host: str) -> bool:
        """Whether a file of an export may be fetched from a host that is not the tenant's."""
        return any(
            each in {host, "*"} or (each[:1] == "." and host.endswith(each))
            for each in self.export_hosts
        )
