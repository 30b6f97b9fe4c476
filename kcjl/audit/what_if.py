"""What if another stock policy, or another cadence, had been in force: the log decided again.

Promises: figures are worked out by the stock room's own deciders and folds; the same history
and question give the same answer; memory is bounded by the catalogue. As it was, each figure
comes out as recorded; what does not is counted (`Answer.not_as_recorded`). It writes nothing.
It does not: know who came and found too little (docs/decisions/0022).
Called by `kcjl what-if`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from kcjl.audit.conditions_then import conditions_then
from kcjl.audit.what_if_answer import Answer, Asked, Day, NotAsRecorded
from kcjl.audit.what_if_shelf import HAPPENED, OTHER, Meter, Sums, added_up
from kcjl.fold import Table
from kcjl.log.port import Recorded
from kcjl.orders.events import OrderReceived, OrdersRead
from kcjl.stock.conditions import Conditions, group_key
from kcjl.stock.decide import cut, may_publish
from kcjl.stock.differing import Differing
from kcjl.stock.events import (
    Figure,
    LevelRead,
    OfferDrifted,
    OfferListed,
    PublishEvent,
    StockImportEndedLate,
    StockImportFailed,
    StockImportFinished,
    StockImportIntended,
    StockImportUnknown,
    StockRead,
    stock_key,
)
from kcjl.stock.policy_book import POLICY_BOOK, Approved, PolicyBook
from kcjl.stock.publishing_state import PUBLISHING, Publishing
from kcjl.stock.reads import READS, Reads
from kcjl.stock.state import PRODUCTS, Product
from kcjl.vocabulary import Event

__all__ = ["WhatIf"]

ALWAYS = datetime.min.replace(tzinfo=UTC)
TAKES_S = 60.0
"""An import, before one was recorded to its end."""
PUSH_S = 60.0
"""The marketplace takes one import a minute (contract johnlewis b.2)."""
NAMED_MAX = 20
LINES_MAX = 10_000


class WhatIf:
    """Hears the log from its first event on."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._true = _products()
        self._other = _products()
        self._reads, self._publishing = Table(READS), Table(PUBLISHING)
        self._book = Table(POLICY_BOOK)
        self._meter = Meter(self._true)
        self._differing = (Differing(self._true), Differing(self._other))
        self._conditions: list[Conditions | None] = [None, None]
        self._imports: dict[str, StockImportIntended] = {}
        """Of the other world, on their way as the recorded ones are."""
        self._own: tuple[datetime, StockImportIntended] | None = None
        """One that was not recorded, and when it ends."""
        self._held: dict[str, LevelRead] = {}
        self._window = self._next_read = self._pushed_at = self._last_at = ALWAYS
        self._lag_s, self._takes_s = 0.0, TAKES_S
        self._sent_at: dict[str, datetime] = {}
        self._events = self._position = 0
        self._sent = self._sent_other = self._sent_own = 0
        self._figures = [0, 0]
        self._different = 0
        self._named: list[NotAsRecorded] = []

    async def hear(self, page: Sequence[Recorded]) -> None:
        """The next events, in order of position."""
        for recorded in page:
            await self._hear(recorded)
            self._events += 1
            self._position = recorded.position
            self._last_at = recorded.recorded_at

    def answer(self) -> Answer:
        """What came of it; asked once, at the end."""
        if self._events:
            self._meter.end(self._last_at)
        happened, other = self._meter.days
        return Answer(
            events=self._events,
            to=self._position,
            imports=self._sent,
            imports_other=self._sent_other,
            imports_of_its_own=self._sent_own,
            figures=self._figures[HAPPENED],
            figures_other=self._figures[OTHER],
            not_as_recorded=self._different,
            first_differences=tuple(self._named),
            happened=added_up(happened.values()),
            other=added_up(other.values()),
            days=tuple(
                Day(day=day, happened=happened.get(day, Sums()), other=other.get(day, Sums()))
                for day in sorted(happened.keys() | other.keys())
            ),
            oversold=tuple(self._meter.oversold),
            orders_undecided=self._meter.undecided,
        )

    # ── event by event ──

    async def _hear(self, recorded: Recorded) -> None:
        event, at = recorded.event, recorded.recorded_at
        if self._own is not None and self._own[0] <= at:
            self._end_own()
        if isinstance(event, StockImportIntended):
            await self._intended(recorded, event)
            return
        for table in (self._reads, self._publishing, self._book):
            table.apply(event)
        if isinstance(event, PublishEvent):
            self._outcome(event, at)
            return
        keys = self._true.apply(event)
        for other in self._as_read(event):
            self._other.apply(other)
        self._measure(event, keys, at)
        if isinstance(event, OrdersRead) and not self._asked.is_as_it_was:
            await self._look(at)

    def _measure(self, event: Event, keys: Sequence[str], at: datetime) -> None:
        match event:
            case OfferListed():
                self._shows(event.sku, event.quantity, event.occurred_at)
            case OfferDrifted() if self._acknowledged_alike(event.sku):
                self._shows(event.sku, event.found, event.occurred_at)
            case OfferDrifted():  # what became of another figure there is not known
                self._meter.shows(HAPPENED, event.sku, event.found, event.occurred_at)
            case OrderReceived():
                self._meter.placed(event)
            case _:
                pass
        if keys:
            self._meter.note(keys, at)
        match event:
            case LevelRead():
                self._meter.read(event.occurred_at, stock_key(event.sku))
            case StockRead():
                self._meter.read(event.occurred_at)
            case _:
                pass

    def _shows(self, sku: str, units: int, at: datetime) -> None:
        for world in (HAPPENED, OTHER):
            self._meter.shows(world, sku, units, at)

    def _acknowledged_alike(self, sku: str) -> bool:
        said = [
            [each.acknowledged for each in product.shown if each.sku == sku]
            for products in (self._true, self._other)
            if (product := products.get(stock_key(sku))) is not None
        ]
        return said[:1] == said[1:]

    # ── slower reads ──

    def _as_read(self, event: Event) -> Sequence[Event]:
        """What the other world hears of it now, levels that it has yet to read left out."""
        every = self._asked.read_every_s
        if not every or not isinstance(event, LevelRead | StockRead):
            return (event,)
        heard: list[Event] = []
        if event.occurred_at >= self._next_read:
            self._window = event.occurred_at
            self._next_read = event.occurred_at + timedelta(seconds=every)
            # What moved since the last read is read now.
            heard += [
                msgspec.structs.replace(
                    each, occurred_at=event.occurred_at, finished_at=event.finished_at
                )
                for each in self._held.values()
            ]
            self._held.clear()
        if isinstance(event, LevelRead) and event.occurred_at != self._window:
            self._held[stock_key(event.sku)] = event
        else:
            heard.append(event)
        return heard

    # ── imports ──

    async def _intended(self, recorded: Recorded, event: StockImportIntended) -> None:
        """The recorded one, and what the other world sends at that moment."""
        at = event.occurred_at
        self._lag_s = float(event.lag_s)
        self._end_own()
        figures: Sequence[Figure] = ()
        if self._may_push(at, as_recorded=True):
            conditions = self._conditions_now(OTHER, at, event)
            figures = await self._decided(OTHER, conditions, at)
        figures = cut(figures, max(LINES_MAX, len(event.figures)))
        self._compare(recorded, event, figures)
        self._sent += 1
        self._figures[HAPPENED] += len(event.figures)
        self._sent_at[event.publish_id] = at
        self._publishing.apply(event)
        self._true.apply(event)
        if figures:
            other = msgspec.structs.replace(event, figures=tuple(figures))
            self._imports[event.publish_id] = other
            self._send(other)

    def _send(self, event: StockImportIntended) -> None:
        self._other.apply(event)
        self._figures[OTHER] += len(event.figures)
        self._sent_other += 1
        self._pushed_at = event.occurred_at

    def _may_push(self, at: datetime, *, as_recorded: bool) -> bool:
        every = self._asked.push_every_s or (0.0 if as_recorded else PUSH_S)
        return at >= self._pushed_at + timedelta(seconds=every)

    def _outcome(self, event: PublishEvent, at: datetime) -> None:
        """The other world's import has the outcome that the recorded one had."""
        other = self._imports.get(event.publish_id)
        keys = self._true.apply(event)
        if other is not None:
            self._other.apply(_of(event, other))
        if isinstance(event, StockImportFinished):
            began = self._sent_at.get(event.publish_id, event.occurred_at)
            self._takes_s = (event.occurred_at - began).total_seconds()
            self._acknowledged(HAPPENED, self._true, event)
            if other is not None:
                keys = (*keys, *map(stock_key, (each.sku for each in other.figures)))
                self._acknowledged(OTHER, self._other, event, other)
            self._meter.note(dict.fromkeys(keys), at)
        if isinstance(event, ENDS):
            self._imports.pop(event.publish_id, None)
            self._sent_at.pop(event.publish_id, None)

    def _acknowledged(
        self,
        world: int,
        products: Table[Product],
        event: StockImportFinished,
        other: StockImportIntended | None = None,
    ) -> None:
        skus = event.skus if other is None else [each.sku for each in other.figures]
        for sku in skus:
            product = products.get(stock_key(sku))
            for shown in product.shown if product is not None else ():
                is_its = shown.sku == sku and shown.publish_id == event.publish_id
                if is_its and shown.acknowledged is not None and not shown.refused:
                    self._meter.shows(world, sku, shown.acknowledged, event.occurred_at)

    async def _look(self, at: datetime) -> None:
        """After the orders: what the other world wants to say, and the service had not to."""
        publishing = self._publishing.get("publishing") or Publishing()
        is_free = self._own is None and publishing.is_on and publishing.hold is None
        if not is_free or not self._may_push(at, as_recorded=False):
            return
        wanted = await self._decided(OTHER, self._conditions_now(OTHER, at), at)
        if not wanted:
            return
        service = await self._decided(HAPPENED, self._conditions_now(HAPPENED, at), at)
        codes = {each.code or each.sku for each in service}
        figures = [each for each in wanted if (each.code or each.sku) not in codes]
        if not figures:
            return  # the service is about to speak of these, and so is the other world
        self._sent_own += 1
        event = StockImportIntended(
            publish_id=f"what-if-{self._sent_own}",
            figures=tuple(cut(figures, LINES_MAX)),
            policy_version=0,
            occurred_at=at,
        )
        self._send(event)
        self._own = (at + timedelta(seconds=self._takes_s), event)

    def _end_own(self) -> None:
        if self._own is None:
            return
        (at, event), self._own = self._own, None
        skus = tuple(each.sku for each in event.figures)
        finished = StockImportFinished(
            publish_id=event.publish_id,
            import_id=event.publish_id,
            skus=skus,
            refused=(),
            occurred_at=at,
        )
        self._other.apply(finished)
        self._acknowledged(OTHER, self._other, finished, event)
        self._meter.note(dict.fromkeys(map(stock_key, skus)), at)

    # ── deciding ──

    async def _decided(
        self, world: int, conditions: Conditions | None, at: datetime
    ) -> Sequence[Figure]:
        reads: Reads | None = self._reads.get("reads")
        if conditions is None or reads is None:
            return ()
        if not may_publish(reads):
            return await self._differing[world].zeros(conditions, reads, now=at)
        return (await self._differing[world].figures(conditions, reads, now=at)).figures

    def _conditions_now(
        self, world: int, at: datetime, event: StockImportIntended | None = None
    ) -> Conditions | None:
        """Those of the recorded decision, but for what is asked otherwise."""
        known, slower = self._conditions[world], self._asked.read_every_s
        book: PolicyBook = self._book.get("policy") or PolicyBook()
        if world == OTHER and self._asked.policy is not None:
            book = PolicyBook(
                version=1,
                approved=(Approved(version=1, document=self._asked.policy, valid_from=ALWAYS),),
            )
        found = conditions_then(
            book,
            self._publishing.get("publishing") or Publishing(),
            self._reads.get("reads"),
            at,
            lag_s=self._lag_s,
            staleness=None if event is None else event.staleness,
            read_every_s=slower if world == OTHER else 0.0,
            known=known.rules if known is not None else None,
        )
        self._conditions[world] = found
        return found

    def _compare(
        self, recorded: Recorded, event: StockImportIntended, figures: Sequence[Figure]
    ) -> None:
        then = {each.sku: each.quantity for each in event.figures}
        other = {each.sku: each.quantity for each in figures}
        for sku in sorted(then.keys() | other.keys()):
            if then.get(sku) == other.get(sku):
                continue
            self._different += 1
            if len(self._named) < NAMED_MAX:
                self._named.append(
                    NotAsRecorded(
                        position=recorded.position,
                        sku=sku,
                        recorded=then.get(sku),
                        other=other.get(sku),
                    )
                )


ENDS = (StockImportFinished, StockImportFailed, StockImportUnknown, StockImportEndedLate)
"""After these nothing more comes of an import; of one that was given up it may."""


def _products() -> Table[Product]:
    return Table(PRODUCTS, group=group_key, tracked=True)


def _of(event: PublishEvent, other: StockImportIntended) -> Event:
    """The same outcome, for what the other world has sent."""
    skus = tuple(each.sku for each in other.figures)
    changed: dict[str, object] = {}
    if hasattr(event, "skus"):
        changed["skus"] = skus
    if isinstance(event, StockImportFinished):
        changed["refused"] = tuple(each for each in event.refused if each.sku in set(skus))
    return msgspec.structs.replace(event, **changed)
