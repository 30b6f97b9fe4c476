"""Returns keep the contract's states, and move no money (johnlewis b.5)."""

import pytest

from kcjl.sandbox.marketplace import ApiError, Return
from tests.sandbox.marketplace_shop import Shop, quick


def opened(shop: Shop, units: int = 1) -> Return:
    """A return of shirts that were delivered."""
    order = shop.received_order()
    return shop.marketplace.open_return(order.lines[0].line_id, units)


def decision(found: Return, *, accepted: bool, reason: str | None = None) -> dict[str, object]:
    return {"id": found.return_id, "accepted": accepted, "rejection_reason_code": reason}


def test_return_goes_through_its_states_and_moves_no_money() -> None:
    """Asked for, accepted, received, judged, closed: the account has not changed."""
    shop = Shop()
    found = opened(shop)
    account = list(shop.marketplace.transactions.values())
    shop.marketplace.decide_returns([decision(found, accepted=True)])
    states = [found.state]
    shop.marketplace.receive_returns([found.return_id])
    states.append(found.state)
    line_id = found.lines[0].order_line_id
    judged = {"order_line_id": line_id, "compliant": True}
    shop.marketplace.judge_returns([{"id": found.return_id, "return_lines": [judged]}])
    shop.marketplace.close_returns([found.return_id])
    states.append(found.state)

    assert ["IN_PROGRESS", "RECEIVED", "CLOSED"] == states
    assert found.lines[0].compliance is not None
    assert account == list(shop.marketplace.transactions.values())
    assert not shop.marketplace.orders[found.order_id].lines[0].refunds


def test_return_is_accepted_by_itself_where_the_tenant_has_it_so() -> None:
    """Auto-acceptance: the return is IN_PROGRESS at once."""
    shop = Shop(quick(returns_accepted_automatically=True))

    assert "IN_PROGRESS" == opened(shop).state


def test_return_that_is_refused_leaves_its_units_returnable() -> None:
    """A refusal needs one of its reasons; the units can be asked for again."""
    shop = Shop()
    found = opened(shop, 2)
    order = shop.marketplace.orders[found.order_id]
    (wrong,) = shop.marketplace.decide_returns([decision(found, accepted=False, reason="17")])
    before = (found.state, shop.marketplace.returns.returnable(order, order.lines[0]))
    shop.marketplace.decide_returns(
        [decision(found, accepted=False, reason="RETURN_REJECTION_NOT_NEEDED")]
    )

    assert wrong.message is not None
    assert ("WAITING_ACCEPTANCE", 0) == before
    assert ("REFUSED", "RETURN_REJECTION_NOT_NEEDED") == (
        found.state,
        found.rejection_reason_code,
    )
    assert 2 == shop.marketplace.returns.returnable(order, order.lines[0])


def test_return_that_never_arrives_is_no_reception() -> None:
    """A return on its way that nobody received in time; it can be closed then."""
    shop = Shop(quick(return_reception_days=5, returns_accepted_automatically=True))
    found = opened(shop)
    shop.wait(hours=5 * 24)
    state = found.state
    shop.marketplace.close_returns([found.return_id])

    assert ("NO_RECEPTION", "CLOSED") == (state, found.state)


@pytest.mark.parametrize(
    ("call", "allowed"),
    [
        ("decide_returns", {"WAITING_ACCEPTANCE"}),
        ("receive_returns", {"IN_PROGRESS"}),
        ("close_returns", {"RECEIVED"}),
        ("cancel_returns", {"WAITING_ACCEPTANCE", "IN_PROGRESS"}),
        ("judge_returns", {"RECEIVED"}),
        ("update_returns", {"WAITING_ACCEPTANCE", "IN_PROGRESS"}),
    ],
)
def test_return_call_in_a_wrong_state_has_a_message_and_does_nothing(
    call: str, allowed: set[str]
) -> None:
    """Each mover has its states; in all others the item fails and the return stays."""
    for steps in range(4):
        shop = Shop()
        found = opened(shop)
        if steps >= 1:
            shop.marketplace.decide_returns([decision(found, accepted=True)])
        if steps >= 2:
            shop.marketplace.receive_returns([found.return_id])
        if steps >= 3:
            shop.marketplace.close_returns([found.return_id])
        state = found.state
        items: object = [found.return_id]
        if call in {"decide_returns", "judge_returns", "update_returns"}:
            items = [{**decision(found, accepted=True), "rma": "R-1", "return_lines": []}]
        name = (
            "return_ids"
            if isinstance(items, list) and items == [found.return_id]
            else "returns"
        )
        (outcome,) = getattr(shop.marketplace, call)(**{name: items})

        assert (state in allowed) == (outcome.message is None), (call, state)
        assert (state == found.state) or state in allowed


def test_return_of_more_than_was_delivered_is_refused() -> None:
    """Units are counted over all returns; nothing comes back unsent, or too late."""
    shop = Shop(quick(return_window_days=10))
    unsent = shop.order_to_ship()
    with pytest.raises(ApiError):
        shop.marketplace.open_return(unsent.lines[0].line_id)
    order = shop.received_order()
    shop.marketplace.open_return(order.lines[0].line_id, 2)
    with pytest.raises(ApiError):
        shop.marketplace.open_return(order.lines[0].line_id, 1)
    shop.wait(hours=10 * 24 + 1)
    with pytest.raises(ApiError):
        shop.marketplace.open_return(order.lines[1].line_id, 1)

    assert [2, 0] == [line.returned for line in order.lines]


def test_returns_of_a_tenant_without_the_module_are_not_there() -> None:
    """404, whatever is asked."""
    shop = Shop(quick(returns_module=False))
    order = shop.received_order()
    for ask in (
        lambda: shop.marketplace.open_return(order.lines[0].line_id),
        lambda: shop.marketplace.close_returns(["x"]),
        lambda: shop.marketplace.create_returns([{}]),
    ):
        with pytest.raises(ApiError) as refused:
            ask()

        assert 404 == refused.value.status
