"""What a channel downloads, as records: orders, returns, and the configuration.

Promises: the vendor's names, required fields and longest values, checked when a record is
made; unknown fields are ignored. It reads no bytes and looks nothing up. Invariant: a record
that exists has each required field, of its type. Source: contract khaos b.10.
Called by the reading, the order entry and the returns desk.
"""

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, field

__all__ = [
    "Address",
    "Contact",
    "Customer",
    "DataItem",
    "EndpointConfig",
    "Header",
    "ImportConfig",
    "Item",
    "ItemMapping",
    "MappingType",
    "Payment",
    "Price",
    "ReturnDocument",
    "ReturnedItem",
    "SalesOrderDocument",
]

_MOMENT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"
Moment: TypeAlias = Annotated[str, Meta(pattern=_MOMENT)]
"""London wall time without an offset."""
Filled: TypeAlias = Annotated[str, Meta(pattern=r"\S")]
Upto10: TypeAlias = Annotated[str, Meta(max_length=10)]
Upto20: TypeAlias = Annotated[str, Meta(max_length=20)]
Upto25: TypeAlias = Annotated[str, Meta(max_length=25)]
Upto30: TypeAlias = Annotated[str, Meta(max_length=30)]
Upto35: TypeAlias = Annotated[str, Meta(max_length=35)]
Upto50: TypeAlias = Annotated[str, Meta(max_length=50)]
Upto100: TypeAlias = Annotated[str, Meta(max_length=100)]
Line: TypeAlias = Annotated[str, Meta(max_length=35, pattern=r"\S")]
MappingType: TypeAlias = Literal["StockCode", "OtherRef", "Barcode", "WebCode", "Automatic"]
Trouble: TypeAlias = Literal["Abort", "ImportAndHold", "Skip"]


class Said(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """Base: what the other side said, by the vendor's names."""


class DataItem(Said, frozen=True, kw_only=True, rename="pascal"):
    """One of three names of something that the ERP has."""

    id: str = field(default="", name="ID")
    code: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.id, self.code, self.name))) > 1:
            raise ValueError("has one of ID, Code and Name, not several")

    def __bool__(self) -> bool:
        return bool(self.id or self.code or self.name)


class Customer(Said, frozen=True, kw_only=True, rename="pascal"):
    create_new: Literal["IfNoMatch", "Always", "Never"]
    company_class: DataItem
    currency: DataItem
    other_ref: Upto50 = ""
    web_user: Upto50 = ""
    company_name: Upto50 = ""
    tax_reference: Upto20 = ""
    urn: str | None = field(default=None, name="URN")


class Address(Said, frozen=True, kw_only=True, rename="pascal"):
    line1: Line
    town: Line
    country: DataItem
    line2: Upto35 = ""
    line3: Upto35 = ""
    county: Upto35 = ""
    postcode: Upto10 = ""
    email: Upto100 = ""
    telephone: Upto25 = ""
    fax: Upto25 = ""
    organisation: Upto50 = ""


class Contact(Said, frozen=True, kw_only=True, rename="pascal"):
    title: Upto20 = ""
    forename: Upto50 = ""
    surname: Upto50 = ""
    email: Upto100 = ""
    mobile: Upto30 = ""

    def __post_init__(self) -> None:
        if not (self.forename.strip() or self.surname.strip()):
            raise ValueError("needs a Forename or a Surname")


class Price(Said, frozen=True, kw_only=True, rename="pascal"):
    net: Decimal | None = None
    gross: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.net is None) == (self.gross is None):
            raise ValueError("has either Net or Gross")


class LockableDate(Said, frozen=True, kw_only=True, rename="pascal"):
    date: Moment
    locked: bool = False


class Header(Said, frozen=True, kw_only=True, rename="pascal"):
    associated_ref: Filled
    order_date: Moment
    site: DataItem
    sales_source: DataItem
    discount_codes: list[DataItem]
    courier: DataItem = DataItem()
    courier_group: DataItem = DataItem()
    keycode: DataItem = DataItem()
    brand: DataItem = DataItem()
    order_note: str = ""
    invoice_note: str = ""
    delivery_date: LockableDate | None = None
    required_date: Moment | None = None
    po_number: str = field(default="", name="PONumber")
    delivery_charge: Price | None = None
    delivery_tax_amount: Decimal | None = None
    remainder_on_account: bool = False
    calc_method: Decimal = Decimal(0)
    value_discount: Decimal = Decimal(0)
    gross_total: Decimal | None = None
    custom_data: str = ""
    currency: DataItem = DataItem()


