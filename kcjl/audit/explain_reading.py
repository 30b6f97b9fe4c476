"""Explanations of one merchant, read from the log and from the read models as of a position.

Promises: what was recorded after the position is not looked at; every list is bounded, and says
so where it is cut. It changes nothing.
Called by `kcjl explain`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from kcjl.audit.explain import Explanation, Kind, PolicyThen
from kcjl.audit.explain_exception import exception_answer
from kcjl.audit.explain_order import order_answer
from kcjl.audit.explain_oversold import Oversold, oversold_line, said_of
from kcjl.audit.explain_payout import amount_asked, lines_of_amount, payout_answer, penny_answer
from kcjl.audit.explain_sku import around, sku_story, summary
from kcjl.audit.explain_trail import Trail, received_of, trail_of
from kcjl.dispatch.business_time import BusinessTime
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.port import Recorded, Selection
from kcjl.log.queries import PostgresQueries
from kcjl.orders.events import OrderReceived
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.projections.deskreading import DeskRows
from kcjl.projections.dispatchreading import silences_of
from kcjl.projections.liferows import EVENTS_MAX, life_of, life_rows
from kcjl.projections.orderreading import OrderRows
from kcjl.projections.ordersview import OrdersView
from kcjl.projections.payoutreading import PayoutRows
from kcjl.projections.pennies import Pennies
from kcjl.projections.stockreading import StockRows
from kcjl.projections.timingreading import TimingRows
from kcjl.settlement.account import PayoutAccount, account_of
from kcjl.stock.state import Product

__all__ = ["Explainer", "Found"]

WAYS_MAX = 20
ORDERS_LOOKED_AT_MAX = 500
"""Newest first, for one of a SKU that was oversold."""
COULD_BE_MAX = 5
POLICIES: Mapping[Kind, tuple[str, str]] = {
    "sku": ("stock policy", "stock-policy"),
    "oversold": ("stock policy", "stock-policy"),
    "order": ("acceptance policy", "acceptance-policy"),
    "payout": ("accounts", "settlement-policy"),
    "penny": ("accounts", "settlement-policy"),
    "exception": ("routing rules", "exception-rules"),
}
"""By kind: what it is decided by, and the stream that has its versions."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a word may stand for."""

    kind: Kind
    subject: str


