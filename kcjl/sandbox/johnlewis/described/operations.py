"""Every operation of the seller API with what it takes and answers, by its code.

Promises: an operation of the route table that is not here is described all the same, by its
path, its role and a free body; tests want each to be here. It serves nothing.
It has more lines than most: a table is read best in one place.
Invariant: codes are those of the route table. Called by the OpenAPI document.
"""

import msgspec

from kcjl.sandbox.johnlewis import (
    accounting,
    after_sales,
    exports,
    offer_imports,
    orders,
    returns,
    shipment_changes,
    shipments,
)
from kcjl.sandbox.johnlewis.described import (
    account_answers,
    after_sale_answers,
    list_answers,
    offer_answers,
    order_answers,
    shop_answers,
)
from kcjl.sandbox.johnlewis.described.parameters import (
    Parameter,
    flag,
    listed,
    moment,
    offset_pages,
    repeated,
    seek_pages,
    text,
)
from kcjl.sandbox.johnlewis.lists import FIELD_ENTITIES
from kcjl.sandbox.marketplace.shop_statistics import PERIODS

__all__ = ["DESCRIBED", "Described"]

CSV = "text/csv"
NDJSON = "application/x-ndjson"
PDF = "application/pdf"


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """One operation."""

    title: str
    answer: object = None
    """The type of its JSON answer; None where it has no JSON."""
    status: int = 200
    """Where it went well; 204 has no body."""
    body: type[msgspec.Struct] | None = None
    query: tuple[Parameter, ...] = ()
    files: tuple[str, ...] = ()
    """Media types of an answer that is a file; beside the JSON where there is one."""
    form: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Parts of a multipart body beside `file`: (name, allowed values)."""
    parts: tuple[str, ...] = ()
    """Parts of a multipart body that has no `file`."""
    pages: bool = False
    """Answers carry `Link` to the next and the previous page."""
    may_be_absent: bool = False
    """404 without a path parameter: where the tenant has not the feature."""


_SHOP = {
    "V01": Described(title="Is the platform up", answer=shop_answers.Version),
    "A01": Described(title="The shop", answer=shop_answers.Account),
    "PC01": Described(title="How the platform is set up", answer=shop_answers.Platform),
    "SH21": Described(title="Registered carriers", answer=shop_answers.Carriers),
    "SH12": Described(title="Shipping types", answer=shop_answers.ShippingTypes),
    "RE01": Described(title="Reasons", answer=shop_answers.Reasons),
}

_OFFERS = {
    "OF21": Described(
        title="Offers of the shop",
        answer=offer_answers.Offers,
        pages=True,
        query=(
            listed("sku"),
            listed("product_id"),
            listed("offer_state_codes"),
            flag("favorite"),
            *offset_pages("totalPrice", "price", "productTitle"),
        ),
    ),
    "OF22": Described(title="One offer", answer=offer_answers.OfferShown),
    "OF26": Described(title="An offer's quantity", answer=offer_answers.OfferQuantity),
    "STO01": Described(
        title="Import a stock file", answer=offer_answers.TakenImport, status=201
    ),
    "STO02": Described(
        title="How far a stock import is", answer=offer_answers.StockImportStatus
    ),
    "STO03": Described(title="Lines that a stock import refused", files=(CSV,)),
    "OF24": Described(
        title="Create, change or delete offers",
        body=offer_imports.OfferCall,
        answer=offer_answers.OfferImportTaken,
        status=201,
    ),
    "OF01": Described(
        title="Import an offer file",
        form=(("import_mode", ("NORMAL", "REPLACE", "PARTIAL_UPDATE")), ("with_products", ())),
        answer=offer_answers.OfferFileTaken,
        status=201,
        query=(text("import_mode", ("NORMAL", "REPLACE", "PARTIAL_UPDATE")),),
    ),
    "OF02": Described(
        title="How far an offer import is", answer=offer_answers.OfferImportShown
    ),
    "OF03": Described(title="Lines that an offer import refused", files=(CSV,)),
    "OF04": Described(
        title="Offer imports",
        answer=offer_answers.OfferImports,
        query=(
            repeated("status", offer_imports.STATUSES),
            moment("last_request_date"),
            *seek_pages(offer_imports.LIMIT_MAX, "dateCreated"),
        ),
    ),
    "PRI01": Described(
        title="Import a price file", answer=offer_answers.TakenImport, status=201
    ),
    "PRI02": Described(
        title="Price imports",
        answer=offer_answers.PriceImports,
        query=(
            text("import_id"),
            repeated("status", offer_imports.STATUSES),
            *seek_pages(offer_imports.LIMIT_MAX, "dateCreated"),
        ),
    ),
    "PRI03": Described(title="Lines that a price import refused", files=(CSV,)),
    "OF51": Described(
        title="Offers as a file",
        files=(CSV,),
        query=(moment("last_request_date"), flag("include_inactive_offers")),
    ),
    "OF52": Described(
        title="Export offers", body=exports.OfferExportCall, answer=offer_answers.Tracked
    ),
    "OF53": Described(
        title="How far an offer export is", answer=offer_answers.OfferExportStatus
    ),
    "OF54": Described(
        title="A file of an offer export",
        answer=offer_answers.OfferExportFile,
        files=(CSV,),
    ),
}

_ORDERS = {
    "OR11": Described(
        title="Orders",
        answer=order_answers.Orders,
        pages=True,
        query=(
            listed("order_ids"),
            listed("order_references_for_customer"),
            listed("order_references_for_seller"),
            listed("order_state_codes", orders.STATES),
            moment("start_date"),
            moment("end_date"),
            moment("start_update_date"),
            moment("end_update_date"),
            listed("channel_codes"),
            flag("only_null_channel"),
            flag("customer_debited"),
            text("payment_workflow", orders.WORKFLOWS),
            flag("has_incident"),
            listed("fulfillment_center_code"),
            text("order_tax_mode", orders.TAX_MODES),
            *offset_pages("dateCreated"),
        ),
    ),
    "OR04": Described(
        title="Write the seller's references",
        body=orders.ReferenceCall,
        answer=order_answers.UpdatedOrders,
    ),
    "OR13": Described(
        title="Export orders", body=exports.OrderExportCall, answer=offer_answers.Tracked
    ),
    "OR14": Described(title="How far an order export is", answer=order_answers.ExportStatus),
    "OR15": Described(title="A file of an order export", answer=order_answers.OrderFile),
    "OR21": Described(title="Accept or refuse lines", body=orders.Acceptance, status=204),
    "OR23": Described(title="Carrier and tracking", body=orders.OrderTracking, status=204),
    "OR24": Described(title="Ship a whole order", status=204),
    "OR28": Described(
        title="Refund lines", body=orders.RefundCall, answer=order_answers.RefundsMade
    ),
    "OR29": Described(title="Cancel a whole order", status=204),
}

_SHIPMENTS = {
    "ST01": Described(
        title="Create parcels",
        body=shipments.ParcelCall,
        answer=order_answers.CreatedShipments,
        status=201,
        may_be_absent=True,
    ),
    "ST11": Described(
        title="Parcels",
        answer=order_answers.Shipments,
        may_be_absent=True,
        query=(
            repeated("order_id"),
            repeated("shipment_state_code", shipments.STATES),
            repeated("shipment_customer_debit_state_code"),
            moment("last_updated_from"),
            moment("last_updated_to"),
            *seek_pages(shipments.LIMIT_MAX, "dateCreated", "lastUpdated"),
        ),
    ),
    "ST12": Described(
        title="What is still to ship",
        answer=order_answers.ItemsToShip,
        may_be_absent=True,
        query=(
            repeated("order_id"),
            repeated("fulfillment_center_code"),
            moment("shipping_date_from"),
            moment("shipping_date_to"),
            *seek_pages(shipments.LIMIT_MAX, "dateCreated"),
        ),
    ),
    "ST23": Described(
        title="Tracking of parcels",
        body=shipments.TrackingCall,
        answer=order_answers.ShipmentOutcomes,
        may_be_absent=True,
    ),
    "ST24": Described(
        title="Ship parcels",
        body=shipments.ShippingCall,
        answer=order_answers.ShipmentOutcomes,
        may_be_absent=True,
    ),
}

_ACCOUNT = {
    "TL02": Described(
        title="Transaction lines",
        answer=account_answers.Transactions,
        query=(
            moment("last_updated_from"),
            moment("date_created_from"),
            moment("date_created_to"),
            moment("transaction_date_from"),
            moment("transaction_date_to"),
            repeated("seller_billing_cycle_id"),
            repeated("payment_state", accounting.PAYMENT_STATES),
            repeated("transaction_type"),
            repeated("order_id"),
            repeated("order_line_id"),
            repeated("order_reference_for_customer"),
            repeated("order_reference_for_seller"),
            repeated("accounting_document_number"),
            repeated("accounting_document_id"),
            repeated("shop_model", accounting.SHOP_MODELS),
            repeated("pay_out_psp_codes"),
            repeated("other_reference"),
            *seek_pages(accounting.TRANSACTIONS_MAX, "dateCreated", "lastUpdated"),
        ),
    ),
    "TL03": Described(
        title="Export transaction lines",
        body=exports.TransactionExportCall,
        answer=offer_answers.Tracked,
    ),
    "TL04": Described(
        title="How far a transaction export is", answer=order_answers.ExportStatus
    ),
    "TL05": Described(
        title="A file of a transaction export",
        answer=account_answers.TransactionFile,
        files=(NDJSON,),
    ),
    "SBC11": Described(
        title="Billing cycles",
        answer=account_answers.Cycles,
        query=(
            repeated("id"),
            repeated("pay_out_state", accounting.PAYOUT_STATES),
            moment("start_date"),
            moment("end_date"),
            text("currency"),
            text("pay_out_psp_code"),
            *seek_pages(accounting.CYCLES_MAX, "dateCreated"),
        ),
    ),
    "IV01": Described(
        title="Invoices",
        answer=account_answers.Invoices,
        pages=True,
        query=(
            repeated("type", accounting.INVOICE_KINDS),
            repeated("payment_status", accounting.INVOICE_PAYMENT_STATES),
            repeated("seller_billing_cycle_id"),
            repeated("invoice_id"),
            repeated("issuing_user_types", accounting.ISSUERS),
            moment("start_date"),
            moment("end_date"),
            text("currency"),
            *offset_pages("dateCreated"),
        ),
    ),
    "IV02": Described(title="An invoice as PDF", files=(PDF,)),
}

_LISTS = {
    "A21": Described(
        title="How well the shop serves",
        answer=list_answers.Statistics,
        query=(repeated("periods", PERIODS),),
    ),
    "OR75": Described(title="Order taxes", answer=list_answers.OrderTaxes),
    "AF01": Described(
        title="Own fields of the tenant",
        answer=list_answers.AdditionalFieldList,
        query=(repeated("entities", FIELD_ENTITIES),),
    ),
    "DO01": Described(
        title="Document types",
        answer=list_answers.DocumentTypes,
        query=(repeated("entities"),),
    ),
    "OF61": Described(title="Offer states", answer=list_answers.OfferStates),
    "CH11": Described(title="Channels", answer=list_answers.Channels),
    "CUR01": Described(title="Currencies", answer=list_answers.Currencies),
    "L01": Described(title="Locales", answer=list_answers.Locales),
    "SH11": Described(title="Shipping zones", answer=list_answers.ShippingZones),
    "SH31": Described(title="Logistic classes", answer=list_answers.LogisticClasses),
}

_AFTER_SALES = {
    "OR12": Described(
        title="One order (deprecated)",
        answer=order_answers.OrderShown,
        query=(text("order_tax_mode", orders.TAX_MODES),),
    ),
    "OR30": Described(
        title="Cancel lines",
        body=after_sales.CancelationCall,
        answer=after_sale_answers.CancelationsMade,
    ),
    "OR31": Described(
        title="Write own fields",
        body=after_sales.FieldsCall,
        answer=after_sale_answers.FieldsWritten,
    ),
    "OR64": Described(title="End an incident", body=after_sales.Resolution, status=204),
    "OR72": Described(
        title="Documents of orders",
        answer=after_sale_answers.OrderDocuments,
        query=(listed("order_ids"),),
    ),
    "OR73": Described(
        title="Download documents",
        files=("application/octet-stream", "application/zip"),
        query=(listed("order_ids"), listed("document_ids"), listed("document_codes")),
        may_be_absent=True,
    ),
    "OR74": Described(
        title="Upload documents",
        answer=after_sale_answers.UploadedDocuments,
        parts=("files", "order_documents"),
    ),
    "OR76": Described(title="Delete a document", status=204),
    "ST06": Described(
        title="Delete parcels",
        body=shipments.ShippingCall,
        answer=order_answers.ShipmentOutcomes,
        may_be_absent=True,
    ),
    "ST26": Described(
        title="Parcels are ready for pick-up",
        body=shipments.ShippingCall,
        answer=order_answers.ShipmentOutcomes,
        may_be_absent=True,
    ),
    "ST31": Described(
        title="More about parcels",
        body=shipment_changes.DescriptionCall,
        answer=after_sale_answers.DescribedShipments,
        may_be_absent=True,
    ),
    "RT11": Described(
        title="Returns",
        answer=after_sale_answers.Returns,
        may_be_absent=True,
        query=(
            *(repeated(name) for name in (*returns.TEXTS, "order_line_id")),
            repeated("return_state", returns.STATES),
            moment("return_creation_date_from"),
            moment("return_creation_date_to"),
            moment("return_last_updated_from"),
            moment("return_last_updated_to"),
            *seek_pages(returns.LIMIT_MAX, "date_created"),
        ),
    ),
    "RT12": Described(
        title="What may come back",
        answer=after_sale_answers.ItemsToReturn,
        may_be_absent=True,
        query=(
            repeated("order_commercial_id"),
            repeated("order_line_id"),
            *seek_pages(returns.LIMIT_MAX, "date_created"),
        ),
    ),
    "RT01": Described(
        title="Create returns",
        body=returns.CreationCall,
        answer=after_sale_answers.ReturnsMade,
        may_be_absent=True,
    ),
    **{
        code: Described(
            title=title,
            body=body,
            answer=after_sale_answers.ReturnOutcomes,
            may_be_absent=True,
        )
        for code, title, body in (
            ("RT04", "Change returns", returns.UpdateCall),
            ("RT21", "Accept or refuse returns", returns.AcceptanceCall),
            ("RT25", "Returns have arrived", returns.NamingCall),
            ("RT26", "Judge returned units", returns.ComplianceCall),
            ("RT27", "Close returns", returns.NamingCall),
            ("RT29", "Cancel returns", returns.NamingCall),
        )
    },
}

DESCRIBED: dict[str, Described] = {
    **_SHOP,
    **_OFFERS,
    **_ORDERS,
    **_SHIPMENTS,
    **_ACCOUNT,
    **_LISTS,
    **_AFTER_SALES,
}
