"""The ERP and the books, small and in memory: what was taken is there when it is looked up.

They know only what the rooms' tests need; the sandbox is the full one. No time passes in them
by itself.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from kcjl.clock import Clock
from kcjl.errors import Refused
from kcjl.khaos import port as erp
from kcjl.khaos.order_document import address_lines
from kcjl.ledger.port import Journal, JournalDocument
from kcjl.money import Money
from tests.outside.mishaps import Mishaps


class Warehouse:
    """The ERP."""

    def __init__(self, clock: Clock) -> None:
        self.mishaps = Mishaps()
        self._clock = clock
        self.forgotten_buyers: list[str] = []
        self.shelf: dict[str, Decimal] = {}
        self.moved_at: dict[str, datetime] = {}
        self.edited_at: dict[str, datetime] = {}
        self.discontinued: set[str] = set()
        self.deleted_at: dict[str, datetime] = {}
        self.capabilities = erp.Capabilities(
            pull_stock=True,
            push_stock=False,
            lookup_order=True,
            sync_order_result=True,
            line_refs_in_shipments=False,
            returns=False,
            journals=False,
            max_external_ref=30,
            deleted_entries=True,
            orders_in_progress=True,
            exported_orders=True,
        )
        self.sources: dict[str, bool | None] = {}
        """By reference: whether a sales order is of our source; those taken from us are."""
        self.quantities: dict[tuple[str, str], Decimal] = {}
        """By reference and stock code: what a person has set a line to."""
        self.taken: dict[str, erp.NewOrder] = {}
        self.couriers_there: tuple[erp.Courier, ...] = ()
        self.returns: dict[str, erp.ReturnRequest] = {}
        self.customers: dict[str, str] = {}
        """By reference: the customer of a sales order that is somebody else's."""
        self.parcels: dict[str, tuple[erp.Parcel, ...]] = {}
        self.stages: dict[str, erp.Stage] = {}
        """Of the invoice of a reference, where it is not SHIPPED."""
        self.cancelled: dict[str, str] = {}
        self.complete: dict[str, bool] = {}
        """By reference: whether it is shipped whole; it is where nothing is said."""
        self.asked_levels: list[tuple[str, ...]] = []
        self.penny_off = Money(0)
        self.stamps = True
        self.rows_come = 1
        """How often each row of an answer is in it."""

    def put(self, code: str, units: str | int) -> None:
        """So many units are on the shelf now; the product has moved."""
        self.edited_at.setdefault(code, self._clock.now())
        self.shelf[code] = Decimal(units)
        self.moved_at[code] = self._clock.now()

    def edit(self, code: str, *, discontinued: bool) -> None:
        self.edited_at[code] = self._clock.now()
        self.discontinued = (
            self.discontinued | {code} if discontinued else self.discontinued - {code}
        )

    def delete(self, code: str) -> None:
        """The product is deleted."""
        self.deleted_at[code] = self._clock.now()
        for known in (self.shelf, self.moved_at, self.edited_at):
            known.pop(code)

    def forget(self, reference: str) -> None:
        """Set back to a backup from before this order; of levels it says that nothing moved."""
        for line in self.taken.pop(reference).lines:
            self.shelf[line.stock_code] += line.quantity

    def take_late(self, reference: str, *, gross_total: Money) -> None:
        """An order that was on its way all the time arrives."""
        nobody = erp.DeliveryAddress(
            line1="", town="", postcode="", country_code="GBR", surname=""
        )
        self.taken[reference] = erp.NewOrder(
            external_ref=reference,
            ordered_at=self._clock.now(),
            currency="GBP",
            deliver_to=nobody,
            lines=(),
            delivery_gross=Money(0),
            gross_total=gross_total,
        )

    def ship(self, reference: str, *parcels: erp.Parcel) -> None:
        self.parcels[reference] = parcels

    async def ping(self) -> str:
        return "1"

    async def sites(self) -> Sequence[erp.Site]:
        with self.mishaps.at("sites"):
            return (
                erp.Site(site_id="1", name="Main", is_default=True),
                erp.Site(site_id="2", name="Other"),
            )

    async def couriers(self) -> Sequence[erp.Courier]:
        return self.couriers_there

    async def moved_products(self, since: datetime) -> Sequence[erp.ProductRef]:
        with self.mishaps.at("moved_products"):
            moved = _since(self.moved_at, since)
            return moved if self.stamps else [ref_without_stamp(each) for each in moved]

    async def edited_products(self, since: datetime) -> Sequence[erp.ProductRef]:
        with self.mishaps.at("edited_products"):
            return _since(self.edited_at, since)

    async def deleted_products(self, since: datetime) -> Sequence[erp.ProductRef]:
        with self.mishaps.at("deleted_products"):
            return _since(self.deleted_at, since)

    async def products(self, codes: Sequence[str]) -> dict[str, erp.Product]:
        with self.mishaps.at("products"):
            known = {code.casefold(): code for code in self.shelf}
            return {
                asked: erp.Product(
                    stock_code=known[asked.casefold()],
                    description="A lamp",
                    discontinued=known[asked.casefold()] in self.discontinued,
                    run_to_zero=False,
                    stock_controlled=True,
                )
                for asked in codes
                if asked.casefold() in known
            }

    async def stock_levels(
        self, codes: Sequence[str], site_ids: Sequence[str]
    ) -> Sequence[erp.StockLevel]:
        with self.mishaps.at("stock_levels"):
            self.asked_levels.append(tuple(codes))
            return [
                erp.StockLevel(
                    stock_code=code,
                    site_id=site,
                    available=self.shelf[code],
                    status=4 if code in self.discontinued else 0,
                )
                for code in codes
                for site in site_ids
                if code in self.shelf
            ] * self.rows_come

    async def forget_buyer(self, external_ref: str) -> None:
        self.forgotten_buyers.append(external_ref)

    def check_order(self, order: erp.NewOrder) -> None:
        """As the web service's adapter does, of the address's first lines."""
        there = order.deliver_to
        address_lines("DADDRESS1..3", (there.line1, there.line2, there.line3))

    async def create_order(self, order: erp.NewOrder) -> erp.CreatedOrder:
        with self.mishaps.at("create_order"):
            if order.external_ref in self.taken or order.external_ref in self.customers:
                raise Refused(f"{order.external_ref} has been imported already")
            self.taken[order.external_ref] = order
            for line in order.lines:
                self.put(line.stock_code, str(self.shelf[line.stock_code] - line.quantity))
            return erp.CreatedOrder(
                outcome=erp.CreateOutcome.CREATED, erp_order_code=f"SO-{order.external_ref}"
            )

    async def register_return(self, request: erp.ReturnRequest) -> erp.RegisteredReturn:
        with self.mishaps.at("register_return"):
            known = request.return_ref in self.returns
            self.returns.setdefault(request.return_ref, request)
            queued = erp.ReturnOutcome.ALREADY_QUEUED if known else erp.ReturnOutcome.QUEUED
            return erp.RegisteredReturn(outcome=queued, return_ref=request.return_ref)

    async def find_order(self, external_ref: str) -> erp.OrderStatus | None:
        with self.mishaps.at("find_order"):
            return self._status(external_ref)

    async def order_statuses(self, external_refs: Sequence[str]) -> Sequence[erp.OrderStatus]:
        with self.mishaps.at("order_statuses"):
            return [found for each in external_refs if (found := self._status(each))]

    def _cancelled_or(self, reference: str, stage: erp.Stage) -> erp.Stage:
        return erp.Stage.CANCELLED if reference in self.cancelled else stage

    async def orders_in_progress(self) -> Sequence[erp.OrderProgress]:
        with self.mishaps.at("orders_in_progress"):
            return [
                erp.OrderProgress(
                    external_ref=reference,
                    erp_order_code=f"SO-{reference}",
                    invoice_code="INV1",
                    stage=self._cancelled_or(reference, erp.Stage.IN_WAREHOUSE),
                    stage_raw="5",
                    complete=False,
                )
                for reference in (*self.taken, *self.sources)
            ]

    async def exported_orders(
        self, *, external_refs: Sequence[str] = (), erp_order_codes: Sequence[str] = ()
    ) -> Sequence[erp.ExportedOrder]:
        assert not erp_order_codes
        with self.mishaps.at("exported_orders"):
            return [
                erp.ExportedOrder(
                    external_ref=each,
                    erp_order_code=f"SO-{each}",
                    ordered_at=None,
                    currency="GBP",
                    amount=Decimal(20),
                    lines=self._lines(each),
                    of_our_source=self.sources.get(each, True),
                )
                for each in external_refs
                if each in self.taken or each in self.sources
            ]

    def take_elsewhere(self, reference: str, customer: str) -> None:
        """Another customer's order has that reference."""
        self.take_late(reference, gross_total=Money(5))
        self.customers[reference], self.sources[reference] = customer, False

    def _lines(self, reference: str) -> tuple[erp.ExportedLine, ...]:
        order = self.taken.get(reference)
        return tuple(
            erp.ExportedLine(
                stock_code=line.stock_code,
                quantity=self.quantities.get(
                    (reference, line.stock_code), Decimal(line.quantity)
                ),
                unit_gross=line.unit_gross.decimal(),
                external_line_ref=line.external_line_ref,
            )
            for line in (order.lines if order else ())
        )

    def _status(self, reference: str) -> erp.OrderStatus | None:
        order = self.taken.get(reference)
        if order is None:
            return None
        return erp.OrderStatus(
            external_ref=reference,
            erp_order_code=f"SO-{self.customers.get(reference, reference)}",
            cancelled=reference in self.cancelled,
            cancel_reason=self.cancelled.get(reference, ""),
            complete=self.complete.get(reference, True),
            currency="GBP",
            gross_total=order.gross_total + self.penny_off,
            delivery_gross=order.delivery_gross + self.penny_off,
            customer_code=self.customers.get(reference, "JLMKT"),
            of_our_customer=reference not in self.customers,
            invoices=(
                erp.Invoice(
                    invoice_code="INV1",
                    stage=self.stages.get(reference, erp.Stage.SHIPPED),
                    stage_raw="15",
                    parcels=self.parcels.get(reference, ()),
                ),
            ),
        )


