"""kcjl.toml: what is set for a process and its merchants.

`file.py` reads it; `concerns.py` and `sides.py` are a merchant's sections.
"""

from kcjl.settings.concerns import (
    BANK_FILE_COLUMNS,
    WEEKDAYS,
    BankSettings,
    CallSettings,
    DeadlineSettings,
    DispatchSettings,
    MetricSettings,
    OpeningPolicy,
    OrderSettings,
    SettlementSettings,
    StockSettings,
)
from kcjl.settings.file import (
    ClockSettings,
    HealthSettings,
    MerchantSettings,
    Settings,
    WorkerSettings,
    read_settings,
    secret,
)
from kcjl.settings.sides import (
    CloudSection,
    InvoiceAddress,
    JohnLewisSettings,
    KhaosSettings,
)

__all__ = [
    "BANK_FILE_COLUMNS",
    "WEEKDAYS",
    "BankSettings",
    "CallSettings",
    "ClockSettings",
    "CloudSection",
    "DeadlineSettings",
    "DispatchSettings",
    "HealthSettings",
    "InvoiceAddress",
    "JohnLewisSettings",
    "KhaosSettings",
    "MerchantSettings",
    "MetricSettings",
    "OpeningPolicy",
    "OrderSettings",
    "Settings",
    "SettlementSettings",
    "StockSettings",
    "WorkerSettings",
    "read_settings",
    "secret",
]
