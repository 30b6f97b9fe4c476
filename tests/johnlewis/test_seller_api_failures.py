"""The seller API when things go wrong: what is certain, what is not, and what is never said."""

import gzip
import socket

import pytest

from kcjl.errors import (
    CredentialsRefused,
    KcjlError,
    NotFound,
    OutcomeUnknown,
    ProtocolSurprise,
    RateLimited,
    Refused,
    SettingsUnusable,
    Unavailable,
)
from kcjl.johnlewis.port import StockFigure, Tracking
from kcjl.johnlewis.seller_api import Budget, SellerApi, SellerApiSettings
from tests.johnlewis.conftest import KEY, MakeApi
from tests.johnlewis.server import CUT, SILENT, ScriptedServer, half_of, said

pytestmark = pytest.mark.anyio

WHOLE = said(200, {"shop_id": 1, "shop_name": "Example Brand"})

REFUSALS: list[tuple[object, str, str]] = [
    ({"message": "Order X is not ready", "status": 400}, "Order X is not ready", ""),
    (
        {
            "code": "TOP",
            "message": "no",
            "errors": [{"code": "I", "field": "f", "message": "g"}],
        },
        "no; f: g",
        "TOP",
    ),
    (
        {"errors": [{"code": "ORDER_INVALID_STATE"}, {"message": "second"}]},
        "ORDER_INVALID_STATE; second",
        "ORDER_INVALID_STATE",
    ),
    ([{"code": 17, "message": "listed"}], "listed", "17"),
    ({"errors": ["one", "two"]}, "one; two", ""),
    (
        {"status": 400, "error": "Bad Request", "errorDescription": "why"},
        "why; Bad Request",
        "",
    ),
    ({"errors": {"code": "C", "message": "single"}}, "single", "C"),
    (b"plain\x00 text\r\n\x1b[31mred", "plain text [31mred", ""),
    (b"<html><body><h1>Bad</h1>\n<p>request</p>", "Bad request", ""),
    (b"", "no reason given", ""),
    (b'{"broken', '{"broken', ""),
    (b"\xff\xfe", "", ""),
]


@pytest.mark.parametrize(("body", "words", "reason_code"), REFUSALS)
async def test_refusal_in_any_form_is_told(
    market: ScriptedServer, api: SellerApi, body: object, words: str, reason_code: str
) -> None:
    """Error bodies come in all the forms of d.4."""
    market.will_say(said(400, body))

    with pytest.raises(Refused) as refusal:
        await api.ship("A")
    assert words in refusal.value.message
    assert refusal.value.message.startswith("OR24 of order A: answered 400: ")
    assert (refusal.value.reason_code, refusal.value.status) == (reason_code, 400)


@pytest.mark.parametrize(
    ("status", "for_reads", "for_writes"),
    [
        (301, ProtocolSurprise, OutcomeUnknown),
        (302, ProtocolSurprise, OutcomeUnknown),
        (400, Refused, Refused),
        (401, CredentialsRefused, CredentialsRefused),
        (403, CredentialsRefused, CredentialsRefused),
        (404, NotFound, NotFound),
        (405, Refused, Refused),
        (408, Unavailable, OutcomeUnknown),
        (409, Refused, Refused),
        (415, Refused, Refused),
        (429, RateLimited, RateLimited),
        (500, Unavailable, OutcomeUnknown),
        (502, Unavailable, OutcomeUnknown),
        (503, Unavailable, OutcomeUnknown),
        (504, Unavailable, OutcomeUnknown),
    ],
)
async def test_status_of_a_failure_says_what_is_certain(
    market: ScriptedServer,
    api: SellerApi,
    status: int,
    for_reads: type[KcjlError],
    for_writes: type[KcjlError],
) -> None:
    """A write is refused, not taken, or unknown; never thought undone when it may be done."""
    market.will_say(
        said(status, {"message": "m"}, Location="http://127.0.0.1:9/"), said(status, b"<p>m")
    )

    with pytest.raises(KcjlError) as read:
        await api.account()
    with pytest.raises(KcjlError) as written:
        await api.ship("A")
    assert (type(read.value), type(written.value)) == (for_reads, for_writes)
    assert len(market.asked) == 2


