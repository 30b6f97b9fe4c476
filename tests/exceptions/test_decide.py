"""The desk, the rules: which event raises what, what clears it, and what is nothing new."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec
import pytest

from kcjl.dispatch import deadline_events as deadlines
from kcjl.dispatch import events as dispatch
from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.decide import (
    OPEN,
    OpenException,
    Raise,
    conditions,
    decide_desk,
    decide_switch,
)
from kcjl.exceptions.events import (
    ExceptionCleared,
    ExceptionRaised,
    JobInterrupted,
    JobResumed,
    WritesSwitched,
)
from kcjl.fold import Table
from kcjl.money import Money
from kcjl.orders import acceptance_events as acceptance
from kcjl.orders import events as orders
from kcjl.orders import events_changes as changes
from kcjl.orders import events_intake as intake
from kcjl.orders import posting_events as posting
from kcjl.orders import reversal_events as reversals
from kcjl.settlement import events as settlement
from kcjl.settlement import gap_events as settlement_gaps
from kcjl.settlement import intake_events as settlement_intake
from kcjl.settlement import received_events as received
from kcjl.stock import events as stock
from kcjl.vocabulary import Event
from tests import trade
from tests.exceptions.parcel_conditions import CLEARED_OF_PARCELS, RAISED_OF_PARCELS
from tests.trade import at, gbp

ORDER = trade.received()


class OnDesk:
    """What lies on the desk after these events."""

    def __init__(self, *events: Event) -> None:
        self.table: Table[OpenException] = Table(OPEN, group=lambda each: each.raised.subject)
        for event in events:
            self.hear(event)

    def hear(self, event: Event) -> tuple[Event, ...]:
        said = decide_desk(event, self.table.grouped)
        for each in said:
            self.table.apply(each)
        return said

    @property
    def open(self) -> list[tuple[str, str]]:
        return [(each.raised.kind, each.raised.subject) for each in self.table.values()]


HELD = orders.OrderHeld(
    order_id="O1",
    reason="unknown_sku",
    message="the ERP does not know 'A-1'",
    skus=(),
    money=gbp(2_000),
    accept_by=at(60),
    occurred_at=at(1),
)
NOT_ACCEPTED = orders.AcceptanceRefused(
    order_id="O1", message="too late", retry=False, occurred_at=at(1)
)
OVERDUE = orders.PostingOverdue(
    order_id="O1",
    reference="REF-O1",
    message="REF-O1 waits for the ERP, which has not fetched it",
    until=at(1),
    money=gbp(2_000),
    occurred_at=at(1),
)
TOTAL_DIFFERS = posting.TotalsCompared(
    order_id="O1", ours=gbp(2_000), erp=gbp(2_001), occurred_at=at(1)
)
NOT_READ = intake.OrderNotRead(
    order_id="O1", skus=("A-1", "B-2"), message="its price is missing", occurred_at=at(1)
)
TAKEN = posting.ReferenceTaken(
    order_id="O1",
    reference="REF-O1",
    erp_order_code="SO9",
    customer_code="BLOGGS",
    sales_source="WEB",
    because="its sales source is WEB, and not ours",
    money=gbp(2_000),
    occurred_at=at(1),
)
NOT_WRITTEN = orders.ReferenceWriteFailed(order_id="O1", message="busy", occurred_at=at(1))
AFTER_POSTING = orders.CancelledAfterPosting(
    order_id="O1",
    reference="REF-O1",
    erp_order_code="SO-O1",
    money=gbp(2_000),
    occurred_at=at(1),
)
IMPORT_FAILED = stock.StockImportFailed(
    publish_id="P1", message="gave up", skus=("A-1",), occurred_at=at(1)
)
UNMAPPED = dispatch.CourierUnmapped(
    order_id="O1",
    parcel_key="INV1/1",
    courier_name="Bike",
    courier_code="B1",
    deadline=at(99),
    occurred_at=at(1),
)
NO_NUMBER = dispatch.TrackingAwaited(
    order_id="O1", parcel_key="INV1/1", until=at(1), deadline=at(99), occurred_at=at(1)
)
UNMATCHED = dispatch.ParcelUnmatched(
    order_id="O1", parcel_key="INV1/1", message="holds a cat", deadline=None, occurred_at=at(1)
)
NOT_CONFIRMED = dispatch.ConfirmationRefused(
    order_id="O1",
    parcel_key="INV1/1",
    message="no",
    attempt=1,
    deadline=None,
    occurred_at=at(1),
)
CANCELLED_THERE = dispatch.SalesOrderCancelled(
    order_id="O1", reference="REF-O1", reason="no stock", deadline=at(99), occurred_at=at(1)
)
PAYOUT_HELD = settlement.PayoutHeld(
    cycle_id="CY1",
    stated=gbp(2_000),
    lines_total=gbp(2_010),
    residue=gbp(-10),
    lines=1,
    untied=(),
    reason="they differ",
    occurred_at=at(1),
)
GAPS = settlement_gaps.PayoutReconciled(
    cycle_id="CY1",
    lines_total=gbp(2_000),
    named=(),
    gaps=(
        settlement_gaps.GapTotal(kind="commission_rate", gaps=2, amount=gbp(-20)),
        settlement_gaps.GapTotal(kind="rounding", gaps=1, amount=gbp(1)),
    ),
    orders=3,
    terms_version=1,
    occurred_at=at(1),
)
LATE_LINE = settlement.LateLineFound(
    cycle_id="CY1", line_id="L9", kind="ORDER_AMOUNT", amount=gbp(500), occurred_at=at(1)
)
NOT_RECEIVED = received.PayoutReceiptOverdue(
    cycle_id="CY1",
    transferred=gbp(2_000),
    paid_on=at(0).date(),
    due_on=at(0).date(),
    occurred_at=at(1),
)


def in_the_bank(so_far: int) -> received.PayoutReceived:
    return received.PayoutReceived(
        cycle_id="CY1",
        receipt=1,
        amount=gbp(so_far),
        received_on=at(0).date(),
        transferred=gbp(2_000),
        received=gbp(so_far),
        occurred_at=at(2),
    )


TAKEN_BACK = received.PayoutReceiptWithdrawn(
    cycle_id="CY1",
    receipt=1,
    amount=gbp(1_990),
    received_on=at(0).date(),
    bank_line="",
    transferred=gbp(2_000),
    received=gbp(0),
    reason="of another",
    occurred_at=at(3),
)
GAP_GONE = settlement_gaps.GapEnded(
    cycle_id="CY1",
    kind="commission_rate",
    subject="O1-1",
    component="fee",
    amount=gbp(-10),
    order_id="O1",
    order_line_id="O1-1",
    reason="10 was given back",
    still=(settlement_gaps.GapTotal(kind="rounding", gaps=1, amount=gbp(1)),),
    occurred_at=at(2),
)
CORRECTED = settlement.JournalIntended(
    cycle_id="CY1",
    reference="JL-2",
    posting_date=at(2).date(),
    narrative="instead of JL-1",
    lines=(),
    policy_version=1,
    kind="correction",
    corrects=("JL-1",),
    reason="a late line",
    occurred_at=at(2),
)
NO_CYCLE = settlement_intake.BillingCycleOverdue(
    payable=gbp(2_000), lines=1, payable_since=at(0), last_cycle_at=None, occurred_at=at(1)
)
NO_PDF = settlement_intake.InvoiceDocumentMissing(
    invoice_id=981, message="404", occurred_at=at(1)
)
FILED = settlement_intake.InvoiceDocumentKept(
    invoice_id=981, name="invoice-981.pdf", sha256="0" * 64, size_bytes=9, occurred_at=at(2)
)
STOPPED = WritesSwitched(allowed=False, reason="wrong prices", occurred_at=at(1))
INTERRUPTED = JobInterrupted(
    room="orders", job="posting", message="the ERP is away", code="KCJL-3001", occurred_at=at(1)
)
INTENDED = dispatch.ConfirmationIntended(
    order_id="O1",
    parcel_key="INV1/1",
    attempt=1,
    lines=(),
    courier_name="BIKE",
    carrier_code="dpd",
    tracking_number="TRK1",
    by_shipment=True,
    occurred_at=at(2),
)
CONFIRMED = dispatch.ParcelConfirmed(
    order_id="O1",
    parcel_key="INV1/1",
    lines=(),
    shipment_id="S1",
    already=False,
    occurred_at=at(2),
)
LEFT = dispatch.ParcelsLeft(
    order_id="O1", parcel_keys=("INV1/1",), reason="it is CANCELED there", occurred_at=at(2)
)
CLOSED = dispatch.DispatchClosed(
    order_id="O1", reason="cancelled on both sides", left=("INV1/1",), occurred_at=at(2)
)


def finished(*refused: str) -> stock.StockImportFinished:
    return stock.StockImportFinished(
        publish_id="P1",
        import_id="77",
        skus=("A-1", "B-2"),
        refused=tuple(
            stock.ImportLineRefused(sku=each, message="no offer") for each in refused
        ),
        occurred_at=at(2),
    )


GIVEN_UP = stock.StockImportGivenUp(
    publish_id="P1", import_id="77", message="no end", skus=("A-1",), occurred_at=at(1)
)
PUBLISH_HELD = stock.PublishHeld(
    hold_id="H1",
    findings=(
        stock.GuardFinding(
            guard="to_zero",
            skus=12,
            offered=40,
            examples=(stock.HeldFigure(sku="A-1", before=9, after=0),),
        ),
    ),
    occurred_at=at(1),
)
STALE = stock.StockFeedStale(grade="hard", read_at=at(-120), occurred_at=at(1))
INACTIVE = stock.OfferInactive(sku="A-1", reasons=("NO_PRICE",), occurred_at=at(1))
DRIFTED = stock.OfferDrifted(
    sku="A-1", acknowledged=9, found=40, cause="foreign_writer", occurred_at=at(1)
)


def publishing(*, on: bool) -> stock.StockPublishingSwitched:
    return stock.StockPublishingSwitched(on=on, reason="stocktaking", occurred_at=at(2))


def switched(*, allowed: bool) -> WritesSwitched:
    return WritesSwitched(allowed=allowed, reason="stocktaking", occurred_at=at(2))


def time_passed(percent: int) -> acceptance.AcceptanceTimePassed:
    return acceptance.AcceptanceTimePassed(
        order_id="O1",
        percent=percent,
        accept_by=at(60),
        message="it waits",
        money=gbp(1),
        policy_version=1,
        occurred_at=at(percent),
    )


RETRIED = acceptance.AcceptanceRetried(order_id="O1", reason="mended", occurred_at=at(3))
POSTED_AGAIN = acceptance.PostingRetried(
    order_id="O1", reference="REF-O1", reason="mended", occurred_at=at(3)
)


def reversal(kind: type[reversals.ReversalLineEvent], **said: object) -> Event:
    """Of one line of a reversal of O1."""
    every = {"order_id": "O1", "reversal_id": "R1", "line_id": "O1-1", "occurred_at": at(9)}
    return msgspec.convert({**every, **said}, kind)


NOT_BACK = reversal(reversals.ReversalRefused, message="too late", money=gbp(2_000))
HELD_BACK = reversal(
    reversals.ReversalHeldBack, message="balance", money=gbp(2_000), retry_at=at(369)
)
UNCLEAR = reversal(reversals.ReversalUnclear, message="may be it", money=gbp(2_000))


def taken(*, as_asked: bool) -> Event:
    return reversal(
        reversals.ReversalTaken,
        marketplace_id="F1",
        amount=gbp(2_000),
        shipping_amount=gbp(0),
        found_by_lookup=False,
        as_asked=as_asked,
    )


ENDED = reversals.ReversalWithdrawn(
    order_id="O1", reversal_id="R1", reason="looked", occurred_at=at(10)
)


def gap(kind: intake.GapKind, subject: str) -> intake.OrderGapFound:
    return intake.OrderGapFound(
        kind=kind,
        subject=subject,
        reference="REF-O1",
        message="on one side only",
        money=gbp(2_000),
        occurred_at=at(9),
    )


def correction(kind: changes.CorrectionKind, task: str) -> changes.CorrectionDue:
    return changes.CorrectionDue(
        order_id="O1",
        task=task,
        kind=kind,
        reference="REF-O1",
        erp_order_code="SO-O1",
        line_id="O1-1",
        stock_code="A-1",
        units_posted=2,
        units_wanted=1,
        money=gbp(1_000),
        steps="take one off",
        occurred_at=at(9),
    )


INCIDENT = changes.IncidentOpened(
    order_id="O1",
    line_id="O1-1",
    sku="A-1",
    money=gbp(2_000),
    reason_code="11",
    occurred_at=at(9),
)
RETURNING = changes.ReturnOpened(
    order_id="O1",
    return_id="R1",
    state="IN_PROGRESS",
    rma="RMA-1",
    lines=(changes.ReturnedLine(line_id="O1-1", sku="A-1", quantity=1, reason_code="X"),),
    money=gbp(1_000),
    occurred_at=at(9),
)

SPENT = (deadlines.TimeSpent(whose="warehouse", business_s=5_400, elapsed_s=9_000),)
AT_RISK = deadlines.DispatchAtRisk(
    order_id="O1",
    deadline=at(99),
    own_deadline=None,
    stage="to_pick",
    whose="warehouse",
    spent=SPENT,
    money=gbp(2_000),
    occurred_at=at(9),
)
LATE = deadlines.DispatchLate(
    order_id="O1",
    deadline=at(9),
    stage="held",
    whose="person",
    spent=SPENT,
    cause="warehouse",
    money=gbp(2_000),
    occurred_at=at(10),
)


def many(kind: deadlines.DeadlineKind, count: int = 312) -> deadlines.DeadlinesCounted:
    return deadlines.DeadlinesCounted(
        kind=kind,
        orders=count,
        unnamed=max(count - 25, 0),
        soonest=at(99),
        examples=("O7", "O8"),
        money=gbp(99_000),
        occurred_at=at(10),
    )


def metric(standing: deadlines.MetricStanding) -> deadlines.SellerMetricJudged:
    return deadlines.SellerMetricJudged(
        metric="late_shipment_rate",
        period="LAST_MONTH",
        standing=standing,
        ours=Decimal("0.0432"),
        theirs=None,
        threshold=Decimal("0.05"),
        counted=812,
        occurred_at=at(10),
    )


MONTH_LATE = "late_shipment_rate/LAST_MONTH"

RAISED: list[tuple[Event, str, str]] = [
    (AT_RISK, "dispatch_at_risk", "O1"),
    (LATE, "dispatch_late", "O1"),
    (many(deadlines.LATE), "dispatch_late", "dispatch"),
    (many(deadlines.AT_RISK), "dispatch_at_risk", "dispatch"),
    (metric("near"), "seller_metric_near", MONTH_LATE),
    (metric("crossed"), "seller_metric_crossed", MONTH_LATE),
    (NOT_BACK, "reversal_refused", "O1"),
    (HELD_BACK, "reversal_waits", "O1"),
    (UNCLEAR, "reversal_unclear", "O1"),
    (taken(as_asked=False), "reversal_differs", "O1"),
    (gap(intake.NO_SALES_ORDER, "O1"), "order_without_sales_order", "O1"),
    (gap(intake.NO_MARKETPLACE_ORDER, "REF-X"), "sales_order_without_order", "REF-X"),
    (gap(intake.UNACCOUNTED, "O1"), "order_unaccounted", "O1"),
    (correction(changes.REDUCE, "O1-1/units"), "sales_order_to_reduce", "O1/O1-1/units"),
    (correction(changes.REFUND, "F1/refund"), "refund_to_enter", "O1/F1/refund"),
    (correction(changes.RETURN, "R1/return"), "return_to_book", "O1/R1/return"),
    (INCIDENT, "incident_open", "O1/O1-1"),
    (RETURNING, "return_expected", "O1/R1"),
    (HELD, "order_held", "O1"),
    (NOT_ACCEPTED, "acceptance_refused", "O1"),
    (time_passed(50), "acceptance_half_gone", "O1"),
    (time_passed(80), "acceptance_nearly_over", "O1"),
    (time_passed(95), "acceptance_nearly_over", "O1"),
    (trade.refused(ORDER), "posting_refused", "O1"),
    (OVERDUE, "posting_overdue", "O1"),
    (TOTAL_DIFFERS, "total_differs", "O1"),
    (TAKEN, "reference_taken", "O1"),
    (NOT_READ, "order_unreadable", "O1"),
    (NOT_WRITTEN, "reference_not_written", "O1"),
    (trade.vanished(ORDER), "sales_order_vanished", "O1"),
    (AFTER_POSTING, "cancelled_after_posting", "O1"),
    (trade.unmatched("A-1", "A-11"), "sku_unmatched", "a-1"),
    (IMPORT_FAILED, "stock_import_failed", "stock"),
    (finished("B-2"), "stock_line_refused", "B-2"),
    (GIVEN_UP, "stock_import_stuck", "stock"),
    (PUBLISH_HELD, "publish_held", "stock"),
    (publishing(on=False), "publishing_off", "stock"),
    (STALE, "stock_feed_stale", "stock"),
    (INACTIVE, "offer_inactive", "A-1"),
    (DRIFTED, "offer_drifted", "A-1"),
    (UNMAPPED, "courier_unmapped", "bike"),
    (NO_NUMBER, "tracking_missing", "O1/INV1/1"),
    (UNMATCHED, "parcel_unmatched", "O1/INV1/1"),
    (NOT_CONFIRMED, "confirmation_refused", "O1/INV1/1"),
    (CANCELLED_THERE, "cancelled_in_erp", "O1"),
    (PAYOUT_HELD, "payout_open", "CY1"),
    (GAPS, "payout_gaps", "CY1"),
    (LATE_LINE, "late_line", "CY1"),
    (NOT_RECEIVED, "payout_not_received", "CY1"),
    (in_the_bank(1_990), "payout_received_differs", "CY1"),
    (NO_CYCLE, "billing_cycle_overdue", "billing cycles"),
    (NO_PDF, "invoice_document_missing", "invoice 981"),
    (trade.money_line(kind="NEW_FEE"), "unknown_line_type", "NEW_FEE"),
    (INTERRUPTED, "job_interrupted", "orders/posting"),
    (switched(allowed=False), "writes_off", "service"),
    (STOPPED, "writes_off", "service"),
    *RAISED_OF_PARCELS,
]

EASED = deadlines.DeadlineEased(order_id="O1", reason="moved", occurred_at=at(11))

CLEARED: list[tuple[Event, Event]] = [
    (HELD, trade.changed(ORDER, "CLOSED")),
    (AT_RISK, EASED),
    (AT_RISK, CLOSED),
    (LATE, EASED),
    (LATE, CLOSED),
    (LATE, trade.changed(ORDER, "SHIPPED")),
    (LATE, trade.changed(ORDER, "CANCELED")),
    (LATE, trade.forgone(ORDER)),
    (LATE, orders.OrderPassedOver(order_id="O1", reason="old", skus=(), occurred_at=at(11))),
    (many(deadlines.LATE), many(deadlines.LATE, 0)),
    (metric("near"), metric("fine")),
    (metric("crossed"), metric("fine")),
    (NOT_BACK, ENDED),
    (HELD_BACK, taken(as_asked=True)),
    (UNCLEAR, ENDED),
    (taken(as_asked=False), ENDED),
    (gap(intake.NO_SALES_ORDER, "O1"), trade.posted(ORDER)),
    (
        gap(intake.NO_MARKETPLACE_ORDER, "REF-X"),
        intake.OrderGapClosed(
            kind=intake.NO_MARKETPLACE_ORDER, subject="REF-X", reason="gone", occurred_at=at(10)
        ),
    ),
    (
        correction(changes.REDUCE, "O1-1/units"),
        changes.CorrectionDone(
            order_id="O1",
            task="O1-1/units",
            kind=changes.REDUCE,
            seen="1 unit",
            occurred_at=at(10),
        ),
    ),
    (
        INCIDENT,
        changes.IncidentClosed(
            order_id="O1", line_id="O1-1", sku="A-1", state="SHIPPED", occurred_at=at(10)
        ),
    ),
    (
        RETURNING,
        changes.ReturnReceived(order_id="O1", return_id="R1", occurred_at=at(10)),
    ),
    (
        RETURNING,
        changes.ReturnClosed(
            order_id="O1", return_id="R1", state="NO_RECEPTION", occurred_at=at(10)
        ),
    ),
    (HELD, orders.OrderReleased(order_id="O1", occurred_at=at(2))),
    (HELD, trade.changed(ORDER, "REFUSED")),
    (NOT_ACCEPTED, orders.AcceptanceConfirmed(order_id="O1", occurred_at=at(2))),
    (NOT_ACCEPTED, RETRIED),
    (time_passed(50), orders.AcceptanceConfirmed(order_id="O1", occurred_at=at(2))),
    (time_passed(80), trade.changed(ORDER, "SHIPPING")),
    (time_passed(95), trade.changed(ORDER, "REFUSED")),
    (trade.refused(ORDER), POSTED_AGAIN),
    (NOT_ACCEPTED, trade.changed(ORDER, "CANCELED")),
    (trade.refused(ORDER), trade.posted(ORDER)),
    (OVERDUE, trade.posted(ORDER)),
    (
        OVERDUE,
        orders.PostingFetched(
            order_id="O1", reference="REF-O1", until=at(9), occurred_at=at(2)
        ),
    ),
    (trade.refused(ORDER), trade.changed(ORDER, "CANCELED")),
    (
        NOT_WRITTEN,
        orders.ReferenceWritten(order_id="O1", erp_order_code="SO-O1", occurred_at=at(2)),
    ),
    (AFTER_POSTING, CLOSED),
    (AFTER_POSTING, trade.vanished(ORDER, still_wanted=False)),
    (CANCELLED_THERE, trade.vanished(ORDER, still_wanted=False)),
    (TOTAL_DIFFERS, trade.vanished(ORDER, still_wanted=False)),
    (NOT_WRITTEN, trade.vanished(ORDER, still_wanted=False)),
    (trade.vanished(ORDER), trade.found_again(ORDER)),
    (trade.vanished(ORDER), trade.posted(ORDER)),
    (trade.vanished(ORDER), trade.forgone(ORDER)),
    (trade.vanished(ORDER), trade.changed(ORDER, "CANCELED")),
    (trade.unmatched(), trade.confirmed("a-1")),
    (IMPORT_FAILED, finished()),
    (finished("B-2"), finished()),
    (finished("B-2"), stock.OfferRetried(sku="B-2", occurred_at=at(3))),
    (finished("B-2"), trade.listed("B-2")),
    (GIVEN_UP, finished()),
    (PUBLISH_HELD, stock.PublishReleased(hold_id="H1", occurred_at=at(2))),
    (PUBLISH_HELD, stock.PublishHoldEnded(hold_id="H1", reason="sane", occurred_at=at(2))),
    (publishing(on=False), publishing(on=True)),
    (STALE, stock.StockFeedFresh(read_at=at(2), occurred_at=at(2))),
    (INACTIVE, stock.OfferActive(sku="A-1", occurred_at=at(2))),
    (INACTIVE, stock.OfferGone(sku="A-1", occurred_at=at(2))),
    (DRIFTED, stock.OfferMended(sku="A-1", quantity=9, occurred_at=at(2))),
    (
        UNMAPPED,
        dispatch.CarrierMapped(
            courier="Bike", carrier_code="dpd", version=1, occurred_at=at(2)
        ),
    ),
    (UNMAPPED, INTENDED),
    (UNMAPPED, dispatch.CourierAwaitedNoMore(courier="bike", occurred_at=at(2))),
    (NOT_CONFIRMED, LEFT),
    (NO_NUMBER, LEFT),
    (NO_NUMBER, trade.shipped()),
    (
        NO_NUMBER,
        dispatch.ParcelsUnshipped(order_id="O1", parcel_keys=("INV1/1",), occurred_at=at(2)),
    ),
    (NO_NUMBER, INTENDED),
    (NO_NUMBER, CONFIRMED),
    (UNMATCHED, INTENDED),
    (UNMATCHED, CONFIRMED),
    (UNMATCHED, CLOSED),
    (NOT_CONFIRMED, CONFIRMED),
    (NOT_CONFIRMED, CLOSED),
    (CANCELLED_THERE, CLOSED),
    (
        PAYOUT_HELD,
        settlement.PayoutClosed(
            cycle_id="CY1",
            stated=gbp(2_000),
            lines_total=gbp(2_000),
            residue=gbp(0),
            lines=1,
            occurred_at=at(2),
        ),
    ),
    (LATE_LINE, CORRECTED),
    (NOT_RECEIVED, in_the_bank(2_000)),
    (in_the_bank(1_990), in_the_bank(2_000)),
    (in_the_bank(1_990), TAKEN_BACK),
    (GAPS, GAP_GONE),
    (NO_CYCLE, settlement_intake.BillingCycleCame(occurred_at=at(2))),
    (NO_PDF, FILED),
    (INTERRUPTED, JobResumed(room="orders", job="posting", occurred_at=at(2))),
    (switched(allowed=False), switched(allowed=True)),
    (STOPPED, WritesSwitched(allowed=True, reason="mended", occurred_at=at(2))),
    *CLEARED_OF_PARCELS,
]


@pytest.mark.parametrize(("event", "kind", "subject"), RAISED, ids=lambda each: str(each)[:20])
def test_condition_is_raised_with_its_subject(event: Event, kind: str, subject: str) -> None:
    """Each condition has its kind, and says what it is about."""
    assert [(kind, subject)] == OnDesk(event).open


def test_order_whose_time_is_nearly_over_is_one_exception_not_two() -> None:
    """The warning at half the time gives way to what is raised at four fifths."""
    desk = OnDesk(time_passed(50))

    desk.hear(time_passed(80))

    assert [("acceptance_nearly_over", "O1")] == desk.open


def test_every_kind_of_the_catalogue_is_raised_by_something() -> None:
    """A kind that nothing raises would be a promise that nobody keeps."""
    assert set(KINDS) == {kind for _, kind, _ in RAISED}


@pytest.mark.parametrize(("event", "later"), CLEARED, ids=lambda each: type(each).__name__)
def test_condition_that_is_gone_clears_by_itself(event: Event, later: Event) -> None:
    """What is mended closes without a hand."""
    desk = OnDesk(event)

    said = desk.hear(later)

    assert ExceptionCleared in {type(each) for each in said}
    assert [] == desk.open


@pytest.mark.parametrize(
    "event",
    [
        orders.AcceptanceRefused(order_id="O1", message="", retry=True, occurred_at=at(1)),
        posting.TotalsCompared(order_id="O1", ours=gbp(1), erp=gbp(1), occurred_at=at(1)),
        trade.changed(ORDER, "WAITING_ACCEPTANCE"),
        trade.money_line(kind="PAYMENT"),
        trade.money_line(kind="ORDER_AMOUNT"),
        trade.cycle_seen(),
        msgspec.structs.replace(CANCELLED_THERE, still_wanted=False),
        ORDER,
    ],
    ids=lambda each: type(each).__name__,
)
def test_ordinary_events_raise_nothing(event: Event) -> None:
    """A day's work is no exception."""
    assert not any(isinstance(each, Raise) for each in conditions(event))


