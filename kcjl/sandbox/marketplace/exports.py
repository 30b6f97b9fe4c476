"""Exports: offers (OF52), orders (OR13), transaction lines (TL03), from asked to files.

Promises: the files hold what was so when the export completed, cut into chunks, and are gone
after their time; the same offer export still in hand gives the same id (d.5); an offer export
since a date holds what was changed and what was deleted since. It writes no JSON or CSV.
Invariant: an export that is COMPLETED or FAILED changes no more, but for losing its files.
Called by the marketplace's door; its files are written by the face.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import msgspec

from kcjl.errors import Misuse
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.ledger import Ledger
from kcjl.sandbox.marketplace.moments import milliseconds, seconds
from kcjl.sandbox.marketplace.offer_records import Offer
from kcjl.sandbox.marketplace.records import (
    Order,
    TransactionLine,
)
from kcjl.sandbox.marketplace.search import (
    OrderSearch,
    TransactionSearch,
    find_orders,
    find_transactions,
)
from kcjl.sandbox.marketplace.tenant import Tenant

__all__ = ["Export", "ExportAsked", "ExportKind", "Exports", "OfferSearch"]

ExportKind: TypeAlias = Literal["offers", "orders", "transactions"]
Row: TypeAlias = Offer | Order | TransactionLine

ROW_BYTES: dict[ExportKind, int] = {"offers": 2_000, "orders": 4_000, "transactions": 1_000}
"""Roughly, to cut chunks by megabytes before a row is written."""
FAILURE = ("1", "The export could not be made")
FAILURES_MAX = 1000


class OfferSearch(msgspec.Struct, frozen=True, kw_only=True):
    """OF51's and OF52's filters."""

    changed_since: datetime | None = None
    """Then deleted and inactive offers are in it too."""
    with_inactive: bool = False

    def fits(self, offer: Offer, now: datetime) -> bool:
        if self.changed_since is not None:
            since = seconds(self.changed_since)  # as exact as what an offer keeps
            return offer.updated_at is None or offer.updated_at >= since
        if offer.is_deleted:
            return False
        return self.with_inactive or not offer.inactive_because(now)


class ExportAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be exported, and how its files are cut and written."""

    kind: ExportKind
    form: Literal["csv", "json", "ndjson"] = "json"
    chunk_items: int = 100_000
    chunk_megabytes: int = 100
    offers: OfferSearch = OfferSearch()
    orders: OrderSearch = OrderSearch()
    tax_mode: str | None = None
    transactions: TransactionSearch = TransactionSearch()
    vouchers: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    """Of offers, by JSON names; empty: all."""


@dataclass(slots=True, kw_only=True)
class Export:
    """An export, and its files once it is done."""

    tracking_id: str
    asked: ExportAsked
    created_at: datetime
    updated_at: datetime
    status: Literal["PENDING", "COMPLETED", "FAILED"] = "PENDING"
    error: tuple[str, str] | None = None
    """(code, detail) of one that FAILED."""
    chunks: int = 0
    files: list[list[Row]] = field(default_factory=list)
    """Rows of each file, as they were; empty when the files are gone."""


class Exports:
    """All exports of the shop."""

    def __init__(
        self,
        agenda: Agenda,
        tenant: Tenant,
        book: Book,
        ledger: Ledger,
    ) -> None:
        self._agenda = agenda
        self._tenant = tenant
        self._book = book
        self._ledger = ledger
        self.exports: dict[str, Export] = {}
        self._failures_to_come = 0

    def take(self, asked: ExportAsked) -> str:
        """Returns the tracking id."""
        if asked.kind == "offers":
            for before in reversed(self.exports.values()):
                if before.status == "PENDING" and before.asked == asked:
                    return before.tracking_id
        agenda, settings = self._agenda, self._tenant.settings
        now = milliseconds(agenda.now)
        taken = Export(tracking_id=agenda.new_id(), asked=asked, created_at=now, updated_at=now)
        self.exports[taken.tracking_id] = taken
        duration_s = agenda.chance.uniform(settings.export_s_min, settings.export_s_max)
        agenda.after(timedelta(seconds=duration_s), lambda: self._complete(taken))
        return taken.tracking_id

    def fail_next(self, count: int) -> None:
        """So many exports that are completed from now on end FAILED instead."""
        if not 0 <= count <= FAILURES_MAX:
            raise Misuse(f"failing exports: 0 to {FAILURES_MAX}, not {count}")
        self._failures_to_come = count

    def find(self, kind: ExportKind, tracking_id: str) -> Export:
        found = self.exports.get(tracking_id)
        if found is None or found.asked.kind != kind:
            raise ApiError.of(404, f"Export {tracking_id} not found")
        return found

    def rows(self, kind: ExportKind, tracking_id: str, number: int) -> tuple[Export, list[Row]]:
        """The rows of one file, counted from 1."""
        export = self.find(kind, tracking_id)
        if not 1 <= number <= len(export.files):
            raise ApiError.of(404, "There is no such file, or its time is over")
        return export, export.files[number - 1]

    def offers(self, search: OfferSearch) -> list[Offer]:
        """Offers that fit, by their number (OF51)."""
        catalogue = self._book.catalogue
        known = [*catalogue.offers.values(), *catalogue.deleted.values()]
        now = self._agenda.now
        return sorted((o for o in known if search.fits(o, now)), key=lambda o: o.offer_id)

    def _complete(self, taken: Export) -> None:
        taken.updated_at = milliseconds(self._agenda.now)
        share = self._tenant.settings.failing_export_share
        if self._failures_to_come:
            self._failures_to_come -= 1
            taken.status, taken.error = "FAILED", FAILURE
            return
        if share and self._agenda.chance.random() < share:
            taken.status, taken.error = "FAILED", FAILURE
            return
        rows = self._found(taken.asked)
        by_size = taken.asked.chunk_megabytes * 1_000_000 // ROW_BYTES[taken.asked.kind]
        step = min(taken.asked.chunk_items, by_size)
        starts = range(0, max(1, len(rows)), step)
        taken.files = [[copy.deepcopy(row) for row in rows[at : at + step]] for at in starts]
        taken.chunks = len(taken.files)
        taken.status = "COMPLETED"
        lives = timedelta(hours=self._tenant.settings.export_files_live_hours)
        self._agenda.after(lives, _forgetting(taken))

    def _found(self, asked: ExportAsked) -> Sequence[Row]:
        match asked.kind:
            case "offers":
                return self.offers(asked.offers)
            case "orders":
                return find_orders(self._book, asked.orders)
            case "transactions":
                lines, _ = find_transactions(
                    self._ledger,
                    self._book,
                    asked.transactions,
                    by_update=False,
                    descending=False,
                    after=None,
                    limit=len(self._ledger.lines),
                )
                return [x for x in lines if not asked.vouchers or x.voucher in asked.vouchers]


def _forgetting(taken: Export) -> Callable[[], None]:
    return taken.files.clear
