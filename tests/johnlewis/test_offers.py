"""The seller API: offers read whole, written whole, and what changed since."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import msgspec
import pytest

from kcjl.errors import Misuse, OutcomeUnknown, ProtocolSurprise, Unavailable
from kcjl.johnlewis.offer_port import (
    CompleteOffer,
    OfferChange,
    OfferImportStatus,
    OfferRemoval,
    completed,
)
from kcjl.johnlewis.parts import (
    AdditionalField,
    ChannelPrice,
    Discount,
    Labelled,
    ProductReference,
    VolumePrice,
    WarehouseStock,
)
from kcjl.johnlewis.port import Offer
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.money import Money
from tests.johnlewis.conftest import JumpingClock, MakeApi
from tests.johnlewis.samples import OFFER
from tests.johnlewis.server import CUT, Asked, ScriptedServer, said

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 2, 1, 9, 30, 0, 5, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
MID_MARCH = datetime(2026, 3, 15, tzinfo=UTC)


async def offer_read(market: ScriptedServer, api: SellerApi, **changed: object) -> Offer:
    market.will_say(said(200, {"offers": [{**OFFER, **changed}], "total_count": 1}))
    (offer,) = await api.offers()
    return offer


async def all_of(
    batches: AsyncGenerator[Sequence[OfferChange], None],
) -> list[OfferChange]:
    async with aclosing(batches) as opened:
        return [change async for batch in opened for change in batch]


# ── OF21 ────────────────────────────────────────────────────────────────────────────────────


async def test_offer_with_every_field_is_read(market: ScriptedServer, api: SellerApi) -> None:
    """OF21, field by field (b.2)."""
    read = await offer_read(market, api)

    assert (
        Offer(
            offer_id=81234,
            sku="KC-SHIRT-M-BLU",
            quantity=12,
            price=Money(3600),
            active=True,
            product_title="Shirt blue M",
            category_code="SHIRTS",
            product_sku="MP0001",
            product_references=(ProductReference(kind="EAN", reference="5012345678900"),),
            currency="GBP",
            origin_price=Money(4250),
            discount=Discount(price=Money(3600), start_at=MARCH, end_at=MID_MARCH),
            prices=(
                ChannelPrice(
                    channel_code="JLUK",
                    unit_origin_price=Money(4100),
                    volume_prices=(
                        VolumePrice(quantity_threshold=5, unit_origin_price=Money(4000)),
                    ),
                ),
            ),
            state_code="11",
            inactivity_reasons=("ZERO_QUANTITY", "A_NEW_REASON"),
            warehouses=(
                WarehouseStock(code="MAIN", quantity=8),
                WarehouseStock(code="NORTH", quantity=4),
            ),
            leadtime_to_ship=2,
            logistic_class=Labelled(code="STD", label="Standard"),
            min_order_quantity=1,
            max_order_quantity=10,
            package_quantity=1,
            min_quantity_alert=3,
            channels=("JLUK",),
            available_from=MARCH,
            additional_fields=(
                AdditionalField(code="gift-wrap", value="true"),
                AdditionalField(code="colours", value='["a","b"]'),
            ),
        )
        == read
    )


@pytest.mark.parametrize(
    ("changed", "lost"),
    [
        ({"retail_prices": [{"price": 5}]}, "retail_prices"),
        ({"eco_contributions": [{"producer_id": "x"}]}, "eco_contributions"),
        ({"price": 36.001}, "price"),
        (
            {"all_prices": [{"price": 5, "context": {"customer_group_ids": ["g"]}}]},
            "all_prices",
        ),
        (
            {"all_prices": [{"price": 5, "context": {"start_date": "2026-03-01T00:00:00Z"}}]},
            "all",
        ),
    ],
)
async def test_offer_with_more_than_can_be_written_is_never_written_back(
    market: ScriptedServer, api: SellerApi, changed: dict[str, object], lost: str
) -> None:
    """OF24 would delete what the record can't carry, or round a price (f.16)."""
    read = await offer_read(market, api, **changed)

    with pytest.raises(Misuse, match=lost):
        completed(read)


# ── OF24 ────────────────────────────────────────────────────────────────────────────────────


def test_offer_that_leaves_something_out_can_not_be_made() -> None:
    """OF24 resets what is left out, so each field is said (b.2)."""
    assert all(field.required for field in msgspec.structs.fields(CompleteOffer))
    with pytest.raises(TypeError, match="Missing required argument"):
        CompleteOffer(sku="A", price=Money(1), quantity=1)  # type: ignore[call-arg]