def test_switch_is_said_when_it_changes() -> None:
    """Stopping what is stopped, and allowing what is allowed, is nothing new."""
    said = {
        (now, then): decide_switch(
            allowed_now=now, allowed=then, reason="stocktaking", now=at(2)
        )
        for now in (True, False)
        for then in (True, False)
    }

    assert {
        (True, False): (switched(allowed=False),),
        (False, True): (switched(allowed=True),),
        (True, True): (),
        (False, False): (),
    } == said


def test_raised_exception_says_all_that_a_person_needs() -> None:
    """Severity, owner, next step, money, deadline and the words of the event."""
    (raised,) = OnDesk().hear(HELD)

    assert (
        ExceptionRaised(
            kind="order_held",
            subject="O1",
            severity="high",
            message="the ERP does not know 'A-1'",
            next_step=KINDS["order_held"].next_step,
            owner="operations",
            money_at_risk=gbp(2_000),
            deadline=at(60),
            occurred_at=at(1),
        )
        == raised
    )


def test_same_condition_again_is_nothing_new() -> None:
    """The same words twice are one exception, said once."""
    desk = OnDesk(HELD)

    assert () == desk.hear(msgspec.structs.replace(HELD, occurred_at=at(9)))


def test_same_condition_with_other_words_is_the_same_exception() -> None:
    """Other words are told, under the same number."""
    desk = OnDesk(HELD)

    (raised,) = desk.hear(msgspec.structs.replace(HELD, message="discontinued: A-1"))

    assert isinstance(raised, ExceptionRaised)
    assert "order_held:O1" == raised.exception_id
    assert [("order_held", "O1")] == desk.open


