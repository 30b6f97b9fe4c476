"""The sandbox's ERP: a warehouse with its stock, its orders and its people, without SOAP.

Import from here, not from the rooms. Called by the trade, the SOAP face and by checks.
"""

from kcjl.sandbox.warehouse.model import (
    Adjustment,
    ImportedOrder,
    ImportResult,
    KhaosFault,
    SalesOrder,
    SkippedOrder,
    StageId,
    StockItem,
    Warehouse,
    WarehouseSettings,
)

__all__ = [
    "Adjustment",
    "ImportResult",
    "ImportedOrder",
    "KhaosFault",
    "SalesOrder",
    "SkippedOrder",
    "StageId",
    "StockItem",
    "Warehouse",
    "WarehouseSettings",
]
