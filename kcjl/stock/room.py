"""The stock room's state: the tables that its shells read and its commands decide on.

Promises: every table is the fold of the log. It reads nothing outside and holds no rule.
Called by `reading.py`, `listing.py`, `publishing.py`; `actor.py` is the room with its jobs.
"""

from kcjl.actors import Room
from kcjl.clock import Clock, Ids
from kcjl.log.port import Log
from kcjl.stock.decide import wants_look
from kcjl.stock.policy_book import POLICY_BOOK
from kcjl.stock.publishing_state import LATE, PUBLISHES, PUBLISHING, Publishing
from kcjl.stock.state import POLICY, PRODUCTS, READS, Reads

__all__ = ["StockRoom"]


class StockRoom(Room):
    """Tables of the stock room."""

    name = "stock"

    def __init__(self, log: Log, clock: Clock, ids: Ids) -> None:
        super().__init__(log, clock, ids)
        self.products = self.table(
            PRODUCTS,
            watch=wants_look,
            group=lambda product: product.code_key or None,
            tracked=True,
        )
        self.publishes = self.table(PUBLISHES)
        self.late = self.table(LATE)
        self.policy = self.table(POLICY)
        self.book = self.table(POLICY_BOOK)
        self.reads = self.table(READS)
        self._publishing = self.table(PUBLISHING)

    @property
    def publishing(self) -> Publishing:
        return self._publishing.get("publishing") or Publishing()

    @property
    def last_reads(self) -> Reads | None:
        return self.reads.get("reads")
