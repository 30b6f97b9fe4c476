"""The rules of reversals: the taxes of a share, and whether an open one is there."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.johnlewis.order_port import (
    Cancelation,
    Order,
    OrderLine,
    OrderState,
    Refund,
    TaxAmount,
)
from kcjl.johnlewis.reversal_lookup import (
    Finding,
    Found,
    ReversalIntention,
    cancelation_of,
    find_order_cancelation,
    find_reversal,
    refund_of,
)
from kcjl.johnlewis.reversal_port import RefundRequest
from kcjl.money import Money
from tests.outside.marketplace import marketplace_line, marketplace_order

replace = msgspec.structs.replace

NOW = datetime(2026, 2, 10, 11, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
VAT = (TaxAmount(code="VAT20", amount=Money(800), rate=Decimal(20)),)
ON_SHIPPING = (TaxAmount(code="VAT20", amount=Money(66)),)


def line(
    *, refunds: tuple[Refund, ...] = (), cancelations: tuple[Cancelation, ...] = ()
) -> OrderLine:
    return replace(
        marketplace_line("O1-1", quantity=2, state="SHIPPING"),
        price=Money(4800),
        shipping_price=Money(395),
        taxes=VAT,
        shipping_taxes=ON_SHIPPING,
        refunds=refunds,
        cancelations=cancelations,
    )


def order(*refunds: Refund, cancelations: tuple[Cancelation, ...] = ()) -> Order:
    mine = line(refunds=refunds, cancelations=cancelations)
    return marketplace_order("O1", mine, marketplace_line("O1-2"), state="SHIPPING")


def there(
    refund_id: str,
    amount: int = 2400,
    *,
    reason: str = "17",
    at: datetime | None = NOW + timedelta(seconds=2),
    taxes: tuple[TaxAmount, ...] = (),
) -> Refund:
    return Refund(
        refund_id=refund_id,
        amount=Money(amount),
        shipping_amount=Money(0),
        state="WAITING_REFUND",
        reason_code=reason,
        created_at=at,
        taxes=taxes,
    )


def intention(amount: int = 2400) -> ReversalIntention:
    request = refund_of(
        order(),
        line(),
        amount=Money(amount),
        shipping_amount=Money(0),
        reason_code="17",
        quantity=1,
    )
    return ReversalIntention(request=request, intended_at=NOW)


def find(
    before: Order | None,
    after: Order,
    *,
    read_at: datetime = LATER,
    known: tuple[str, ...] = (),
) -> Finding:
    return find_reversal(before, after, intention(), read_at=read_at, known=known)


# ── the taxes of a share ────────────────────────────────────────────────────────────────────


def test_refund_of_half_a_line_names_half_of_its_taxes() -> None:
    """b.3: taxes in proportion, also the one of zero on the shipping."""
    request = refund_of(
        order(), line(), amount=Money(2400), shipping_amount=Money(0), reason_code="17"
    )

    assert (TaxAmount(code="VAT20", amount=Money(400)),) == request.taxes
    assert (TaxAmount(code="VAT20", amount=Money(0)),) == request.shipping_taxes
    assert "TAX_INCLUDED" == request.tax_mode


def test_cancelation_shares_what_stands_on_the_line_now() -> None:
    """A cancelation lowers the price and its taxes: the next share is of what is left."""
    request = cancelation_of(
        order(),
        line(),
        amount=Money(1600),
        shipping_amount=Money(395),
        reason_code="34",
        quantity=1,
    )

    assert [Money(267)] == [tax.amount for tax in request.taxes]
    assert [Money(66)] == [tax.amount for tax in request.shipping_taxes]


def test_refund_of_a_line_that_costs_nothing_names_taxes_of_zero() -> None:
    """No division by a price of zero."""
    free = replace(line(), price=Money(0))

    request = refund_of(
        order(), free, amount=Money(0), shipping_amount=Money(100), reason_code="17"
    )

    assert [Money(0)] == [tax.amount for tax in request.taxes]


@given(st.lists(st.integers(1, 2_000), min_size=1, max_size=6), st.integers(0, 3_000))
def test_refunds_that_empty_a_line_give_back_its_tax_to_the_penny(
    parts: list[int], tax: int
) -> None:
    """Whatever the parts: their taxes add up to the line's own, and none is below zero."""
    taxes = (TaxAmount(code="VAT20", amount=Money(min(tax, sum(parts)))),)
    standing = replace(line(), price=Money(sum(parts)), taxes=taxes)
    for number, part in enumerate(parts):
        request = refund_of(
            order(), standing, amount=Money(part), shipping_amount=Money(0), reason_code="17"
        )
        made = there(str(number), part, taxes=request.taxes)
        standing = replace(standing, refunds=(*standing.refunds, made))
    given_back = [each.taxes[0].amount.amount_minor for each in standing.refunds]

    assert min(given_back) >= 0
    assert taxes[0].amount.amount_minor == sum(given_back)


# ── is it there? ────────────────────────────────────────────────────────────────────────────


def test_refund_that_is_new_and_as_asked_is_there() -> None:
    """Line, amount, reason, time (d.5)."""
    found = find(order(there("1")), order(there("1"), there("2")))

    assert (Found.THERE, "2") == (found.found, found.reversal_id)


def test_refund_of_the_same_money_before_is_not_ours() -> None:
    """A second half of the line may be refunded like the first."""
    assert Found.NOT_THERE == find(order(there("1")), order(there("1"))).found
    assert Found.NOT_THERE == find(order(), order(there("1")), known=("1",)).found
    long_ago = there("1", at=NOW - timedelta(hours=1))
    assert Found.NOT_THERE == find(None, order(long_ago)).found


