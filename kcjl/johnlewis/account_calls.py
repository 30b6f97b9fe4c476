"""Calls about the shop's account: lines by filter and by export, invoices, their documents.

Promises: reads give every page, chunked by 100 ids, each row once; exports are read file by
file as they arrive; a document is bounded and handed on byte by byte. It writes nothing there.
Invariant: invoices of every type are asked for; the default would leave out those by hand.
Called through `AccountPort`. Source: contract johnlewis b.6, d.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import datetime
from itertools import product
from typing import Literal

import msgspec

from kcjl.errors import Misuse, ProtocolSurprise, Refused
from kcjl.johnlewis import invoices as invoice_records
from kcjl.johnlewis import shop_account, wire
from kcjl.johnlewis.access import SellerApiSettings
from kcjl.johnlewis.account_port import Invoice, TransactionFilter
from kcjl.johnlewis.asking import moment
from kcjl.johnlewis.export_port import ExportMemory
from kcjl.johnlewis.exports import TRANSACTION_LINES, Exports, NothingKept
from kcjl.johnlewis.http import SellerHttp
from kcjl.johnlewis.port import TransactionLine
from kcjl.johnlewis.request import Call
from kcjl.johnlewis.splitting import JsonRows, LineRows, RowReader

__all__ = ["AccountCalls"]

IDS_MAX = 100
"""Ids in one filter (contract b.0)."""

TRANSACTION_ROWS = 2_000
"""`limit` of TL02 at most (contract d.2)."""

_TIMES = {
    "updated_since": "last_updated_from",
    "created_since": "date_created_from",
    "created_until": "date_created_to",
    "transacted_since": "transaction_date_from",
    "transacted_until": "transaction_date_to",
}
_LISTS = {
    "cycle_ids": "seller_billing_cycle_id",
    "payment_states": "payment_state",
    "kinds": "transaction_type",
    "order_ids": "order_id",
    "order_line_ids": "order_line_id",
    "customer_order_numbers": "order_reference_for_customer",
    "seller_references": "order_reference_for_seller",
    "document_numbers": "accounting_document_number",
}


class AccountCalls:
    """The account of one shop. Fields are set by `SellerApi`."""

    _settings: SellerApiSettings
    _currency: str
    _http: SellerHttp
    _exports: Exports

    async def transaction_lines_of(self, which: TransactionFilter) -> Sequence[TransactionLine]:
        """TL02 by any of its filters, oldest update first."""
        if which.voucher is not None:
            raise Misuse("TL02 knows no voucher: ask for the cycle, or for an export (TL03)")
        lines: dict[str, TransactionLine] = {}
        for query in _queries(which):
            call = Call(
                operation="TL02",
                path="/api/sellerpayment/transactions_logs",
                query=(
                    *query,
                    ("sort", "lastUpdated,ASC"),
                    ("limit", str(TRANSACTION_ROWS)),
                ),
            )
            told = await self._http.seek_rows(
                call, lambda body: shop_account.transaction_lines(body, self._currency)
            )
            lines.update((line.line_id, line) for line in told)
        return sorted(lines.values(), key=lambda line: line.updated_at)

    async def transaction_lines_exported(
        self,
        which: TransactionFilter,
        *,
        form: Literal["json", "ndjson"] = "json",
        memory: ExportMemory | None = None,
    ) -> AsyncGenerator[Sequence[TransactionLine], None]:
        """TL03 → TL04 → TL05, in no order. Close the iterator when leaving early.

        With a memory, an export that was asked for before a restart is gone on with.
        """
        memory = memory or NothingKept()
        asked = msgspec.json.encode({"format": form.upper(), **_body(which)})
        name = f"TL03 {asked.decode()}"
        urls = await self._exports.finished(
            TRANSACTION_LINES, asked, f"as {form}", memory=memory, name=name
        )
        seen: set[str] = set()
        try:
            for url in urls:
                async with aclosing(self._exported_rows(url, form)) as batches:
                    async for rows in batches:
                        told = [
                            shop_account.transaction_line(row, self._currency, "TL05")
                            for row in rows
                        ]
                        fresh = [line for line in told if line.line_id not in seen]
                        seen.update(line.line_id for line in fresh)
                        if fresh:
                            yield fresh
        except Refused:
            await memory.forget(name)  # the files are gone: the next call asks anew
            raise
        await memory.forget(name)

    async def _exported_rows(
        self, url: str, form: str
    ) -> AsyncGenerator[list[wire.WireTransaction], None]:
        reader: RowReader[wire.WireTransaction]
        if form == "json":
            reader = JsonRows(wire.WireTransaction, name="data", what="TL05")
        else:
            reader = LineRows(wire.WireTransaction, what="TL05")
        accept = "application/json, application/x-ndjson, */*;q=0.5"
        async with aclosing(
            self._exports.pieces(TRANSACTION_LINES, url, accept=accept)
        ) as pieces:
            async for piece in pieces:
                yield reader.feed(piece)
        yield reader.finish()

    async def invoices(
        self, since: datetime | None = None, *, cycle_ids: Sequence[str] = ()
    ) -> Sequence[Invoice]:
        """IV01, of every type."""
        found: dict[int, Invoice] = {}
        dated = (("start_date", moment(since)),) if since is not None else ()
        wanted = list(dict.fromkeys(cycle_ids))
        for at in range(0, max(len(wanted), 1), IDS_MAX):
            call = Call(
                operation="IV01",
                path="/api/invoices",
                query=(
                    ("type", "ALL"),
                    *dated,
                    *(("seller_billing_cycle_id", each) for each in wanted[at : at + IDS_MAX]),
                ),
            )
            told = await self._http.offset_rows(
                call, lambda body: invoice_records.invoices(body, self._currency)
            )
            found.update((invoice.invoice_id, invoice) for invoice in told)
        return tuple(found.values())

    async def invoice_document(self, invoice_id: int) -> bytes:
        """IV02: the PDF. Raises `ProtocolSurprise` for what is none, or is too long."""
        call = Call(
            operation="IV02",
            path=f"/api/invoices/{invoice_id}",
            subject=f"of invoice {invoice_id}",
            accept="application/pdf, application/octet-stream;q=0.9, */*;q=0.5",
            takes_bytes=True,
            bytes_max=self._settings.document_bytes_max,
        )
        document = (await self._http.send(call)).body
        if b"%PDF-" not in document[:1024]:
            raise ProtocolSurprise(
                f"{call}: an answer of {len(document)} bytes, which is no PDF"
            )
        return document


def _queries(which: TransactionFilter) -> Iterator[tuple[tuple[str, str], ...]]:
    """One query, or as many as the lists of more than 100 need."""
    times = [
        (name, moment(when))
        for field, name in _TIMES.items()
        if (when := getattr(which, field)) is not None
    ]
    chunked: list[list[tuple[tuple[str, str], ...]]] = []
    for field, name in _LISTS.items():
        values = list(dict.fromkeys(getattr(which, field)))
        if not all(value.strip() for value in values):
            raise Misuse(f"TL02: {field} holds an empty one")
        chunked.append(
            [
                tuple((name, value) for value in values[at : at + IDS_MAX])
                for at in range(0, max(len(values), 1), IDS_MAX)
            ]
        )
    for chunks in product(*chunked):
        yield (*times, *(pair for chunk in chunks for pair in chunk))


def _body(which: TransactionFilter) -> dict[str, object]:
    """TL03: the same filters by the same names, lists as lists."""
    asked: dict[str, object] = {
        name: moment(when)
        for field, name in _TIMES.items()
        if (when := getattr(which, field)) is not None
    }
    for field, name in _LISTS.items():
        values = list(dict.fromkeys(getattr(which, field)))
        if len(values) > IDS_MAX:
            raise Misuse(f"TL03: {len(values)} {field}; one export takes {IDS_MAX}")
        if values:
            asked[name] = values
    if which.voucher is not None:
        asked["payment_voucher_number"] = which.voucher
    return asked