def _since(when: Mapping[str, datetime], since: datetime) -> list[erp.ProductRef]:
    return [
        erp.ProductRef(stock_code=code, changed_at=moment)
        for code, moment in when.items()
        if moment >= since
    ]


def ref_without_stamp(ref: erp.ProductRef) -> erp.ProductRef:
    return erp.ProductRef(stock_code=ref.stock_code)


def parcel(
    key: str = "INV1/1",
    units: int = 2,
    *,
    courier: str = "DPD",
    tracking: str = "15500000000001",
    shipped: bool = True,
) -> erp.Parcel:
    return erp.Parcel(
        parcel_key=key,
        shipped=shipped,
        courier_name=courier,
        courier_code=None,
        tracking_number=tracking,
        shipped_on=None,
        items=(("A-1", Decimal(units)),),
    )


class Books:
    """Where journals go: by reference, each once."""

    def __init__(self) -> None:
        self.mishaps = Mishaps()
        self.journals: dict[str, Journal] = {}
        self.documents: dict[str, bytes] = {}

    async def keep(self, name: str, content: bytes) -> JournalDocument:
        if self.documents.setdefault(name, content) != content:
            raise Refused(f"{name} is another document")
        return JournalDocument(name=name, sha256=hashlib.sha256(content).hexdigest())

    async def prepare(self, journal: Journal) -> Sequence[JournalDocument]:
        with self.mishaps.at("prepare"):
            if self.journals.setdefault(journal.reference, journal) != journal:
                raise Refused(f"{journal.reference} is another journal")
            return (JournalDocument(name=f"{journal.reference}.csv", sha256="0" * 64),)
