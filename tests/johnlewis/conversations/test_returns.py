"""RT11, RT21, RT25, RT26, RT27 and RT29, client against sandbox, happy and failing."""

from collections.abc import Awaitable, Callable

import pytest

from kcjl.errors import NotFound, OutcomeUnknown
from kcjl.johnlewis.returns_port import (
    LineVerdict,
    ReturnDecision,
    ReturnFilter,
    ReturnOutcome,
    ReturnState,
    ReturnVerdict,
)
from kcjl.johnlewis.reversal_port import ItemResult
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.marketplace import Return
from tests.johnlewis.test_seller_api_sandbox import serving
from tests.sandbox.marketplace_shop import BEGINNING, Shop, quick

pytestmark = pytest.mark.anyio

CHANGED_MIND = "RETURN_CHANGED_MIND"
DAMAGED = "RETURN_NON_COMPLIANT_DAMAGED_PRODUCT"
DONE, REFUSED = ItemResult.DONE, ItemResult.REFUSED


def coming_back(shop: Shop) -> Return:
    """A shirt that its customer wants to send back."""
    order = shop.received_order()
    return shop.marketplace.open_return(order.lines[0].line_id, 1, CHANGED_MIND)


async def test_returns_are_read_as_they_stand_and_found_by_their_ids() -> None:
    """RT11: state, order, lines and number of the truth; by state, order, line and time."""
    async with serving() as world:
        shop, api = world.shop, world.api()
        kept, other = coming_back(shop), coming_back(shop)
        shop.marketplace.cancel_returns([other.return_id])
        told = {each.return_id: each for each in await api.returns(ReturnFilter())}
        found = [
            await api.returns(wanted)
            for wanted in (
                ReturnFilter(return_ids=(kept.return_id, "nobody")),
                ReturnFilter(states=("WAITING_ACCEPTANCE",)),
                ReturnFilter(order_commercial_ids=(kept.commercial_id,)),
                ReturnFilter(order_line_ids=(kept.lines[0].order_line_id,)),
                ReturnFilter(rmas=(kept.rma,)),
                ReturnFilter(created_from=BEGINNING, created_until=kept.created_at),
            )
        ]

    assert {kept.return_id, other.return_id} == set(told)
    read = told[kept.return_id]
    assert (ReturnState.WAITING_ACCEPTANCE, kept.order_id, kept.rma) == (
        read.state,
        read.order_id,
        read.rma,
    )
    assert [(kept.lines[0].order_line_id, 1)] == [
        (line.line_id, line.quantity) for line in read.lines
    ]
    assert [[kept.return_id]] * 6 == [[each.return_id for each in part] for part in found]


async def test_return_is_accepted_received_judged_and_closed() -> None:
    """RT21, RT25, RT26 and RT27, each seen in the truth; each said again is refused."""
    async with serving() as world:
        api, kept = world.api(), coming_back(world.shop)
        yes = [ReturnDecision(return_id=kept.return_id, accepted=True)]
        verdict = LineVerdict(
            line_id=kept.lines[0].order_line_id,
            compliant=False,
            reason_code=DAMAGED,
            additional="torn",
        )
        verdicts = [ReturnVerdict(return_id=kept.return_id, lines=(verdict,))]
        steps: list[tuple[Callable[[], Awaitable[list[ReturnOutcome]]], str]] = [
            (lambda: api.decide_returns(yes), "IN_PROGRESS"),
            (lambda: api.receive_returns([kept.return_id]), "RECEIVED"),
        ]
        for step, state in steps:
            (first,), (again,) = await step(), await step()
            assert (DONE, REFUSED, state) == (first.result, again.result, kept.state)
            assert state in again.message
        (judged,) = await api.judge_returns(verdicts)
        (told,) = await api.returns(ReturnFilter())
        (closed,) = await api.close_returns([kept.return_id])
        (late,) = await api.judge_returns(verdicts)

    assert (DONE, DONE, REFUSED) == (judged.result, closed.result, late.result)
    assert kept.lines[0].compliance is not None
    assert (False, DAMAGED) == (
        kept.lines[0].compliance.is_compliant,
        kept.lines[0].compliance.reason_code,
    )
    (said,) = told.lines[0].compliance
    assert (False, DAMAGED, "torn") == (said.compliant, said.reason_code, said.additional)
    assert "CLOSED" == kept.state


