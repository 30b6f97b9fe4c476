"""Calls about offers: read whole, written whole, and what changed since.

Promises: reads give every row of every page and file; a write is one request that ends as
done, `Refused`, `Unavailable` or `OutcomeUnknown`. To repeat OF24 after `OutcomeUnknown`, send
the same offers again: while the first is in hand they give the same import id back, and the
final content wins (contract d.5). It keeps nothing. Invariant: only complete offers are sent.
Called through `OfferPort`. Source: contract johnlewis b.2, d.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Literal

import msgspec

from kcjl.clock import Clock
from kcjl.errors import Misuse, OutcomeUnknown, ProtocolSurprise, Refused
from kcjl.johnlewis import offer_records, offer_wire, offer_writing
from kcjl.johnlewis.access import SellerApiSettings
from kcjl.johnlewis.asking import moment
from kcjl.johnlewis.export_port import ExportMemory
from kcjl.johnlewis.exports import (
    OFFERS,
    ExportFamily,
    Exports,
    Follower,
    NothingKept,
)
from kcjl.johnlewis.http import SellerHttp
from kcjl.johnlewis.offer_port import (
    CompleteOffer,
    OfferChange,
    OfferImport,
    OfferImportError,
    OfferImportStatus,
    OfferRemoval,
)
from kcjl.johnlewis.port import Offer
from kcjl.johnlewis.reading import text
from kcjl.johnlewis.request import Call
from kcjl.johnlewis.splitting import CsvRows, JsonRows
from kcjl.johnlewis.wire import decoded

__all__ = ["OfferCalls"]

QUANTITY_MAX = 1_000_000_000
SKU_CHARACTERS_MAX = 40

IMPORT_PERIOD_S = 300
"""How often OF02 is looked at (d.1)."""

CHANGE_EXPORT = ExportFamily(
    asks="OF51", looks="OF51", fetches="OF51", path="/api/offers/export", period_s=300
)
"""OF51 needs no asking: the address is the file's."""

