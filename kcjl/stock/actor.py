"""Stock, the shell: reads offers, codes and levels; publishes what changed; follows the import.

Promises: read stock, then orders, then publish; one stock import at a time, followed to its
end; one whose answer was lost is replaced by fresh absolute figures. It holds no rule.
Called by `service.py`. Source: design 6; contract johnlewis b.2, khaos b.1, b.2, b.7.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from kcjl.actors import Job, Room
from kcjl.calls.correlation import correlated
from kcjl.clock import Clock, Ids
from kcjl.errors import NotFound, OutcomeUnknown, Refused
from kcjl.exceptions.events import WritesSwitched
from kcjl.johnlewis.port import MarketplacePort, StockFigure, StockImportStatus
from kcjl.khaos.port import ErpPort
from kcjl.khaos.port import Product as ErpProduct
from kcjl.log.port import Log
from kcjl.orders.events import OrderReceived, OrdersRead
from kcjl.settings import StockSettings
from kcjl.stock.decide import (
    decide_buffer,
    decide_confirmation,
    decide_figures,
    decide_level,
    wants_look,
)
from kcjl.stock.differing import Differing
from kcjl.stock.events import (
    ImportLineRefused,
    LevelRead,
    OfferListed,
    SkuConfirmed,
    SkuUnmatched,
    StockImportFailed,
    StockImportFinished,
    StockImportIntended,
    StockImportSent,
    StockImportUnknown,
    StockRead,
    stock_key,
)
from kcjl.stock.nearest import nearest_codes
from kcjl.stock.state import POLICY, PRODUCTS, PUBLISHES, READS, Match, Product, Publish
from kcjl.vocabulary import Event

__all__ = ["Stock"]

OVERLAP = timedelta(hours=2)
"""Reads of moved and edited products reach back so far (contract khaos b.1)."""
SAME_STAMP = timedelta(minutes=2)
"""Two moves so close may carry one stamp: it is coarse, and of the ERP's own clock."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
OFFERS_EVERY = timedelta(hours=1)


