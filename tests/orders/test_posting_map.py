"""The table of docs/orders.md, row by row: what of a marketplace order goes where in the ERP.

Each row has a walk below, from the marketplace's record to the document of `ImportOrders`, with
values that break naive mappings. A row without a walk, or a walk without a row, fails.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from kcjl.errors import Misuse, Refused
from kcjl.johnlewis.order_port import Address, Order, OrderLine, TaxAmount
from kcjl.khaos.cloud_order import order_tree
from kcjl.khaos.cloud_settings import CloudSettings
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.order_document import order_document
from kcjl.khaos.port import DeliveryAddress, NewOrder
from kcjl.money import Money
from kcjl.orders import translate
from kcjl.orders.amounts import posting_amounts, posting_lines, why_not_to_the_penny
from kcjl.orders.as_paid import as_paid
from kcjl.orders.events import DeliveryAddressSealed, PostingIntended
from kcjl.orders.state import ORDERS, Catalogued
from kcjl.stock.events import stock_key
from tests.outside.marketplace import BUYER, EMAIL, marketplace_line, marketplace_order
from tests.trade import SHIPPING, at, gbp, made_of

TABLE = Path(__file__).parents[2] / "docs" / "orders.md"
replace = msgspec.structs.replace
SETTINGS = KwsSettings(
    url="http://127.0.0.1:1/Live",
    company_code="JLMKT",
    company_class="Marketplace",
    company_name="John Lewis Marketplace",
    invoice_address=DeliveryAddress(
        line1="1 Example Road",
        town="London",
        postcode="ZZ1 1ZZ",
        country_code="GBR",
        surname="Accounts",
    ),
    clearing_account="John Lewis Clearing",
    sales_source="JOHN LEWIS",
    site_name="Main Site",
    courier_code="DPD24",
    couriers={"EXP": "DPD12"},
)
CLOUD = CloudSettings(
    user="kc",
    password="secret",
    company_code="JLMKT",
    company_class="Marketplace",
    invoice_address=SETTINGS.invoice_address,
    clearing_account="John Lewis Clearing",
    sales_source="John Lewis",
    site_id="1",
)
Walk: TypeAlias = Callable[[], None]
WALKS: dict[str, Walk] = {}


def row(name: str) -> Callable[[Walk], Walk]:
    """A walk of that row."""

    def register(walk: Walk) -> Walk:
        WALKS[name] = walk
        return walk

    return register


def rows() -> dict[str, str]:
    """The rows of the table: what, and the fields that it names."""
    text = TABLE.read_text(encoding="utf-8")
    section = text[text.index("## Posting\n") :]
    section = section[: section.index("\n## ", 4)]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    return {what: fields for what, fields, _ in cells[2:]}


# ── the way ─────────────────────────────────────────────────────────────────────────────────


def told(*lines: OrderLine, buyer: Address = BUYER, **changes: object) -> Order:
    """An order as the marketplace tells it; its totals are its lines'."""
    made = marketplace_order("O1", *lines, state=SHIPPING)
    shipping = sum((line.shipping_price for line in made.lines), gbp(0))
    fees = sum((line.fees or gbp(0) for line in made.lines), gbp(0))
    made = replace(
        made,
        delivery_address=buyer,
        shipping_price=shipping,
        total_price=made.price + shipping + fees,
    )
    return replace(made, **changes)


def new_order(order_told: Order) -> NewOrder:
    """What the orders room hands to the ERP's adapter, by its own rules."""
    paid = as_paid(order_told)
    received = translate.received(paid, acceptance=at(1) - at(0))
    there = DeliveryAddressSealed(order_id="O1", vault_ref="buyer-O1", occurred_at=at(1))
    entry = made_of(ORDERS, "O1", received, there)
    assert "" == why_not_to_the_penny(entry)
    known: dict[str, Catalogued | None] = {
        stock_key(line.sku): Catalogued(stock_code=line.sku.upper()) for line in paid.lines
    }
    delivery, total = posting_amounts(entry)
    intended = PostingIntended(
        order_id="O1",
        reference=entry.reference,
        attempt=1,
        lines=posting_lines(entry, known),
        delivery_gross=delivery,
        gross_total=total,
        occurred_at=at(2),
    )
    address = order_told.delivery_address
    assert address is not None
    buyer = translate.SealedBuyer(address=address, email=order_told.notification_email)
    return translate.sales_order(entry, intended, buyer)


