"""Law 4 under any interleaving: reads, orders, cancels, publishes, lost answers, restarts.

The machine has both outside worlds in a few numbers of its own: what is on the shelf, what the
window shows, which orders were placed, ended and taken when. Between them stand the real folds
and deciders, one call or answer at a time. Whenever a figure is applied it is held against what
was there at its own reads; at the end of each run the window must show what is there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kcjl.fold import Table
from kcjl.orders.events import OrderReceived
from kcjl.stock.conditions import Conditions
from kcjl.stock.decide import decide_figures, decide_level, decide_zeros
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
from kcjl.stock.reads import READS, Reads
from kcjl.stock.state import PRODUCTS, Product
from kcjl.vocabulary import Event
from tests.stock.under import under
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
POLICY = under(buffer=BUFFER)
SHELF = 20

Decide = Callable[[list[list[Product]], Conditions, Reads | None], tuple[Figure, ...]]


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


ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "customer_buys",
                "stock_moves_elsewhere",
                "order_is_cancelled",
                "erp_takes_an_order",
                "we_hear_that_it_was_taken",
                "erp_takes_and_answers",
                "level_is_read_meanwhile",
            ]
        ),
        st.integers(0, 6),
    ),
    max_size=4,
)
"""What the world does, and a number for it: units, or which of the orders."""


class Trade(RuleBasedStateMachine):
    """Both outside worlds, and the service's pure half between them."""

    def __init__(self) -> None:
        super().__init__()
        self.minute = 10
        self.shelf = SHELF
        self.window = 3
        self.sold: list[Sold] = []
        self.log: list[Event] = []
        self.answers: dict[datetime, tuple[int, int]] = {}
        """When a read of the level began: what the shelf held, and when it was looked at."""
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

    # ── what happens in the world, alone or while a call is out ──

    @rule(acts=ACTS)
    def world_goes_on(self, acts: list[tuple[str, int]]) -> None:
        for act, number in acts:
            getattr(self, act)(number)

    def stock_moves_elsewhere(self, units: int) -> None:
        self.tick()
        self.shelf = max(0, self.shelf + units - 3)

    def customer_buys(self, units: int) -> None:
        units = min(units, self.window)
        if units:
            self.window -= units
            self.sold.append(Sold(number=len(self.sold), units=units, placed=self.tick()))

    def order_is_cancelled(self, number: int) -> None:
        """With an even number the marketplace puts the units back into the window."""
        waiting = [each for each in self.sold if each.ended is None and each.taken is None]
        if waiting:
            order = waiting[number % len(waiting)]
            order.ended = self.tick()
            self.window += 0 if number % 2 else order.units

    def erp_takes_an_order(self, number: int) -> None:
        waiting = [each for each in self.sold if each.seen and each.taken is None]
        if waiting:
            order = waiting[number % len(waiting)]
            order.taken = self.tick()
            self.shelf -= order.units

    def erp_takes_and_answers(self, number: int) -> None:
        self.erp_takes_an_order(number)
        self.we_hear_that_it_was_taken(number)

    def we_hear_that_it_was_taken(self, number: int) -> None:
        untold = [each for each in self.sold if each.taken is not None and not each.told]
        if untold:
            order = untold[number % len(untold)]
            order.told = True
            self.say(posted(self.order_of(order), self.tick()))

    # ── reading: what happens between the question, the look and the answer ──

    @rule(before=ACTS, after=ACTS, lost=st.booleans())
    def level_is_read(
        self, before: list[tuple[str, int]], after: list[tuple[str, int]], *, lost: bool
    ) -> None:
        began = self.tick()
        self.world_goes_on(before)
        answer = (self.shelf, self.tick())
        self.world_goes_on(after)
        now = self.tick()
        if lost:
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

    @rule(after=ACTS, lost=st.booleans())
    def orders_are_read(self, after: list[tuple[str, int]], *, lost: bool) -> None:
        """The answer is as old as the question; a level may be read meanwhile."""
        began = self.tick()
        rows = [(each, each.ended is not None) for each in self.sold]
        self.world_goes_on(after)
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

    def level_is_read_meanwhile(self, number: int) -> None:
        self.level_is_read([], [], lost=number == 0)

    def order_of(self, order: Sold, state: str = SHIPPING) -> OrderReceived:
        line = ordered(f"O{order.number}-1", "A-1", order.units)
        return received(f"O{order.number}", line, state=state, minutes=order.placed)

    # ── publishing ──

    @precondition(lambda self: self.on_its_way is None and self.unheard is None)
    @rule(
        fate=st.sampled_from(["sent", "sent", "lost before", "lost after", "killed"]),
        decide=st.sampled_from([decide_figures, decide_figures, decide_zeros]),
    )
    def publish(self, fate: str, decide: Decide = decide_figures) -> None:
        """`decide_zeros`: no orders could be read for long."""
        found = decide([[self.product]], POLICY, self.reads.get("reads"))
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
                **more,
            )
        )

    @rule()
    def restart(self) -> None:
        """Only the log is left; what was sent and not answered is unknown."""
        log, self.log = self.log, []
        self.begin(log)
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
            self.we_hear_that_it_was_taken(0)
        for _ in range(2):
            self.level_is_read([], [], lost=False)
            self.orders_are_read([], lost=False)
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
TestLaw4.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
