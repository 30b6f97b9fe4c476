"""The contract's frequencies, and the limiter that a tenant's shops share."""

from datetime import UTC, datetime, timedelta

import pytest

from kcjl.errors import RateLimited
from kcjl.johnlewis.budget import OPERATIONS, Budget, CallBudgets, TenantBudgets
from kcjl.johnlewis.frequencies import FREQUENCIES, advised_s, frequency
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.settings import (
    InvoiceAddress,
    JohnLewisSettings,
    KhaosSettings,
    MerchantSettings,
    OrderSettings,
    SettlementSettings,
)
from tests.johnlewis.conftest import JumpingClock, MakeApi
from tests.johnlewis.server import Asked, ScriptedServer, said

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 2, 1, tzinfo=UTC)
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400

ADVISED_S = {
    "OR11": 5 * MINUTE_S,
    "OR13": 15 * MINUTE_S,
    "OR14": 10,
    "ST12": 15 * MINUTE_S,
    "RT11": 15 * MINUTE_S,
    **dict.fromkeys(("OF24", "STO01", "OF01", "OF02", "OF03", "STO03"), 5 * MINUTE_S),
    **dict.fromkeys(("STO02", "OF51", "OF52", "PRI01", "PRI02", "PRI03"), 5 * MINUTE_S),
    "OF53": MINUTE_S,
    "TL04": MINUTE_S,
    "TL02": DAY_S / 20,
    **dict.fromkeys(("TL03", "SBC11", "IV01", "A01", "A21", "SH21", "SH12"), DAY_S),
    **dict.fromkeys(("OR75", "AF01", "DO01", "OF61", "CH11", "CUR01", "L01"), DAY_S),
    "RE01": DAY_S,
    "PC01": DAY_S,
}
"""The column "advised" of d.1; RE01 by b.1, PC01 with the tenant's other settings."""

NAMED = [
    *("A21", "RE01", "OR75", "OF24", "OF02", "OF03", "OF51", "OF52", "OF53", "OR13", "OR14"),
    *("OR28", "OR29", "OR30", "ST12", "ST23", "ST24", "RT11", "RT21", "RT25", "RT26", "RT27"),
    *("RT29", "TL03", "TL04", "IV01", "IV02", "OR72", "OR73", "OR74"),
]


def test_advised_frequencies_are_those_of_the_contract() -> None:
    """Row by row, and no other is polled."""
    told = {name: row.advised_s for name, row in FREQUENCIES.items() if row.advised_s}

    assert told == ADVISED_S


@pytest.mark.parametrize("operation", NAMED)
def test_operation_has_a_row(operation: str) -> None:
    """What can be called has a frequency, if only "at each business event"."""
    assert operation in OPERATIONS


def test_advice_is_never_quicker_than_what_is_allowed() -> None:
    """Who polls as advised is never held up."""
    quicker = [
        name
        for name, row in FREQUENCIES.items()
        for budget in row.at_most
        if row.advised_s and row.advised_s < budget.period_s / budget.calls
    ]

    assert not quicker


def test_what_is_not_polled_has_no_advised_period() -> None:
    """Shipping is done at each parcel, not every so often."""
    with pytest.raises(KeyError, match="OR24 is not polled"):
        advised_s("OR24")


def test_external_partner_reads_orders_every_quarter_of_an_hour() -> None:
    """Both columns of d.1 say 15 minutes then; other operations stay as they are."""
    row = frequency("OR11", external_partner=True)

    assert (900, (Budget(calls=1, period_s=900),)) == (row.advised_s, row.at_most)
    assert frequency("OR04") == frequency("OR04", external_partner=True)


def test_pollers_take_their_pace_from_the_contract() -> None:
    """Nobody guesses; an External Partner is not quicker than he may be, whatever is set."""
    assert (300, 4_320) == (OrderSettings().poll_s, SettlementSettings().transactions_poll_s)
    assert [60, 900, 1_800] == [
        _merchant(poll_s=60, external_partner=False).paced_orders.poll_s,
        _merchant(poll_s=60, external_partner=True).paced_orders.poll_s,
        _merchant(poll_s=1_800, external_partner=True).paced_orders.poll_s,
    ]


def _merchant(*, poll_s: float, external_partner: bool) -> MerchantSettings:
    address = InvoiceAddress(line1="1 Example Road", town="London", postcode="ZZ1 1ZZ")
    return MerchantSettings(
        johnlewis=JohnLewisSettings(
            base_url="https://tenant.example", external_partner=external_partner
        ),
        khaos=KhaosSettings(base_url="https://erp.example", invoice_address=address),
        orders=OrderSettings(poll_s=poll_s),
    )


