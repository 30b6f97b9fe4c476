"""The list of all read models."""

from typing import Any

from kcjl.alerts import projection as alerts
from kcjl.dispatch import projection as dispatch
from kcjl.exceptions import projection as exceptions
from kcjl.orders import projection as orders
from kcjl.projections.projection import Projection
from kcjl.settlement import projection as settlement
from kcjl.stock import projection as stock

__all__ = ["PROJECTIONS"]

PROJECTIONS: tuple[Projection[Any], ...] = (
    stock.PRODUCTS_SHOWN,
    orders.ORDERS_SHOWN,
    dispatch.DISPATCHES_SHOWN,
    dispatch.TIMINGS_SHOWN,
    settlement.PAYOUTS_SHOWN,
    settlement.LINES_SHOWN,
    settlement.INVOICES_SHOWN,
    exceptions.EXCEPTIONS_SHOWN,
    exceptions.STORMS_SHOWN,
    exceptions.READS_SHOWN,
    exceptions.SWITCHES_SHOWN,
    alerts.ALERTS_SHOWN,
)