def sent(order_told: Order, settings: KwsSettings = SETTINGS) -> etree._Element:
    return etree.fromstring(order_document(new_order(order_told), settings))


def said(document: etree._Element, tag: str) -> list[str]:
    return [node.text or "" for node in document.iter(tag)]


def one(document: etree._Element, tag: str) -> str:
    (text,) = said(document, tag)
    return text


def items(document: etree._Element) -> list[tuple[str, int, Decimal, str]]:
    tags = ("STOCK_CODE", "ORDER_QTY", "PRICE_GRS", "IMPORT_REF")
    found = []
    for item in document.iter("ORDER_ITEM"):
        code, units, price, ref = (item.findtext(tag) or "" for tag in tags)
        found.append((code, int(units), Decimal(price), ref))
    return found


def comes_to(document: etree._Element) -> Decimal:
    """What the ERP adds up: items and delivery, gross."""
    goods = sum((units * price for _, units, price, _ in items(document)), Decimal(0))
    return goods + Decimal(one(document, "DELIVERY_GRS"))


# ── the rows ────────────────────────────────────────────────────────────────────────────────


@row("customer order number")
def walk_reference() -> None:
    document = sent(told(customer_order_number="JL-55001234"))
    assert ["JL-55001234"] * 2 == [
        one(document, "ASSOCIATED_REF"),
        one(document, "TRANSACTION_ID"),
    ]
    for unfit in ("JL-5500123456789", "JL 55001234", "JL,55001234", "JL-5500Ł"):
        with pytest.raises(Refused, match=r"ASSOCIATED_REF|TRANSACTION_ID"):
            sent(told(customer_order_number=unfit))
    long_one = replace(SETTINGS, max_external_ref=50)
    assert "JL-5500123456789" == one(
        sent(told(customer_order_number="JL-5500123456789"), long_one), "ASSOCIATED_REF"
    )


@row("customer")
def walk_customer() -> None:
    document = sent(told())
    assert ("0", "JLMKT", "Marketplace", "John Lewis Marketplace") == tuple(
        one(document, tag)
        for tag in ("IS_NEW_CUSTOMER", "COMPANY_CODE", "COMPANY_CLASS", "COMPANY_NAME")
    )


LONG = "The Old Converted Dairy Barn at Little Snoring Farm, behind the Chapel"


@row("buyer's address")
def walk_address() -> None:
    long_one = replace(BUYER, street_1=LONG, street_2="Flat 9", additional="")
    document = sent(told(buyer=long_one))
    lines = [text for n in (1, 2, 3) for text in said(document, f"DADDRESS{n}")]
    assert f"{LONG} Flat 9".split() == " ".join(lines).split()
    assert max(map(len, lines)) <= 35
    for unfit in (f"{LONG} {LONG}", "x" * 36):
        with pytest.raises(Refused, match=r"DADDRESS1\.\.3.*never cut") as refusal:
            sent(told(buyer=replace(BUYER, street_1=unfit)))
        assert "Dairy" not in refusal.value.message


@row("buyer's place")
def walk_place() -> None:
    document = sent(told(buyer=replace(BUYER, county="Norfolk")))
    assert ("Little Snoring", "Norfolk", "ZZ9 9ZZ", "GBR") == tuple(
        one(document, tag) for tag in ("DTOWN", "DCOUNTY", "DPOSTCODE", "DCOUNTRY_CODE")
    )
    unfit = {"city": "x" * 36, "county": "x" * 36, "postcode": "x" * 11}
    for name, text in (*unfit.items(), ("city", " "), ("postcode", "")):
        with pytest.raises(Refused, match=r"DTOWN|DCOUNTY|DPOSTCODE"):
            sent(told(buyer=replace(BUYER, **{name: text})))


