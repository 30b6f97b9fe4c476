"""What an audit makes of what it saw: how grave, of what, and what to do."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from kcjl.audit.findings import (
    Finding,
    Severity,
    certificate_findings,
    clock_findings,
    courier_findings,
    disk_findings,
    listing_findings,
    price_findings,
    side_findings,
    worst,
)
from kcjl.audit.page import page_of
from kcjl.johnlewis.port import Offer
from kcjl.khaos.port import Product
from kcjl.money import Money
from kcjl.projections.dispatchreading import CourierRow
from kcjl.stock.sides import Catalogues, OfferAlone, compare_sides

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def offer(sku: str, pence: int = 1_200, *, active: bool = True, quantity: int = 3) -> Offer:
    return Offer(
        offer_id=1,
        sku=sku,
        quantity=quantity,
        price=Money(pence),
        active=active,
        inactivity_reasons=() if active else ("ZERO_PRICE",),
    )


def product(code: str, *, net: str = "10.00", vat: str | None = "20") -> Product:
    return Product(
        stock_code=code,
        description=code,
        discontinued=False,
        run_to_zero=False,
        stock_controlled=True,
        sell_price=Decimal(net),
        sell_price_is_net=True,
        vat_percent=None if vat is None else Decimal(vat),
    )


def only(findings: list[Finding]) -> Finding:
    (found,) = findings
    return found


@pytest.mark.parametrize(
    ("seconds", "severity"),
    [(0, 0), (-60, 0), (61, 2), (-300, 2), (301, 3)],
)
def test_clocks_apart_are_the_graver_the_further(seconds: int, severity: int) -> None:
    """What changed is asked for by time: beyond the overlap something would be missed."""
    found = clock_findings("johnlewis", theirs=NOW + timedelta(seconds=seconds), ours=NOW)

    assert Severity(severity) == only(found).severity
    assert [] == clock_findings("johnlewis", theirs=None, ours=NOW)


@pytest.mark.parametrize(("days", "severity"), [(22, 0), (21, 2), (1, 2), (0, 3), (-3, 3)])
def test_a_certificate_that_ends_is_told_three_weeks_before(days: int, severity: int) -> None:
    """Renewing takes people time."""
    found = certificate_findings("khaos", ends_at=NOW + timedelta(days=days), now=NOW)

    assert Severity(severity) == only(found).severity
    assert [] == certificate_findings("khaos", ends_at=None, now=NOW)


def test_prices_are_compared_as_a_consumer_pays_them() -> None:
    """The ERP's price may be net; one without its rate is not compared."""
    same = (offer("A-1", 1_200), product("A-1"))
    dearer = (offer("A-2", 1_299), product("A-2"))
    unknown = (offer("A-3", 1_299), product("A-3", vat=None))

    assert "1 prices are the ERP's" == only(price_findings([same, unknown])).said
    apart = only(price_findings([same, dearer, unknown]))
    assert (Severity.WARNING, ("A-2 12.99 GBP, ERP 12.00 GBP",)) == (
        apart.severity,
        apart.named,
    )
    assert Severity.NOTE == only(price_findings([unknown])).severity


def test_an_offer_with_stock_that_nobody_can_buy_is_named_with_its_reason() -> None:
    """One without stock may sleep."""
    asleep = offer("A-1", active=False)
    empty = offer("A-2", active=False, quantity=0)

    assert ("A-1 (ZERO_PRICE)",) == only(listing_findings([asleep, empty])).named
    assert Severity.FINE == only(listing_findings([offer("A-1"), empty])).severity


def test_skus_on_one_side_only_are_counted_and_the_first_are_named() -> None:
    """A list is never cut in silence."""
    offers = [offer(f"X-{number:02}") for number in range(20)]
    both = Catalogues(offers=offers, products={}, meant={each.sku: each.sku for each in offers})
    found = side_findings(compare_sides(both, {}))

    assert ("X-00", 12, 8) == (found[0].named[0], len(found[0].named), found[0].left_out)
    assert "20 of 20 offers have no stock code" in found[0].said
    assert isinstance(compare_sides(both, {}).offers_alone[0], OfferAlone)


def test_a_courier_that_parcels_wait_for_is_graver_than_one_that_may_come() -> None:
    """The first is late tomorrow."""

    def row(state: str) -> CourierRow:
        return CourierRow(courier="Van", code="", carrier_code="", carrier="", state=state)

    assert Severity.WARNING == only(courier_findings([row("none")])).severity
    assert Severity.FAILURE == only(courier_findings([row("none"), row("waiting")])).severity
    assert Severity.FINE == only(courier_findings([row("mapped"), row("same_name")])).severity


def test_a_disk_that_fills_up_is_told_in_time() -> None:
    """Below a gigabyte it is a failure."""
    gibibyte = 1024**3
    found = disk_findings({"/a": 9 * gibibyte, "/b": 2 * gibibyte, "/c": gibibyte // 2})

    assert [0, 2, 3] == [each.severity for each in found]
    assert Severity.FAILURE == worst(found)
    assert Severity.FINE == worst([])


def test_the_page_shows_every_text_as_text() -> None:
    """A SKU that is markup stays a SKU; what was left out is counted."""
    finding = Finding(
        area="catalogue",
        severity=Severity.WARNING,
        said="<b>2</b> offers",
        remedy="a & b",
        named=("<script>alert(1)</script>",),
        left_out=7,
    )
    page = page_of([finding], merchant="a<b", version="1", at=NOW)

    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "and 7 more" in page
    assert "a &amp; b" in page
    assert "and 0 more" not in page_of(
        [Finding(area="x", severity=Severity.FINE, said="y")], merchant="m", version="1", at=NOW
    )
