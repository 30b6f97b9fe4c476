"""Stock, the room: its jobs, its commands, and who carries them out.

Promises: read stock, then orders, then publish; one stock import at a time; offers read back
and compared; a stale feed noticed by time alone. It holds no rule: those stand in `decide.py`,
`guards.py`, `sending.py`, `drift.py` and `freshness.py`.
Called by `rooms.py`. Source: design 6; contract johnlewis b.2, khaos b.1, b.2, b.7.
"""

from datetime import timedelta

from kcjl.actors import Job
from kcjl.clock import Clock, Ids
from kcjl.exceptions.events import WritesSwitched
from kcjl.johnlewis.port import MarketplacePort
from kcjl.khaos.port import ErpPort
from kcjl.log.port import Log
from kcjl.orders.events import OrderReceived, OrdersRead
from kcjl.settings import StockSettings
from kcjl.stock.answers import (
    buffer_answer,
    release_answer,
    retry_answer,
    switch_answer,
    what_goes_out,
)
from kcjl.stock.decide import decide_buffer
from kcjl.stock.events import (
    BufferSet,
    OfferActive,
    OfferDrifted,
    OfferListed,
    OfferRetried,
    OffersRead,
    PublishReleased,
    SkuAliasApproved,
    SkuAliasWithdrawn,
    StockFeedFresh,
    StockFeedStale,
    StockPublishingSwitched,
    StockRead,
    stock_key,
)
from kcjl.stock.freshness import StaleLimits, decide_freshness, next_look_s
from kcjl.stock.gate import StockGate
from kcjl.stock.guards import decide_release
from kcjl.stock.listing import OFFERS_EVERY, OfferReader
from kcjl.stock.policy import PolicyDocument, read_document
from kcjl.stock.policy_book import decide_approval, decide_opening, decide_proposal
from kcjl.stock.policy_events import StockPolicyApproved
from kcjl.stock.publishing import StockPublisher
from kcjl.stock.reading import StockReader
from kcjl.stock.room import StockRoom
from kcjl.stock.sending import decide_publishing_switch, decide_retry, offered_skus
from kcjl.stock.watching import StockWatch

__all__ = ["Stock"]

FIGURES_CHANGE_ON = (
    OrdersRead,
    WritesSwitched,
    BufferSet,
    OfferActive,
    OfferDrifted,
    OfferRetried,
    PublishReleased,
    StockFeedFresh,
    StockFeedStale,
    StockPolicyApproved,
    StockPublishingSwitched,
)
"""A level is not among them: its orders have to be read first, and that is heard."""

GATE_OPENS = (OfferListed, SkuAliasApproved, SkuAliasWithdrawn)
"""A new offer is to be confirmed, and an alias brings another code's level."""
DELETED_EVERY = timedelta(hours=1)