class Explainer:
    """As of where `past` stands."""

    def __init__(self, past: AsOfDatabase, merchant: str, business: BusinessTime) -> None:
        self._past = past
        self._merchant = merchant
        self._business = business
        self._position = past.position
        self._log = PostgresQueries(past, merchant, vocabulary())
        self._orders = OrderRows(past, merchant)
        self._stock = StockRows(past, merchant)
        self._payouts = PayoutRows(past, merchant)
        self._desk = DeskRows(past, merchant)

    # ── what a word stands for ──

    async def named(self, word: str) -> Sequence[Found]:
        """What has exactly this name; several, where a SKU is called like an order."""
        found: list[Found] = []
        if await self._stock.product(word) is not None:
            found.append(Found(kind="sku", subject=word))
        if await self._orders.order(word) is not None:
            found.append(Found(kind="order", subject=word))
        if await self._desk.one(word) is not None:
            found.append(Found(kind="exception", subject=word))
        try:
            await self._payouts.payout(word)
        except NotFound:
            return found
        return [*found, Found(kind="payout", subject=word)]

    async def could_be(self, word: str) -> Sequence[Found]:
        """What has the word in its name, a few of each kind."""
        found: list[Found] = []
        now = (await self._past.clock()).now()
        orders = await OrdersView(self._past, self._merchant, lambda: now).list(
            find=word, limit=COULD_BE_MAX
        )
        if not orders.searched:
            found += [Found(kind="order", subject=each.order_id) for each in orders.rows]
        part = word.casefold()
        async for page in self._stock.products():
            skus = {shown.sku for each in page for shown in each.shown}
            found += [Found(kind="sku", subject=sku) for sku in sorted(skus) if _has(sku, part)]
        payouts = [each.cycle_id for each in await self._payouts.payouts()]
        found += [Found(kind="payout", subject=each) for each in payouts if _has(each, part)]
        return [each for kind in POLICIES for each in _first_of(found, kind)]

    # ── explanations ──

    async def sku(self, sku: str) -> Explanation:
        """Why so many. Raises NotFound."""
        story = await sku_story(self._past, self._merchant, sku, self._position)
        told = await self._explanation(
            "sku",
            sku,
            (summary(story.sum), *around(story.sum)),
            version=story.sum.policy_version,
            chain=story.events,
        )
        words = {step.origin.position: step.said for step in story.steps}
        chain = (msgspec.structs.replace(e, said=words[e.position]) for e in told.chain)
        return msgspec.structs.replace(told, chain=tuple(chain))

    async def order(self, order_id: str) -> Explanation:
        """Why it is late, or is not. Raises NotFound."""
        now = (await self._past.clock()).now()
        story = await OrdersView(self._past, self._merchant, lambda: now).story(order_id)
        if story is None:
            raise NotFound(
                f"as of position {self._position:,} {self._merchant} has no order "
                f"{order_id!r}: name a later time, or see `kcjl orders list --all`"
            )
        timing = await TimingRows(self._past, self._merchant).timing(order_id)
        silences = await silences_of(self._log)
        told = await self._explanation(
            "order", order_id, order_answer(story, timing, self._business, silences, now)
        )
        return msgspec.structs.replace(told, chain=story.events, cut=story.cut)

    async def payout(self, named: str) -> Explanation:
        """Why it is what it is. Raises NotFound."""
        account = await self._account(named)
        cycle = account.cycle.cycle_id
        told = await self._explanation("payout", cycle, payout_answer(account))
        events, cut = await life_of(self._log, (f"payout-{cycle}",))
        return msgspec.structs.replace(told, chain=events, cut=cut)

    async def penny(self, named: str, amount: str = "") -> Explanation:
        """Where an amount of a payout comes from. Raises NotFound, Misuse for no amount."""
        account = await self._account(named)
        cycle = account.cycle
        asked = amount_asked(amount, cycle.seen.amount_to_seller.currency)
        lines = lines_of_amount(account, asked)
        pennies = Pennies(self._payouts, self._orders, self._log)
        ways = await pennies.ways(cycle, lines[:WAYS_MAX])
        return await self._explanation(
            "penny",
            f"{cycle.cycle_id} {asked}" if asked is not None else cycle.cycle_id,
            penny_answer(account, asked, ways, len(lines)),
        )

    async def exception(self, exception_id: str) -> Explanation:
        """Why it is whose it is. Raises NotFound."""
        life = await self._desk.one(exception_id)
        if life is None:
            raise NotFound(
                f"as of position {self._position:,} {self._merchant} has no exception "
                f"{exception_id!r}: `kcjl exceptions list --state any` names those there are"
            )
        version = life.raised.rules_version
        rules = await self._version("exception-rules", version) if version else None
        told = await self._explanation(
            "exception", exception_id, exception_answer(life, rules), version=version
        )
        events, cut = await life_of(self._log, (life.raised.stream,))
        return msgspec.structs.replace(told, chain=events, cut=cut)

    async def oversold(self, named: str) -> Explanation:
        """Why an order, or the newest one of a SKU, was sold what was not there.

        Raises NotFound where nothing that is recorded says so.
        """
        order = await self._orders.order(named)
        if order is not None:
            received = await received_of(self._log, named, to=self._position)
            found = await self._oversold_of(received, [line.sku for line in order.lines])
        else:
            found = await self._newest_oversold(named)
        if found is None:
            raise NotFound(
                f"nothing recorded up to position {self._position:,} says that a unit of "
                f"{named!r} was sold that was not there: see `kcjl explain sku` or `order`"
            )
        line, trail = found
        of_it = [each for each in trail.events if each.position in line.positions]
        told = await self._explanation(
            "oversold",
            f"{line.order_id} {line.sku}",
            said_of(line),
            at=trail.order.recorded_at,
            chain=of_it,
        )
        sure = "what is short may have been sold elsewhere after the order was placed"
        return msgspec.structs.replace(
            told,
            hops=line.hops,
            changes=line.changes,
            estimates=() if line.certain else (sure,),
            cut=trail.cut,
        )

    # ── reading ──

    async def _account(self, named: str) -> PayoutAccount:
        cycle = await self._payouts.payout(named)
        lines = await self._payouts.lines_of(cycle.cycle_id)
        return account_of(cycle, lines, await self._payouts.gaps(self._log, cycle.cycle_id))

    async def _newest_oversold(self, sku: str) -> tuple[Oversold, Trail] | None:
        looked_at = 0
        asked = Selection(
            types=(OrderReceived.__name__,), to=self._position, backward=True, page=50
        )
        async for page in self._log.select(asked):
            for each in page:
                lines = each.event.lines if isinstance(each.event, OrderReceived) else ()
                if any(line.sku == sku for line in lines):
                    found = await self._oversold_of(each, [sku])
                    if found is not None:
                        return found
            looked_at += len(page)
            if looked_at >= ORDERS_LOOKED_AT_MAX:
                return None
        return None

    async def _oversold_of(
        self, received: Recorded, skus: Sequence[str]
    ) -> tuple[Oversold, Trail] | None:
        for sku in dict.fromkeys(skus):
            trail = await trail_of(
                self._log, received, sku, self._products_at(), to=self._position
            )
            line = oversold_line(received, sku, trail.before, trail.events)
            if line is not None:
                return line, trail
        return None

    def _products_at(self) -> Callable[[int, str], Awaitable[Sequence[Product]]]:
        async def products_at(position: int, sku: str) -> Sequence[Product]:
            await self._past.move(position)
            try:
                product = await self._stock.product(sku)
                return () if product is None else await self._stock.sharing(product)
            finally:
                await self._past.move(self._position)

        return products_at

    async def _explanation(
        self,
        kind: Kind,
        subject: str,
        answer: tuple[str, ...],
        *,
        version: int = 0,
        at: datetime | None = None,
        chain: Sequence[Recorded] = (),
    ) -> Explanation:
        """`version`: of its policy; else the one that was in force `at`, or at the position."""
        name, stream = POLICIES[kind]
        policy = (
            await self._version(stream, version) if version else await self._newest(stream, at)
        )
        return Explanation(
            kind=kind,
            subject=subject,
            position=self._position,
            recorded_at=(await self._past.clock()).now() if self._position else None,
            answer=answer,
            policies=() if policy is None else (_policy(name, policy),),
            chain=life_rows(chain[:EVENTS_MAX]),
            cut=len(chain) > EVENTS_MAX,
        )

    async def _version(self, stream: str, version: int) -> Recorded | None:
        """Who put that version in force."""
        asked = Selection(stream=stream, to=self._position, backward=True)
        async for page in self._log.select(asked):
            for each in page:
                if getattr(each.event, "version", None) == version:
                    return each
        return None

    async def _newest(self, stream: str, at: datetime | None) -> Recorded | None:
        asked = Selection(stream=stream, to=self._position, backward=True)
        async for page in self._log.select(asked):
            for each in page:
                is_then = at is None or each.recorded_at <= at
                if is_then and getattr(each.event, "version", None) is not None:
                    return each
        return None


def _policy(name: str, said: Recorded) -> PolicyThen:
    return PolicyThen(
        name=name,
        version=int(getattr(said.event, "version", 0)),
        said_at=said.occurred_at,
        by=said.by,
        position=said.position,
    )


def _has(name: str, part: str) -> bool:
    return part in name.casefold()


def _first_of(found: Sequence[Found], kind: Kind) -> Sequence[Found]:
    return [each for each in found if each.kind == kind][:COULD_BE_MAX]
