"""Shadow, the stock room: figures, levels, codes and refused lines decided again.

Promises: the room's own tables and deciders; of an import both what it holds and what it lacks
is judged. What rests on the memory of the process (`stock_read_at`) is not, and the lag is
taken as recorded. Called by `shadow.py`.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from kcjl.audit.conditions_then import conditions_then
from kcjl.audit.shadow import FieldDiffers, Formers, Report, fields_that_differ
from kcjl.clock import Clock, Ids
from kcjl.log.port import Log, Recorded
from kcjl.orders.events import OrdersRead
from kcjl.stock.conditions import Conditions, group_key
from kcjl.stock.decide import (
    FIGURES_BYTES_MAX,
    decide_confirmation,
    decide_figures,
    decide_level,
    decide_zeros,
    may_publish,
)
from kcjl.stock.differing import Differing
from kcjl.stock.events import (
    Figure,
    LevelRead,
    OfferDrifted,
    OfferMended,
    SkuConfirmed,
    SkuUnmatched,
    StockImportEndedLate,
    StockImportFinished,
    StockImportGivenUp,
    StockImportIntended,
    stock_key,
)
from kcjl.stock.publishing_state import Publish
from kcjl.stock.reads import Reads
from kcjl.stock.room import StockRoom
from kcjl.stock.sending import decide_given_up, decide_late, refused_lines
from kcjl.stock.state import PRODUCTS, Product
from kcjl.vocabulary import Event

__all__ = ["StockShadow"]

MAY_BE_CUT = 0.8
"""An import so near to its bounds may have been cut: what it lacks tells nothing."""
READS_KEPT = 5


class StockShadow:
    """The stock room's decisions."""

    types: tuple[type[Event], ...] = (
        LevelRead,
        OfferDrifted,
        OfferMended,
        SkuConfirmed,
        SkuUnmatched,
        StockImportEndedLate,
        StockImportFinished,
        StockImportGivenUp,
        StockImportIntended,
    )

    def __init__(self, log: Log, clock: Clock, ids: Ids, *, lines_max: int = 10_000) -> None:
        """`log` is read only; `clock` and `ids` are never asked."""
        self._room = StockRoom(log, clock, ids)
        self._differing = Differing(self._room.products)
        self._conditions: Conditions | None = None
        self._formers: Formers[Product] = Formers()
        self._orders_read: deque[datetime] = deque(maxlen=READS_KEPT)
        self._followed: Reads | None = None
        """The last reads of levels that were followed by one of orders."""
        self._lines_max = lines_max

    async def hear(self, recorded: Recorded, report: Report) -> None:
        event = recorded.event
        match event:
            case LevelRead() | SkuConfirmed() | SkuUnmatched():
                self._of_product(recorded, event, report)
            case StockImportIntended():
                await self._import(recorded, event, report)
            case StockImportFinished():
                self._finished(recorded, event, report)
            case StockImportGivenUp():
                publish = self._room.publishes.get(event.publish_id)
                again = (
                    decide_given_up(publish, event.occurred_at, ends_within_s=0)
                    if publish is not None
                    else ()
                )
                report.judge(recorded, again)
            case StockImportEndedLate():
                late = self._room.late.get(event.publish_id)
                by_age, at_end = _late(late, event, ""), _late(late, event, event.message)
                report.judge(recorded, (*by_age, *at_end))
            case OfferDrifted() | OfferMended():
                report.not_checked(recorded, "the list of offers it is judged by is not logged")
            case _:
                pass
        await self._fold(recorded)

    async def _fold(self, recorded: Recorded) -> None:
        for key in PRODUCTS.keys(recorded.event):
            self._formers.keep(key, self._room.products.get(key), recorded.recorded_at)
        await self._room.fold((recorded,))
        reads = self._room.last_reads
        if may_publish(reads):
            self._followed = reads
        if isinstance(recorded.event, OrdersRead):
            self._orders_read.append(recorded.event.occurred_at)

    # ── products ──

    def _of_product(
        self, recorded: Recorded, event: LevelRead | SkuConfirmed | SkuUnmatched, report: Report
    ) -> None:
        key = stock_key(event.sku)
        if recorded.by != self._room.name:
            report.not_checked(recorded, "a person's word")
            return
        product = self._room.products.get(key) or Product(key=key)
        report.judge(
            recorded,
            _again(product, event),
            earlier=(
                _again(each, event) for each in self._formers.of(key, recorded.recorded_at)
            ),
        )

    # ── imports ──

    async def _import(
        self, recorded: Recorded, event: StockImportIntended, report: Report
    ) -> None:
        room, at = self._room, event.occurred_at
        reads: Reads | None = room.last_reads
        if not may_publish(reads) and any(figure.quantity for figure in event.figures):
            reads = self._followed or reads  # another read had ended while it was worked out
        conditions = conditions_then(
            room.policies,
            room.publishing,
            reads,
            at,
            lag_s=float(event.lag_s),
            staleness=event.staleness,
            known=self._conditions.rules if self._conditions is not None else None,
        )
        self._conditions = conditions
        if conditions is None or reads is None:
            report.differs(
                recorded, (), "this version has no policy, or no read, to publish on"
            )
            return
        wrong = list(self._head(event, conditions))
        again = await self._figures(conditions, reads, at)
        now = {each.sku: each for each in again}
        earlier = False
        for figure in event.figures:
            found = self._figure(figure, now.pop(figure.sku, None))
            if found and self._was_so(figure, conditions, reads, recorded):
                earlier = True
            elif found:
                wrong += found
        wrong += self._lacks(event, now, conditions, reads, recorded)
        if wrong:
            report.differs(recorded, wrong)
        else:
            report.same(recorded, earlier=earlier)

    def _head(
        self, event: StockImportIntended, conditions: Conditions
    ) -> Iterator[FieldDiffers]:
        stale = self._room.publishing.stale
        for field, then, now in (
            ("policy_version", str(event.policy_version), str(conditions.version)),
            ("staleness", event.staleness or "fresh", stale or "fresh"),
        ):
            if then != now:
                yield FieldDiffers(field=field, recorded=then, now=now)

    async def _figures(
        self, conditions: Conditions, reads: Reads, at: datetime
    ) -> Sequence[Figure]:
        if not may_publish(reads):
            return await self._differing.zeros(conditions, reads, now=at)
        return (await self._differing.figures(conditions, reads, now=at)).figures

    def _figure(self, figure: Figure, now: Figure | None) -> tuple[FieldDiffers, ...]:
        """The read of orders is that of the decision, or one shortly before."""
        if now is not None and figure.orders_read_at in self._orders_read:
            now = msgspec.structs.replace(now, orders_read_at=figure.orders_read_at)
        if figure == now:
            return ()
        if now is None:
            said = f"a figure of {figure.quantity:,}"
            return (FieldDiffers(field=f"figure of {figure.sku}", recorded=said, now="none"),)
        return tuple(
            msgspec.structs.replace(each, field=f"{each.field} of {figure.sku}")
            for each in fields_that_differ(figure, now)
        )

    def _was_so(
        self, figure: Figure, conditions: Conditions, reads: Reads, recorded: Recorded
    ) -> bool:
        return any(
            not self._figure(figure, each)
            for figures in self._before(figure.sku, conditions, reads, recorded)
            for each in figures
            if each.sku == figure.sku
        )

    def _lacks(
        self,
        event: StockImportIntended,
        left: dict[str, Figure],
        conditions: Conditions,
        reads: Reads,
        recorded: Recorded,
    ) -> Iterator[FieldDiffers]:
        """Figures that this version would have sent as well."""
        if not left or self._may_be_cut(event):
            return
        zeros_only = all(each.quantity == 0 for each in event.figures)
        for sku, figure in left.items():
            if zeros_only and figure.quantity:
                continue  # no orders were read yet, and only what is 0 goes
            before = self._before(sku, conditions, reads, recorded)
            if any(sku not in {each.sku for each in figures} for figures in before):
                continue
            said = f"a figure of {figure.quantity:,}"
            yield FieldDiffers(field=f"figure of {sku}", recorded="none", now=said)

    def _may_be_cut(self, event: StockImportIntended) -> bool:
        size = sum(len(msgspec.json.encode(each)) for each in event.figures)
        full = len(event.figures) >= MAY_BE_CUT * self._lines_max
        return full or size >= MAY_BE_CUT * FIGURES_BYTES_MAX

    def _before(
        self, sku: str, conditions: Conditions, reads: Reads, recorded: Recorded
    ) -> Iterator[Sequence[Figure]]:
        """The figures of its stock code, with one of its products as it was shortly before."""
        own = self._room.products.get(stock_key(sku))
        if own is None:
            return
        group = self._room.products.grouped(group_key(own))
        decide = decide_figures if may_publish(reads) else decide_zeros
        for place, member in enumerate(group):
            for former in self._formers.of(member.key, recorded.recorded_at):
                members = [*group[:place], former, *group[place + 1 :]]
                at = recorded.event.occurred_at
                yield decide([members], conditions, reads, now=at)

    def _finished(self, recorded: Recorded, event: StockImportFinished, report: Report) -> None:
        """The next step of each refused line."""
        if not event.refused:
            report.not_checked(recorded, "nothing decided: what the outside showed or answered")
            return
        before = {
            shown.sku: shown.refusals
            for each in event.refused
            if (product := self._room.products.get(stock_key(each.sku))) is not None
            for shown in product.shown
        }
        said = [(each.sku, each.message) for each in event.refused]
        refused = refused_lines(said, before, event.occurred_at)
        report.judge(recorded, (msgspec.structs.replace(event, refused=refused),))


def _late(late: Publish | None, event: StockImportEndedLate, said: str) -> tuple[Event, ...]:
    if late is None:
        return ()
    return decide_late(late, event.occurred_at, ended=said, overwrote=bool(event.skus))


def _again(
    product: Product, event: LevelRead | SkuConfirmed | SkuUnmatched
) -> tuple[Event, ...]:
    if isinstance(event, LevelRead):
        return decide_level(product, event)
    return decide_confirmation(product, event)