@row("buyer's name")
def walk_name() -> None:
    document = sent(told(buyer=replace(BUYER, company="Snoring Parish Council")))
    assert ("Wilhelmina", "Featherstonehaugh", "Snoring Parish Council") == tuple(
        one(document, tag) for tag in ("DFORENAME", "DSURNAME", "DORGANISATION")
    )
    alone = sent(told(buyer=replace(BUYER, last_name="", first_name="Wilhelmina")))
    assert ([], ["Wilhelmina"]) == (said(alone, "DFORENAME"), said(alone, "DSURNAME"))
    with pytest.raises(Refused, match="DSURNAME"):
        sent(told(buyer=replace(BUYER, last_name="x" * 51)))


@row("invoice address")
def walk_invoice_address() -> None:
    (invoice,) = sent(told()).iter("INVADDR")
    assert ["1 Example Road", "London", "ZZ1 1ZZ", "GBR", "Accounts"] == [
        node.text for node in invoice
    ]


@row("phone, alias e-mail")
def walk_phone() -> None:
    document = sent(told())
    assert ("07700900123", EMAIL) == (one(document, "DTEL"), one(document, "DEMAIL"))
    unfit = told(
        buyer=replace(BUYER, phone="+44 (0) 7700 900123 ext. 42"),
        notification_email=f"{'x' * 40}@notification.example",
    )
    assert ([], []) == (said(sent(unfit), "DTEL"), said(sent(unfit), "DEMAIL"))
    assert [] == said(sent(told(), replace(SETTINGS, include_email=False)), "DEMAIL")


@row("characters")
def walk_characters() -> None:
    odd = told(buyer=replace(BUYER, last_name="Dvořák & Søn <x>", street_1="Rue de l’Œuvre 1"))
    document = sent(odd)
    assert "Dvorák & Søn <x>" == one(document, "DSURNAME")
    with pytest.raises(Refused, match=r"DADDRESS1\.\.3"):
        sent(odd, replace(SETTINGS, characters="refuse"))
    line = replace(marketplace_line(), sku="ŁAMP-1")
    with pytest.raises(Refused, match="STOCK_CODE"):
        sent(told(line))


@row("line")
def walk_line() -> None:
    document = sent(told(replace(marketplace_line(), sku="a-1")))
    assert [("A-1", 2, Decimal("10.00"), "O1-1")] == items(document)
    for unfit in ("x" * 51, "LAMP#1"):
        with pytest.raises(Refused, match="STOCK_CODE"):
            sent(told(replace(marketplace_line(), sku=unfit)))


@row("promotions, rounding")
def walk_promotion() -> None:
    """Three at 10.00, a promotion of 10.01 off: 19.99, which three do not divide."""
    line = replace(marketplace_line(quantity=3), price=gbp(1_999))
    document = sent(told(line))
    assert [("A-1", 2, Decimal("6.66"), "O1-1"), ("A-1", 1, Decimal("6.67"), "O1-1")] == items(
        document
    )
    assert Decimal("19.99") == comes_to(document) == Decimal(one(document, "ORDER_AMOUNT"))


@row("several lines of one SKU")
def walk_same_sku() -> None:
    lines = (marketplace_line("O1-1"), replace(marketplace_line("O1-2"), price=gbp(1_800)))
    assert [("A-1", 2, Decimal("10.00"), "O1-1"), ("A-1", 2, Decimal("9.00"), "O1-2")] == items(
        sent(told(*lines))
    )


@row("pack")
def walk_pack() -> None:
    """Nothing of what is in it is sent: the ERP adds the children at nothing."""
    document = sent(told(replace(marketplace_line(quantity=1), sku="SET-OF-6")))
    assert ["SET-OF-6"] == said(document, "STOCK_CODE")


