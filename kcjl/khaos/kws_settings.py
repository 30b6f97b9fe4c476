"""What has to be known about one Khaos Control web service before it can be called.

Promises: a `KwsSettings` that exists is usable: complete, of possible lengths, and safe on the
wire (plain http only to this machine or by permission). The password never shows in `repr`.
It reads no file and no environment. Invariant: frozen; the three addresses come out of it.
Called by the composition root, `kws.py` and `order_document.py`.
Source: contract khaos a.1, b.0, d, h.
"""

import re
from typing import Literal
from urllib.parse import SplitResult, urlsplit, urlunsplit

import msgspec

from kcjl.discretion import Secret
from kcjl.errors import SettingsUnusable
from kcjl.khaos.answer_xml import OtherText
from kcjl.khaos.characters import CharacterMode
from kcjl.khaos.order_fields import check_order_fields
from kcjl.khaos.order_port import DeliveryAddress
from kcjl.loopback import is_loopback

__all__ = ["KwsSettings"]

_SERVICE_PATH = re.compile(r"/(?:wsdl|soap)/IKosWeb/*\Z", re.IGNORECASE)
_PROGRAM_PATH = re.compile(r"\.(?:exe|dll)/*\Z", re.IGNORECASE)
_FINGERPRINT = re.compile(r"(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}\Z", re.IGNORECASE)

_COMPANY_NAME_CHARS_MAX = 50


class KwsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One web service of one Khaos Control database, and how our orders enter it."""

    url: str
    """The base (`https://erp:8443/LiveSoap`), the program's URL (`…/KhaosKSD.exe`), or a whole
    one (`…/wsdl/IKosWeb`, `…/soap/IKosWeb`, anything ending in `?wsdl`)."""
    exe: str = "KhaosKSD.exe"
    """The program's name behind a base; '' when the base itself serves /wsdl and /soap."""

    auth: Literal["none", "basic", "body"] = "none"
    user: str = ""
    password: str = ""
    auth_parameter: str = "Password"
    """Name of the extra body parameter that carries `password` when `auth` is `body`."""
    certificate_sha256: str = ""
    """Fingerprint of the only certificate that is accepted; '' = the usual verification."""
    allow_plain_http: bool = False

    connect_timeout_s: float = 10.0
    read_timeout_s: float = 120.0
    product_codes_per_call: int = 50
    stock_codes_per_call: int = 50
    order_refs_per_call: int = 50
    flags_as: Literal["typed", "minus_one"] = "typed"
    """How a true flag is written when its SOAP type is boolean: `true`, or `-1`."""

    other_text: OtherText = "windows-1252"
    """What bytes of an answer are that are neither UTF-8 nor declared as anything else."""
    compression: Literal["none", "zip", "bzip2"] = "none"
    """How stock lists and products are packed on the way: their Compressed twins are called."""
    due_with_free_stock: bool = False
    """`due` is the next purchase order with free stock; else the oldest undelivered one."""

    fold_packs: bool = True
    """Tell boxes of a pack's children as the pack that was ordered."""
    add_buildable: bool = False
    """Count what can be built of first-level children as available (contract khaos e)."""

    max_external_ref: int = 15
    """Characters that ASSOCIATED_REF holds: 15 by the guide, 50 by the template."""
    characters: CharacterMode = "transliterate"
    company_code: str
    company_class: str
    company_name: str
    invoice_address: DeliveryAddress
    """The constant invoice address; the buyer is only ever in the delivery address."""
    clearing_account: str
    """The ERP's bank account that marketplace orders are pre-paid into."""
    card_word: str = "JOHNLEWIS"
    sales_source: str = ""
    site_name: str = ""
    """The site that stock is taken from, by name; '' leaves it to the ERP."""
    courier_code: str = ""
    couriers: dict[str, str] = {}
    """Shipping type of the marketplace -> courier code; of others `courier_code` is sent."""
    include_email: bool = True

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "password", Secret(self.password))
        _check_address(self)
        _check_access(self)
        _check_company(self)
        bounds = (
            self.product_codes_per_call,
            self.stock_codes_per_call,
            self.order_refs_per_call,
            self.max_external_ref,
        )
        if min(bounds) < 1 or min(self.connect_timeout_s, self.read_timeout_s) <= 0:
            raise SettingsUnusable("khaos: chunk sizes, lengths and timeouts are above zero")

    def __repr__(self) -> str:
        return (
            f"KwsSettings(url={self.url!r}, auth={self.auth!r}, company={self.company_code!r})"
        )

    @property
    def wsdl_url(self) -> str:
        parts = urlsplit(self.url)
        return self.url if _names_wsdl(parts) else f"{self._program_url(parts)}/wsdl/IKosWeb"

    @property
    def endpoint_url(self) -> str:
        """Where calls go, unless the WSDL names another path on the same host."""
        parts = urlsplit(self.url)
        if _names_wsdl(parts) and not _SERVICE_PATH.search(parts.path):
            return urlunsplit((*parts[:3], "", ""))
        return f"{self._program_url(parts)}/soap/IKosWeb"

    @property
    def endpoint_is_given(self) -> bool:
        """The operator gave the very address for calls; the WSDL's is not asked."""
        path = urlsplit(self.url).path.rstrip("/").casefold()
        return path.endswith("/soap/ikosweb")

    def _program_url(self, parts: SplitResult) -> str:
        path = _SERVICE_PATH.sub("", parts.path).rstrip("/")
        whole = _SERVICE_PATH.search(parts.path) or _PROGRAM_PATH.search(parts.path)
        if self.exe and not whole:
            path = f"{path}/{self.exe.strip('/')}"
        return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _names_wsdl(parts: SplitResult) -> bool:
    return parts.query.casefold().startswith("wsdl")


def _check_address(settings: KwsSettings) -> None:
    try:
        parts = urlsplit(settings.url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise SettingsUnusable(f"khaos: {settings.url!r} is no URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsUnusable(f"khaos: {settings.url!r} is no http or https URL")
    if parts.username or parts.password:
        raise SettingsUnusable("khaos: user and password don't belong in the URL")
    if parts.scheme == "http" and not settings.allow_plain_http and not is_loopback(host):
        raise SettingsUnusable(
            f"khaos: {parts.scheme}://{host} would send orders unencrypted; use https, or set "
            "allow_plain_http"
        )
    if not settings.certificate_sha256:
        return
    if parts.scheme != "https" or not _FINGERPRINT.match(settings.certificate_sha256):
        raise SettingsUnusable(
            "khaos: certificate_sha256 is 64 hexadecimal digits, for an https URL"
        )


def _check_access(settings: KwsSettings) -> None:
    if settings.auth == "basic" and not settings.user:
        raise SettingsUnusable("khaos: auth basic needs a user")
    if settings.auth == "body" and not settings.auth_parameter.isidentifier():
        raise SettingsUnusable("khaos: auth body needs the name of its parameter")
    if ":" in settings.user:
        raise SettingsUnusable("khaos: a user name for basic auth has no colon")


def _check_company(settings: KwsSettings) -> None:
    check_order_fields(settings)
    if not settings.company_name.strip():
        raise SettingsUnusable("khaos: company_name is empty")
    if len(settings.company_name) > _COMPANY_NAME_CHARS_MAX:
        raise SettingsUnusable("khaos: company_name has at most 50 characters")