def test_condition_that_comes_back_opens_again() -> None:
    """Cleared and raised again is open again."""
    desk = OnDesk(HELD, orders.OrderReleased(order_id="O1", occurred_at=at(2)))

    (raised,) = desk.hear(HELD)

    assert isinstance(raised, ExceptionRaised)
    assert [("order_held", "O1")] == desk.open


def test_clearing_what_is_not_open_says_nothing() -> None:
    """There is nothing to close where nothing is open."""
    assert () == OnDesk().hear(orders.OrderReleased(order_id="O1", occurred_at=at(2)))


def test_clearing_one_kind_leaves_the_others() -> None:
    """A posted order may still have a total that differs."""
    desk = OnDesk(trade.refused(ORDER), TOTAL_DIFFERS)

    desk.hear(trade.posted(ORDER))

    assert [("total_differs", "O1")] == desk.open


def test_messages_name_what_they_are_about() -> None:
    """Nearest codes or none; a courier's code where it has one; the two totals."""
    said = {
        each.kind: each.message
        for event in (trade.unmatched("A-1"), UNMAPPED, TOTAL_DIFFERS)
        for each in conditions(event)
        if isinstance(each, Raise)
    }
    without_code = msgspec.structs.replace(UNMAPPED, courier_code=None)
    other = conditions(without_code)[-1]

    assert "nearest codes: none" in said["sku_unmatched"]
    assert "'Bike' (B1)" in said["courier_unmapped"]
    assert "ours 20.00 GBP, the ERP's 20.01 GBP" == said["total_differs"]
    assert isinstance(other, Raise)
    assert "for 'Bike':" in other.message