@row("delivery charge")
def walk_delivery() -> None:
    lines = [
        replace(marketplace_line(f"O1-{n}"), shipping_price=gbp(pence))
        for n, pence in enumerate((395, 0, 101), start=1)
    ]
    assert "4.96" == one(sent(told(*lines)), "DELIVERY_GRS")
    assert "0.00" == one(sent(told()), "DELIVERY_GRS")


@row("fees that the customer paid")
def walk_fees() -> None:
    line = replace(marketplace_line(), shipping_price=gbp(395), fees=gbp(250))
    document = sent(told(line))
    assert "6.45" == one(document, "DELIVERY_GRS")
    assert "26.45" == one(document, "ORDER_AMOUNT")


@row("taxes")
def walk_taxes() -> None:
    """Three for 10.00 and 2.00 tax: 12.00; three for 10.00 and 1.99: 11.99, and not 12.00."""
    for tax, total in ((200, "12.79"), (199, "12.78")):
        line = replace(
            marketplace_line(quantity=3),
            price=gbp(1_000),
            unit_price=gbp(333),
            shipping_price=gbp(66),
            taxes=(TaxAmount(code="VAT20", amount=gbp(tax)),),
            shipping_taxes=(TaxAmount(code="VAT20", amount=gbp(13)),),
        )
        document = sent(told(line, tax_mode="TAX_EXCLUDED"))
        assert "0.79" == one(document, "DELIVERY_GRS")
        assert total == one(document, "ORDER_AMOUNT") == str(comes_to(document))
        included = sent(told(line))
        assert "10.66" == one(included, "ORDER_AMOUNT") == str(comes_to(included))


@row("total")
def walk_total() -> None:
    line = replace(marketplace_line(quantity=7), price=gbp(9_998), shipping_price=gbp(1))
    document = sent(told(line))
    assert ["99.99"] * 2 == [one(document, "ORDER_AMOUNT"), one(document, "PAYMENT_AMOUNT")]
    assert Decimal("99.99") == comes_to(document)
    wrong = replace(new_order(told(line)), gross_total=gbp(10_000))
    with pytest.raises(Misuse, match=r"comes to 99\.99 GBP, and is said to be 100\.00"):
        order_document(wrong, SETTINGS)


@row("payment")
def walk_payment() -> None:
    document = sent(told())
    assert ("2", "JOHNLEWIS", "0", "JOHNLEWIS", "John Lewis Clearing") == tuple(
        one(document, tag)
        for tag in ("PAYMENT_TYPE", "CARD_TYPE", "PREAUTH", "AUTH_CODE", "ACCOUNT_NAME")
    )


@row("time and currency")
def walk_time() -> None:
    """The night when London's clocks go back, and summer."""
    for moment, wall in (
        (datetime(2026, 7, 2, 23, 30, tzinfo=UTC), "2026-07-03T00:30:00"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25T01:30:00"),
    ):
        assert wall == one(sent(told(created_at=moment)), "ORDER_DATE")
    assert "GBP" == one(sent(told()), "ORDER_CURRENCY_CODE")


@row("courier")
def walk_courier() -> None:
    assert "DPD12" == one(sent(told(shipping_type_code="EXP")), "COURIER_CODE")
    assert "DPD24" == one(sent(told(shipping_type_code="STD")), "COURIER_CODE")
    assert [] == said(sent(told(), replace(SETTINGS, courier_code="")), "COURIER_CODE")


@row("site, sales source")
def walk_site() -> None:
    document = sent(told())
    assert ("Main Site", "JOHN LEWIS") == (one(document, "SITE"), one(document, "SALES_SOURCE"))


@row("note")
def walk_note() -> None:
    assert "John Lewis order O1" == one(sent(told()), "ORDER_NOTE")


# ── the table ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(WALKS))
def test_row_of_the_table_is_what_is_sent(name: str) -> None:
    """What the table says of this row, with values that break naive mappings."""
    WALKS[name]()


def test_every_row_of_the_table_is_walked() -> None:
    """A row that nobody walks is a promise that nobody keeps."""
    assert sorted(rows()) == sorted(WALKS)


def test_every_field_that_is_sent_stands_in_the_table() -> None:
    """Nothing goes to the ERP that the table does not name."""
    named = set(re.findall(r"`([A-Z][A-Z_0-9]+)`", TABLE.read_text(encoding="utf-8")))
    named |= {"DADDRESS2", "IS_NEW_CUSTOMER", "MAPPING_TYPE"}
    full = told(buyer=replace(BUYER, company="A", county="B", street_2="C", additional="D"))
    document = sent(full)
    leaves = {node.tag for node in document.iter() if len(node) == 0}
    invoice = {node.tag for node in document.iter("INVADDR") for node in node}

    assert set() == leaves - invoice - named


# ── by chance ───────────────────────────────────────────────────────────────────────────────

WORDS = st.lists(
    st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=12),
    min_size=1,
    max_size=4,
).map(" ".join)


