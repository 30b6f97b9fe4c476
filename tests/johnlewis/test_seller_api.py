"""The seller API: the tenant, its offers and its stock imports."""

from email.parser import BytesParser
from email.policy import HTTP as HTTP_POLICY

import pytest

from kcjl.errors import Misuse, OutcomeUnknown
from kcjl.johnlewis.port import (
    MarketplacePort,
    StockFigure,
    StockImport,
    StockImportError,
    StockImportStatus,
)
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.money import Money
from tests.johnlewis.conftest import KEY, MakeApi
from tests.johnlewis.server import ScriptedServer, said

pytestmark = pytest.mark.anyio


async def test_seller_api_as_a_port_has_every_call(api: SellerApi) -> None:
    """The adapter can stand wherever the marketplace is asked for."""
    port: MarketplacePort = api

    assert port is api


# ── health and settings of the tenant ───────────────────────────────────────────────────────


async def test_ping_with_any_success_is_up(market: ScriptedServer, api: SellerApi) -> None:
    """V01 answers 200 when the tenant is up; its body may be anything (b.1)."""
    market.will_say(said(200, b"<up/>"))

    await api.ping()

    asked = market.asked[0]
    assert (asked.method, asked.target) == ("GET", "/api/version")
    assert asked.headers["authorization"] == KEY
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["user-agent"] == "kcjl"


async def test_account_with_surprises_is_read(market: ScriptedServer, api: SellerApi) -> None:
    """Unknown fields and values are passed over (b.0, compatibility)."""
    market.will_say(
        said(
            200,
            {
                "shop_id": "4021",
                "shop_name": "Example Brand",
                "shop_state": "ON_THE_MOON",
                "model": "MARKETPLACE",
                "currency_iso_code": "GBP",
                "kyc": {"status": None},
                "surprise": [1, {"deep": None}],
            },
        )
    )

    account = await api.account()

    assert (
        account.shop_id,
        account.state,
        account.model,
    ) == (4021, "ON_THE_MOON", "MARKETPLACE")


@pytest.mark.parametrize(
    ("features", "automatic", "several", "listed_only"),
    [
        (
            {
                "order_workflows": {"order_acceptance": "NOT_AUTOMATIC"},
                "shipment": {"multi_shipment": True},
                "disable_seller_alternative_carrier": True,
            },
            False,
            True,
            True,
        ),
        ({"order_workflows": {"order_acceptance": "AUTOMATIC"}}, True, False, False),
        ({"order_workflows": None, "shipment": None}, False, False, False),
        (None, False, False, False),
    ],
)
async def test_platform_with_parts_missing_is_read_cautiously(
    market: ScriptedServer,
    api: SellerApi,
    features: object,
    *,
    automatic: bool,
    several: bool,
    listed_only: bool,
) -> None:
    """What PC01 does not say is taken as off: we accept by hand, ship whole orders."""
    market.will_say(said(200, {"features": features, "timezone": "Europe/London"}))

    platform = await api.platform()

    assert (automatic, several, listed_only) == (
        platform.acceptance_is_automatic,
        platform.multi_shipment,
        platform.listed_carriers_only,
    )
    assert platform.timezone == "Europe/London"