def test_money_at_risk_is_never_negative() -> None:
    """A residue below zero is as much at risk as one above."""
    raised: Iterable[Event] = (*OnDesk().hear(PAYOUT_HELD), *OnDesk().hear(TOTAL_DIFFERS))

    assert [Money(10), Money(1)] == [
        each.money_at_risk for each in raised if isinstance(each, ExceptionRaised)
    ]


@pytest.mark.parametrize(
    ("first", "then", "left"),
    [
        (AT_RISK, LATE, [("dispatch_late", "O1")]),
        (metric("near"), metric("crossed"), [("seller_metric_crossed", MONTH_LATE)]),
        (metric("crossed"), metric("near"), [("seller_metric_near", MONTH_LATE)]),
    ],
)
def test_what_is_worse_takes_the_place_of_what_was_bad(
    first: Event, then: Event, left: list[tuple[str, str]]
) -> None:
    """One exception of one order's time, or of one metric, at a time."""
    assert left == OnDesk(first, then).open


def test_deadline_says_whose_time_it_was_in_words() -> None:
    """A person reads it without a table of codes."""
    (raised,) = (each for each in conditions(LATE) if isinstance(each, Raise))

    assert (
        "the deadline has passed: it is held (waits for a person); until then warehouse 1.5 h "
        "of working time"
    ) == raised.message


def test_count_of_late_orders_says_how_many_are_not_named_and_where_they_are() -> None:
    """Nothing is cut in silence."""
    (raised,) = (e for e in conditions(many(deadlines.LATE)) if isinstance(e, Raise))

    assert raised.message.startswith("312 orders are late, 287 of them not named one by one")
    assert raised.message.endswith("kcjl dispatch list --late")
