"""The seller API: returns, read page by page and written return by return."""

from datetime import UTC, datetime

import msgspec
import pytest

from kcjl.errors import Misuse, NotFound, OutcomeUnknown, ProtocolSurprise, Refused, Unavailable
from kcjl.johnlewis.order_port import Address
from kcjl.johnlewis.returns_port import (
    Compliance,
    LineVerdict,
    ReturnDecision,
    ReturnDocument,
    ReturnFilter,
    ReturnLine,
    ReturnPort,
    ReturnState,
    ReturnVerdict,
)
from kcjl.johnlewis.reversal_port import ItemResult
from kcjl.johnlewis.seller_api import SellerApi
from tests.johnlewis.conftest import JumpingClock
from tests.johnlewis.samples import RETURN
from tests.johnlewis.server import CUT, Asked, ScriptedServer, said

pytestmark = pytest.mark.anyio

MANY = [f"R{number}" for number in range(250)]


def page(*returns: dict[str, object], token: str | None = None) -> bytes:
    return said(200, {"data": list(returns), "next_page_token": token})


def named(return_id: str) -> dict[str, object]:
    return {**RETURN, "id": return_id}


def asked_ids(asked: Asked) -> list[str]:
    body = msgspec.json.decode(asked.body)
    return [each["id"] for each in body["returns"]]


def all_done(asked: Asked) -> bytes:
    return said(200, {"return_success": [{"id": each} for each in asked_ids(asked)]})


async def test_seller_api_as_a_return_port_has_every_call(api: SellerApi) -> None:
    """The adapter can stand wherever returns are asked for."""
    port: ReturnPort = api

    assert port is api


async def test_return_as_in_the_contract_is_read_whole(
    market: ScriptedServer, api: SellerApi
) -> None:
    """RT11: every field of the sample (b.5)."""
    market.will_say(page(RETURN))

    (read,) = await api.returns(ReturnFilter())

    assert ("/api/returns", [("limit", "100")]) == (
        market.asked[0].path,
        market.asked[0].query,
    )
    assert ("3b0d7c1e-5d6f-4a5b-9a7e-0a1b2c3d4e5f", ReturnState.IN_PROGRESS, "RMA-1007") == (
        read.return_id,
        read.state,
        read.rma,
    )
    assert ("700123456-A", "700123456", "RM", "ZZ1", None) == (
        read.order_id,
        read.commercial_id,
        read.carrier_code,
        read.tracking_number,
        read.label_url,
    )
    assert datetime(2026, 2, 10, 11, 5, 0, 120_000, tzinfo=UTC) == read.updated_at
    assert (
        Address(street_1="2 Dock Road", city="Hull", postcode="HU1 1AA", country_code="GBR")
        == read.return_address
    )
    assert (ReturnDocument(document_id="771", kind="SYSTEM_RETURN_LABEL"),) == read.documents
    torn = Compliance(
        compliant=False,
        reason_code="RETURN_NON_COMPLIANT_DAMAGED_PRODUCT",
        additional="torn",
    )
    assert (
        ReturnLine(
            line_id="700123456-A-1",
            quantity=1,
            reason_code="RETURN_CHANGED_MIND",
            compliance=(torn,),
        ),
    ) == read.lines


@pytest.mark.parametrize(
    ("compliance", "expected"),
    [
        (None, ()),
        ([], ()),
        ({"compliant": True}, (Compliance(compliant=True),)),
        ([{"compliant": None, "quantity": 1}], (Compliance(compliant=None, quantity=1),)),
    ],
)
async def test_return_with_compliance_in_any_form_is_read(
    market: ScriptedServer,
    api: SellerApi,
    compliance: object,
    expected: tuple[Compliance, ...],
) -> None:
    """Seen as an array and as null (b.5)."""
    line = {"order_line_id": 7, "quantity": 1, "compliance": compliance}
    market.will_say(page({**named("R"), "return_lines": [line], "state": "NEW_ONE"}))

    (read,) = await api.returns(ReturnFilter())

    assert expected == read.lines[0].compliance
    assert (ReturnState.UNKNOWN, "NEW_ONE") == (read.state, read.state_raw)


async def test_return_with_absent_and_null_fields_is_read_alike(
    market: ScriptedServer, api: SellerApi
) -> None:
    """What is optional may be missing or null."""
    least: dict[str, object] = {
        "id": "R1",
        "order_id": "O",
        "last_updated": RETURN["last_updated"],
    }
    nulls = {**dict.fromkeys(RETURN), **least, "id": "R2"}
    market.will_say(page(least, nulls))

    first, second = await api.returns(ReturnFilter())

    assert msgspec.structs.replace(second, return_id="R1") == first


