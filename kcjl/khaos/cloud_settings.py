"""What has to be known about one Cloud channel before the ERP can call us.

Promises: a `CloudSettings` that exists is usable: complete, of possible lengths, reachable by
an address that the ERP can be given, and safe on the wire (plain HTTP on loopback only, behind
a proxy). The password never shows in `repr`. It reads no file and no environment.
Invariant: frozen. Called by the composition root, `cloud.py`, `cloud_server.py` and
`cloud_order.py`. Source: contract khaos b.10, h.
"""

from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from kcjl.discretion import Secret
from kcjl.errors import SettingsUnusable
from kcjl.khaos.order_fields import check_order_fields
from kcjl.khaos.order_port import DeliveryAddress
from kcjl.loopback import is_loopback

__all__ = ["CloudSettings", "bare_references", "formatted_reference"]

_PLACE = "{0}"


class CloudSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One channel of one Khaos Control, and how our orders enter it."""

    user: str
    password: str
    host: str = "127.0.0.1"
    port: int = 8443
    certificate_file: str = ""
    key_file: str = ""
    public_url: str = ""
    """How the ERP reaches us, where that is not `host` and `port` (a proxy); no path needed."""
    format: Literal["json", "xml"] = "json"
    """Of what is handed out, and what the ERP is asked to send; both are read."""
    frequency_minutes: int = 15
    fetched_within_minutes: float = 45
    status_within_minutes: float = 120
    silent_after_minutes: float = 90
    """Levels are not told as the ERP's when it has not called for so long."""
    orders_per_answer: int = 1_000
    body_bytes_max: int = 32 * 1024 * 1024
    requests_per_minute: int = 600
    keep_days: float = 180

    max_external_ref: int = 15
    order_ref_format: str = _PLACE
    """The channel's "Order Ref. Format": what it makes of our reference."""
    site_id: str = "1"
    """Of the site that orders are entered on, and of levels that name none."""
    site_name: str = ""
    company_code: str
    company_class: str
    sales_source: str
    clearing_account: str
    card_word: str = "JOHNLEWIS"
    courier_code: str = ""
    couriers: dict[str, str] = {}
    """Shipping type of the marketplace -> courier code; of others `courier_code` is sent."""
    problem_items: Literal["Abort", "ImportAndHold"] = "ImportAndHold"
    """What the ERP does with discontinued items, and run-to-zero ones that it lacks."""
    invoice_address: DeliveryAddress
    """The constant invoice address; the buyer is only ever in the delivery address."""
    include_email: bool = True
    add_buildable: bool = False

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "password", Secret(self.password))
        _check_listener(self)
        _check_order_fields(self)
        bounds = (
            self.frequency_minutes,
            self.fetched_within_minutes,
            self.status_within_minutes,
            self.silent_after_minutes,
            self.orders_per_answer,
            self.body_bytes_max,
            self.requests_per_minute,
            self.keep_days,
            self.max_external_ref,
        )
        if min(bounds) <= 0:
            raise SettingsUnusable("khaos cloud: times, bounds and lengths are above zero")

    def __repr__(self) -> str:
        return f"CloudSettings(host={self.host!r}, port={self.port}, user={self.user!r})"

    @property
    def is_encrypted(self) -> bool:
        return bool(self.certificate_file)

    @property
    def fetched_within(self) -> timedelta:
        return timedelta(minutes=self.fetched_within_minutes)

    @property
    def status_within(self) -> timedelta:
        return timedelta(minutes=self.status_within_minutes)

    @property
    def silent_after(self) -> timedelta:
        return timedelta(minutes=self.silent_after_minutes)


def formatted_reference(reference: str, settings: CloudSettings) -> str:
    """A reference as the channel turns it into the ERP's Ass. Ref."""
    return settings.order_ref_format.replace(_PLACE, reference)


def bare_references(said: str, settings: CloudSettings) -> tuple[str, ...]:
    """What a reference from the ERP may be of ours: without the channel's format, and as is.

    >>> made = CloudSettings.__new__(CloudSettings)
    >>> msgspec.structs.force_setattr(made, "order_ref_format", "KCC{0}")
    >>> bare_references("kccJL1", made)
    ('JL1', 'kccJL1')
    """
    told = said.strip()
    before, _, after = settings.order_ref_format.casefold().partition(_PLACE)
    folded = told.casefold()
    fits = folded.startswith(before) and folded.endswith(after)
    if (before or after) and fits and len(told) > len(before) + len(after):
        return (told[len(before) : len(told) - len(after)], told)
    return (told,) if told else ()


def _check_listener(settings: CloudSettings) -> None:
    if not settings.user or ":" in settings.user or not settings.password:
        raise SettingsUnusable(
            "khaos cloud: the channel needs a user (without a colon) and a password"
        )
    if bool(settings.certificate_file) != bool(settings.key_file):
        raise SettingsUnusable("khaos cloud: certificate_file and key_file go together")
    if not settings.is_encrypted and not is_loopback(settings.host):
        raise SettingsUnusable(
            f"khaos cloud: orders would be handed out unencrypted on {settings.host}: name "
            "certificate_file and key_file, or listen on 127.0.0.1 behind a proxy"
        )
    if settings.host in ("", "0.0.0.0", "::") and not settings.public_url:  # noqa: S104 - refused
        raise SettingsUnusable(
            "khaos cloud: say in public_url under which address the ERP reaches us"
        )
    if not 0 <= settings.port < 1 << 16:
        raise SettingsUnusable(f"khaos cloud: {settings.port} is no port")
    if not settings.public_url:
        return
    try:
        parts = urlsplit(settings.public_url)
        host, scheme = parts.hostname or "", parts.scheme
    except ValueError:
        host = scheme = ""
    if not host or scheme not in ("http", "https"):
        raise SettingsUnusable(
            f"khaos cloud: public_url {settings.public_url!r} is no http or https URL"
        )
    if scheme == "http" and not is_loopback(host):
        raise SettingsUnusable("khaos cloud: the ERP is to call by https: mend public_url")


def _check_order_fields(settings: CloudSettings) -> None:
    check_order_fields(settings)
    if not settings.sales_source.strip():
        raise SettingsUnusable("khaos: sales_source is empty")
    if settings.order_ref_format.count(_PLACE) != 1:
        raise SettingsUnusable(
            f"khaos cloud: order_ref_format {settings.order_ref_format!r} needs {{0}} once, as "
            "in KCC{0}"
        )
    if not settings.site_id.strip():
        raise SettingsUnusable("khaos cloud: site_id is empty")
