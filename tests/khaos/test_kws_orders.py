"""One sales order written: the document, and what is refused before it is sent."""

import re
from collections.abc import Callable
from datetime import date

import msgspec
import pytest
from lxml import etree

from kcjl.errors import Misuse, Refused
from kcjl.khaos.order_document import order_document
from kcjl.khaos.port import (
    CreatedOrder,
    CreateOutcome,
    NewOrder,
)
from kcjl.money import Money
from tests.khaos.conftest import MakeAdapter, settings_for
from tests.khaos.samples import REF, imported, order, to
from tests.khaos.server import ScriptedErp

pytestmark = pytest.mark.anyio


CUSTOMER = [
    ("IS_NEW_CUSTOMER", "0"),
    ("COMPANY_CODE", "JLMKT"),
    ("COMPANY_CLASS", "Marketplace"),
    ("COMPANY_NAME", "John Lewis Marketplace"),
    (
        "ADDRESSES",
        [
            (
                "INVADDR",
                [
                    ("IADDRESS1", "1 Example Road"),
                    ("ITOWN", "London"),
                    ("IPOSTCODE", "ZZ1 1ZZ"),
                    ("ICOUNTRY_CODE", "GBR"),
                    ("ISURNAME", "Accounts"),
                ],
            ),
            (
                "DELADDR",
                [
                    ("DADDRESS1", "Flat 9, 4 Sample Street"),
                    ("DTOWN", "Leeds"),
                    ("DPOSTCODE", "ZZ9 9ZZ"),
                    ("DCOUNTRY_CODE", "GBR"),
                    ("DFORENAME", "Ada"),
                    ("DSURNAME", "Tester"),
                ],
            ),
        ],
    ),
]


def tree(node: etree._Element) -> object:
    """(tag, text) or (tag, [children]) all the way down."""
    return (node.tag, [tree(child) for child in node] if len(node) else node.text)


