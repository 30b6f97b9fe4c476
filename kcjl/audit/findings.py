"""What an audit of both systems finds: how grave, of what, and what to do.

Promises: pure; each rule takes facts and answers with findings, and says so when all is well.
A list is shortened only with the number of what was left out. No buyer is named.
Invariant: whatever is not fine has a remedy.
Called by `checking.py`. Source: contract johnlewis a.6, b, g; khaos b, g.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum

import msgspec

from kcjl.johnlewis.port import Offer
from kcjl.johnlewis.tenant_port import SERVED_MODEL, TenantProfile
from kcjl.khaos.port import Product, Site
from kcjl.money import Money
from kcjl.projections.dispatchreading import CourierRow
from kcjl.settings import MerchantSettings
from kcjl.settlement.state import Cycle, CycleState
from kcjl.stock.sides import Sides

__all__ = [
    "Finding",
    "Severity",
    "certificate_findings",
    "clock_findings",
    "courier_findings",
    "disk_findings",
    "fine",
    "listed",
    "listing_findings",
    "payout_findings",
    "price_findings",
    "side_findings",
    "site_findings",
    "tenant_findings",
    "worst",
]

NAMED_MAX = 12
"""Examples in one finding; `kcjl stock codes` and its like have them all."""
SKEW_S_MAX = 60.0
SKEW_S_GRAVE = 300.0
"""Cursors overlap by less than this."""
CERTIFICATE_DAYS = 21
DISK_BYTES_LOW = 5 * 1024**3
DISK_BYTES_GRAVE = 1024**3


class Severity(IntEnum):
    """How grave; the verb exits with 1 from WARNING on, and with 3 for FAILURE."""

    FINE = 0
    NOTE = 1
    WARNING = 2
    FAILURE = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    area: str
    severity: Severity
    said: str
    remedy: str = ""
    named: tuple[str, ...] = ()
    """What it is about, one by one, shortened."""
    left_out: int = 0
    """So many more of them."""


def worst(findings: Iterable[Finding]) -> Severity:
    return max((each.severity for each in findings), default=Severity.FINE)


def listed(
    area: str, severity: Severity, said: str, remedy: str, names: Sequence[str]
) -> Finding:
    return Finding(
        area=area,
        severity=severity,
        said=said,
        remedy=remedy,
        named=tuple(names[:NAMED_MAX]),
        left_out=max(0, len(names) - NAMED_MAX),
    )


def fine(area: str, said: str) -> Finding:
    """All is well with it."""
    return Finding(area=area, severity=Severity.FINE, said=said)


# ── the two systems ─────────────────────────────────────────────────────────────────────────


def clock_findings(area: str, *, theirs: datetime | None, ours: datetime) -> list[Finding]:
    """Their clock against ours: what was changed is asked for by time."""
    if theirs is None:
        return []
    apart = abs((theirs - ours).total_seconds())
    said = f"its clock is {apart:.0f} s from ours"
    if apart <= SKEW_S_MAX:
        return [fine(area, said)]
    severity = Severity.FAILURE if apart > SKEW_S_GRAVE else Severity.WARNING
    return [
        Finding(
            area=area,
            severity=severity,
            said=said,
            remedy="set this machine's clock (NTP); if ours is right, tell them about theirs",
        )
    ]


def certificate_findings(
    area: str, *, ends_at: datetime | None, now: datetime
) -> list[Finding]:
    """A certificate that ends soon."""
    if ends_at is None:
        return []
    days = (ends_at - now) / timedelta(days=1)
    said = f"its certificate is valid until {ends_at:%Y-%m-%d}"
    if days > CERTIFICATE_DAYS:
        return [fine(area, said)]
    return [
        Finding(
            area=area,
            severity=Severity.FAILURE if days <= 0 else Severity.WARNING,
            said=said,
            remedy="have it renewed; if it is pinned, set the new certificate_sha256",
        )
    ]


def tenant_findings(profile: TenantProfile, mine: MerchantSettings) -> list[Finding]:
    """Who we are at the marketplace, and whether our settings fit the tenant's."""
    account, platform = profile.account, profile.platform
    area = "johnlewis"
    found = [fine(area, f"the key opens shop {account.shop_id}, {account.shop_name}")]
    if account.model != SERVED_MODEL:
        found.append(
            Finding(
                area=area,
                severity=Severity.FAILURE,
                said=f"the shop's model is {account.model}: it would be booked wrongly",
                remedy="use the key of the shop whose model is MARKETPLACE",
            )
        )
    if account.state != "OPEN":
        found.append(
            Finding(
                area=area,
                severity=Severity.WARNING,
                said=f"the shop is {account.state}"
                + (f" ({account.suspension_type})" if account.suspension_type else ""),
                remedy="open it in the seller portal, or ask the operator why",
            )
        )
    if mine.johnlewis.currency_default != account.currency:
        found.append(
            Finding(
                area=area,
                severity=Severity.FAILURE,
                said=f"the shop's currency is {account.currency}, currency_default is "
                f"{mine.johnlewis.currency_default}",
                remedy=f'set currency_default = "{account.currency}" under johnlewis',
            )
        )
    by_itself = "by itself" if platform.acceptance_is_automatic else "not by itself"
    found.append(
        Finding(
            area=area,
            severity=Severity.NOTE,
            said=f"the tenant accepts orders {by_itself}; taxes {platform.tax_mode}; "
            f"several shipments an order: {'yes' if platform.multi_shipment else 'no'}; "
            f"returns {'on' if profile.returns_on else 'off'}; time zone {platform.timezone}",
            remedy="compare it with what the operator told you",
        )
    )
    unknown = sorted(set(mine.khaos.couriers) - {kind.code for kind in profile.shipping_types})
    if unknown:
        found.append(
            listed(
                area,
                Severity.WARNING,
                "khaos.couriers names shipping types that the tenant does not have",
                "take them out, or correct the codes",
                unknown,
            )
        )
    return found


