"""Tax and commission on a line, to the penny.

Promises: commission is a line's price and shipping times the rate, half up; its VAT is taken on
the rounded fee (contract e.5). Tax is inside the amount or beside it, as the mode says.
Sums of partial refunds can miss the original commission by pennies, as at the real platform.
Called by the order book, the refunds and the ledger.
"""

from decimal import Decimal

from kcjl.money import Money, half_up
from kcjl.sandbox.marketplace.records import Charge, OrderLine, Tax
from kcjl.sandbox.marketplace.settings import MarketplaceSettings
from kcjl.sandbox.marketplace.tenant import Tenant

__all__ = ["Tariff"]

HUNDRED = Decimal(100)


class Tariff:
    """What the tenant charges on amounts."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    @property
    def _settings(self) -> MarketplaceSettings:
        return self._tenant.settings

    def taxes(self, amount: Money, category: str) -> list[Tax]:
        """The tax on an amount; none on nothing, none where the tenant leaves taxes empty."""
        settings = self._settings
        if not settings.taxes_filled or not amount:
            return []
        rate = settings.tax_rates_by_category.get(category, settings.tax_rate)
        base = HUNDRED + rate if settings.tax_mode == "TAX_INCLUDED" else HUNDRED
        return [Tax(code=settings.tax_code, amount=_part(amount, rate / base), rate=rate)]

    def commission(self, price: Money, shipping: Money, category: str) -> tuple[Money, Money]:
        """The fee and the VAT on it."""
        settings = self._settings
        base = price + shipping if settings.commission_on_shipping else price
        rate = settings.commission_rates_by_category.get(category, settings.commission_rate)
        fee = _part(base, rate)
        return fee, _part(fee, settings.commission_vat_rate / HUNDRED)

    def charge(self, line: OrderLine, amount: Money, shipping: Money) -> Charge:
        """A part of a line with taxes in proportion, and the commission that hangs on it."""
        fee, vat = self.commission(amount, shipping, line.category_code)
        return Charge(
            amount=amount,
            shipping_amount=shipping,
            taxes=_share(line.taxes, amount, line.price),
            shipping_taxes=_share(line.shipping_taxes, shipping, line.shipping_price),
            commission_fee=fee,
            commission_vat=vat,
        )


def _part(amount: Money, rate: Decimal) -> Money:
    return Money(half_up(amount.amount_minor * rate), amount.currency)


def _share(taxes: list[Tax], amount: Money, whole: Money) -> list[Tax]:
    if not whole:
        return []
    share = Decimal(amount.amount_minor) / Decimal(whole.amount_minor)
    return [Tax(code=tax.code, amount=_part(tax.amount, share), rate=tax.rate) for tax in taxes]