_JSON = "application/json"
_CSV = "text/csv"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class OfferCalls:
    """The offers of one shop. Fields are set by `SellerApi`."""

    _settings: SellerApiSettings
    _currency: str
    _clock: Clock
    _http: SellerHttp
    _exports: Exports

    async def offers(self) -> Sequence[Offer]:
        """OF21, by title: the default, by price, moves under the paging more often."""
        call = Call(operation="OF21", path="/api/offers", query=(("sort", "productTitle"),))
        return await self._http.offset_rows(
            call, lambda body: offer_records.offers(body, self._currency), rows_leave=True
        )

    # ── writing ─────────────────────────────────────────────────────────────────────────────

    async def publish_offers(
        self, offers: Sequence[CompleteOffer], removals: Sequence[OfferRemoval] = ()
    ) -> int:
        """OF24: the import's id, also that of the import which is doing the same already."""
        _check(offers, removals, self._settings.offers_a_call_max)
        asked = [offer_writing.offer_asked(offer) for offer in offers]
        asked += [offer_writing.removal_asked(removal) for removal in removals]
        call = Call(
            operation="OF24",
            method="POST",
            path="/api/offers",
            subject=f"of {len(asked)} offers",
            json=_ENCODER.encode({"offers": asked}),
        )
        answer = await self._http.send(call)
        try:
            told = decoded(answer.body or b"{}", offer_wire.WireOfferImport, "OF24").import_id
        except ProtocolSurprise:
            told = None
        import_id = text(told) or (answer.location or "").rstrip("/").rpartition("/")[2]
        if not (import_id.isascii() and import_id.isdecimal()):
            raise OutcomeUnknown(
                f"{call}: taken, but the answer does not say its import id; send the same again"
            )
        return int(import_id)

    async def offer_import(self, import_id: int) -> OfferImport:
        call = Call(
            operation="OF02",
            path=f"/api/offers/imports/{import_id}",
            subject=f"of import {import_id}",
        )
        return offer_writing.offer_import((await self._http.send(call)).body, import_id)

    async def offer_import_done(self, import_id: int, asked_at: datetime) -> OfferImport:
        """OF02 until it is complete, also with errors: read `lines_in_error`.

        Raises `Refused` when the import failed as a whole, `Unavailable` when it takes longer
        than the age limit. To go on after a restart, give the kept id and time.
        """

        async def look() -> OfferImport | None:
            found = await self.offer_import(import_id)
            if found.status is OfferImportStatus.FAILED:
                raise Refused(
                    f"OF02 of import {import_id}: FAILED: {found.reason or 'no reason given'}",
                    reason_code=found.reason or "FAILED",
                    status=200,
                )
            return found if found.status is OfferImportStatus.COMPLETE else None

        follower = Follower(self._clock, age_s_max=self._settings.export_age_s_max)
        return await follower.finished(
            f"OF02 of import {import_id}",
            asked_at=asked_at,
            period_s=IMPORT_PERIOD_S,
            look=look,
        )

    async def offer_import_errors(self, import_id: int) -> Sequence[OfferImportError]:
        call = Call(
            operation="OF03",
            path=f"/api/offers/imports/{import_id}/error_report",
            subject=f"of import {import_id}",
            accept="text/csv, */*;q=0.5",
        )
        return offer_writing.import_errors((await self._http.send(call)).body)

    # ── what changed ────────────────────────────────────────────────────────────────────────

    async def offers_changed(
        self, since: datetime
    ) -> AsyncGenerator[Sequence[OfferChange], None]:
        """OF51: updated and deleted since then. Close the iterator when leaving early."""
        url = f"{self._settings.root}/api/offers/export?last_request_date={moment(since)}"
        if self._settings.shop_id is not None:
            url += f"&shop_id={self._settings.shop_id}"
        reader = CsvRows(what="OF51")
        async with aclosing(self._exports.pieces(CHANGE_EXPORT, url, accept=_CSV)) as pieces:
            async for piece in pieces:
                if cells := reader.feed(piece):
                    yield self._of_cells(cells, "OF51")
        if cells := reader.finish():
            yield self._of_cells(cells, "OF51")

    async def offer_changes(self, since: datetime) -> Sequence[OfferChange]:
        """OF51, the whole file: a row for each offer that was updated or deleted."""
        async with aclosing(self.offers_changed(since)) as batches:
            return [change async for batch in batches for change in batch]

    def _of_cells(self, rows: Sequence[dict[str, str]], operation: str) -> list[OfferChange]:
        return [offer_records.change_of_cells(row, self._currency, operation) for row in rows]

    async def offers_exported(
        self,
        since: datetime | None,
        *,
        form: Literal["json", "csv"] = "json",
        memory: ExportMemory | None = None,
    ) -> AsyncGenerator[Sequence[OfferChange], None]:
        """OF52 → OF53 → OF54, file by file. Close the iterator when leaving early.

        With a memory, an export that was asked for before a restart is gone on with.
        """
        memory = memory or NothingKept()
        kind = _JSON if form == "json" else _CSV
        asked: dict[str, object] = {
            "export_type": kind,
            "items_per_chunk": self._settings.export_rows_per_file,
        }
        if since is None:
            asked["include_inactive_offers"] = True  # not to be said beside a date
        else:
            asked["last_request_date"] = moment(since)
        subject = f"since {asked.get('last_request_date', 'ever')} as {form}"
        name = f"OF52 {subject}"
        urls = await self._exports.finished(
            OFFERS, msgspec.json.encode(asked), subject, memory=memory, name=name
        )
        try:
            for url in urls:
                async with aclosing(self._changes_of(url, kind)) as batches:
                    async for batch in batches:
                        yield batch
        except Refused:
            await memory.forget(name)  # the files are gone: the next call asks anew
            raise
        await memory.forget(name)

    async def _changes_of(
        self, url: str, kind: str
    ) -> AsyncGenerator[Sequence[OfferChange], None]:
        async with aclosing(self._exports.pieces(OFFERS, url, accept=kind)) as pieces:
            if kind == _CSV:
                cells = CsvRows(what="OF54")
                async for piece in pieces:
                    if told := cells.feed(piece):
                        yield self._of_cells(told, "OF54")
                if told := cells.finish():
                    yield self._of_cells(told, "OF54")
                return
            reader = JsonRows(offer_wire.WireChange, name="offers", what="OF54")
            async for piece in pieces:
                if rows := reader.feed(piece):
                    yield self._of_rows(rows)
            if rows := reader.finish():
                yield self._of_rows(rows)

    def _of_rows(self, rows: Sequence[offer_wire.WireChange]) -> list[OfferChange]:
        return [offer_records.change(row, self._currency, "OF54") for row in rows]


def _check(
    offers: Sequence[CompleteOffer], removals: Sequence[OfferRemoval], count_max: int
) -> None:
    """Refuse what the marketplace would never take, or would take in a way nobody means."""
    count = len(offers) + len(removals)
    if not 0 < count <= count_max:
        raise Misuse(f"OF24: {count} offers; one call has 1 to {count_max}")
    skus = [offer.sku for offer in offers] + [removal.sku for removal in removals]
    if len(set(skus)) < count:
        raise Misuse("OF24: a SKU stands there twice, and the last would win unseen")
    for sku in skus:
        if not sku.strip() or not sku.isprintable() or "/" in sku:
            raise Misuse(f"OF24: {sku!r} can't be a SKU")
        if len(sku) > SKU_CHARACTERS_MAX:
            raise Misuse(f"OF24: SKU {sku!r} is longer than {SKU_CHARACTERS_MAX} characters")
    for offer in offers:
        if not 0 <= offer.quantity <= QUANTITY_MAX or offer.price.amount_minor <= 0:
            raise Misuse(
                f"OF24: {offer.sku} × {offer.quantity} at {offer.price} can't be offered"
            )