async def test_create_order_taken_gives_the_erps_number_in_one_call(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """One order, one call, and the ERP's own number back."""
    erp.will_say("ImportOrders", imported())

    created = await make().create_order(order())

    expected = CreatedOrder(
        outcome=CreateOutcome.CREATED, erp_order_code="SO70551", customer_code="JLMKT"
    )
    assert expected == created
    assert 1 == len(erp.calls)


async def test_create_order_document_is_the_composed_sample(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Field by field: constant invoice address, buyer in DELADDR only, London wall time."""
    erp.will_say("ImportOrders", imported())

    await make().create_order(order(note="Leave with porter"))

    payment = [
        ("PAYMENT_AMOUNT", "129.98"),
        ("PAYMENT_TYPE", "2"),
        ("CARD_TYPE", "JOHNLEWIS"),
        ("PREAUTH", "0"),
        ("AUTH_CODE", "JOHNLEWIS"),
        ("TRANSACTION_ID", REF),
        ("ACCOUNT_NAME", "John Lewis Clearing"),
    ]
    header = [
        ("ORDER_DATE", "2026-07-02T09:14:00"),
        ("ORDER_AMOUNT", "129.98"),
        ("ORDER_CURRENCY_CODE", "GBP"),
        ("SITE", "Main Site"),
        ("ASSOCIATED_REF", REF),
        ("DELIVERY_GRS", "0.00"),
        ("COURIER_CODE", "DPD24"),
        ("SALES_SOURCE", "JOHN LEWIS"),
        ("ORDER_NOTE", "Leave with porter"),
    ]
    item = [
        ("STOCK_CODE", "LAMP-OAK-01"),
        ("MAPPING_TYPE", "1"),
        ("ORDER_QTY", "2"),
        ("PRICE_GRS", "64.99"),
        ("IMPORT_REF", f"{REF}-1"),
    ]
    parts = [
        ("CUSTOMER_DETAIL", CUSTOMER),
        ("PAYMENTS", [("PAYMENT_DETAIL", payment)]),
        ("ORDER_HEADER", header),
        ("ORDER_ITEMS", [("ORDER_ITEM", item)]),
    ]
    assert ("SALES_ORDERS", [("SALES_ORDER", parts)]) == tree(erp.calls[0].order)


TOO_LONG: list[tuple[str, Callable[[], NewOrder]]] = [
    ("DTOWN has 36 characters and Khaos Control holds 35", lambda: to(town="T" * 36)),
    ("DCOUNTY has 36 .* 35", lambda: to(county="C" * 36)),
    ("DPOSTCODE has 11 .* 10", lambda: to(postcode="P" * 11)),
    ("DSURNAME has 51 .* 50", lambda: to(surname="S" * 51)),
    ("DFORENAME has 51 .* 50", lambda: to(forename="F" * 51)),
    ("DORGANISATION has 51 .* 50", lambda: to(organisation="O" * 51)),
    ("a word of DADDRESS1..3 has 36 .* 35", lambda: to(line1="L" * 36)),
    ("DADDRESS1..3 has 119 .* 105", lambda: to(line1="abcdefghijk " * 10)),
    ("ASSOCIATED_REF has 16 .* 15", lambda: order(external_ref="R" * 16)),
    ("ORDER_NOTE has 2001 .* 2000", lambda: order(note="N" * 2001)),
]


@pytest.mark.parametrize(("says", "made"), TOO_LONG, ids=[says for says, _ in TOO_LONG])
async def test_create_order_over_long_field_is_refused_before_sending(
    erp: ScriptedErp, make: MakeAdapter, says: str, made: Callable[[], NewOrder]
) -> None:
    """Nothing is cut: the field, its length and the limit are named, and nothing is sent."""
    with pytest.raises(Refused, match=says):
        await make().create_order(made())
    assert [] == erp.calls


@pytest.mark.parametrize("field", ["line1", "town", "postcode", "surname"])
async def test_create_order_missing_field_is_refused_before_sending(
    erp: ScriptedErp, make: MakeAdapter, field: str
) -> None:
    """What the ERP wants at least is looked at before anything is sent."""
    made = to(**{field: " ", "forename": ""})

    with pytest.raises(Refused, match="is empty"):
        await make().create_order(made)
    assert [] == erp.calls


@pytest.mark.parametrize("ref", ["JL1,2", "JL1 2", " JL1", "JL1;2", "JL1\n", "JL1\u00a0"])
async def test_create_order_reference_that_cannot_be_asked_for_is_refused(
    erp: ScriptedErp, make: MakeAdapter, ref: str
) -> None:
    """An order that could not be looked up again is not written."""
    with pytest.raises(Refused, match="ASSOCIATED_REF"):
        await make().create_order(order(external_ref=ref))
    assert [] == erp.calls


async def test_create_order_longer_references_are_a_setting(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Where the ERP holds 50, 50 are sent whole."""
    ref = "R" * 50
    erp.will_say("ImportOrders", imported(ref=ref))

    await make(max_external_ref=50).create_order(order(external_ref=ref))

    assert ref == erp.calls[0].order.findtext(".//ASSOCIATED_REF")


async def test_create_order_long_address_is_split_between_words(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Three lines of 35, every word there, in order."""
    line1 = "The Old Cheese Warehouse, Apartment 27B, 1184 North Sample Embankment"
    erp.will_say("ImportOrders", imported())

    await make().create_order(to(line1=line1, line2="Riverside Quarter"))

    written = erp.calls[0].order.find(".//DELADDR")
    assert written is not None
    lines = [node.text or "" for node in written if node.tag.startswith("DADDRESS")]
    assert [35 >= len(line) for line in lines] == [True] * 3
    assert f"{line1} Riverside Quarter" == " ".join(lines)


@pytest.mark.parametrize(
    ("phone", "email", "expected"),
    [
        ("+44 113 496 0999", "a@b.example", ["+441134960999", "a@b.example"]),
        ("0113 496 0999 extension 12", "a" * 45 + "@b.example", [None, None]),
        ("", "", [None, None]),
    ],
)
async def test_create_order_contact_that_does_not_fit_is_left_out(
    erp: ScriptedErp,
    make: MakeAdapter,
    phone: str,
    email: str,
    expected: list[str | None],
) -> None:
    """A phone or e-mail never stops a parcel: blanks go first, then the field."""
    erp.will_say("ImportOrders", imported())

    await make().create_order(to(phone=phone, email=email))

    written = erp.calls[0].order
    assert expected == [written.findtext(".//DTEL"), written.findtext(".//DEMAIL")]


async def test_create_order_email_off_is_not_sent(erp: ScriptedErp, make: MakeAdapter) -> None:
    """The e-mail goes only where the setting lets it."""
    erp.will_say("ImportOrders", imported())

    await make(include_email=False).create_order(to(email="a@b.example"))

    assert b"a@b.example" not in erp.calls[0].body


async def test_create_order_single_name_is_the_surname(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """The ERP wants a surname; who gave one name has that one."""
    erp.will_say("ImportOrders", imported())

    await make().create_order(to(surname="", forename="Björk"))

    written = erp.calls[0].order
    assert [None, "Björk"] == [
        written.findtext(".//DFORENAME"),
        written.findtext(".//DSURNAME"),
    ]


async def test_create_order_text_with_markup_arrives_whole(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Escaped once in the document and once in the envelope; foreign letters in Latin-1."""
    erp.will_say("ImportOrders", imported())

    await make().create_order(to(surname="O’Brien & <Żółć>", organisation="Café “É” — £5 ✓ok"))

    written = erp.calls[0].order
    assert "O'Brien & <Zólc>" == written.findtext(".//DSURNAME")
    assert 'Café "É" - £5 ok' == written.findtext(".//DORGANISATION")


@pytest.mark.parametrize(
    ("mode", "surname"),
    [("transliterate", "王小明"), ("refuse", "Łukasz"), ("refuse", "O’Brien")],
)
async def test_create_order_name_that_latin_1_cannot_hold_is_refused(
    erp: ScriptedErp, make: MakeAdapter, mode: str, surname: str
) -> None:
    """A name is never lost: it is refused by its field, and not quoted."""
    with pytest.raises(Refused, match="DSURNAME") as caught:
        await make(characters=mode).create_order(to(surname=surname))

    assert surname not in caught.value.message
    assert [] == erp.calls


@pytest.mark.parametrize("code", ["LÁMPA-Ω", "A\tB", "Ł-1"])
async def test_create_order_stock_code_is_never_transliterated(
    erp: ScriptedErp, make: MakeAdapter, code: str
) -> None:
    """A code that would have to be changed would be another product."""
    line = msgspec.structs.replace(order().lines[0], stock_code=code)

    with pytest.raises(Refused, match="STOCK_CODE"):
        await make().create_order(order(lines=(line,)))
    assert [] == erp.calls


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": ()},
        {"currency": "EUR"},
        {"delivery_gross": Money(395, "EUR")},
    ],
)
async def test_create_order_that_contradicts_itself_is_misuse(
    erp: ScriptedErp, make: MakeAdapter, changes: dict[str, object]
) -> None:
    """No lines, or two currencies: our own mistake, and nothing is sent."""
    with pytest.raises(Misuse):
        await make().create_order(order(**changes))
    assert [] == erp.calls


async def test_create_order_stock_code_with_a_hash_is_refused_before_sending(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """No stock code of the ERP has one: the message names field and code."""
    line = msgspec.structs.replace(order().lines[0], stock_code="LAMP#1")

    with pytest.raises(Refused, match=r"STOCK_CODE 'LAMP#1'"):
        await make().create_order(order(lines=(line,)))
    assert [] == erp.calls


async def test_create_order_due_date_is_sent_as_a_date(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Where the order says by when, the ERP is told; as a date, without a time."""
    erp.will_say("ImportOrders", imported())

    await make().create_order(order(deliver_by=date(2026, 7, 9)))

    (call,) = erp.called("ImportOrders")
    assert "2026-07-09" == call.order.findtext(".//REQUIRED_BY_DATE")


@pytest.mark.parametrize(
    ("shipping_type", "courier"),
    [("EXP", ["DPD12"]), ("STD", ["DPD24"]), ("", ["DPD24"]), ("NONE", [])],
)
async def test_courier_follows_the_shipping_type_that_the_customer_chose(
    shipping_type: str, courier: list[str]
) -> None:
    """Express goes by the express service; an empty word leaves it to the ERP."""
    settings = settings_for(
        "https://erp.example",
        courier_code="DPD24",
        couriers={"EXP": "DPD12", "NONE": ""},
    )
    document = order_document(order(shipping_type=shipping_type), settings)

    assert courier == re.findall("<COURIER_CODE>(.*?)</COURIER_CODE>", document)


@pytest.mark.parametrize("include_email", [True, False])
async def test_alias_of_the_buyers_e_mail_goes_along_only_where_that_is_set(
    *, include_email: bool
) -> None:
    """A merchant may want none of it in the ERP; the parcel arrives all the same."""
    settings = settings_for("https://erp.example", include_email=include_email)
    document = order_document(to(email="a1b2@notification.example"), settings)

    assert include_email == ("a1b2@notification.example" in document)
