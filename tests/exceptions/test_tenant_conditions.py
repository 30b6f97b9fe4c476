"""Our shop, closed: with a holiday that was announced, and without."""

from datetime import timedelta

import pytest

from kcjl.exceptions.conditions import Clear, Raise
from kcjl.exceptions.decide import conditions
from kcjl.stock.events import OfferInactive
from tests.tenant.readings import tenant_read
from tests.trade import at

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("closed_from", "closed_until", "said"),
    [
        (-1, 1, Clear),
        (-1, None, Clear),
        (None, 1, Clear),
        (-3, -1, Raise),
        (1, 3, Raise),
        (None, None, Raise),
    ],
)
def test_closed_shop_is_raised_where_no_holiday_says_so(
    closed_from: int | None, closed_until: int | None, said: type
) -> None:
    """A holiday is known from its first day on, and no longer than to its last."""
    read = tenant_read(
        shop_state="CLOSE",
        closed_from=None if closed_from is None else at() + closed_from * DAY,
        closed_until=None if closed_until is None else at() + closed_until * DAY,
    )

    assert [said] == [type(each) for each in conditions(read)]


@pytest.mark.parametrize("state", ["SUSPENDED", "TERMINATED"])
def test_holiday_is_no_reason_for_a_suspension(state: str) -> None:
    """The operator has done that, and not we."""
    read = tenant_read(
        shop_state=state, suspension="MANUAL", closed_from=at() - DAY, closed_until=at() + DAY
    )
    (raised,) = conditions(read)

    assert isinstance(raised, Raise)
    assert raised.message == (
        f"the marketplace shows shop 1 (Acme) as {state} (MANUAL): nobody can buy"
    )


def test_closed_shop_says_which_holiday_is_announced() -> None:
    """Whoever reads it sees why that one does not count."""
    (raised,) = conditions(tenant_read(shop_state="CLOSE", closed_from=at() + DAY))

    assert isinstance(raised, Raise)
    assert "and the holiday of 2026-10-02 to — is not now" in raised.message


def test_offers_of_a_closed_shop_are_no_storm() -> None:
    """A suspension of a catalogue of 100,000 is one exception; another reason stays its own."""
    shop_only = OfferInactive(sku="A-1", reasons=("SHOP_NOT_OPEN",), occurred_at=at())
    both = OfferInactive(
        sku="A-1", reasons=("SHOP_NOT_OPEN", "NO_ACTIVE_PRICE"), occurred_at=at()
    )
    (quiet,), (raised,) = conditions(shop_only), conditions(both)

    assert isinstance(quiet, Clear)
    assert isinstance(raised, Raise)
    assert "customers can't buy it: NO_ACTIVE_PRICE" == raised.message
