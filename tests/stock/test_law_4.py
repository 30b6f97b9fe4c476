"""Law 4 under any interleaving: reads, orders, cancels, publishes, lost answers, restarts.

The machine has both outside worlds in a few numbers of its own: what is on the shelf, what the
window shows, which orders were placed, ended and taken when. Between them stand the real folds
and deciders, one call or answer at a time. Whenever a figure is applied it is held against what
was there at its own reads; at the end of each run the window must show what is there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kcjl.fold import Table
from kcjl.orders.events import OrderReceived
from kcjl.stock.decide import decide_figures, decide_level
from kcjl.stock.events import (
    Figure,
    LevelRead,
    StockImportFailed,
    StockImportFinished,
    StockImportGivenUp,
    StockImportIntended,
    StockImportUnknown,
    StockRead,
)
from kcjl.stock.state import PRODUCTS, READS, Policy, Product, Reads
from kcjl.vocabulary import Event
from tests.trade import (
    SHIPPING,
    at,
    changed,
    confirmed,
    listed,
    ordered,
    orders_read,
    posted,
    received,
)

BUFFER = 1
POLICY = Policy(buffer_units=BUFFER, version=1)
SHELF = 20


@dataclass
class Sold:
    """An order, as the outside knows it."""

    number: int
    units: int
    placed: int
    ended: int | None = None
    taken: int | None = None
    seen: bool = False
    end_seen: bool = False
    told: bool = False

    def flies(self, *, placed_by: int, taken_after: int) -> bool:
        """The ERP's level of that moment is not yet lowered by it, and it is still wanted."""
        return (
            self.placed <= placed_by
            and (self.ended is None or self.ended > placed_by)
            and (self.taken is None or self.taken > taken_after)
        )


@dataclass
class Import:
    figure: Figure
    publish_id: str