@given(lines=st.lists(WORDS, min_size=1, max_size=3))
def test_address_loses_no_word_and_breaks_none(lines: list[str]) -> None:
    """Any three lines: all words in their order on at most three of 35, or refused whole."""
    street_1, street_2, additional = (*lines, "", "")[:3]
    buyer = replace(BUYER, street_1=street_1, street_2=street_2, additional=additional)
    try:
        document = sent(told(buyer=buyer))
    except Refused as refusal:
        refused = refusal.reason_code or "REFUSED"
    else:
        refused = ""
    if refused:
        assert "TOO_LONG" == refused
        assert len(" ".join(lines)) > 70
        return
    written = [text for n in (1, 2, 3) for text in said(document, f"DADDRESS{n}")]
    assert " ".join(lines).split() == " ".join(written).split()
    assert all(len(line) <= 35 for line in written)


LINES = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.integers(0, 99_999),
        st.integers(0, 999),
        st.integers(0, 9_999),
        st.integers(0, 200),
    ),
    min_size=1,
    max_size=6,
)


@given(drawn=LINES, excluded=st.booleans())
def test_both_adapters_send_what_the_customer_pays(
    drawn: list[tuple[int, int, int, int, int]], *, excluded: bool
) -> None:
    """Any lines, in either tax mode: the web service's document and the channel's."""
    lines = tuple(
        replace(
            marketplace_line(f"O1-{n}", quantity=units),
            price=gbp(price),
            shipping_price=gbp(shipping),
            taxes=(TaxAmount(code="V", amount=gbp(tax)),),
            shipping_taxes=(TaxAmount(code="V", amount=gbp(on_shipping)),),
        )
        for n, (units, price, shipping, tax, on_shipping) in enumerate(drawn)
    )
    mode = "TAX_EXCLUDED" if excluded else "TAX_INCLUDED"
    pence = sum(
        price + shipping + (tax + on_shipping if excluded else 0)
        for _, price, shipping, tax, on_shipping in drawn
    )
    handed = new_order(told(*lines, tax_mode=mode))

    document = etree.fromstring(order_document(handed, SETTINGS))
    tree = msgspec.to_builtins(order_tree(handed, CLOUD, now=at(60)), builtin_types=(Decimal,))

    assert Money(pence).decimal() == comes_to(document)
    channel = sum(each["Quantity"] * each["UnitPrice"]["Gross"] for each in tree["Items"])
    assert Money(pence).decimal() == channel + tree["Header"]["DeliveryCharge"]["Gross"]
    refs = [ref for *_, ref in items(document)]
    assert sorted(refs, key=lambda ref: int(ref[3:])) == refs
    assert all(refs.count(each) <= 2 for each in refs)
    assert sum(units for units, *_ in drawn) == sum(units for _, units, *_ in items(document))
