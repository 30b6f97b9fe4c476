"""OR11, OR04, OR13 to OR15, OR21, OR23 and OR24, client against sandbox, happy and failing."""

from datetime import timedelta

import pytest

from kcjl.errors import (
    CredentialsRefused,
    NotFound,
    ProtocolSurprise,
    Refused,
    Unavailable,
)
from kcjl.johnlewis.port import OrderState, Tracking
from kcjl.sandbox.faults import Fault
from tests.johnlewis.test_seller_api_sandbox import BY_ROYAL_MAIL, one, serving
from tests.johnlewis.test_seller_api_sandbox_exports import all_of
from tests.sandbox.marketplace_shop import BEGINNING, quick

pytestmark = pytest.mark.anyio


async def test_orders_are_read_as_they_stand() -> None:
    """OR11: state, amounts, customer's number and lines of the sandbox's own truth."""
    async with serving() as world:
        kept = [world.shop.order(), world.shop.order_to_ship(1, 0)]
        read = {
            each.order_id: each for each in await world.api().orders_updated_since(BEGINNING)
        }

    assert {each.order_id for each in kept} == set(read)
    for order in kept:
        told = read[order.order_id]
        assert (order.state, order.customer_order_number) == (
            told.state_raw,
            told.customer_order_number,
        )
        assert [
            (line.line_id, line.sku, line.quantity, line.price) for line in order.lines
        ] == [(line.line_id, line.sku, line.quantity, line.price) for line in told.lines]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(kind="status", status=500, operation="OR11"), Unavailable),
        (Fault(kind="half_json", operation="OR11"), ProtocolSurprise),
        (Fault(kind="empty", operation="OR11"), ProtocolSurprise),
    ],
)
async def test_orders_that_can_not_be_read_are_no_empty_list(
    fault: Fault, error: type[Exception]
) -> None:
    """OR11: nothing is taken for "no orders"; the next reading has them."""
    async with serving() as world:
        api = world.api()
        order = world.shop.order()
        world.faults.add([fault])
        with pytest.raises(error):
            await api.orders_updated_since(BEGINNING)

        assert [order.order_id] == [
            each.order_id for each in await api.orders_updated_since(BEGINNING)
        ]


async def test_own_references_stand_on_the_orders_that_took_them() -> None:
    """OR04: done, refused by the marketplace, and never sent, told apart one by one."""
    async with serving() as world:
        taken, blank = world.shop.order(), world.shop.order()
        refused = await world.api().write_seller_references(
            {taken.order_id: "KC-1", "700-B": "KC-2", blank.order_id: "  "}
        )

    assert {"700-B", blank.order_id} == set(refused)
    assert "not found" in refused["700-B"]
    assert ("KC-1", None) == (taken.seller_reference, blank.seller_reference)


async def test_own_references_of_a_stranger_are_not_written() -> None:
    """OR04: a wrong key is a 401, and nothing was done."""
    async with serving() as world:
        order = world.shop.order()
        with pytest.raises(CredentialsRefused):
            await world.api("somebody").write_seller_references({order.order_id: "KC-1"})

    assert order.seller_reference is None


async def test_exported_orders_are_those_of_the_truth() -> None:
    """OR13, OR14 and OR15: every order that changed in the span, in several files."""
    chosen = quick(call_limits=True, export_s_min=25, export_s_max=25)
    async with serving(chosen) as world:
        kept = [world.shop.order(1, 0, beyond_the_window=True) for _ in range(7)]
        until = world.shop.agenda.now + timedelta(hours=1)
        told = await all_of(world.api().orders_caught_up(BEGINNING, until))
        looks = world.gate.entered.count(("johnlewis", "OR14"))

    assert {each.order_id for each in kept} == {each.order_id for each in told}
    assert 3 == looks


async def test_export_of_orders_that_fails_is_told() -> None:
    """OR14: FAILED is a refusal with the status as its code; asked again, it is done."""
    async with serving() as world:
        order = world.shop.order()
        until = world.shop.agenda.now + timedelta(hours=1)
        world.shop.marketplace.fail_exports(1)
        with pytest.raises(Refused) as failed:
            await all_of(world.api().orders_caught_up(BEGINNING, until))
        world.shop.wait(hours=1)
        told = await all_of(world.api().orders_caught_up(BEGINNING, until))

    assert "FAILED" == failed.value.reason_code
    assert [order.order_id] == [each.order_id for each in told]