def test_refund_that_came_without_its_time_counts_when_it_is_new() -> None:
    """Absent and null are both not told."""
    assert "2" == find(order(), order(there("2", at=None))).reversal_id


def test_refund_may_stand_there_before_our_own_clock_says_so() -> None:
    """Two clocks differ a little."""
    early = there("2", at=NOW - timedelta(minutes=2))

    assert Found.THERE == find(order(), order(early)).found


def test_two_refunds_as_asked_are_ours_and_the_older_one_is_it() -> None:
    """Ours is there in any case: nothing more is sent."""
    newer, older = there("9", at=NOW + timedelta(seconds=9)), there("10", at=NOW)

    assert "10" == find(order(), order(newer, older)).reversal_id


def test_refund_looked_for_too_early_may_still_arrive() -> None:
    """A look while the request is under way proves nothing."""
    soon = NOW + timedelta(seconds=30)

    assert Found.TOO_EARLY == find(order(), order(), read_at=soon).found
    assert Found.NOT_THERE == find(order(), order()).found


@pytest.mark.parametrize(
    "near", [there("2", reason="15"), there("2", amount=2399), there("2", at=None, reason="")]
)
def test_refund_that_may_be_ours_is_for_a_person(near: Refund) -> None:
    """The same money for another reason, or the other way about."""
    found = find(order(), order(near))

    assert Found.UNCLEAR == found.found
    assert "we asked for 24.00 GBP" in found.message


def test_refund_of_other_money_for_another_reason_is_somebody_elses() -> None:
    """The operator refunds too."""
    assert Found.NOT_THERE == find(order(), order(there("2", amount=100, reason="99"))).found


def test_refund_shown_in_another_tax_mode_is_for_a_person() -> None:
    """Net and gross can't be compared."""
    net = replace(order(there("2", amount=2000, reason="99")), tax_mode="TAX_EXCLUDED")

    assert Found.UNCLEAR == find(order(), net).found


def test_refund_on_an_order_that_lost_the_line_is_for_a_person() -> None:
    """It can't be looked for."""
    found = find(order(), replace(order(), lines=()))

    assert (Found.UNCLEAR, "order O1 shows no line O1-1") == (found.found, found.message)


def test_cancelation_is_looked_for_among_the_cancelations() -> None:
    """A refund of the same money is no cancelation."""
    request = cancelation_of(
        order(),
        line(),
        amount=Money(2400),
        shipping_amount=Money(0),
        reason_code="17",
        quantity=1,
    )
    sent = ReversalIntention(request=request, intended_at=NOW)
    made = Cancelation(
        cancelation_id="C1", amount=Money(2400), shipping_amount=Money(0), reason_code="17"
    )
    refunded, cancelled = order(there("1")), order(cancelations=(made,))

    assert Found.NOT_THERE == find_reversal(order(), refunded, sent, read_at=LATER).found
    assert "C1" == find_reversal(order(), cancelled, sent, read_at=LATER).reversal_id


def test_refund_stamped_in_whole_seconds_by_a_clock_five_minutes_behind_is_ours() -> None:
    """The part of a second that their stamp lacks must not make it somebody else's."""
    sent_at = NOW.replace(microsecond=660_000)
    sent = ReversalIntention(request=intention().request, intended_at=sent_at)
    theirs = (sent_at - timedelta(minutes=5)).replace(microsecond=0)
    after = order(there("R1", at=theirs))

    assert "R1" == find_reversal(None, after, sent, read_at=LATER).reversal_id


@given(others=st.lists(st.sampled_from([2400, 1200, 100]), max_size=4), done=st.booleans())
def test_refund_is_never_sent_again_while_it_is_there(
    others: list[int],
    *,
    done: bool,
) -> None:
    """Whatever stood there before: ours, if it was done, is found; if not, it is missed."""
    before = tuple(there(f"old-{n}", amount) for n, amount in enumerate(others))
    after = (*before, there("new")) if done else before
    found = find(order(*before), order(*after))

    assert (Found.THERE if done else Found.NOT_THERE) == found.found


@pytest.mark.parametrize(
    ("order_state", "lines", "minutes", "found"),
    [
        ("CANCELED", ("CANCELED", "CANCELED"), 0, Found.THERE),
        ("SHIPPING", ("CANCELED", "REFUSED"), 0, Found.THERE),
        ("SHIPPING", ("CANCELED", "SHIPPING"), 9, Found.UNCLEAR),
        ("SHIPPING", ("SHIPPING", "SHIPPING"), 1, Found.TOO_EARLY),
        ("SHIPPING", ("SHIPPING", "SHIPPING"), 9, Found.NOT_THERE),
    ],
)
def test_cancelled_order_is_told_by_its_state(
    order_state: str, lines: tuple[str, ...], minutes: int, found: Found
) -> None:
    """OR29 is all or nothing: a part of it is somebody else's (b.3)."""
    states = zip(order().lines, lines, strict=True)
    after = replace(
        order(),
        state=OrderState(order_state),
        lines=tuple(replace(each, state=OrderState(state)) for each, state in states),
    )
    read_at = NOW + timedelta(minutes=minutes)

    assert found == find_order_cancelation(after, intended_at=NOW, read_at=read_at).found


def test_requests_of_the_rules_are_requests_of_the_port() -> None:
    """What `refund_of` makes is what OR28 takes."""
    assert isinstance(intention().request, RefundRequest)
