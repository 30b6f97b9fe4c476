"""Settlement, the shell of the operator's invoices: read, and their documents filed.

Promises: an invoice and its document are news once; a document that is not there keeps no other
one waiting, and is asked for again with every read. It holds no rule (`intake.py`).
Called by the settlement room. Source: contract johnlewis b.6 (IV01, IV02).
"""

from datetime import timedelta

from kcjl.actors import Room
from kcjl.errors import ProtocolSurprise, Refused
from kcjl.johnlewis.account_port import InvoicePort
from kcjl.ledger.port import DocumentShelf
from kcjl.settlement.intake import decide_document, decide_invoice
from kcjl.settlement.intake_events import (
    InvoiceDocumentKept,
    InvoiceDocumentMissing,
    InvoicesRead,
)
from kcjl.settlement.reading import invoice_seen
from kcjl.settlement.state import INVOICES
from kcjl.vocabulary import Event

__all__ = ["Filing"]

INVOICES_BACK = timedelta(days=60)


class Filing:
    """The invoices of one settlement room."""

    def __init__(self, room: Room, marketplace: InvoicePort, documents: DocumentShelf) -> None:
        self._room = room
        self._marketplace = marketplace
        self._documents = documents
        self._invoices = room.table(INVOICES, watch=lambda each: each.document is None)

    async def read(self) -> None:
        """Invoices of 60 days, and back to the oldest that has no document yet."""
        now = self._room.clock.now()
        waiting = [each.seen.occurred_at for _, each in self._invoices.watched()]
        since = min((*waiting, now - INVOICES_BACK))
        invoices = await self._marketplace.invoices(since)
        events: list[Event] = []
        for invoice in invoices:
            known = self._invoices.get(str(invoice.invoice_id))
            events.extend(decide_invoice(known, invoice_seen(invoice)))
        await self._room.commit(events)
        for _, each in self._invoices.watched():
            outcome = await self._fetch_document(each.seen.invoice_id)
            await self._room.commit(decide_document(each, outcome))
        await self._room.commit((InvoicesRead(read=len(invoices), occurred_at=now),))

    async def _fetch_document(
        self, invoice_id: int
    ) -> InvoiceDocumentKept | InvoiceDocumentMissing:
        clock = self._room.clock
        try:
            content = await self._marketplace.invoice_document(invoice_id)
        except (Refused, ProtocolSurprise) as error:
            return InvoiceDocumentMissing(
                invoice_id=invoice_id, message=error.message, occurred_at=clock.now()
            )
        kept = await self._documents.keep(f"invoice-{invoice_id}.pdf", content)
        return InvoiceDocumentKept(
            invoice_id=invoice_id,
            name=kept.name,
            sha256=kept.sha256,
            size_bytes=len(content),
            occurred_at=clock.now(),
        )