async def test_offer_that_was_read_is_written_back_whole(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Nothing that it had is reset; amounts are numbers with all their places."""
    read = await offer_read(market, api)
    market.will_say(said(201, {"import_id": 20440}))

    import_id = await api.publish_offers(
        [completed(read, quantity=7)],
        [OfferRemoval(sku="OLD", state_code="11", price=Money(100))],
    )

    sent = market.asked[-1]
    assert 20440 == import_id
    assert ("POST", "/api/offers") == (sent.method, sent.path)
    assert b'"price":42.50' in sent.body
    told = msgspec.json.decode(sent.body, type=dict[str, list[dict[str, object]]])
    assert told["offers"] == [
        {
            "shop_sku": "KC-SHIRT-M-BLU",
            "state_code": "11",
            "price": 42.5,
            "update_delete": "update",
            "quantity": 7,
            "product_id": "5012345678900",
            "product_id_type": "EAN",
            "discount": {
                "price": 36.0,
                "start_date": "2026-03-01T00:00:00Z",
                "end_date": "2026-03-15T00:00:00Z",
            },
            "all_prices": [
                {
                    "channel_code": "JLUK",
                    "unit_origin_price": 41.0,
                    "volume_prices": [{"quantity_threshold": 5, "unit_origin_price": 40.0}],
                }
            ],
            "logistic_class": "STD",
            "leadtime_to_ship": 2,
            "min_order_quantity": 1,
            "max_order_quantity": 10,
            "package_quantity": 1,
            "min_quantity_alert": 3,
            "available_started": "2026-03-01T00:00:00Z",
            "allow_quote_requests": False,
            "offer_additional_fields": [
                {"code": "gift-wrap", "value": "true"},
                {"code": "colours", "value": '["a","b"]'},
            ],
        },
        {"shop_sku": "OLD", "state_code": "11", "price": 1.0, "update_delete": "delete"},
    ]


@pytest.mark.parametrize(
    "answer",
    [
        said(201, {"import_id": "20440"}),
        said(201, b"", headers={"Location": "https://t.example/api/offers/imports/20440"}),
        said(201, {"import_id": None}, headers={"Location": "/api/offers/imports/20440/"}),
    ],
)
async def test_import_id_is_a_number_wherever_it_stands(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock, answer: bytes
) -> None:
    """The same id comes back while the same request is in hand: a repeat is safe."""
    whole = completed(await offer_read(market, api))
    market.will_say(answer, answer)

    assert [20440, 20440] == [await api.publish_offers([whole]) for _ in range(2)]
    assert [60.0] == clock.slept_s


@pytest.mark.parametrize("answer", [CUT, said(500), said(201), said(201, {"import_id": "x-1"})])
async def test_import_without_an_id_is_unknown(
    market: ScriptedServer, api: SellerApi, answer: bytes
) -> None:
    """It may be in hand: the same is sent again, and nothing else before it."""
    whole = completed(await offer_read(market, api))
    market.will_say(answer)

    with pytest.raises(OutcomeUnknown):
        await api.publish_offers([whole])


async def test_offers_beyond_the_bound_of_the_settings_are_not_sent(
    market: ScriptedServer, api: SellerApi, make_api: MakeApi
) -> None:
    """No limit is stated (b.2), so it is the tenant's to say."""
    whole = completed(await offer_read(market, api))
    other = msgspec.structs.replace(whole, sku="ANOTHER")

    with pytest.raises(Misuse, match="2 offers; one call has 1 to 1"):
        await make_api(offers_a_call_max=1).publish_offers([whole, other])


@pytest.mark.parametrize(
    "changed",
    [
        {"sku": " "},
        {"sku": "A/B"},
        {"sku": "X" * 41},
        {"quantity": -1},
        {"quantity": 1_000_000_001},
        {"price": Money(0)},
    ],
)
async def test_offer_that_can_not_be_taken_is_not_sent(
    market: ScriptedServer, api: SellerApi, changed: dict[str, object]
) -> None:
    """No import is spent on it."""
    whole = completed(await offer_read(market, api))

    with pytest.raises(Misuse, match="OF24"):
        await api.publish_offers([msgspec.structs.replace(whole, **changed)])
    with pytest.raises(Misuse, match="twice"):
        await api.publish_offers([whole, whole])
    with pytest.raises(Misuse, match="0 offers"):
        await api.publish_offers([])


async def test_offer_import_is_read_with_all_its_counts(
    market: ScriptedServer, api: SellerApi
) -> None:
    """OF02 (b.2)."""
    market.will_say(
        said(
            200,
            {
                "import_id": 20440,
                "date_created": "2026-02-03T09:15:31Z",
                "status": "COMPLETE",
                "lines_read": 250,
                "lines_in_success": 247,
                "lines_in_error": 3,
                "offer_inserted": 12,
                "offer_updated": 235,
                "offer_deleted": None,
                "has_error_report": True,
                "reason_status": None,
            },
        )
    )

    read = await api.offer_import(20440)

    assert (OfferImportStatus.COMPLETE, 250, 247, 3, 12, 235, 0, True, "") == (
        read.status,
        read.lines_read,
        read.lines_in_success,
        read.lines_in_error,
        read.offers_inserted,
        read.offers_updated,
        read.offers_deleted,
        read.has_error_report,
        read.reason,
    )


@pytest.mark.parametrize(
    "report",
    [
        'shop-sku;price;error-line;error-message\nA;1;2;"no; product"\n',
        "\ufeffsku,error-line,error-message\r\nA,2,no; product\r\n",
        'error-line;error-message;sku\n2;"no; product";A',
        'sku;price;;\nA;1;2;"no; product"',
    ],
)
async def test_error_report_is_read_by_names_and_else_by_place(
    market: ScriptedServer, api: SellerApi, report: str
) -> None:
    """OF03: what was sent, then line and message (b.2)."""
    market.will_say(said(200, report.encode()))

    (error,) = await api.offer_import_errors(20440)

    assert ("A", 2, "no; product") == (error.sku, error.line_number, error.message)


async def test_error_report_that_is_empty_has_no_errors(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A report without lines, and one without a header."""
    market.will_say(said(200, b""), said(200, b"sku;error-line;error-message\n"))

    assert [(), ()] == [await api.offer_import_errors(n) for n in (1, 2)]


# ── what changed ────────────────────────────────────────────────────────────────────────────


async def test_changes_by_csv_are_read(market: ScriptedServer, make_api: MakeApi) -> None:
    """OF51: deleted and inactive offers show little more than their id."""
    header = (
        "offer-id;product-sku;origin-price;price;quantity;state-code;logistic-class;"
        "active;deleted;x"
    )
    rows = "7;MP1;42.50;36;3;11;STD;true;false;\n8;MP2;;;;;;false;true;\n9;;;;;;;false;;\n"
    market.will_say(said(200, f"\ufeff{header}\n{rows}".encode()))

    read = await all_of(make_api(shop_id=4021).offers_changed(SINCE))

    assert [("last_request_date", "2026-02-01T09:30:00Z"), ("shop_id", "4021")] == (
        market.asked[0].query
    )
    assert read == [
        OfferChange(
            offer_id=7,
            deleted=False,
            active=True,
            product_sku="MP1",
            quantity=3,
            price=Money(3600),
            origin_price=Money(4250),
            state_code="11",
            logistic_class_code="STD",
        ),
        OfferChange(offer_id=8, deleted=True, active=False, product_sku="MP2"),
        OfferChange(offer_id=9, deleted=False, active=False),
    ]


@pytest.mark.parametrize(
    "file", [b"offer-id;price\nx;1\n", b"offer-id;price\n7;cheap\n", b"price\n1\n"]
)
async def test_changes_that_can_not_be_read_are_a_surprise(
    market: ScriptedServer, api: SellerApi, file: bytes
) -> None:
    """A row is never passed over."""
    market.will_say(said(200, file))

    with pytest.raises(ProtocolSurprise, match="OF51"):
        await all_of(api.offers_changed(SINCE))


def exported(*files: bytes, asked_as: list[object]) -> Callable[[Asked], bytes]:
    def answer(asked: Asked) -> bytes:
        if asked.method == "POST":
            asked_as.append(msgspec.json.decode(asked.body))
            return said(200, {"tracking_id": "t"})
        if "/status/" in asked.path:
            names = [f"/api/offers/export/async/file/{n}" for n in range(len(files))]
            return said(200, {"status": "COMPLETED", "urls": names})
        return said(200, files[int(asked.path.rpartition("/")[2])])

    return answer


async def test_changes_by_export_are_read_from_every_file(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """OF52 → OF53 → OF54 as JSON, deleted offers too; looked at once a minute."""
    asked_as: list[object] = []
    first = {
        "offer_id": "7",
        "shop_sku": "A",
        "active": True,
        "prices": [
            {"origin_price": 1, "context": {"channel_codes": ["JLUK"]}},
            {"origin_price": 42.5, "context": {"channel_codes": []}},
        ],
        "logistic_class": "STD",
        "last_updated": "2026-02-01T10:00:00.123Z",
        "a_new_field": {},
    }
    market.by = exported(
        msgspec.json.encode({"offers": [first]}),
        b'[{"offer_id":8,"deleted":true,"active":true,"logistic_class":{"code":"BIG"}}]',
        asked_as=asked_as,
    )

    read = await all_of(api.offers_exported(SINCE))

    assert [
        {
            "export_type": "application/json",
            "items_per_chunk": 10_000,
            "last_request_date": "2026-02-01T09:30:00Z",
        }
    ] == asked_as
    assert [(7, "A", Money(4250), True, False), (8, None, None, False, True)] == [
        (each.offer_id, each.sku, each.origin_price, each.active, each.deleted) for each in read
    ]
    assert ["STD", "BIG"] == [each.logistic_class_code for each in read]
    assert [60.0] == clock.slept_s


async def test_every_offer_by_export_as_csv_is_read(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Without a time the inactive ones are asked for by name."""
    asked_as: list[object] = []
    market.by = exported(
        b'"offer-id";"shop-sku";"min-order-quantity"\n"7";"A";"2"\n', asked_as=asked_as
    )

    (read,) = await all_of(api.offers_exported(None, form="csv"))

    assert [
        {"export_type": "text/csv", "items_per_chunk": 10_000, "include_inactive_offers": True}
    ] == asked_as
    assert (7, "A", 2) == (read.offer_id, read.sku, read.min_order_quantity)


async def test_changes_of_a_server_that_is_away_are_unavailable(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Try later, from the same time."""
    market.will_say(said(503))

    with pytest.raises(Unavailable, match="OF51"):
        await all_of(api.offers_changed(SINCE))