async def test_return_is_refused_for_a_reason_that_there_is() -> None:
    """RT21: without a right reason the refusal is refused, and the return waits on."""
    async with serving() as world:
        api, kept = world.api(), coming_back(world.shop)

        def no(reason: str | None) -> list[ReturnDecision]:
            return [
                ReturnDecision(
                    return_id=kept.return_id, accepted=False, rejection_reason_code=reason
                )
            ]

        (wrong,) = await api.decide_returns(no("BECAUSE"))
        before = kept.state
        (right,) = await api.decide_returns(no("RETURN_REJECTION_WINDOW_CLOSED"))

    assert (REFUSED, "WAITING_ACCEPTANCE") == (wrong.result, before)
    assert "BECAUSE" in wrong.message
    assert (DONE, "REFUSED", "RETURN_REJECTION_WINDOW_CLOSED") == (
        right.result,
        kept.state,
        kept.rejection_reason_code,
    )


async def test_return_is_cancelled_and_its_units_can_come_back_again() -> None:
    """RT29: done for the one that is open, refused for the one that is closed."""
    async with serving() as world:
        api, shop = world.api(), world.shop
        kept, other = coming_back(shop), coming_back(shop)
        shop.marketplace.decide_returns([{"id": other.return_id, "accepted": True}])
        shop.marketplace.receive_returns([other.return_id])
        told = await api.cancel_returns([kept.return_id, other.return_id, "nobody"])
        line = shop.marketplace.orders[kept.order_id].lines[0]

    assert [DONE, REFUSED, REFUSED] == [each.result for each in told]
    assert ("CANCELED", "RECEIVED", 0) == (kept.state, other.state, line.returned)


async def test_return_that_is_not_there_yet_is_not_closed() -> None:
    """RT27 and RT25 before their time: refused, and nothing moved."""
    async with serving() as world:
        api, kept = world.api(), coming_back(world.shop)
        (closed,) = await api.close_returns([kept.return_id])
        (received,) = await api.receive_returns([kept.return_id])

    assert [REFUSED, REFUSED] == [closed.result, received.result]
    assert "WAITING_ACCEPTANCE" == kept.state


@pytest.mark.parametrize(
    ("kind", "state"), [("lost_before", "IN_PROGRESS"), ("lost_after", "RECEIVED")]
)
async def test_receipt_whose_answer_is_lost_is_read_before_it_is_repeated(
    kind: str, state: str
) -> None:
    """RT25: the outcome is open, and RT11 tells it (b.5)."""
    async with serving() as world:
        api, kept = world.api(), coming_back(world.shop)
        await api.decide_returns([ReturnDecision(return_id=kept.return_id, accepted=True)])
        world.faults.add([Fault(kind=kind, operation="RT25")])  # type: ignore[arg-type] # a kind
        with pytest.raises(OutcomeUnknown):
            await api.receive_returns([kept.return_id])
        (told,) = await api.returns(ReturnFilter(return_ids=(kept.return_id,)))

    assert state == told.state_raw == kept.state


CALLS: dict[str, Callable[[SellerApi], Awaitable[object]]] = {
    "RT11": lambda api: api.returns(ReturnFilter()),
    "RT21": lambda api: api.decide_returns([ReturnDecision(return_id="x", accepted=True)]),
    "RT25": lambda api: api.receive_returns(["x"]),
    "RT26": lambda api: api.judge_returns([ReturnVerdict(return_id="x", lines=())]),
    "RT27": lambda api: api.close_returns(["x"]),
    "RT29": lambda api: api.cancel_returns(["x"]),
}


@pytest.mark.parametrize("operation", CALLS)
async def test_tenant_without_returns_has_none_of_the_operations(operation: str) -> None:
    """The module is off: not found, which is another thing than no returns."""
    async with serving(quick(call_limits=True, returns_module=False)) as world:
        with pytest.raises(NotFound) as missing:
            await CALLS[operation](world.api())

    assert (404, True) == (missing.value.status, missing.value.message.startswith(operation))
