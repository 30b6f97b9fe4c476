"""A retailer's real trade through the sandbox's worlds and the real rooms: each invoice's fate.

Promises: every invoice number of the file's days has one fate, read from the file, from both
worlds and from the log; whatever fits none is `unexplained`. Nothing of the file is cleaned.
Time is virtual, nothing goes wrong, and nobody answers the desk: what is held stays held.
Called by trading.py (the benchmark; `python -m … FIRST_DAY DAYS` is one of its children) and by
tests/orders/test_real_trade.py (a slice).
"""

import csv
import gzip
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import msgspec

import tests.simulation.run as running
from kcjl.exceptions.decide import OPEN
from kcjl.orders.events import OrderHeld
from kcjl.orders.state import ORDERS, OrderEntry, Posting
from kcjl.sandbox.trade import (
    MarketplaceBasket,
    ReturnElsewhere,
    SaleElsewhere,
    StockAdjustment,
)
from kcjl.sandbox.world_settings import TradeFile, WorldSettings
from kcjl.sandbox.world_truth import OrderTruth
from kcjl.settings import (
    DispatchSettings,
    OpeningPolicy,
    OrderSettings,
    SettlementSettings,
    StockSettings,
)
from tests.simulation.laws import Broken, Evidence, judge
from tests.simulation.scenario import CARRIERS, Scenario

__all__ = ["TRADE_FILE", "RealTrade", "Told", "of_days", "told"]

SHARED = Path(os.environ.get("KCJL_SHARED") or Path(__file__).parents[2].parent / "shared")
TRADE_FILE = SHARED / "data" / "online_retail.csv.gz"
ENDED = frozenset({"REFUSED", "CANCELED"})


class RealTrade(Scenario, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A calm run whose world has the trade of a file."""

    path: str = str(TRADE_FILE)
    first: date
    days: int = 1
    share: float = 60.0
    """Percentage of the sale invoices that come in through the marketplace."""

    @property
    def world_settings(self) -> WorldSettings:
        trade = TradeFile(
            path=self.path, first_day=self.first, days=self.days, share=self.share
        )
        settings = WorldSettings.of("quick", seed=self.seed, trade=trade)
        marketplace = msgspec.structs.replace(
            settings.marketplace, customer_cancel_share=0.03, acceptance_timeout_hours=24.0
        )
        return msgspec.structs.replace(settings, marketplace=marketplace)


def of_days(first: date, days: int, *, seed: int = 1) -> RealTrade:
    """So many days of it, with polls that are slow enough for many days."""
    merchant: dict[str, object] = {
        "stock": StockSettings(poll_s=1_800.0),
        "orders": OrderSettings(poll_s=600.0),
        "dispatch": DispatchSettings(poll_s=1_800.0),
        "settlement": SettlementSettings(transactions_poll_s=4_320.0),
        "opening_policy": OpeningPolicy(speed=False, carriers=CARRIERS),
    }
    return RealTrade(seed=seed, first=first, days=days, merchant=merchant)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it all."""

    invoices: int
    """Different numbers in the file's days."""
    fates: Mapping[str, int]
    """By fate, how many of them; together all."""
    unexplained: tuple[str, ...]
    orders: int
    events: int
    exceptions: Mapping[str, int]
    """Open at the end, by kind."""
    broken: tuple[str, ...]
    """Laws of design section 2."""
    at_rest: bool
    processor_s: float


def told(trade: RealTrade) -> Told:
    """Run it, and look where each invoice is."""
    began_s = time.process_time()
    kept: list[Evidence] = []

    def keep(evidence: Evidence) -> Sequence[Broken]:
        kept.append(evidence)
        return judge(evidence)

    with patch.object(running, "judge", keep):
        run = running.run_scenario(trade)
    (evidence,) = kept
    fates = dict(_fates(evidence))
    numbers = set(_numbers(trade))
    for invoice in numbers:
        fates.setdefault(invoice, "bookkeeping: no goods move")
    return Told(
        invoices=len(numbers),
        fates=dict(sorted(Counter(fates.values()).items())),
        unexplained=tuple(x for x, fate in fates.items() if fate.startswith("unexplained")),
        orders=len(evidence.world.marketplace.orders),
        events=len(evidence.log),
        exceptions=dict(
            sorted(Counter(each.raised.kind for each in evidence.folded(OPEN).values()).items())
        ),
        broken=tuple(map(str, run.broken)),
        processor_s=time.process_time() - began_s,
        at_rest=evidence.at_rest,
    )


def _numbers(trade: RealTrade) -> Iterator[str]:
    """The invoice numbers of the file's days, read by nobody else's reader."""
    last = trade.first + timedelta(days=trade.days - 1)
    first_day, last_day = trade.first.isoformat(), last.isoformat()
    with gzip.open(trade.path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if first_day <= row["InvoiceDate"][:10] <= last_day:
                yield row["InvoiceNo"].strip()


def _fates(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Of each invoice that is more than bookkeeping."""
    orders = {each.invoice: each for each in evidence.world.order_truths() if each.invoice}
    entries = evidence.folded(ORDERS)
    held = {event.order_id: event.reason for _, event in evidence.said(OrderHeld)}
    for happening in evidence.world.trade.happenings:
        match happening:
            case SaleElsewhere():
                yield happening.invoice, "sold elsewhere: the ERP alone has it"
            case ReturnElsewhere():
                yield happening.invoice, "came back elsewhere: the ERP alone has it"
            case StockAdjustment():
                yield happening.invoice, "stock adjusted: the ERP alone has it"
            case MarketplaceBasket():
                order = orders.get(happening.invoice)
                fate = (
                    "not sold: nothing of it was on offer"
                    if order is None
                    else _fate(order, entries.get(order.order_id), held)
                )
                yield happening.invoice, fate


def _fate(order: OrderTruth, entry: OrderEntry | None, held: Mapping[str, str]) -> str:
    """Of an order: what the worlds have of it, and what the log says, must be one story."""
    there = [each for each in order.sales_orders if not each.cancelled]
    if entry is None or len(order.sales_orders) > 1:
        return f"unexplained: {len(order.sales_orders)} sales orders"
    if order.state in ENDED:
        when = "after" if order.sales_orders else "before"
        if order.state == "CANCELED":
            return f"cancelled {when} posting"
        why = held.get(order.order_id, "nobody said")
        return f"refused in the end, its time being up: held, {why}"
    if there and entry.posting == Posting.POSTED:
        sent = order.state not in ("SHIPPING", "WAITING_ACCEPTANCE")
        return "posted and sent" if sent else "posted: the warehouse has it"
    if order.sales_orders:
        return "cancelled in the ERP: " + ("told" if not there else "unexplained")
    if entry.held is not None:
        return f"held: {entry.held.reason}"
    if entry.posting == Posting.REFUSED:
        return "posting refused, with the ERP's reason"
    if order.state in ("STAGING", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT"):
        return "waits for the customer's payment"
    return f"unexplained: {order.state} there, {entry.posting} to us"


if __name__ == "__main__":
    asked = of_days(date.fromisoformat(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(msgspec.json.encode(told(asked)).decode() + "\n")