async def test_returns_are_filtered_as_asked(market: ScriptedServer, api: SellerApi) -> None:
    """Lists repeat their parameter; the name is the contract's (b.5)."""
    market.will_say(page())

    await api.returns(
        ReturnFilter(
            return_ids=("A", "B"),
            states=("RECEIVED",),
            created_from=datetime(2026, 2, 1, tzinfo=UTC),
            updated_until=datetime(2026, 2, 2, 0, 0, 0, 900_000, tzinfo=UTC),
            order_commercial_ids=("7",),
            order_line_ids=("7-A-1",),
            rmas=("RMA-1",),
            customer_id="C-1",
        )
    )

    assert [
        ("return_id", "A"),
        ("return_id", "B"),
        ("order_commercial_id", "7"),
        ("order_line_id", "7-A-1"),
        ("return_rma", "RMA-1"),
        ("return_state", "RECEIVED"),
        ("return_creation_date_from", "2026-02-01T00:00:00Z"),
        ("return_last_updated_to", "2026-02-02T00:00:00Z"),
        ("customer_id", "C-1"),
        ("limit", "100"),
    ] == market.asked[0].query


async def test_returns_over_pages_come_once_each(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """Seek pages; a row that moves under them is taken as it was last seen."""
    later = {**named("R1"), "state": "RECEIVED"}
    market.will_say(page(named("R1"), named("R2"), token="t+1"), page(named("R3"), later))

    read = await api.returns(ReturnFilter(states=("RECEIVED",)))

    assert [("R1", "RECEIVED"), ("R2", "IN_PROGRESS"), ("R3", "IN_PROGRESS")] == [
        (each.return_id, each.state_raw) for each in read
    ]
    assert "t+1" == market.asked[1].one("page_token")
    assert "RECEIVED" == market.asked[1].one("return_state")
    assert [] == clock.slept_s


async def test_returns_by_many_ids_are_asked_for_in_parts(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """100 ids a call (d.2), and a call every five minutes (d.1)."""
    market.by = lambda asked: page(
        *(named(value) for name, value in asked.query if name == "return_id")
    )

    read = await api.returns(ReturnFilter(return_ids=tuple(MANY)))

    assert MANY == [each.return_id for each in read]
    assert 3 == len(market.asked)
    assert [300, 300] == clock.slept_s


async def test_returns_where_the_module_is_off_are_not_found(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A feature that is off answers 404 (d.3); a list that is not there is no empty one."""
    market.will_say(said(404, {"message": "off"}), said(200, {"message": "not today"}))

    with pytest.raises(NotFound):
        await api.returns(ReturnFilter())
    with pytest.raises(ProtocolSurprise, match="not today"):
        await api.returns(ReturnFilter())


# ── writing ─────────────────────────────────────────────────────────────────────────────────


async def test_return_decisions_are_written_as_in_the_contract(
    market: ScriptedServer, api: SellerApi
) -> None:
    """RT21: a reason goes with a no only (b.5)."""
    market.by = all_done

    outcomes = await api.decide_returns(
        [
            ReturnDecision(return_id="A", accepted=True, rejection_reason_code="IGNORED"),
            ReturnDecision(
                return_id="B",
                accepted=False,
                rejection_reason_code="RETURN_REJECTION_NOT_ELIGIBLE",
            ),
        ]
    )

    assert ("PUT", "/api/returns/accept") == (market.asked[0].method, market.asked[0].path)
    assert {
        "returns": [
            {"id": "A", "accepted": True},
            {
                "id": "B",
                "accepted": False,
                "rejection_reason_code": "RETURN_REJECTION_NOT_ELIGIBLE",
            },
        ]
    } == msgspec.json.decode(market.asked[0].body)
    assert [ItemResult.DONE, ItemResult.DONE] == [each.result for each in outcomes]


async def test_return_verdicts_are_written_as_in_the_contract(
    market: ScriptedServer, api: SellerApi
) -> None:
    """RT26: line by line (b.5)."""
    market.by = all_done

    await api.judge_returns(
        [
            ReturnVerdict(
                return_id="A",
                lines=(
                    LineVerdict(line_id="1", compliant=True),
                    LineVerdict(
                        line_id="2",
                        compliant=False,
                        reason_code="RETURN_NON_COMPLIANT_DAMAGED_PRODUCT",
                        additional="torn",
                    ),
                ),
            )
        ]
    )

    assert "/api/returns/compliance" == market.asked[0].path
    assert {
        "returns": [
            {
                "id": "A",
                "return_lines": [
                    {"order_line_id": "1", "compliant": True},
                    {
                        "order_line_id": "2",
                        "compliant": False,
                        "non_compliance_reason_code": "RETURN_NON_COMPLIANT_DAMAGED_PRODUCT",
                        "non_compliance_additional_info": "torn",
                    },
                ],
            }
        ]
    } == msgspec.json.decode(market.asked[0].body)


async def test_returns_are_received_closed_and_cancelled_by_id(
    market: ScriptedServer, api: SellerApi
) -> None:
    """RT25, RT27 and RT29; an id that is asked for twice is written once."""
    market.by = all_done

    await api.receive_returns(["A", "A"])
    await api.close_returns(["A"])
    await api.cancel_returns(["A"])

    assert ["/api/returns/receive", "/api/returns/close", "/api/returns/cancel"] == [
        asked.path for asked in market.asked
    ]
    assert [b'{"returns":[{"id":"A"}]}'] * 3 == [asked.body for asked in market.asked]


async def test_returns_of_one_write_have_an_outcome_each(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A 200 says nothing before each return is found in it (b.0)."""
    market.will_say(
        said(
            200,
            {
                "return_success": [{"id": "A"}, {"id": "both"}],
                "return_errors": [
                    {"id": "B", "message": "not received yet"},
                    {"id": "C", "errors": [{"code": "STATE", "message": "closed"}]},
                    {"id": "D", "message": None},
                    {"id": "both", "message": "?"},
                ],
            },
        )
    )

    outcomes = await api.close_returns(["A", "B", "C", "D", "both", "silent"])

    assert [
        ("A", "DONE", "", ""),
        ("B", "REFUSED", "not received yet", ""),
        ("C", "REFUSED", "closed", "STATE"),
        ("D", "REFUSED", "refused without a reason", ""),
        ("both", "UNKNOWN", "named as done and as refused", ""),
        ("silent", "UNKNOWN", "the answer did not name this return", ""),
    ] == [(each.return_id, each.result, each.message, each.reason_code) for each in outcomes]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (CUT, OutcomeUnknown),
        (said(200, b"<p>done"), OutcomeUnknown),
        (said(200, {"return_success": "all"}), OutcomeUnknown),
        (said(400, {"message": "over 100"}), Refused),
        (said(429, b""), Unavailable),
    ],
)
async def test_first_write_of_returns_that_fails_as_a_whole_is_raised(
    market: ScriptedServer, api: SellerApi, answer: bytes, error: type[Exception]
) -> None:
    """As every write: refused, not taken, or unknown."""
    market.will_say(answer)

    with pytest.raises(error, match="RT27 of 1 returns from A on"):
        await api.close_returns(["A"])


@pytest.mark.parametrize(
    ("answer", "second", "third"),
    [
        (CUT, ItemResult.UNKNOWN, ItemResult.UNSENT),
        (said(429, b""), ItemResult.UNSENT, ItemResult.UNSENT),
        (said(400, {"message": "no"}), ItemResult.REFUSED, ItemResult.DONE),
    ],
)
async def test_later_write_of_returns_that_fails_loses_no_earlier_outcome(
    market: ScriptedServer,
    api: SellerApi,
    answer: bytes,
    second: ItemResult,
    third: ItemResult,
) -> None:
    """What was done in the first hundred is told, whatever came after."""
    market.by = lambda asked: answer if "R100" in asked_ids(asked) else all_done(asked)

    outcomes = await api.receive_returns(MANY)

    assert MANY == [each.return_id for each in outcomes]
    assert [ItemResult.DONE] * 100 + [second] * 100 + [third] * 50 == [
        each.result for each in outcomes
    ]


async def test_writes_of_returns_that_make_no_sense_are_misuse(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Nothing is sent; of nothing, nothing."""
    twice = [ReturnDecision(return_id="A", accepted=yes) for yes in (True, False)]

    with pytest.raises(Misuse, match="named twice"):
        await api.decide_returns(twice)
    with pytest.raises(Misuse, match="an id is empty"):
        await api.close_returns([" "])
    assert [] == await api.close_returns([])
    assert [] == market.asked