async def test_export_whose_files_are_gone_is_no_empty_export() -> None:
    """OR15: a file that was thrown away is a 404, never "no orders"."""
    async with serving(quick(call_limits=True, export_files_live_hours=0.0001)) as world:
        world.shop.order()
        until = world.shop.agenda.now + timedelta(hours=1)
        world.before_each.append(
            lambda operation: world.shop.wait(seconds=60) if operation == "OR15" else None
        )
        with pytest.raises(NotFound) as gone:
            await all_of(world.api().orders_caught_up(BEGINNING, until))

    assert gone.value.message.startswith("OR15")


async def test_accepted_lines_go_on_and_refused_ones_end() -> None:
    """OR21: line by line, by the shop's own decision."""
    async with serving() as world:
        order = world.shop.order()
        await world.api().accept(
            order.order_id, {order.lines[0].line_id: True, order.lines[1].line_id: False}
        )

    assert ["WAITING_DEBIT", "REFUSED"] == [line.state for line in order.lines]
    assert world.shop.agenda.now.replace(microsecond=0) == order.decided_at


@pytest.mark.parametrize(
    ("settings", "accepted", "code"),
    [
        ({"partial_acceptance": False}, (True, False), "ORDER_PARTIAL_ACCEPTANCE_DISABLED"),
        ({}, (True,), "ORDER_LINE_ACCEPTANCE_DECISION_MISSING"),
    ],
)
async def test_acceptance_that_is_refused_does_nothing(
    settings: dict[str, object], accepted: tuple[bool, ...], code: str
) -> None:
    """OR21: all or nothing, with the code of the refusal."""
    async with serving(quick(call_limits=True, **settings)) as world:
        order = world.shop.order()
        said = {line.line_id: yes for line, yes in zip(order.lines, accepted, strict=False)}
        with pytest.raises(Refused) as refusal:
            await world.api().accept(order.order_id, said)

    assert (400, code) == (refusal.value.status, refusal.value.reason_code)
    assert ("WAITING_ACCEPTANCE", None) == (order.state, order.decided_at)


async def test_order_is_accepted_once() -> None:
    """OR21 said again: the order is past it, and stays as it was."""
    async with serving() as world:
        api, order = world.api(), world.shop.order()
        said = {line.line_id: True for line in order.lines}
        await api.accept(order.order_id, said)
        with pytest.raises(Refused) as again:
            await api.accept(order.order_id, dict.fromkeys(said, False))

    assert "ORDER_INVALID_STATE" == again.value.reason_code
    assert ["WAITING_DEBIT", "WAITING_DEBIT"] == [line.state for line in order.lines]


async def test_tracking_is_set_and_overwritten_and_ships_nothing() -> None:
    """OR23: the last one stands, the state stays."""
    async with serving() as world:
        api, order = world.api(), world.shop.order_to_ship()
        await api.set_tracking(order.order_id, BY_ROYAL_MAIL)
        await api.set_tracking(
            order.order_id, Tracking(carrier_code="DPD", tracking_number="D2")
        )
        told = await one(api, order.order_id)

    assert order.tracking is not None
    assert ("DPD", "D2") == (order.tracking.carrier_code, order.tracking.number)
    assert told.tracking is not None
    assert "D2" == told.tracking.tracking_number
    assert OrderState.SHIPPING == told.state


async def test_tracking_of_a_carrier_that_is_not_listed_is_refused() -> None:
    """OR23 where the tenant takes its own carriers only (PC01)."""
    async with serving() as world:
        order = world.shop.order_to_ship()
        with pytest.raises(Refused) as refusal:
            await world.api().set_tracking(
                order.order_id,
                Tracking(carrier_code="", carrier_name="Uncle Bob", tracking_number="1"),
            )

    assert (Refused, 400) == (type(refusal.value), refusal.value.status)
    assert order.tracking is None


async def test_order_is_shipped_whole() -> None:
    """OR24: every line is on its way."""
    async with serving(quick(call_limits=True, multi_shipment=False)) as world:
        api, order = world.api(), world.shop.order_to_ship()
        await api.set_tracking(order.order_id, BY_ROYAL_MAIL)
        await api.ship(order.order_id)

    assert "SHIPPED" == order.state
    assert [2, 1] == [line.shipped for line in order.lines]


async def test_order_without_the_tracking_that_is_asked_for_stays() -> None:
    """OR24: a shipping type that asks for tracking is refused without (SH12)."""
    chosen = quick(call_limits=True, multi_shipment=False, mandatory_tracking=True)
    async with serving(chosen) as world:
        order = world.shop.order_to_ship()
        with pytest.raises(Refused) as refusal:
            await world.api().ship(order.order_id)

    assert 400 == refusal.value.status
    assert "SHIPPING" == order.state
    assert [0, 0] == [line.shipped for line in order.lines]