def site_findings(sites: Sequence[Site], mine: MerchantSettings) -> list[Finding]:
    """The sites whose stock is offered."""
    there = {site.site_id: site.name for site in sites}
    missing = sorted(set(mine.stock.sites) - set(there))
    named = [f"{site_id} {name}" for site_id, name in sorted(there.items())]
    if missing:
        return [
            listed(
                "khaos",
                Severity.FAILURE,
                f"[stock] sites names {', '.join(missing)}, which the ERP does not have",
                "choose from these",
                named,
            )
        ]
    return [listed("khaos", Severity.FINE, f"{len(sites)} sites", "", named)]


# ── the catalogue ───────────────────────────────────────────────────────────────────────────


def side_findings(sides: Sides) -> list[Finding]:
    """SKUs on one side only."""
    found = []
    if sides.offers_alone:
        found.append(
            listed(
                "catalogue",
                Severity.WARNING,
                f"{len(sides.offers_alone):,} of {sides.offers:,} offers have no stock code: "
                "they are offered at 0, and their orders held",
                "kcjl stock codes --only offers; then kcjl stock alias SKU CODE, or create the "
                "product",
                [each.sku for each in sides.offers_alone],
            )
        )
    else:
        found.append(fine("catalogue", f"each of {sides.offers:,} offers has a stock code"))
    if sides.codes_alone:
        found.append(
            listed(
                "catalogue",
                Severity.NOTE,
                f"{len(sides.codes_alone):,} of {sides.stock_codes:,} stock codes could be "
                "sold and have no offer",
                "kcjl stock codes --only erp",
                [each.stock_code for each in sides.codes_alone],
            )
        )
    return found


