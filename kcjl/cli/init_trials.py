"""What `kcjl init` tries an answer on: both systems and the database, by calls that read.

Promises: nothing is written to any of them; what does not work is raised with its reason. The
adapters are those of the service, so what works here works there.
Called by `init.py`.
"""

from urllib.parse import urlsplit

import anyio
import msgspec
from msgspec.structs import replace

from kcjl.audit.doors import Door, look_at
from kcjl.clock import RealClock
from kcjl.connecting import connect
from kcjl.errors import Misuse, Unavailable
from kcjl.johnlewis.tenant_port import Account, refuse_other_models
from kcjl.service import outside_alone
from kcjl.settings import (
    InvoiceAddress,
    JohnLewisSettings,
    KhaosSettings,
    MerchantSettings,
    Settings,
)

__all__ = ["Erp", "account_of", "database_at", "door_of", "erp_at", "merchant_named"]

LOOPBACK = ("127.0.0.1", "::1", "localhost")
NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
NAME_MAX = 40
MERCHANT = "tried"
_NOWHERE = KhaosSettings(
    base_url="http://127.0.0.1:9/KhaosKSD.exe",
    invoice_address=InvoiceAddress(line1="-", town="-", postcode="-"),
)
"""Stands for an ERP that is not asked yet."""


class Erp(msgspec.Struct, frozen=True, kw_only=True):
    """What Khaos Control has told."""

    version: str
    sites: dict[str, str]
    """Name to id."""
    default_site: str
    couriers: dict[str, str]
    """Code to name."""


def merchant_named(told: str) -> str:
    if not told or len(told) > NAME_MAX or not NAME_CHARACTERS.issuperset(told):
        raise Misuse(
            f"{told!r}: small letters, digits, - and _, {NAME_MAX} at most; it is the name of "
            "its log, and stays"
        )
    return told


def door_of(url: str) -> Door:
    """What the address shows; nothing is sent. Raises Misuse and Unavailable."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misuse(f"{url!r} is no address: it begins with https://")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise Misuse(f"{url}: a key would travel unencrypted; it begins with https://")
    door = anyio.run(look_at, url)
    if not door.answers:
        raise Unavailable(f"{url} does not answer: {door.said}")
    return door


def account_of(johnlewis: JohnLewisSettings) -> Account:
    """Whose key it is (A01). Raises as the adapter does, and for a shop that is not served."""
    settings = _settings(johnlewis, _NOWHERE)

    async def ask() -> Account:
        async with outside_alone(settings, MERCHANT, clock=RealClock()) as (marketplace, _):
            return await marketplace.account()

    account = anyio.run(ask)
    refuse_other_models(
        shop_id=account.shop_id,
        shop_name=account.shop_name,
        model=account.model,
        models_on=(),
    )
    return account


def erp_at(johnlewis: JohnLewisSettings, khaos: KhaosSettings) -> Erp:
    """Its version, sites and couriers. Raises as the adapter does."""
    settings = _settings(johnlewis, replace(khaos, invoice_address=_NOWHERE.invoice_address))

    async def ask() -> Erp:
        async with outside_alone(settings, MERCHANT, clock=RealClock()) as (_, erp):
            if erp is None:
                raise Misuse("an ERP that calls us can't be asked")
            version, sites = await erp.ping(), await erp.sites()
            couriers = await erp.couriers()
        return Erp(
            version=version,
            sites={each.name: each.site_id for each in sites if each.name},
            default_site=next((each.name for each in sites if each.is_default), ""),
            couriers={each.code: each.name for each in couriers if each.code},
        )

    return anyio.run(ask)


def database_at(dsn: str) -> str:
    """What was told: "embedded", or a DSN that lets us in. Raises Misuse and Unavailable."""
    if dsn == "embedded":
        return dsn
    if urlsplit(dsn).password:
        raise Misuse(
            "a password does not stand in kcjl.toml: leave it out, and put it into ~/.pgpass "
            "or the environment variable PGPASSWORD"
        )

    async def ask() -> None:
        connection = await connect(dsn)
        await connection.close()

    anyio.run(ask)
    return dsn


def _settings(johnlewis: JohnLewisSettings, khaos: KhaosSettings) -> Settings:
    mine = MerchantSettings(johnlewis=johnlewis, khaos=khaos)
    return Settings(merchants={MERCHANT: mine})