@pytest.mark.parametrize("answer", [CUT, half_of(WHOLE), WHOLE[:20], b"nonsense\r\n\r\n"])
async def test_answer_that_breaks_off_leaves_a_write_unknown(
    market: ScriptedServer, api: SellerApi, answer: bytes
) -> None:
    """The request may have been done; one request was sent, not two."""
    market.will_say(answer, answer)

    with pytest.raises(Unavailable) as read:
        await api.account()
    with pytest.raises(OutcomeUnknown):
        await api.set_tracking("A", Tracking(carrier_code="RM", tracking_number="1"))
    assert not isinstance(read.value, ProtocolSurprise)
    assert len(market.asked) == 2


async def test_put_on_a_used_connection_that_breaks_is_sent_once(
    market: ScriptedServer, api: SellerApi
) -> None:
    """No hidden second try: its 400 would hide that the first was done (d.5, OR24)."""
    market.will_say(said(204), CUT, said(400, {"message": "already SHIPPED"}))

    await api.ship("A")
    with pytest.raises(OutcomeUnknown):
        await api.ship("B")
    assert [asked.path for asked in market.asked] == [
        "/api/orders/A/ship",
        "/api/orders/B/ship",
    ]


async def test_silence_past_the_deadline_leaves_a_write_unknown(
    market: ScriptedServer, make_api: MakeApi
) -> None:
    """Every request has a deadline."""
    api = make_api(connect_timeout_s=0.05, read_timeout_s=0.05)
    market.will_say(SILENT, SILENT)

    with pytest.raises(Unavailable):
        await api.account()
    with pytest.raises(OutcomeUnknown):
        await api.publish_stock([StockFigure(sku="A", quantity=1)])


async def test_nobody_listening_means_a_write_was_not_sent(make_api: MakeApi) -> None:
    """What never left the machine is certainly not done."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        api = make_api(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}")

        with pytest.raises(Unavailable, match="OR24 of order A"):
            await api.ship("A")
        with pytest.raises(Unavailable):
            await api.account()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>log in</html>",
        b"[]",
        b'"text"',
        b'{"orders":{}}',
        b'{"orders":[{"order_id":"Ada Secret","price":[]}]}',
        b'{"orders":[{"order_id":"\xff"}]}',
        b'{"message":"no orders today","status":500}',
        b'{"orders":[],"total_count":12}',
        b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
async def test_success_that_makes_no_sense_is_a_surprise(
    market: ScriptedServer, api: SellerApi, body: bytes
) -> None:
    """An unreadable 200 is not "no orders"; its text may name people and is not repeated."""
    market.by = lambda _: said(200, body)

    with pytest.raises(ProtocolSurprise) as surprise:
        await api.orders_by_id(["A"])
    assert "Secret" not in surprise.value.message


@pytest.mark.parametrize(
    "body", [b'{"orders":[]}', b'{"orders":null,"total_count":0}', b"{}", b"\xef\xbb\xbf{}"]
)
async def test_success_without_rows_is_an_empty_list(
    market: ScriptedServer, api: SellerApi, body: bytes
) -> None:
    """An empty list may be left out or null."""
    market.will_say(said(200, body))

    assert await api.orders_by_id(["A"]) == []


async def test_answer_longer_than_allowed_is_given_up(
    market: ScriptedServer, make_api: MakeApi
) -> None:
    """Bodies are bounded, also when they come packed."""
    api = make_api(body_bytes_max=2000)
    packed = said(200, gzip.compress(b" " * 3_000_000), Content_Encoding="gzip")
    market.will_say(packed, said(200, b"x" * 3000, close=True))

    with pytest.raises(ProtocolSurprise, match="longer than 2000 bytes"):
        await api.account()
    with pytest.raises(OutcomeUnknown, match="longer than 2000 bytes"):
        await api.ship("A")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": " 0 "}, 0),
        ({"Retry_After": "-5"}, 0),
        ({"Retry_After": "1000000000"}, 604_800),
        ({"Retry_After": "NaN"}, 60),
        ({"Retry_After": "soon"}, 60),
        ({}, 60),
        (
            {
                "Date": "Tue, 03 Feb 2026 08:00:00 GMT",
                "Retry_After": "Tue, 03 Feb 2026 08:00:30 GMT",
            },
            30,
        ),
        ({"Retry_After": "Tue, 03 Feb 2026 09:00:45 GMT"}, 45),
    ],
)
async def test_rate_limit_says_for_how_long(
    market: ScriptedServer, api: SellerApi, header: dict[str, str], seconds: float
) -> None:
    """Retry-After in seconds or as a date; 60 s where it says nothing (g)."""
    market.will_say(said(429, b"slow down", headers=header))

    with pytest.raises(RateLimited, match="slow down") as limited:
        await api.account()
    assert limited.value.retry_after_s == seconds


async def test_maintenance_says_when_to_come_back(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A 503 is maintenance (d.3); its Retry-After is passed on."""
    market.will_say(said(503, headers={"Retry_After": "120"}))

    with pytest.raises(Unavailable) as away:
        await api.account()
    assert away.value.retry_after_s == 120


