"""kcjl.toml as a whole, read once.

Promises: secrets come from the environment or from files, never from the config, and are
never printed. Called through the package.
"""

import os
from pathlib import Path

import msgspec

from kcjl.alerts.alert_settings import AlertSettings
from kcjl.discretion import Secret
from kcjl.errors import SettingsUnusable
from kcjl.exceptions.desk_settings import ExceptionSettings
from kcjl.johnlewis.frequencies import advised_s
from kcjl.ledger.ledger_settings import LedgerSettings
from kcjl.loopback import PORT_MAX
from kcjl.settings.concerns import (
    CallSettings,
    DispatchSettings,
    OpeningPolicy,
    OrderSettings,
    SettlementSettings,
    StockSettings,
)
from kcjl.settings.section import Section
from kcjl.settings.sides import JohnLewisSettings, KhaosSettings
from kcjl.toml import read_toml
from kcjl.vaultkey import VaultSettings

__all__ = [
    "ClockSettings",
    "HealthSettings",
    "MerchantSettings",
    "Settings",
    "WorkerSettings",
    "read_settings",
    "secret",
]

CONNECTIONS_MIN = 4


class ClockSettings(Section, frozen=True, kw_only=True):
    """Whose time it is. `world`: the control address of a sandbox whose time is followed."""

    world: str = ""


class HealthSettings(Section, frozen=True, kw_only=True):
    """Where the service says how it is: `/healthz`, `/readyz`, `/metrics`."""

    host: str = "127.0.0.1"
    port: int = 9640
    """0: nowhere."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= PORT_MAX:
            raise ValueError(f"[health] port: 0 to {PORT_MAX:,}, not {self.port:,}")


class WorkerSettings(Section, frozen=True, kw_only=True):
    """What one process that serves merchants may use."""

    connections: int = 16
    """To the database, for the work of all of them together; a few more listen and renew."""

    def __post_init__(self) -> None:
        if self.connections < CONNECTIONS_MIN:
            raise ValueError(
                f"[worker] connections: at least {CONNECTIONS_MIN}, not {self.connections:,}"
            )


class MerchantSettings(Section, frozen=True, kw_only=True):
    johnlewis: JohnLewisSettings
    khaos: KhaosSettings
    stock: StockSettings = StockSettings()
    orders: OrderSettings = OrderSettings()
    dispatch: DispatchSettings = DispatchSettings()
    settlement: SettlementSettings = SettlementSettings()
    ledger: LedgerSettings = LedgerSettings()
    calls: CallSettings = CallSettings()
    exceptions: ExceptionSettings = ExceptionSettings()
    alerts: AlertSettings = AlertSettings()
    opening_policy: OpeningPolicy = OpeningPolicy()

    @property
    def paced_orders(self) -> OrderSettings:
        """The orders' settings, not quicker than the contract lets this key's user be (d.1)."""
        if not self.johnlewis.external_partner:
            return self.orders
        slowest_s = max(self.orders.poll_s, advised_s("OR11", external_partner=True))
        return msgspec.structs.replace(self.orders, poll_s=slowest_s)


class Settings(Section, frozen=True, kw_only=True):
    merchants: dict[str, MerchantSettings]
    database: str = "embedded"
    """"embedded", or a DSN of PostgreSQL 15 or newer."""
    data_dir: str = "kcjl-data"
    live: bool = False
    """Without it nothing is written to a system that is not on this machine."""
    clock: ClockSettings = ClockSettings()
    health: HealthSettings = HealthSettings()
    vault: VaultSettings = VaultSettings()
    worker: WorkerSettings = WorkerSettings()


def read_settings(path: Path) -> Settings:
    """Read and check a kcjl.toml. Raises SettingsUnusable with one clear line."""
    try:
        raw = read_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsUnusable(
            f"there is no configuration at {path}: write one, or try `kcjl demo`"
        ) from None
    except OSError as error:
        raise SettingsUnusable(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:  # no text, no TOML, odd numbers
        raise SettingsUnusable(f"{path} is not TOML: {error}") from None
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise SettingsUnusable(f"{path}: {error}") from None
    if not settings.merchants:
        raise SettingsUnusable(f"{path}: no merchant is configured under [merchants.NAME]")
    return settings


def secret(*, env: str, file: str = "", what: str) -> Secret:
    """A secret from a file or from the environment."""
    if file:
        try:
            value = Secret(Path(file).read_text(encoding="utf-8").strip())
        except OSError as error:
            raise SettingsUnusable(f"{what}: {file} can't be read: {error.strerror}") from None
        if not value:
            raise SettingsUnusable(f"{what}: {file} is empty")
        return value
    value = Secret(os.environ.get(env, ""))
    if not value:
        raise SettingsUnusable(f"{what}: set the environment variable {env}, or name a file")
    return value
