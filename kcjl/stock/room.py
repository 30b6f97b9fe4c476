"""The stock room's state: the tables that its shells read and its commands decide on.

Promises: every table is the fold of the log. It reads nothing outside and holds no rule.
Called by `reading.py`, `listing.py`, `publishing.py`; `actor.py` is the room with its jobs.
"""

from kcjl.actors import Room
from kcjl.clock import Clock, Ids
from kcjl.log.port import Log
from kcjl.stock.conditions import group_key
from kcjl.stock.decide import wants_look
from kcjl.stock.policy_book import POLICY_BOOK, PolicyBook
from kcjl.stock.publishing_state import LATE, PUBLISHES, PUBLISHING, Publishing
from kcjl.stock.reads import READS, Reads
from kcjl.stock.state import PRODUCTS

__all__ = ["StockRoom"]


class StockRoom(Room):
    """Tables of the stock room."""

    name = "stock"

    def __init__(self, log: Log, clock: Clock, ids: Ids) -> None:
        super().__init__(log, clock, ids)
        self.products = self.table(
            PRODUCTS,
            watch=wants_look,
            group=group_key,
            tracked=True,
        )
        self.publishes = self.table(PUBLISHES)
        self.late = self.table(LATE)
        self.book = self.table(POLICY_BOOK)
        self.reads = self.table(READS)
        self._publishing = self.table(PUBLISHING)

    @property
    def publishing(self) -> Publishing:
        return self._publishing.get("publishing") or Publishing()

    @property
    def policies(self) -> PolicyBook:
        return self.book.get("policy") or PolicyBook()

    @property
    def last_reads(self) -> Reads | None:
        return self.reads.get("reads")