async def test_message_with_a_flood_is_cut_and_never_shows_the_key(
    market: ScriptedServer, make_api: MakeApi
) -> None:
    """Texts from outside are bounded, and a server that echoes the key does not leak it."""
    api = make_api(authorization="bearer")
    flood = b"x" * 480 + KEY.encode() + b"x" * 100_000
    market.will_say(said(400, f"bad header Bearer {KEY} ".encode() + flood))

    with pytest.raises(Refused) as refusal:
        await api.ship("A")
    assert market.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert len(refusal.value.message) <= 500
    assert KEY[:3] not in refusal.value.message
    assert refusal.value.__cause__ is None


# ── settings ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "tenant.example"},
        {"base_url": "ftp://tenant.example"},
        {"base_url": "http://tenant.example"},
        {"base_url": "https://user:pw@tenant.example"},
        {"base_url": "https://tenant.example/?a=b"},
        {"api_key": ""},
        {"api_key": "key\nX-Other: 1"},
        {"api_key": "clé"},
        {"read_timeout_s": 0},
        {"body_bytes_max": 0},
        {"budgets": {"OR99": ()}},
        {"budgets": {"OR11": (Budget(calls=0, period_s=1),)}},
        {"budgets": {"OR11": (Budget(calls=1, period_s=0),)}},
    ],
)
async def test_settings_that_cannot_work_are_refused(
    make_api: MakeApi, settings: dict[str, object]
) -> None:
    """The mistake is told when the settings are read, without the key."""
    with pytest.raises(SettingsUnusable) as refusal:
        make_api(**{"base_url": "https://tenant.example", **settings})
    assert KEY not in refusal.value.message


async def test_settings_shown_hide_the_key() -> None:
    """The key is in no representation."""
    settings = SellerApiSettings(
        base_url="http://tenant.example/api/", api_key=KEY, allow_plain_http=True
    )

    assert KEY not in f"{settings!r} {settings} {settings.__rich_repr__()}"
    assert settings.root == "http://tenant.example"


async def test_shop_id_in_the_settings_goes_with_every_call(
    market: ScriptedServer, make_api: MakeApi
) -> None:
    """Needed where the key's user reaches several shops (b.0)."""
    market.will_say(said(204), said(200, {"orders": []}))
    api = make_api(shop_id=4021)

    await api.ship("A")
    await api.orders_by_id(["A", "B"])

    assert [asked.one("shop_id") for asked in market.asked] == ["4021", "4021"]
    assert market.asked[1].one("order_ids") == "A,B"