# ── one limiter a tenant ────────────────────────────────────────────────────────────────────


async def test_shops_of_one_tenant_share_its_limits(
    market: ScriptedServer, make_api: MakeApi, clock: JumpingClock
) -> None:
    """Two shops together read orders once a minute; alone, each would have its own minute."""
    market.by = lambda _: said(200, {"orders": []})
    tenants = TenantBudgets(clock)
    for shop_id in (1, 2):
        await make_api(shop_id=shop_id, tenants=tenants).orders_updated_since(SINCE)

    assert [MINUTE_S] == clock.slept_s
    await make_api(shop_id=3, tenants=TenantBudgets(clock)).orders_updated_since(SINCE)
    assert [MINUTE_S] == clock.slept_s


async def test_shops_of_two_tenants_do_not_wait_for_each_other(clock: JumpingClock) -> None:
    """A limit is the tenant's: its address in any case of letters is the same tenant."""
    tenants = TenantBudgets(clock)
    one, same = tenants.of("https://a.example", {}), tenants.of("https://A.example", {})
    other = tenants.of("https://b.example", {})
    one.answered(await one.turn("OR11"))
    await other.turn("OR11")

    assert one is same
    assert [] == clock.slept_s


async def test_tenant_is_as_tight_as_the_tightest_of_its_shops(clock: JumpingClock) -> None:
    """One shop's key is an External Partner's: both keep to 15 minutes."""
    tenants = TenantBudgets(clock)
    budgets = tenants.of("https://a.example", {})
    tenants.of("https://a.example", {}, external_partner=True)
    budgets.answered(await budgets.turn("OR11"))
    await budgets.turn("OR11")

    assert [900] == clock.slept_s


# ── 429 ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("told", "waits"),
    [
        ([None, None, None], [60, 120, 240]),
        ([10.0, 10.0, 10.0], [10, 20, 40]),
        ([0.0, 0.0, 0.0], [0, 2, 4]),
        ([7200.0, 7200.0], [7200, 7200]),
        ([None] * 9, [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]),
    ],
)
async def test_refusal_after_a_rest_doubles_the_next_rest(
    clock: JumpingClock, told: list[float | None], waits: list[float]
) -> None:
    """At least as long as told; longer each time; an hour at most if we reckon ourselves."""
    budgets = CallBudgets({}, clock)
    rests = []
    for each in told:
        rests.append(budgets.hold("OR24", each))
        await budgets.turn("OR24")

    assert waits == rests


async def test_refusals_of_calls_under_way_together_count_once(clock: JumpingClock) -> None:
    """Ten calls that are turned away at once are one reason to slow down, not ten."""
    budgets = CallBudgets({}, clock)
    for _ in range(10):
        budgets.hold("OR24", None)
    await budgets.turn("OR24")

    assert [60] == clock.slept_s


async def test_rest_that_is_not_told_is_that_of_the_settings(
    market: ScriptedServer, make_api: MakeApi, clock: JumpingClock
) -> None:
    """Retry-After is not promised (g)."""
    market.will_say(said(429), said(204))
    api = make_api(retry_after_default_s=7)
    with pytest.raises(RateLimited):
        await api.ship("A")
    await api.ship("A")

    assert [7] == clock.slept_s


async def test_call_that_goes_well_after_its_rest_ends_the_backing_off(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """The next 429 begins anew with what it says itself."""
    market.will_say(said(429), said(429), said(204), said(429, Retry_After="5"), said(204))
    told_s = []
    for _ in range(5):
        try:
            await api.ship("A")
        except RateLimited as limited:
            told_s.append(limited.retry_after_s)

    assert [60, 120, 5] == told_s
    assert [60, 120, 5] == clock.slept_s


async def test_further_page_rests_too(
    market: ScriptedServer, make_api: MakeApi, clock: JumpingClock
) -> None:
    """A page is no call of its own, but a 429 of the tenant's other shop holds it back."""
    tenants = TenantBudgets(clock)
    api = make_api(tenants=tenants)
    budgets = tenants.of(market.base_url, {})

    def answer(asked: Asked) -> bytes:
        if asked.one("offset") == "0":
            budgets.hold("OF21", 30)
        offers = [{"offer_id": int(asked.one("offset") or 0) + 1, "shop_sku": "A"}]
        return said(200, {"offers": offers, "total_count": 2})

    market.by = answer
    began = clock.at
    await api.offers()

    assert timedelta(seconds=30) == clock.at - began
