"""Khaos Control Cloud by its channel feed: the ERP's port where the ERP calls us.

Promises: each method of the port, out of what was queued for the ERP and what it has pushed. An
order is QUEUED until a status says that the ERP has it; levels and products carry the time at
which they were heard; a feed that has gone silent is `Unavailable`, never old figures.
It never calls anybody. Invariant: the buyer's address is in the vault only.
Called by the composition root. Source: contract khaos b.9, b.10, c, e, h.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice

from msgspec.structs import replace

from kcjl.clock import Clock
from kcjl.errors import NotFound, Unavailable
from kcjl.khaos.capabilities import Capabilities, Unsupported
from kcjl.khaos.cloud_feed import (
    CloudFeed,
    DocumentKind,
    Endpoint,
    KnownLevel,
    KnownProduct,
    QueuedDocument,
    feed_key,
)
from kcjl.khaos.cloud_order import Tree, as_bytes, from_bytes, order_tree, return_tree
from kcjl.khaos.cloud_settings import CloudSettings, formatted_reference
from kcjl.khaos.cloud_status import order_status, waiting_status
from kcjl.khaos.port import (
    Courier,
    CreatedOrder,
    CreateOutcome,
    ExportedOrder,
    NewOrder,
    OrderProgress,
    OrderStatus,
    Product,
    ProductRef,
    Queued,
    RegisteredReturn,
    ReturnOutcome,
    ReturnRequest,
    Site,
    StockLevel,
    StockPotential,
)
from kcjl.vault import Vault

__all__ = ["CloudFeedAdapter"]

ADAPTER = "the Cloud feed"
SWEEP_CODES = 500
NOT_CONTROLLED = 5


class CloudFeedAdapter:
    """The ERP behind one Cloud channel. Implements `WholeErp`."""

    def __init__(
        self,
        settings: CloudSettings,
        *,
        clock: Clock,
        feed: CloudFeed,
        vault: Vault,
        keep_documents: timedelta,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._feed = feed
        self._vault = vault
        self._keep_documents = keep_documents

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            pull_stock=False,
            push_stock=True,
            lookup_order=False,
            sync_order_result=False,
            line_refs_in_shipments=True,
            returns=True,
            journals=False,
            max_external_ref=self._reference_chars(),
            deleted_entries=True,
        )

    def _reference_chars(self) -> int:
        """What is left for our reference when the channel has added its own signs."""
        added = len(formatted_reference("", self._settings))
        return max(self._settings.max_external_ref - added, 0)

    # ── the system ──────────────────────────────────────────────────────────────────────────

    async def ping(self) -> str:
        """When the ERP called last. Raises Unavailable when it is silent."""
        last = await self._last_contact()
        return f"Khaos Control Cloud feed; the ERP called last at {last:%Y-%m-%d %H:%M:%S}Z"

    async def sites(self) -> Sequence[Site]:
        mine = Site(
            site_id=self._settings.site_id,
            name=self._settings.site_name or f"site {self._settings.site_id}",
            is_default=True,
        )
        others = await self._feed.site_ids()
        return [mine, *(Site(site_id=s, name="") for s in others if s != mine.site_id)]

    async def couriers(self) -> Sequence[Courier]:
        """The feed lists none: a courier is known by the parcels that it carries."""
        return ()

    # ── stock ───────────────────────────────────────────────────────────────────────────────

    async def moved_products(self, since: datetime) -> Sequence[ProductRef]:
        heard: dict[str, KnownLevel] = {}
        for known in await self._feed.levels_since(since):
            key = feed_key(known.level.stock_code)
            if key not in heard or heard[key].heard_at < known.heard_at:
                heard[key] = known
        return [
            ProductRef(stock_code=each.level.stock_code, changed_at=each.heard_at)
            for each in heard.values()
        ]

    async def edited_products(self, since: datetime) -> Sequence[ProductRef]:
        return [_ref(each, each.heard_at) for each in await self._feed.products_since(since)]

    async def launched_products(self, since: datetime) -> Sequence[ProductRef]:
        """Those that came into the feed since."""
        known = await self._feed.products_since(since)
        return [
            _ref(each, each.first_heard_at)
            for each in known
            if each.first_heard_at >= since and not each.deleted
        ]

    async def deleted_products(self, since: datetime) -> Sequence[ProductRef]:
        known = await self._feed.products_since(since)
        return [_ref(each, each.heard_at) for each in known if each.deleted]

    async def products(self, codes: Sequence[str]) -> dict[str, Product]:
        """Raises Unavailable until the ERP has pushed its products once."""
        if Endpoint.STOCK not in await self._feed.contacts():
            raise Unavailable(
                "the ERP has not pushed its products yet: it does when the channel's stock is "
                "linked"
            )
        found = {feed_key(k.product.stock_code): k for k in await self._feed.products(codes)}
        return {
            code: _product(found[feed_key(code)]) for code in codes if feed_key(code) in found
        }

    async def stock_levels(
        self, codes: Sequence[str], site_ids: Sequence[str]
    ) -> Sequence[StockLevel]:
        await self._last_contact()
        wanted = set(site_ids)
        return [
            self._level(known)
            for known in await self._feed.levels(codes)
            if known.level.site_id in wanted
        ]

    async def swept_levels(
        self, codes: Iterable[str], site_ids: Sequence[str]
    ) -> AsyncIterator[Sequence[StockLevel]]:
        left = iter(codes)
        while chunk := list(islice(left, SWEEP_CODES)):
            yield await self.stock_levels(chunk, site_ids)

    async def stock_potential(self, codes: Sequence[str]) -> Sequence[StockPotential]:
        raise Unsupported(
            f"stock_potential of {len(codes)} codes", adapter=ADAPTER, instead="look in the ERP"
        )

    def _level(self, known: KnownLevel) -> StockLevel:
        """If Levels is there, Available alone counts (contract khaos e)."""
        level = known.level
        available, status = level.available, None
        if available is None and self._settings.add_buildable:
            available = level.buildable
        if available is None:
            available, status = Decimal(0), NOT_CONTROLLED
        return StockLevel(
            stock_code=level.stock_code,
            site_id=level.site_id,
            available=available,
            status=status,
            on_order=level.on_order,
            build_potential=level.buildable,
            read_at=known.heard_at,
        )

    async def _last_contact(self) -> datetime:
        """When the ERP called last; a feed that is silent for too long tells nothing."""
        contacts = await self._feed.contacts()
        if not contacts:
            raise Unavailable("the ERP has not called us yet: is its channel set up and on?")
        last = max(contacts.values())
        if self._clock.now() - last > self._settings.silent_after:
            raise Unavailable(
                f"the ERP has not called us since {last:%Y-%m-%d %H:%M}Z: what it said of its "
                "stock is too old; see in Khaos Control whether the channel is on"
            )
        return last

    # ── orders ──────────────────────────────────────────────────────────────────────────────

    def check_order(self, order: NewOrder) -> None:
        """It is of the past three months, too."""
        order_tree(order, self._settings, now=self._clock.now())

    async def create_order(self, order: NewOrder) -> CreatedOrder:
        """Queue it. Raises Refused for an order that does not fit or is too old."""
        now = self._clock.now()
        tree = order_tree(order, self._settings, now=now)
        known = await self._feed.statuses([order.external_ref])
        if known:
            return CreatedOrder(
                outcome=CreateOutcome.ALREADY_EXISTS, erp_order_code=known[0].order_code
            )
        await self._keep(DocumentKind.ORDER, order.external_ref, tree, now)
        await self._feed.queue(DocumentKind.ORDER, order.external_ref, at=now)
        row = await self._feed.queued(DocumentKind.ORDER, order.external_ref)
        queued = self._waits(row) if row else Queued(until=now + self._settings.fetched_within)
        return CreatedOrder(
            outcome=CreateOutcome.QUEUED,
            erp_order_code="",
            message=f"{order.external_ref} waits for the ERP to fetch it",
            queued=queued,
        )

    async def find_order(self, external_ref: str) -> OrderStatus | None:
        """What the ERP has told of it; else what waits for the ERP."""
        heard = await self.order_statuses([external_ref])
        if heard:
            return heard[0]
        row = await self._feed.queued(DocumentKind.ORDER, external_ref)
        return None if row is None else waiting_status(external_ref, self._waits(row))

    async def order_statuses(self, external_refs: Sequence[str]) -> Sequence[OrderStatus]:
        """Those that the ERP has told of; what only waits for it is absent."""
        asked = {feed_key(each): each for each in external_refs}
        return [
            replace(order_status(known), external_ref=asked[feed_key(known.reference)])
            for known in await self._feed.statuses(list(asked.values()))
        ]

    def _waits(self, row: QueuedDocument) -> Queued:
        if row.fetched_at is None:
            return Queued(until=row.queued_at + self._settings.fetched_within)
        until = row.fetched_at + self._settings.status_within
        return Queued(until=until, fetched_at=row.fetched_at)

    async def orders_in_progress(self) -> Sequence[OrderProgress]:
        raise Unsupported(
            "orders_in_progress", adapter=ADAPTER, instead="ask for orders by their reference"
        )

    async def exported_orders(
        self, *, external_refs: Sequence[str] = (), erp_order_codes: Sequence[str] = ()
    ) -> Sequence[ExportedOrder]:
        asked = len(external_refs) + len(erp_order_codes)
        raise Unsupported(
            f"exported_orders of {asked}", adapter=ADAPTER, instead="look in the ERP"
        )

    # ── returns ─────────────────────────────────────────────────────────────────────────────

    async def register_return(self, request: ReturnRequest) -> RegisteredReturn:
        """Queue it for the ERP, which never tells what became of it."""
        now = self._clock.now()
        tree = return_tree(request, self._settings)
        there = await self._feed.queued(DocumentKind.RETURN, request.return_ref)
        fresh = False
        if there is None:
            await self._keep(DocumentKind.RETURN, request.return_ref, tree, now)
            fresh = await self._feed.queue(DocumentKind.RETURN, request.return_ref, at=now)
        outcome = ReturnOutcome.QUEUED if fresh else ReturnOutcome.ALREADY_QUEUED
        return RegisteredReturn(outcome=outcome, return_ref=request.return_ref)

    async def forget_buyer(self, external_ref: str) -> None:
        """The document that waits for the ERP, or was fetched by it, goes."""
        await self._vault.erase(_vault_ref(DocumentKind.ORDER, external_ref))

    # ── documents ───────────────────────────────────────────────────────────────────────────

    async def document(self, kind: DocumentKind, reference: str) -> Tree | None:
        """The document of a queued reference; None when it has expired."""
        try:
            return from_bytes(await self._vault.open(_vault_ref(kind, reference)))
        except NotFound:
            return None

    async def _keep(
        self, kind: DocumentKind, reference: str, tree: Tree, now: datetime
    ) -> None:
        until = now + self._keep_documents
        ref = _vault_ref(kind, reference)
        await self._vault.seal(ref, as_bytes(tree), at=now, until=until)


def _vault_ref(kind: DocumentKind, reference: str) -> str:
    return f"cloud-{kind}-{feed_key(reference)}"


def _ref(known: KnownProduct, at: datetime) -> ProductRef:
    return ProductRef(
        stock_code=known.product.stock_code,
        description=known.product.description,
        other_ref=known.product.other_ref,
        changed_at=at,
    )


def _product(known: KnownProduct) -> Product:
    """A product that was deleted is off sale."""
    return replace(known.product, discontinued=True) if known.deleted else known.product
