"""Products and levels over the SOAP web service: the stock half of the ERP's port.

Promises: each method of `StockPort` and `StockReadingPort`; lists of what changed name what can
be sold, a parent of sizes and colours being replaced by its children; a poll costs one call and
one for each chunk of codes. A sweep holds one chunk at a time. Invariant: an answer that can't
be read is never taken for "not there"; codes are compared without case. Called by the rooms
through `kws.py`. Source: contract khaos b.1, b.2, b.7, e, h.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from itertools import islice

import anyio.to_thread

from kcjl.clock import Clock
from kcjl.collector import give_back_freed
from kcjl.khaos import stock_document
from kcjl.khaos.answer_xml import Element
from kcjl.khaos.asking import (
    NEVER_IN_A_STOCK_CODE,
    askable,
    chunked,
    flag,
    look_up,
    moment,
    says_nothing_found,
    text,
    whole,
)
from kcjl.khaos.compressed import compression_method, unpacked_document
from kcjl.khaos.families import Families
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.london import NO_MOMENT, changed_since
from kcjl.khaos.long_list import ListRows
from kcjl.khaos.soap import SoapFault, SoapService
from kcjl.khaos.stock_port import Product, ProductRef, StockLevel, StockPotential
from kcjl.khaos.wsdl import Argument

__all__ = ["LONG_LIST", "KwsStock"]

_STOCK_CODE = "1"
"""MappingType of ExportStock, ExportStockStatus and GetStockPotential."""
_EDITED, _LAUNCHED, _MOVED = "0", "1", "2"
"""DateType of GetStockList."""
_ALL_ITEMS = "0"
"""StockItemType of GetStockList: parents and children, too."""
LONG_LIST = 5_000
"""After a list of so many rows its document's memory is given back: some 15 MB."""