class Stock(StockRoom):
    """The stock actor."""

    def __init__(
        self,
        log: Log,
        clock: Clock,
        ids: Ids,
        *,
        marketplace: MarketplacePort,
        erp: ErpPort,
        settings: StockSettings,
        opening: PolicyDocument,
    ) -> None:
        super().__init__(log, clock, ids)
        self._opening = opening
        self.gate = StockGate(self, erp)
        self._reader = StockReader(self, erp, self.gate, settings)
        self._offers = OfferReader(self, marketplace, settings)
        self._publisher = StockPublisher(self, marketplace, settings)
        self._stale = StaleLimits(soft_s=settings.soft_s, hard_s=settings.stale_hard_s)
        poll = timedelta(seconds=settings.poll_s)
        watch = StockWatch(self, self._reader, settings)
        watches = (
            (Job("watch", watch.look, every=timedelta(seconds=settings.watch_s)),)
            if 0 < settings.watch_s < settings.poll_s
            else ()
        )
        self.jobs = (
            Job("offers", self._offers.read, every=OFFERS_EVERY),
            Job("late", self._publisher.look_at_late, every=OFFERS_EVERY),
            Job("levels", self._read_stock, every=poll, wakes_on=GATE_OPENS),
            Job("new-skus", self.gate.ask_new_skus, every=poll, wakes_on=(OrderReceived,)),
            Job("deleted-codes", self.gate.read_deleted, every=DELETED_EVERY),
            Job("freshness", self._look_at_feed, every=poll, wakes_on=(StockRead,)),
            Job("drift", self._offers.judge, every=poll, wakes_on=(OrdersRead, OffersRead)),
            Job("publish", self._publisher.publish, every=poll, wakes_on=FIGURES_CHANGE_ON),
            *watches,
        )

    # ── what people ask ─────────────────────────────────────────────────────────────────────

    async def set_buffer(self, units: int, *, by: str) -> str:
        """The operator's command. Returns what came of it, as all of these do."""
        book, now = self.policies, self.clock.now()
        said = decide_buffer(book, units=units, now=now)
        await self.commit(said, by=by)
        goes_out = await self._what_goes_out() if said else None
        return buffer_answer(book, now, units=units, goes_out=goes_out)

    async def propose_policy(self, text: str, *, by: str) -> str:
        """A person proposes a policy, as TOML. Raises Misuse that names the faulty rule."""
        document = read_document(text)
        events = decide_proposal(self.book.get("policy"), document, now=self.clock.now())
        await self.commit(events, by=by)
        book = self.book["policy"]
        return (
            f"stock policy version {book.proposed_version} is proposed; it holds nothing back "
            f"until it is approved: kcjl stock policy approve {book.proposed_version}"
        )

    async def approve_policy(self, version: int, note: str, *, by: str) -> str:
        """A person approves the policy that is proposed. Raises Refused for any other."""
        now = self.clock.now()
        said = decide_approval(self.book.get("policy"), version, now=now, note=note)
        await self.commit(said, by=by)
        approved = next(e for e in self.book["policy"].approved if e.version == version)
        when = "now" if approved.valid_from <= now else f"{approved.valid_from:%Y-%m-%d %H:%M}Z"
        return f"stock policy version {version} is approved, in force from {when} on"

    async def switch_publishing(self, *, on: bool, reason: str, by: str) -> str:
        """The operator's command: stop the publishing of stock, or allow it again."""
        before, now = self.publishing, self.clock.now()
        said = decide_publishing_switch(before, on=on, reason=reason, now=now)
        await self.commit(said, by=by)
        return switch_answer(
            before,
            on=on,
            is_news=bool(said),
            offered=offered_skus(self.products.values()),
            goes_out=await self._what_goes_out() if on and said else "",
        )

    async def release(self, hold_id: str, *, by: str) -> str:
        """The operator's command: what this hold has held may go out."""
        said = decide_release(self.publishing.hold, hold_id, self.clock.now())
        await self.commit(said, by=by)
        hold, goes_out = self.publishing.hold, await self._what_goes_out()
        return release_answer(hold, is_news=bool(said), goes_out=goes_out)

    async def retry(self, sku: str, *, by: str) -> str:
        """The operator's command: send the figure of a refused offer again."""
        product = self.products.get(stock_key(sku))
        shown = (
            next((each for each in product.shown if each.sku == sku), None) if product else None
        )
        await self.commit(decide_retry(shown, sku, self.clock.now()), by=by)
        refused = shown.refused if shown else ""
        return retry_answer(sku, refused=refused, goes_out=await self._what_goes_out(sku))

    async def _what_goes_out(self, sku: str = "") -> str:
        """What the marketplace is told next; of one SKU only, where it is named."""
        figures = await self._publisher.figures()
        if figures is not None and sku:
            figures = tuple(each for each in figures if each.sku == sku)
        return what_goes_out(figures, self.publishing, writes_allowed=self.writes_allowed)

    # ── by time ─────────────────────────────────────────────────────────────────────────────

    async def _read_stock(self) -> None:
        now = self.clock.now()
        said = decide_opening(self.book.get("policy"), self._opening, now=now)
        await self.commit(said, by="opening policy")
        await self._reader.read()

    async def _look_at_feed(self) -> float:
        now = self.clock.now()
        await self.commit(decide_freshness(self.publishing, self.last_reads, self._stale, now))
        return next_look_s(self.last_reads, self._stale, self.clock.now())
