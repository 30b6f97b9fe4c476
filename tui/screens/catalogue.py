"""Which screen stands at which place. Called by the app."""

from tui.screens.base import MonitorScreen
from tui.screens.dispatch import DispatchScreen
from tui.screens.exceptions import ExceptionsScreen
from tui.screens.health import HealthScreen
from tui.screens.log import LogScreen
from tui.screens.money import MoneyScreen
from tui.screens.orders import OrdersScreen
from tui.screens.overview import OverviewScreen
from tui.screens.policy import PolicyScreen
from tui.screens.stock import StockScreen

__all__ = ["SCREENS"]

SCREENS: dict[str, type[MonitorScreen]] = {
    "overview": OverviewScreen,
    "orders": OrdersScreen,
    "dispatch": DispatchScreen,
    "stock": StockScreen,
    "exceptions": ExceptionsScreen,
    "log": LogScreen,
    "money": MoneyScreen,
    "health": HealthScreen,
    "policy": PolicyScreen,
}
"""By the names of `tui/places.py`."""