class Trade(RuleBasedStateMachine):
    """Both outside worlds, and the service's pure half between them."""

    def __init__(self) -> None:
        super().__init__()
        self.minute = 10
        self.shelf = SHELF
        self.window = 3
        self.sold: list[Sold] = []
        self.log: list[Event] = []
        self.level_begun: int | None = None
        self.level_answer: tuple[int, int] | None = None
        self.answers: dict[datetime, tuple[int, int]] = {}
        """When a read of the level began: what the shelf held, and when it was looked at."""
        self.orders_begun: tuple[int, tuple[tuple[Sold, bool], ...]] | None = None
        self.on_its_way: Import | None = None
        self.unheard: str | None = None
        self.begin([listed(quantity=self.window), confirmed()])

    # ── the service ──

    def begin(self, events: Iterable[Event]) -> None:
        self.products, self.reads = Table(PRODUCTS), Table(READS)
        self.say(*events)

    def say(self, *events: Event) -> None:
        for event in events:
            self.log.append(event)
            self.products.apply(event)
            self.reads.apply(event)

    @property
    def product(self) -> Product:
        return self.products["a-1"]

    def tick(self) -> int:
        self.minute += 1
        return self.minute

    # ── people and customers ──

    @rule(units=st.integers(-5, 5))
    def stock_moves_elsewhere(self, units: int) -> None:
        self.tick()
        self.shelf = max(0, self.shelf + units)

    @precondition(lambda self: self.window > 0)
    @rule(units=st.integers(1, 3))
    def customer_buys(self, units: int) -> None:
        units = min(units, self.window)
        self.window -= units
        self.sold.append(Sold(number=len(self.sold), units=units, placed=self.tick()))

    @precondition(lambda self: any(e.ended is None and e.taken is None for e in self.sold))
    @rule(data=st.data(), put_back=st.booleans())
    def order_is_cancelled(self, data: st.DataObject, *, put_back: bool) -> None:
        open_ones = [each for each in self.sold if each.ended is None and each.taken is None]
        order = data.draw(st.sampled_from(open_ones))
        order.ended = self.tick()
        self.window += order.units if put_back else 0

    @precondition(lambda self: any(e.seen and e.taken is None for e in self.sold))
    @rule(data=st.data())
    def erp_takes_an_order(self, data: st.DataObject) -> None:
        waiting = [each for each in self.sold if each.seen and each.taken is None]
        order = data.draw(st.sampled_from(waiting))
        order.taken = self.tick()
        self.shelf -= order.units

    @precondition(lambda self: any(e.taken is not None and not e.told for e in self.sold))
    @rule()
    def we_hear_that_it_was_taken(self) -> None:
        order = next(each for each in self.sold if each.taken is not None and not each.told)
        order.told = True
        self.say(posted(self.order_of(order), self.tick()))

    # ── reading, answer by answer ──

    @precondition(lambda self: self.level_begun is None)
    @rule()
    def level_read_begins(self) -> None:
        self.level_begun = self.tick()

    @precondition(lambda self: self.level_begun is not None and self.level_answer is None)
    @rule()
    def erp_looks_at_the_shelf(self) -> None:
        self.level_answer = (self.shelf, self.tick())

    @precondition(lambda self: self.level_answer is not None)
    @rule(lost=st.booleans())
    def level_read_ends(self, *, lost: bool) -> None:
        began, answer, now = self.level_begun, self.level_answer, self.tick()
        self.level_begun = self.level_answer = None
        if lost or began is None or answer is None:
            return
        read = LevelRead(
            sku="A-1",
            levels=(("1", Decimal(answer[0])),),
            status=0,
            finished_at=at(now),
            occurred_at=at(began),
        )
        self.answers[at(began)] = answer
        self.say(*decide_level(self.product, read))
        self.say(
            StockRead(finished_at=at(now), cursor=at(began), products=1, occurred_at=at(began))
        )

    @precondition(lambda self: self.orders_begun is None)
    @rule()
    def orders_read_begins(self) -> None:
        seen = tuple((each, each.ended is not None) for each in self.sold)
        self.orders_begun = (self.tick(), seen)

    @precondition(lambda self: self.orders_begun is not None)
    @rule(lost=st.booleans())
    def orders_read_ends(self, *, lost: bool) -> None:
        assert self.orders_begun is not None
        (began, rows), self.orders_begun = self.orders_begun, None
        if lost:
            return
        for order, ended in rows:
            first = self.order_of(order, "CANCELED" if ended else SHIPPING)
            if not order.seen:
                order.seen, order.end_seen = True, ended
                self.say(first)
            elif ended and not order.end_seen:
                order.end_seen = True
                self.say(changed(first, "CANCELED", minutes=self.tick()))
        self.say(orders_read(began))

    def order_of(self, order: Sold, state: str = SHIPPING) -> OrderReceived:
        line = ordered(f"O{order.number}-1", "A-1", order.units)
        return received(f"O{order.number}", line, state=state, minutes=order.placed)

    # ── publishing ──

    @precondition(lambda self: self.on_its_way is None and self.unheard is None)
    @rule(fate=st.sampled_from(["sent", "sent", "lost before", "lost after", "killed"]))
    def publish(self, fate: str) -> None:
        found = decide_figures([self.product], POLICY, self.reads.get("reads"))
        if not found:
            return
        (figure,) = found
        publish_id = f"P{self.tick()}"
        self.say(
            StockImportIntended(
                publish_id=publish_id,
                figures=found,
                policy_version=1,
                occurred_at=at(self.minute),
            )
        )
        if fate == "sent":
            self.on_its_way = Import(figure=figure, publish_id=publish_id)
            return
        if fate != "lost before":
            self.apply(figure)
        if fate == "killed":
            self.unheard = publish_id
        else:
            self.say(self.unknown(publish_id))

    def unknown(self, publish_id: str) -> Event:
        return StockImportUnknown(
            publish_id=publish_id, message="", skus=("A-1",), occurred_at=at(self.tick())
        )

    @precondition(lambda self: self.on_its_way is not None)
    @rule(end=st.sampled_from(["finished", "finished", "failed", "given up"]))
    def import_ends(self, end: str) -> None:
        assert self.on_its_way is not None
        gone, self.on_its_way = self.on_its_way, None
        now = at(self.tick())
        if end == "failed":
            self.say(
                StockImportFailed(
                    publish_id=gone.publish_id, message="", skus=("A-1",), occurred_at=now
                )
            )
            return
        self.apply(gone.figure)
        kind = StockImportFinished if end == "finished" else StockImportGivenUp
        more = {"refused": ()} if end == "finished" else {"message": "no end"}
        self.say(
            kind(
                publish_id=gone.publish_id,
                import_id="7",
                skus=("A-1",),
                occurred_at=now,
                **more,  # type: ignore[arg-type]  # the one field in which they differ
            )
        )

    @rule()
    def restart(self) -> None:
        """Only the log is left; what was asked and not answered is asked again."""
        log, self.log = self.log, []
        self.begin(log)
        self.level_begun = self.level_answer = self.orders_begun = None
        if self.unheard is not None:
            publish_id, self.unheard = self.unheard, None
            self.say(self.unknown(publish_id))

    # ── the law ──

    def apply(self, figure: Figure) -> None:
        """The marketplace shows it from now on: what was there at its own reads?"""
        assert figure.quantity >= 0
        if figure.quantity:
            assert figure.level_read_at is not None
            shelf, looked_at = self.answers[figure.level_read_at]
            orders_at = round((figure.orders_read_at - at(0)).total_seconds() / 60)
            assert looked_at <= orders_at
            flying = sum(
                each.units
                for each in self.sold
                if each.flies(placed_by=orders_at, taken_after=looked_at)
            )
            assert figure.quantity <= max(0, shelf - flying - BUFFER)
        self.window = figure.quantity

    @invariant()
    def never_below_nothing(self) -> None:
        assert self.window >= 0
        assert self.product.units_in_flight >= 0

    def teardown(self) -> None:
        """Everything is heard, read and said: the window shows what is there, to the unit."""
        if self.on_its_way is not None:
            self.import_ends("finished")
        self.restart()
        while any(each.taken is not None and not each.told for each in self.sold):
            self.we_hear_that_it_was_taken()
        for _ in range(2):
            self.level_read_begins()
            self.erp_looks_at_the_shelf()
            self.level_read_ends(lost=False)
            self.orders_read_begins()
            self.orders_read_ends(lost=False)
            self.publish("sent")
            if self.on_its_way is not None:
                self.import_ends("finished")
        flying = sum(
            each.units
            for each in self.sold
            if each.flies(placed_by=self.minute, taken_after=self.minute)
        )

        assert max(0, self.shelf - flying - BUFFER) == self.window
        assert isinstance(self.reads["reads"], Reads)


TestLaw4 = Trade.TestCase
TestLaw4.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
