"""Why shadow does not decide some events again, by type: what the log lacks for it.

Promises: together with what the checks judge, each event of the vocabulary is here once (a test
holds it to that). Called by `shadow.py`.
"""

from collections.abc import Mapping

__all__ = ["FACTS", "NOT_CHECKED", "PEOPLE"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


FACTS = _names(
    """
    AcceptanceConfirmed AcceptanceRefused AcceptanceUnknown AlertFailed AlertSent AlertUnknown
    BillingCycleSeen CarriersRead CouriersListed ConfirmationRefused ConfirmationUnknown
    CyclesRead DeliveryAddressSealed IncidentClosed IncidentOpened InvoiceDocumentKept
    InvoiceDocumentMissing InvoiceSeen InvoicesRead JournalPrepared JournalSeenInLedger
    JobInterrupted JobResumed LedgerRead LevelsWatched LineCancelled LineRefunded LineRefused
    OfferActive OfferGone OfferInactive OfferListed OffersRead OrderChanged OrderNotRead
    OrderReadAgain OrderReceived OrdersCaughtUp OrdersExportAsked OrdersNotExported OrdersRead
    ParcelShipped PostingFetched PostingQueued PostingRefused PostingUnknown
    ReferenceWriteFailed ReferenceWritten RefundSettled ReturnClosed ReturnOpened
    ReturnReceived ReturnsRead
    ReversalRefused ReversalTaken ReversalUnknown SalesOrderCancelled SalesOrderFoundAgain
    SalesOrderNotShown SalesOrderPosted SalesOrderStaged SalesOrdersKept SellerMetricsRead
    ServiceConditionEnded ServiceConditionFound SettlementLineSeen ShipmentsRead
    StockImportFailed StockImportSent StockImportUnknown StockRead TenantRead TotalsCompared
    TrackingRefused TrackingSent TransactionsRead
    """
)

PEOPLE = _names(
    """
    AcceptancePolicySet AcceptanceRetried AccountMapSet BufferSet BuyerErased BuyerShown
    CarrierMapWithdrawn CarrierMapped CommissionTermsSet ConfirmationRetried ExceptionAccepted
    ExceptionAssigned ExceptionNoted ExceptionParked ExceptionRetried ExceptionUnparked
    JournalAcknowledged JournalReversalAsked MonthClosed OfferRetried OrderLetThrough
    PayoutAccepted PayoutReceived PayoutReceiptWithdrawn PostingApproved PostingRetried
    PublishReleased ReturnHandedOver ReversalOrdered ReversalWithdrawn RoutingRulesSet
    SkuAliasApproved SkuAliasWithdrawn StockPolicyApproved StockPolicyProposed
    StockPublishingSwitched TrackingLetThrough WritesSwitched
    """
)

NOT_CHECKED: Mapping[str, tuple[str, ...]] = {
    "rests on a setting, which the log does not hold": (
        "AlertIntended",
        "BillingCycleOverdue",
        "BillingCycleCame",
        "ConfirmationsResumed",
        "ConfirmationsStopped",
        "DeadlineEased",
        "DeadlinesCounted",
        "DispatchAtRisk",
        "DispatchLate",
        "OrdersCounted",
        "OrderGapClosed",
        "OrderGapFound",
        "PayoutReceiptOverdue",
        "PostingOverdue",
        "SellerMetricJudged",
        "StockFeedFresh",
        "StockFeedStale",
        "StockWatchLapsed",
        "StockWatchResumed",
        "StormBegan",
        "StormEnded",
    ),
    "rests on a lag, which is recorded only with an import": (
        "PublishHeld",
        "PublishHoldEnded",
    ),
    "no check is written for it": (
        "CancelledAfterPosting",
        "CorrectionDone",
        "CorrectionDue",
        "CourierAwaitedNoMore",
        "GapEnded",
        "JournalEntryIntended",
        "JournalEntryRefused",
        "LateLineFound",
        "LineWithdrawn",
        "MappedCarrierBack",
        "MappedCarrierGone",
        "OrderPassedOver",
        "ParcelsLeft",
        "ParcelsUnshipped",
        "ReferenceTaken",
        "ReferenceWriteIntended",
        "ReversalHeldBack",
        "ReversalIntended",
        "ReversalMissing",
        "ReversalUnclear",
        "SalesOrderForgone",
        "SalesOrderMissing",
        "SalesOrderVanished",
        "TrackingChanged",
        "UnmappedCouriersSeen",
        "UnwantedUnitsSent",
    ),
}