async def test_carriers_and_shipping_types_with_nulls_are_read(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Optional fields may be null or absent (b.1)."""
    market.will_say(
        said(200, {"carriers": [{"code": "EVRI", "label": "Evri", "standard_code": None}]}),
        said(200, {"shipping_types": [{"code": "STD", "mandatory_tracking": None}]}),
    )

    carriers = await api.carriers()
    types = await api.shipping_types()

    assert [(c.code, c.label, c.tracking_url) for c in carriers] == [("EVRI", "Evri", None)]
    assert [(t.code, t.tracking_mandatory) for t in types] == [("STD", False)]


# ── offers and stock ────────────────────────────────────────────────────────────────────────


async def test_offer_with_a_nul_in_its_title_comes_without_it(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A NUL fits into no text of the database: it must not get as far as the log."""
    market.will_say(
        said(
            200,
            b'{"total_count":1,"offers":[{"offer_id":1,"shop_sku":"A","quantity":1,'
            b'"product_title":"Te\\u0000a"}]}',
        )
    )

    (offer,) = await api.offers()

    assert "Te\ufffda" == offer.product_title


async def test_offers_with_finer_prices_are_rounded_half_up(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Offer prices may have more decimals than the currency (b.0, PC01)."""
    market.will_say(
        said(
            200,
            b'{"total_count":3,"offers":['
            b'{"offer_id":1,"shop_sku":"A","quantity":7,"price":10.005,"active":true},'
            b'{"offer_id":2,"shop_sku":"B","quantity":0,"price":null,"active":false},'
            b'{"offer_id":3,"shop_sku":"C","applicable_pricing":{"price":"8.10"}}]}',
        )
    )

    offers = await api.offers()

    assert [Money(1001), None, Money(810)] == [offer.price for offer in offers]
    assert [offer.quantity for offer in offers] == [7, 0, 0]
    assert [offer.active for offer in offers] == [True, False, True]


async def test_publish_stock_with_figures_sends_the_columns_exactly(
    market: ScriptedServer, api: SellerApi
) -> None:
    """STO01: part `file`, four quoted columns, one line a quantity (b.2)."""
    market.will_say(said(201, {"import_id": "c6c0"}, Location="/api/x/imports/c6c0"))

    import_id = await api.publish_stock(
        [StockFigure(sku='KC "S"', quantity=12), StockFigure(sku="L;é", quantity=0)]
    )

    asked = market.asked[0]
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    (part,) = BytesParser(policy=HTTP_POLICY).parsebytes(head + asked.body).iter_parts()
    assert import_id == "c6c0"
    assert (asked.method, asked.target) == ("POST", "/api/offers/stock/imports")
    assert part.get_param("name", header="content-disposition") == "file"
    assert (
        '"offer-sku";"quantity";"warehouse-code";"update-delete"\n'
        '"KC ""S""";"12";"";""\n'
        '"L;é";"0";"";""\n'
    ).encode() == part.get_payload(decode=True)


@pytest.mark.parametrize(
    ("answer", "import_id"),
    [
        (said(201, {"import_id": 20441}), "20441"),
        (said(202, b"", Location="https://t.example/api/offers/stock/imports/u-1"), "u-1"),
        (said(201, b"thanks", Location="/api/offers/stock/imports/u-2/"), "u-2"),
    ],
)
async def test_publish_stock_with_another_answer_finds_the_import_id(
    market: ScriptedServer, api: SellerApi, answer: bytes, import_id: str
) -> None:
    """The number is in the body, as a string or a number, or in `Location`."""
    market.will_say(answer)

    assert import_id == await api.publish_stock([StockFigure(sku="A", quantity=1)])


async def test_publish_stock_without_an_import_id_is_unknown(
    market: ScriptedServer, api: SellerApi
) -> None:
    """An import that was taken but not named can't be followed: look before sending again."""
    market.will_say(said(201, {}))

    with pytest.raises(OutcomeUnknown):
        await api.publish_stock([StockFigure(sku="A", quantity=1)])


@pytest.mark.parametrize(
    "figures",
    [
        [],
        [StockFigure(sku="A", quantity=-1)],
        [StockFigure(sku=" ", quantity=1)],
        [StockFigure(sku="A\nB", quantity=1)],
        [StockFigure(sku="A", quantity=1), StockFigure(sku="A", quantity=2)],
        [StockFigure(sku=f"{n}", quantity=1) for n in range(4)],
    ],
)
async def test_publish_stock_with_impossible_figures_sends_nothing(
    market: ScriptedServer, make_api: MakeApi, figures: list[StockFigure]
) -> None:
    """What no stock file can hold is our mistake, and told before it is sent."""
    api = make_api(stock_lines_max=3)

    with pytest.raises(Misuse):
        await api.publish_stock(figures)
    assert market.asked == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"status": "COMPLETE", "lines_in_success": 248, "lines_in_error": 2},
            (StockImportStatus.COMPLETE, 248, 2, True),
        ),
        (
            {"import_id": "x", "status": "QUEUED", "has_error_report": None},
            (StockImportStatus.WAITING, 0, 0, False),
        ),
        ({"status": "POLISHING"}, (StockImportStatus.RUNNING, 0, 0, False)),
    ],
)
async def test_stock_import_with_any_status_is_read(
    market: ScriptedServer,
    api: SellerApi,
    body: dict[str, object],
    expected: tuple[StockImportStatus, int, int, bool],
) -> None:
    """STO02: a status nobody knows is not a final one."""
    market.will_say(said(200, body))

    status = await api.stock_import("c6/0")

    assert market.asked[0].target == "/api/offers/stock/imports/c6%2F0/status"
    assert StockImport(
        import_id=str(body.get("import_id", "c6/0")),
        status=expected[0],
        lines_in_success=expected[1],
        lines_in_error=expected[2],
        has_error_report=expected[3],
    ) == status  # fmt: skip


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (
            '\ufeffligne;grund;"offer-sku";"quantity"\r\n3;"no;\nsuch offer";"A;1";"5"\r\n\r\n',
            [(3, "A;1", "no; such offer")],
        ),
        ("2,bad,SKU,1,,\n7,,SKU2\n", [(2, "SKU", "bad"), (7, "SKU2", "")]),
        ("line;error-message\n?;odd", [(0, "", "odd")]),
        ("", []),
    ],
)
async def test_stock_import_errors_with_any_header_are_read_by_position(
    market: ScriptedServer,
    api: SellerApi,
    report: str,
    expected: list[tuple[int, str, str]],
) -> None:
    """STO03 is read by position: its header names are not known (g)."""
    market.will_say(said(200, report.encode(), Content_Type="text/csv"))

    errors = await api.stock_import_errors("u")

    assert [
        StockImportError(line_number=number, sku=sku, message=message)
        for number, sku, message in expected
    ] == list(errors)
