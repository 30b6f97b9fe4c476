"""What a run did, as one hash: every event's canonical bytes, every call outside.

Promises: two runs with one hash made the same calls, got the same answers and appended the same
events, in the same order, at the same virtual times. With `keep` it also remembers them as
lines, for people who have to find out why.
Called by the premises and their processes.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec

from kcjl.clock import Clock
from kcjl.johnlewis.port import Order
from kcjl.log.port import Recorded

__all__ = ["Trace"]

READINGS = frozenset(
    {
        "CyclesRead",
        "InvoicesRead",
        "LedgerRead",
        "OffersRead",
        "OrdersRead",
        "SellerMetricsRead",
        "SalesOrdersKept",
        "ShipmentsRead",
        "StockRead",
        "TenantRead",
        "OrdersCaughtUp",
        "OrdersExportAsked",
        "OrdersCounted",
        "OrdersNotExported",
        "ReturnsRead",
        "TransactionsRead",
    }
)
"""What is said of every look at the outside, also when there was nothing new."""
LINES_MAX = 200_000
"""Kept at most; the hash goes on."""


class Trace:
    """Of one run."""

    def __init__(self, clock: Clock, *, keep: bool = False) -> None:
        self.lines: list[str] = []
        self.events = 0
        self.calls = 0
        self.deeds = 0
        """Events that are more than a reading of the outside."""
        self.read_at: dict[str, datetime] = {}
        """When each kind of reading was last recorded."""
        self._clock = clock
        self._keep = keep
        self._hash = hashlib.sha256()
        self._encoder = msgspec.json.Encoder(order="deterministic", enc_hook=_plain)
        self._orders: dict[int, tuple[Order, bytes]] = {}
        """By their identity: each look shows the same records again, and they are large."""

    @property
    def hash(self) -> str:
        return self._hash.hexdigest()

    def appended(self, events: Sequence[Recorded]) -> None:
        """Committed; a hash of the log is one over canonical bytes."""
        self.events += len(events)
        for each in events:
            if each.type in READINGS:
                self.read_at[each.type] = each.recorded_at
            else:
                self.deeds += 1
            self._hash.update(each.hash)
            if self._keep:
                self._say(f"{each.position:>6} {each.type} {each.data.decode()}")

    def called(self, process: int, operation: str, arguments: object) -> None:
        self.calls += 1
        self._note(process, operation, "", arguments)
        if self._keep:
            self._show(process, operation, "", arguments)

    def answered(self, process: int, operation: str, answer: object) -> None:
        hashed = answer
        if isinstance(answer, list) and answer and isinstance(answer[0], Order):
            hashed = [self._known(order) for order in answer]
        self._note(process, operation, " ->", hashed)
        if self._keep:
            self._show(process, operation, " ->", answer)

    def failed(self, process: int, operation: str, error: BaseException) -> None:
        said = f"{type(error).__name__}: {error}"
        self._note(process, operation, " !!", said)
        if self._keep:
            self._show(process, operation, " !!", said)

    def happened(self, what: str) -> None:
        """A death, a take-over, the end of the faults."""
        self._hash.update(f"{self._clock.now()} {what}\n".encode())
        if self._keep:
            self._say(f"***** {what}")

    def _note(self, process: int, operation: str, kind: str, what: object) -> None:
        self._hash.update(f"{self._clock.now()} {process} {operation}{kind} ".encode())
        self._hash.update(self._encoder.encode(what))

    def _known(self, order: Order) -> bytes:
        """Its hash, made once: the order is kept with it, so its address stays its own."""
        known = self._orders.get(id(order))
        if known is None:
            told = hashlib.sha256(self._encoder.encode(order)).digest()
            known = self._orders[id(order)] = order, told
        return known[1]

    def _show(self, process: int, operation: str, kind: str, what: object) -> None:
        told = self._encoder.encode(what).decode()[:2000]
        self._say(f"  p{process} {operation}{kind} {told}")

    def _say(self, line: str) -> None:
        if len(self.lines) < LINES_MAX:
            self.lines.append(f"{self._clock.now():%d %H:%M:%S.%f} {line}")


def _plain(what: object) -> object:
    """What JSON has no word for, told the same in every process."""
    if isinstance(what, Decimal | date | datetime):
        return str(what)
    return f"<{type(what).__name__}>"