class KwsStock:
    """What the web service knows of stock. Implements `StockReadingPort`."""

    def __init__(self, settings: KwsSettings, clock: Clock, service: SoapService) -> None:
        self._settings = settings
        self._clock = clock
        self._service = service
        self._families = Families()

    async def moved_products(self, since: datetime) -> Sequence[ProductRef]:
        return await self._changed_products(_MOVED, since)

    async def edited_products(self, since: datetime) -> Sequence[ProductRef]:
        return await self._changed_products(_EDITED, since)

    async def launched_products(self, since: datetime) -> Sequence[ProductRef]:
        return await self._changed_products(_LAUNCHED, since)

    async def deleted_products(self, since: datetime) -> Sequence[ProductRef]:
        """The vendor names GetDeletedEntries, not its shape: the WSDL says what it takes;
        a date goes where one is asked for, and each row of the answer that has a code is read.
        """
        asked = [moment("LastUpdated", changed_since(since))]
        try:
            answer = await self._service.call("GetDeletedEntries", asked)
        except SoapFault as fault:
            if not says_nothing_found(fault):
                raise
            return ()
        rows = stock_document.listed(answer.document())
        return stock_document.product_refs(rows, self._clock.now())

    async def products(self, codes: Sequence[str]) -> dict[str, Product]:
        found: dict[str, Product] = {}

        async def ask(chunk: Sequence[str]) -> None:
            document = await self._stock_document(chunk)
            for parent, children in stock_document.families(document).items():
                self._families.know(parent, children)
            found.update(stock_document.products(document))

        asked = askable(codes, never=NEVER_IN_A_STOCK_CODE)
        await look_up(chunked(asked, self._settings.product_codes_per_call), ask)
        return {code: found[code.casefold()] for code in codes if code.casefold() in found}

    async def stock_levels(
        self, codes: Sequence[str], site_ids: Sequence[str]
    ) -> Sequence[StockLevel]:
        levels: list[StockLevel] = []
        asked = askable(codes, never=NEVER_IN_A_STOCK_CODE)
        for site_id in dict.fromkeys(site_ids):
            await self._read_levels(asked, site_id, levels)
        return levels

    async def swept_levels(
        self, codes: Iterable[str], site_ids: Sequence[str]
    ) -> AsyncIterator[Sequence[StockLevel]]:
        """A chunk of codes at all sites, then the next; a code given twice is read twice."""
        source = iter(codes)
        while chunk := list(islice(source, self._settings.stock_codes_per_call)):
            levels = await self.stock_levels(chunk, site_ids)
            if levels:
                yield levels

    async def stock_potential(self, codes: Sequence[str]) -> Sequence[StockPotential]:
        found: dict[str, StockPotential] = {}

        async def ask(chunk: Sequence[str]) -> None:
            wanted = {code.casefold() for code in chunk}
            answer = await self._service.call(
                "GetStockPotential",
                [text("StockCode", ",".join(chunk)), whole("MappingType", _STOCK_CODE)],
                subject=f"{len(chunk)} codes",
            )
            for fields in answer.structs("StockCode"):
                key = fields["stockcode"].casefold()
                if key in wanted:
                    found[key] = stock_document.potential(fields)

        asked = askable(codes, never=NEVER_IN_A_STOCK_CODE)
        await look_up(chunked(asked, self._settings.stock_codes_per_call), ask)
        return [found[code.casefold()] for code in asked if code.casefold() in found]

    async def _read_levels(
        self, asked: Sequence[str], site_id: str, levels: list[StockLevel]
    ) -> None:
        async def ask(chunk: Sequence[str]) -> None:
            wanted = {code.casefold() for code in chunk}
            began = self._clock.now()
            answer = await self._service.call(
                "ExportStockStatus",
                [
                    text("StockCode", ",".join(chunk)),
                    whole("MappingType", _STOCK_CODE),
                    moment("LastUpdated", NO_MOMENT),
                    whole("SiteID", site_id),
                    flag("PotentialLeadTime", on=self._settings.due_with_free_stock),
                ],
                subject=f"{len(chunk)} codes at site {site_id}",
            )
            read = stock_document.stock_levels(
                answer.document(),
                site_id,
                with_buildable=self._settings.add_buildable,
                read_at=began,
            )
            levels.extend(x for x in read if x.stock_code.casefold() in wanted)

        await look_up(chunked(asked, self._settings.stock_codes_per_call), ask)

    async def _stock_document(self, chunk: Sequence[str]) -> Element | None:
        arguments = [
            text("StockCode", ",".join(chunk)),
            whole("MappingType", _STOCK_CODE),
            moment("LastUpdated", NO_MOMENT),
        ]
        return await self._document("ExportStock", arguments, subject=f"{len(chunk)} codes")

    async def _document(
        self, method: str, arguments: list[Argument], *, subject: str
    ) -> Element | None:
        """A string document, or the packed twin's, by the setting."""
        compression = self._settings.compression
        if compression == "none":
            answer = await self._service.call(method, arguments, subject=subject)
            return answer.document()
        method = f"{method}Compressed"
        packing = whole("CompressionMethod", compression_method(compression))
        answer = await self._service.call(method, [*arguments, packing], subject=subject)
        return unpacked_document(answer, method)

    async def _changed_products(self, date_type: str, since: datetime) -> list[ProductRef]:
        """What can be sold of what changed. A fault that says "nothing found" is nothing."""
        refs: list[ProductRef] = []
        try:
            await self._read_stock_list(date_type, since, refs)
        except SoapFault as fault:
            if not says_nothing_found(fault):
                raise
        return self._families.sellable(refs)

    async def _read_stock_list(
        self, date_type: str, since: datetime, refs: list[ProductRef]
    ) -> None:
        arguments = [
            whole("DateType", date_type),
            moment("DateValue", changed_since(since)),
            whole("StockItemType", _ALL_ITEMS),
        ]
        now = self._clock.now()

        def take(row: dict[str, str]) -> None:
            if (ref := stock_document.product_ref(row, now)).stock_code:
                refs.append(ref)

        def read(rest: Iterable[dict[str, str]]) -> None:
            refs.extend(stock_document.product_refs(rest, now))
            if len(refs) >= LONG_LIST:
                give_back_freed()

        # All beside the event loop: the list of a whole catalogue takes seconds to read.
        compression = self._settings.compression
        if compression == "none":
            rows = ListRows("StockCode", each=take)
            answer = await self._service.call("GetStockList", arguments, rows=rows)
            await anyio.to_thread.run_sync(read, answer.rows("StockCode"))
            return
        packing = whole("CompressionMethod", compression_method(compression))
        method = "GetStockListCompressed"
        answer = await self._service.call(method, [*arguments, packing])

        def unpack() -> None:
            rows = ListRows("STOCK_CODE", "StockCode", each=take)
            document = unpacked_document(answer, method, rows)
            read(stock_document.listed(document, found=bool(refs)))

        await anyio.to_thread.run_sync(unpack)