class Stock(Room):
    """The stock actor."""

    name = "stock"

    def __init__(
        self,
        log: Log,
        clock: Clock,
        ids: Ids,
        *,
        marketplace: MarketplacePort,
        erp: ErpPort,
        settings: StockSettings,
        opening_buffer: int,
    ) -> None:
        super().__init__(log, clock, ids)
        self._marketplace = marketplace
        self._erp = erp
        self._settings = settings
        self._opening_buffer = opening_buffer
        self.products = self.table(PRODUCTS, watch=wants_look, tracked=True)
        self._differing = Differing(self.products)
        self.publishes = self.table(PUBLISHES)
        self.policy = self.table(POLICY)
        self.reads = self.table(READS)
        self._codes: set[str] = set()
        """Every stock code of the ERP, to propose from: a cache, read again at each start."""
        self._edited_cursor = LONG_AGO
        self._moved_seen: dict[str, datetime | None] = {}
        self._sites: tuple[str, ...] = settings.sites
        poll = timedelta(seconds=settings.poll_s)
        self.jobs = (
            Job("offers", self._read_offers, every=OFFERS_EVERY),
            Job("levels", self._read_stock, every=poll, wakes_on=(OfferListed,)),
            Job("new-skus", self._ask_new_skus, every=poll, wakes_on=(OrderReceived,)),
            Job("publish", self._publish, every=poll, wakes_on=(OrdersRead, WritesSwitched)),
        )

    async def set_buffer(self, units: int, *, by: str) -> None:
        """The operator's command."""
        now = self.clock.now()
        await self.commit(decide_buffer(self.policy.get("policy"), units=units, now=now), by=by)

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    async def _read_offers(self) -> None:
        began = self.clock.now()
        offers = await self._marketplace.offers()
        listed = [
            OfferListed(
                sku=offer.sku,
                offer_id=offer.offer_id,
                title=offer.product_title,
                quantity=offer.quantity,
                occurred_at=began,
            )
            for offer in offers
            if not self._is_listed(offer.sku)
        ]
        await self.commit(listed)

    def _is_listed(self, sku: str) -> bool:
        product = self.products.get(stock_key(sku))
        return product is not None and any(each.sku == sku for each in product.shown)

    async def _read_stock(self) -> None:
        """Confirm codes, then read the levels of what moved, is new, or is in flight."""
        await self._open_policy()
        began = self.clock.now()
        edited = await self._read_catalogue()
        asked = {
            key: product
            for key, product in self.products.watched()
            if product.match != Match.CONFIRMED
        }
        asked.update((product.key, product) for product in self._known(edited))
        await self._confirm(list(asked.values()))
        self._edited_cursor = began - OVERLAP
        moved = await self._moved_products()
        levels = await self._changed_levels(began, moved)
        finished = self.clock.now()
        await self.commit(levels)
        self._moved_seen.update(moved)
        await self.commit(
            (
                StockRead(
                    finished_at=finished,
                    cursor=began,
                    products=len(levels),
                    occurred_at=began,
                ),
            )
        )

    def _known(self, keys: Iterable[str]) -> list[Product]:
        """Those of the stock keys that are ours, in an order that is no set's."""
        return [self.products[key] for key in sorted(keys) if key in self.products]

    async def _open_policy(self) -> None:
        if "policy" not in self.policy:
            await self.set_buffer(self._opening_buffer, by="opening policy")

    async def _read_catalogue(self) -> set[str]:
        """The stock keys that were edited since the last look, also by an earlier process."""
        edited = await self._erp.edited_products(self._edited_cursor)
        self._codes.update(each.stock_code for each in edited)
        reads = self.reads.get("reads")
        since = reads.stock_cursor - OVERLAP if reads and reads.stock_cursor else LONG_AGO
        return {
            stock_key(each.stock_code)
            for each in edited
            if each.changed_at is None or each.changed_at >= since
        }

    async def _ask_new_skus(self) -> None:
        """A SKU that an order names and nobody has asked the ERP about yet."""
        asked = [each for _, each in self.products.watched() if each.match == Match.UNASKED]
        if asked and self._codes:
            await self._confirm(asked)

    async def _confirm(self, products: Sequence[Product]) -> None:
        if not products:
            return
        by_code = {product.spelling: product for product in products}
        answers = await self._erp.products(list(by_code))
        now = self.clock.now()
        events: list[Event] = []
        for code, product in by_code.items():
            found = answers.get(code)
            answer = (
                self._unmatched(product, now)
                if found is None
                else _confirmed(product, found, now)
            )
            current = self.products.get(product.key) or product
            events.extend(decide_confirmation(current, answer))
        await self.commit(events)

    def _unmatched(self, product: Product, now: datetime) -> SkuUnmatched:
        nearest = nearest_codes(product.spelling, self._codes)
        return SkuUnmatched(sku=product.spelling, nearest=nearest, occurred_at=now)

    async def _moved_products(self) -> dict[str, datetime | None]:
        """By stock key, when it moved; as seen once its level is in the log, not before."""
        reads = self.reads.get("reads")
        since = reads.stock_cursor - OVERLAP if reads and reads.stock_cursor else LONG_AGO
        moved = await self._erp.moved_products(since)
        return {stock_key(each.stock_code): each.changed_at for each in moved}

    def _is_news(self, key: str, when: datetime | None) -> bool:
        """Not read at this stamp yet; one so near to the last read may hide a later move."""
        reads = self.reads.get("reads")
        if when is None or reads is None or reads.stock_began_at is None:
            return True
        return self._moved_seen.get(key) != when or when >= reads.stock_began_at - SAME_STAMP

    async def _changed_levels(
        self, began: datetime, moved: Mapping[str, datetime | None]
    ) -> list[Event]:
        moved_keys = {key for key, when in moved.items() if self._is_news(key, when)}
        looked_at = [product for _, product in self.products.watched()]
        wanted = dict.fromkeys(
            product.stock_code
            for product in (*looked_at, *self._known(moved_keys))
            if product.match == Match.CONFIRMED
        )
        found = await self._erp.stock_levels(list(wanted), await self._site_ids())
        finished = self.clock.now()
        events: list[Event] = []
        levels: dict[str, LevelRead] = {}
        for level in sorted(found, key=lambda each: each.site_id):
            key = stock_key(level.stock_code)
            before = levels.get(key)
            # A row that comes twice is one row: a site counts once, as it was told last.
            sites = dict(before.levels if before else ()) | {level.site_id: level.available}
            said_at = level.read_at or began  # a level that was pushed is as old as its push
            levels[key] = LevelRead(
                sku=level.stock_code,
                levels=tuple(sites.items()),
                status=level.status,
                finished_at=finished,
                occurred_at=min(before.occurred_at, said_at) if before else said_at,
            )
        for key, read in levels.items():
            product = self.products.get(key)
            if product is not None:
                events.extend(decide_level(product, read))
        return events

    async def _site_ids(self) -> tuple[str, ...]:
        if not self._sites:
            sites = await self._erp.sites()
            chosen = [site.site_id for site in sites if site.is_default]
            self._sites = tuple(chosen or [site.site_id for site in sites[:1]])
        return self._sites

    # ── publishing ──────────────────────────────────────────────────────────────────────────

    async def _publish(self) -> float | None:
        """Follow what is on its way; then send what differs as one stock import."""
        for publish_id, publish in self.publishes.items():
            if not publish.import_id:
                await self._lost(publish, "the service stopped before the answer came")
            else:
                with correlated(publish_id):
                    ended = await self._followed(publish_id)
                if not ended:
                    return self._settings.follow_s
        policy = self.policy.get("policy")
        if policy is None or not self.writes_allowed:
            return None
        figures = decide_figures(
            self._differing.products(policy),
            policy,
            self.reads.get("reads"),
            lines_max=self._settings.lines_max,
        )
        if not figures:
            return None
        publish_id = self.ids.new()
        skus = tuple(figure.sku for figure in figures)
        await self.commit(
            (
                StockImportIntended(
                    publish_id=publish_id,
                    figures=figures,
                    policy_version=policy.version,
                    occurred_at=self.clock.now(),
                ),
            ),
            correlation_id=publish_id,
        )
        try:
            with correlated(publish_id):
                import_id = await self._marketplace.publish_stock(
                    [StockFigure(sku=each.sku, quantity=each.quantity) for each in figures]
                )
        except OutcomeUnknown as lost:
            await self._lost(self.publishes[publish_id], lost.message)
            return self._settings.follow_s
        except Refused as refusal:
            await self._failed_import(self.publishes[publish_id], refusal.message)
            raise
        await self.commit(
            (
                StockImportSent(
                    publish_id=publish_id,
                    import_id=import_id,
                    skus=skus,
                    occurred_at=self.clock.now(),
                ),
            ),
            correlation_id=publish_id,
        )
        return self._settings.follow_s

    async def _lost(self, publish: Publish, message: str) -> None:
        await self.commit(
            (
                StockImportUnknown(
                    publish_id=publish.publish_id,
                    message=message,
                    skus=publish.skus,
                    occurred_at=self.clock.now(),
                ),
            ),
            correlation_id=publish.publish_id,
        )

    async def _failed_import(self, publish: Publish, message: str) -> None:
        await self.commit(
            (
                StockImportFailed(
                    publish_id=publish.publish_id,
                    message=message,
                    skus=publish.skus,
                    occurred_at=self.clock.now(),
                ),
            ),
            correlation_id=publish.publish_id,
        )

    async def _followed(self, publish_id: str) -> bool:
        """True when the import has come to its end."""
        publish = self.publishes[publish_id]
        try:
            state = await self._marketplace.stock_import(publish.import_id)
        except NotFound as gone:
            await self._failed_import(publish, gone.message)
            return True
        if state.status == StockImportStatus.FAILED:
            await self._failed_import(publish, "the marketplace gave the import up")
            return True
        if state.status != StockImportStatus.COMPLETE:
            return False
        errors = (
            await self._marketplace.stock_import_errors(publish.import_id)
            if state.has_error_report or state.lines_in_error
            else ()
        )
        await self.commit(
            (
                StockImportFinished(
                    publish_id=publish_id,
                    import_id=publish.import_id,
                    skus=publish.skus,
                    refused=tuple(
                        ImportLineRefused(sku=error.sku, message=error.message)
                        for error in errors
                    ),
                    occurred_at=self.clock.now(),
                ),
            ),
            correlation_id=publish_id,
        )
        return True


def _confirmed(product: Product, found: ErpProduct, now: datetime) -> SkuConfirmed:
    return SkuConfirmed(
        sku=product.spelling,
        stock_code=found.stock_code,
        discontinued=found.discontinued,
        run_to_zero=found.run_to_zero,
        stock_controlled=found.stock_controlled,
        sales_multiple=found.sales_multiple,
        display_cap=found.display_cap,
        occurred_at=now,
    )
