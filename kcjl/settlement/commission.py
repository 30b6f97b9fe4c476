"""Commission on a sale or a refund, against the terms, or what the order itself states.

Promises: pure; the fee is a rate of what was settled, half up, its VAT a rate of the rounded
fee (contract e.5); what is off by a penny a line is rounding, and named so. Without terms the
rate that the order states is taken, with shipping or without, whichever fits: nobody told.
Called by `expectation.py`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from kcjl.money import Money
from kcjl.settlement.bundles import Bundle
from kcjl.settlement.gap_events import GapFound, GapKind
from kcjl.settlement.state import TermsInForce
from kcjl.settlement.terms import CommissionRate, CommissionTerms, part_of, rate_at

__all__ = ["commission_gaps"]

LONDON = ZoneInfo("Europe/London")
HUNDRED = Decimal(100)


def commission_gaps(
    bundle: Bundle, in_force: TermsInForce | None, now: datetime
) -> Iterator[GapFound]:
    """The fee, and its VAT."""
    terms = in_force.terms if in_force is not None else CommissionTerms()
    agreed = _agreed_rate(bundle, terms) if in_force is not None else None
    yield from _fee_gap(bundle, terms, agreed, now)
    percent = terms.vat_percent if in_force is not None else _stated_vat(bundle)
    if percent is not None:
        yield from _vat_gap(bundle, terms, percent, now)


def _agreed_rate(bundle: Bundle, terms: CommissionTerms) -> CommissionRate | None:
    line, placed_at = bundle.sold_line, bundle.sold.placed_at
    if line is None or placed_at is None:
        return None
    return rate_at(terms, line.category_code, placed_at.astimezone(LONDON).date())


def _fee_gap(
    bundle: Bundle, terms: CommissionTerms, agreed: CommissionRate | None, now: datetime
) -> Iterator[GapFound]:
    rates = (agreed,) if agreed is not None else _stated_rates(bundle)
    charged = bundle.here("fee")
    choices = [_expected_fee(bundle, rate) for rate in rates]
    if not choices:
        return
    expected = min(choices, key=lambda each: abs((charged - each).amount_minor))
    if charged == expected:
        return
    if not bundle.lines_here("fee"):
        # No fee and no goods here: another cycle has both.
        if bundle.lines_here("price") or bundle.lines_here("shipping"):
            yield _absent(bundle, "fee", expected, charged, now)
        return
    off = abs((charged - expected).amount_minor)
    kind: GapKind = "commission_rate"
    if off <= terms.tolerance_pence * len(bundle.lines_here("fee")):
        kind = "rounding"
    elif agreed is not None and charged == _expected_fee(bundle, _other_base(agreed)):
        kind = "commission_base"
    message = f"commission is {charged}, expected {expected}{_at(agreed)}"
    yield bundle.gap(kind, expected, charged, "fee", now, message)


def _vat_gap(
    bundle: Bundle, terms: CommissionTerms, percent: Decimal, now: datetime
) -> Iterator[GapFound]:
    fees, charged = bundle.lines_here("fee"), bundle.here("vat")
    if fees:
        # Each fee is rounded by itself, and so is its VAT.
        parts = [_signed_part(each.amount, percent) for each in fees]
        expected = sum(parts[1:], parts[0])
    else:
        settled = bundle.elsewhere("fee")
        expected = _signed_part(settled, percent) - bundle.elsewhere("vat")
    if charged == expected:
        return
    lines = bundle.lines_here("vat")
    if not lines:
        if fees:
            yield _absent(bundle, "vat", expected, charged, now)
        return
    off = abs((charged - expected).amount_minor)
    kind: GapKind = (
        "rounding" if off <= terms.tolerance_pence * len(lines) else "commission_vat"
    )
    message = f"VAT on the commission is {charged}, expected {expected}"
    yield bundle.gap(kind, expected, charged, "vat", now, message)


def _absent(
    bundle: Bundle, component: str, expected: Money, charged: Money, now: datetime
) -> GapFound:
    what = "the commission" if component == "fee" else "the VAT on the commission"
    kind: GapKind = "refund_commission_kept" if bundle.refund_id else "missing_line"
    said = "is not given back" if bundle.refund_id else "is missing"
    message = f"{what} of {expected} {said}"
    return bundle.gap(
        kind, expected, charged, "fee" if component == "fee" else "vat", now, message
    )


def _expected_fee(bundle: Bundle, rate: CommissionRate) -> Money:
    """Of what this cycle settles; where it settles only a fee, of all less the fees before."""
    price, shipping = bundle.here("price"), bundle.here("shipping")
    before = Money(0, price.currency)
    if not bundle.lines_here("price") and not bundle.lines_here("shipping"):
        price, shipping = bundle.elsewhere("price"), bundle.elsewhere("shipping")
        before = bundle.elsewhere("fee")
    base = price + shipping if rate.on_shipping else price
    return -_signed_part(base, rate.percent) - before


def _signed_part(amount: Money, percent: Decimal) -> Money:
    """Half up is away from nothing, whichever sign the amount has."""
    part = part_of(abs(amount), percent)
    return part if amount.amount_minor >= 0 else -part


def _stated_rates(bundle: Bundle) -> Sequence[CommissionRate]:
    """What the order's own commission comes to, with shipping and without."""
    line = bundle.sold_line
    if line is None:
        return ()
    found = []
    for base, on_shipping in ((line.price + line.shipping, True), (line.price, False)):
        if base:
            percent = Decimal(line.commission.amount_minor) / base.amount_minor * HUNDRED
            found.append(CommissionRate(percent=percent, on_shipping=on_shipping))
    return found


def _stated_vat(bundle: Bundle) -> Decimal | None:
    line = bundle.sold_line
    if line is None or not line.commission:
        return None
    return Decimal(line.commission_tax.amount_minor) / line.commission.amount_minor * HUNDRED


def _other_base(rate: CommissionRate) -> CommissionRate:
    return CommissionRate(percent=rate.percent, on_shipping=not rate.on_shipping)


def _at(agreed: CommissionRate | None) -> str:
    if agreed is None:
        return " by what the order states"
    with_shipping = "with" if agreed.on_shipping else "without"
    return f" at {agreed.percent:f} % {with_shipping} shipping"