def listing_findings(offers: Sequence[Offer]) -> list[Finding]:
    """Offers that nobody can buy, and why."""
    asleep = [offer for offer in offers if not offer.active and offer.quantity > 0]
    if not asleep:
        return [fine("catalogue", "every offer with stock is active")]
    return [
        listed(
            "catalogue",
            Severity.WARNING,
            f"{len(asleep):,} offers have stock and are not active",
            "mend what the reason says in the seller portal",
            [
                f"{each.sku} ({', '.join(each.inactivity_reasons) or 'no reason told'})"
                for each in asleep
            ],
        )
    ]


def price_findings(pairs: Sequence[tuple[Offer, Product]]) -> list[Finding]:
    """Offers whose price is not the ERP's, where both tell one."""
    compared, apart = 0, []
    for offer, product in pairs:
        price = _gross(product)
        if price is None or offer.price is None:
            continue
        compared += 1
        if price != offer.price.amount_minor:
            theirs = Money(price, offer.price.currency)
            apart.append(f"{offer.sku} {offer.price}, ERP {theirs}")
    if not compared:
        return [
            Finding(
                area="catalogue",
                severity=Severity.NOTE,
                said="the ERP tells no prices: they were not compared",
                remedy="compare a sample by hand before going live",
            )
        ]
    if not apart:
        return [fine("catalogue", f"{compared:,} prices are the ERP's")]
    return [
        listed(
            "catalogue",
            Severity.WARNING,
            f"{len(apart):,} of {compared:,} prices differ from the ERP's (with VAT)",
            "change whichever is wrong: kcjl publishes stock, never prices",
            apart,
        )
    ]


def _gross(product: Product) -> int | None:
    """The price that a consumer pays, in pence."""
    price = product.web_price or product.sell_price
    if price is None:
        return None
    if product.sell_price_is_net:
        if product.vat_percent is None:
            return None
        price = price * (100 + product.vat_percent) / 100
    return int((price * 100).quantize(Decimal(1)))


def courier_findings(rows: Sequence[CourierRow]) -> list[Finding]:
    """Couriers of the ERP that no carrier is known for."""
    without = [row for row in rows if row.state in ("none", "waiting", "gone")]
    if not without:
        return [fine("couriers", f"each of {len(rows)} couriers has a carrier")]
    waiting = any(row.state in ("waiting", "gone") for row in without)
    return [
        listed(
            "couriers",
            Severity.FAILURE if waiting else Severity.WARNING,
            f"{len(without)} of {len(rows)} couriers have no carrier: their parcels can't be "
            "confirmed",
            "kcjl dispatch map set COURIER CARRIER for those that ship marketplace orders",
            [
                row.courier + (f" (near: {', '.join(row.nearest)})" if row.nearest else "")
                for row in without
            ],
        )
    ]


# ── money and the machine ───────────────────────────────────────────────────────────────────


def payout_findings(payouts: Sequence[Cycle]) -> list[Finding]:
    """Payouts that don't close."""
    held = [each for each in payouts if each.state == CycleState.HELD]
    if not held:
        return [fine("money", f"{len(payouts)} payouts, none held")]
    return [
        listed(
            "money",
            Severity.WARNING,
            f"{len(held)} of {len(payouts)} payouts are held: lines are untied, or the sum is "
            "another",
            "kcjl payouts show PAYOUT says which lines",
            [f"{each.cycle_id}: {each.held.reason if each.held else 'held'}" for each in held],
        )
    ]


def disk_findings(free_bytes: Mapping[str, int]) -> list[Finding]:
    """Room for the log and the journals."""
    found = []
    for place, free in free_bytes.items():
        said = f"{free / 1024**3:,.1f} GiB are free at {place}"
        if free >= DISK_BYTES_LOW:
            found.append(fine("machine", said))
            continue
        found.append(
            Finding(
                area="machine",
                severity=Severity.FAILURE if free < DISK_BYTES_GRAVE else Severity.WARNING,
                said=said,
                remedy="make room: a full disk stops every write",
            )
        )
    return found