class ItemMapping(Said, frozen=True, kw_only=True, rename="pascal"):
    mapping: MappingType
    mapping_item: str = ""


class Description(Said, frozen=True, kw_only=True, rename="pascal"):
    source: Literal["Explicit", "StockDesc", "WebCategories"]
    parameter: str


class Item(Said, frozen=True, kw_only=True, rename="pascal"):
    sku: Filled = field(name="SKU")
    mapping: MappingType
    quantity: Decimal
    unit_price: Price
    extended_description: list[str]
    stock_description: Description | None = None
    import_ref: str = ""
    web_item_ref: str = ""
    site: DataItem = DataItem()
    percent_discount: Decimal = Decimal(0)
    value_discount: Decimal = Decimal(0)
    alternate_mapping: list[ItemMapping] = []

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise ValueError("Quantity must be above 0")


class Reference(Said, frozen=True, kw_only=True, rename="pascal"):
    reference: str = ""


class Voucher(Said, frozen=True, kw_only=True, rename="pascal"):
    reference: Filled


class Card(Said, frozen=True, kw_only=True, rename="pascal"):
    card_type: Annotated[str, Meta(max_length=25, pattern=r"\S")]
    is_preauth: bool
    card_number: str = ""
    auth_code: str = ""
    transaction_id: str = field(default="", name="TransactionID")
    timestamp: Moment | None = None


class Payment(Said, frozen=True, kw_only=True, rename="pascal"):
    amount: Decimal
    cash: Reference | None = None
    cheque: Reference | None = None
    card: Card | None = None
    voucher: Voucher | None = None
    bacs: Reference | None = field(default=None, name="BACS")
    bank_account: DataItem | str = ""

    def __post_init__(self) -> None:
        kinds = (self.cash, self.cheque, self.card, self.voucher, self.bacs)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("is one of Cash, Cheque, Card, Voucher and BACS")


class SalesOrderDocument(Said, frozen=True, kw_only=True, rename="pascal"):
    customer: Customer
    invoice_address: Address
    invoice_contact: Contact
    header: Header
    items: Annotated[list[Item], Meta(min_length=1)]
    delivery_address: Address | None = None
    delivery_contact: Contact | None = None
    payments: list[Payment] = []


class ImportConfig(Said, frozen=True, kw_only=True, rename="pascal"):
    match_company_on: list[str] = []
    match_address_on: list[str] = []
    match_contact_on: list[str] = []
    discontinued_items: Trouble = "Abort"
    run_to_zero_error_items: Trouble = "Abort"
    import_as_unconfirmed: bool = False


class SourceOrder(Said, frozen=True, kw_only=True, rename="pascal"):
    associated_ref: str = ""
    order_id: str = field(default="", name="SOrderID")
    order_code: str = field(default="", name="SOrderCode")
    order_item_id: str = field(default="", name="SOrderItemID")


class SourceReference(Said, frozen=True, kw_only=True, rename="pascal"):
    source_order: SourceOrder


class ReturnedItem(Said, frozen=True, kw_only=True, rename="pascal"):
    sku: Filled = field(name="SKU")
    quantity: Decimal
    return_reason: DataItem
    mapping: list[ItemMapping] = []
    source_reference: SourceReference | None = None
    unit_price: Price | None = None


class ReturnDocument(Said, frozen=True, kw_only=True, rename="pascal"):
    """A customer return, its fields already spelt as in the vendor's table."""

    associated_ref: Filled
    created_date: Moment
    urn: Filled = field(name="URN")
    invoice_address: Address
    invoice_contact: Contact
    delivery_address: Address | None = None
    delivery_contact: Contact | None = None
    returned_items: list[ReturnedItem] = []
    notes: str = ""
    process_return: bool = False


class Endpoint(Said, frozen=True, kw_only=True, rename="pascal"):
    url: Annotated[str, Meta(pattern=r"^https?://\S+$")] = field(name="URL")
    format: Annotated[str, Meta(pattern=r"^(?i:JSON|XML)$")]
    frequency: Decimal | None = None


class EndpointConfig(Said, frozen=True, kw_only=True, rename="pascal"):
    order_download: Endpoint
    stock_status_upload: Endpoint
    stock_upload: Endpoint
    order_status_upload: Endpoint | None = None
    return_download: Endpoint | None = field(default=None, name="CReturnDownload")
    provided_stock: Endpoint | None = None
    price_list_upload: Endpoint | None = None
