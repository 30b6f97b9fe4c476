"""What the ERP has in stock and what the marketplace offers, made from a trade's catalogue.

Promises: every spelling in the trade has an offer, at quantity 0 until a client publishes; the
ERP has one product for all spellings of a code, and none for codes that are no product. Most
products have enough, some run short until goods come in, a few are the last of their kind, a
few are discontinued; or all are bought as they run down (`reordering`). Some codes are spelled
differently in the ERP until they are mended.
Invariant: stock is made from the seed and the catalogue only; what is bought as it runs down,
from the levels too. Called by the world.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec

from kcjl.clock import chance
from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace import Marketplace
from kcjl.sandbox.reordering import Purchasing
from kcjl.sandbox.trade import CatalogueEntry, MarketplaceBasket, Trade
from kcjl.sandbox.warehouse import Warehouse
from kcjl.sandbox.world_settings import WorldSettings

__all__ = ["Mismatch", "Shelf"]

_CATEGORIES = ("HOME", "KITCHEN", "GIFTS", "TEXTILES", "BATH")
_FIRST_DISCONTINUED = 99_001


class Mismatch(msgspec.Struct, kw_only=True):
    """A product whose stock code the ERP spells differently at first."""

    sku: str
    """As the marketplace spells it: the right code."""
    erp_code: str
    """As the ERP has it until it is mended."""
    mended_at: datetime | None = None


class Shelf:
    """Which code the ERP knows for which SKU, and what is there of it."""

    def __init__(
        self,
        agenda: Agenda,
        warehouse: Warehouse,
        marketplace: Marketplace,
        settings: WorldSettings,
        trade: Trade,
    ) -> None:
        self._agenda = agenda
        self._warehouse = warehouse
        self._settings = settings
        self._luck = chance(f"stock/{settings.seed}")
        self.mismatches: dict[str, Mismatch] = {}
        """By the SKU in upper case."""
        self.units_delivered = 0
        """By goods-in."""
        catalogue = trade.catalogue()
        products = [entry for entry in catalogue if entry.is_product]
        self.purchasing = (
            None
            if settings.reordering is None
            else Purchasing(
                settings.reordering,
                agenda,
                warehouse,
                trade,
                chance(f"reordering/{settings.seed}"),
            )
        )
        self._plan_mismatches(products, trade)
        for entry in products:
            self._stock(entry, trade)
        for entry in catalogue:
            for spelling in entry.spellings:
                marketplace.list_offer(
                    spelling,
                    price=entry.price,
                    title=entry.description,
                    category=_category(entry.code),
                )
        self._add_discontinued(marketplace, {entry.code for entry in products})

    def erp_code(self, sku: str) -> str | None:
        """The code under which the ERP has it now; None where it has no such product."""
        mismatch = self.mismatches.get(sku.upper())
        if mismatch is not None and mismatch.mended_at is None:
            return mismatch.erp_code
        return sku if self._warehouse.stock.find(sku) is not None else None

    def is_known(self, sku: str) -> bool:
        """Whether the ERP knows the SKU as the marketplace spells it."""
        return self._warehouse.stock.find(sku) is not None

    def will_be_known(self, sku: str) -> bool:
        mismatch = self.mismatches.get(sku.upper())
        return mismatch is not None and mismatch.mended_at is None

    def goods_in(self) -> None:
        """A morning's: for what order lines wait for, or what was bought as it ran down."""
        if self.purchasing is None:
            self._deliver_back_orders()
            return
        for code, units, arrives in self.purchasing.review(self.erp_code):
            self._agenda.at(arrives, partial(self._deliver, code, units))

    def _deliver_back_orders(self) -> None:
        """Goods come in for what order lines wait for."""
        waiting = {
            line.item.code
            for order in self._warehouse.orders.open_or_completed_within(
                timedelta(0), self._agenda.now
            )
            for line in order.lines
            if line.back_order is not None
        }
        for code in sorted(waiting):
            item = self._warehouse.stock.get(code)
            short = int(item.units_on_back_order())
            if short > 0:
                below_0 = -min(0, int(item.level()))
                self._deliver(item.code, short + below_0 + self._luck.randint(2, 8))

    # ── making it ──

    def _plan_mismatches(self, products: Sequence[CatalogueEntry], trade: Trade) -> None:
        """Among SKUs that sell on the marketplace before the mending, as far as there are."""
        settings = self._settings
        mended_at = self._agenda.now + timedelta(hours=settings.mismatch_mended_after_h)
        early = set(_sold_on_marketplace(trade, until=mended_at))
        wanted = [entry for entry in products if entry.code.upper() in early]
        luck = chance(f"mismatches/{settings.seed}")
        taken = {entry.code.upper() for entry in products}
        chosen = luck.sample(wanted, min(settings.mismatches, len(wanted)))
        for kind, entry in enumerate(chosen, start=luck.randrange(4)):
            erp_code = _misspelled(entry.code, kind, taken)
            taken.add(erp_code.upper())
            self.mismatches[entry.code.upper()] = Mismatch(sku=entry.code, erp_code=erp_code)
        if self.mismatches:
            self._agenda.at(mended_at, self._mend)

    def _mend(self) -> None:
        """A person in the ERP gives the products their right codes."""
        for mismatch in self.mismatches.values():
            item = self._warehouse.stock.get(mismatch.erp_code)
            units = int(item.level())
            self._warehouse.add_product(
                mismatch.sku,
                description=item.description,
                sell_price=item.sell_price,
                physical=max(0, units),
            )
            if units:
                self._warehouse.adjust(mismatch.erp_code, -units, "code corrected")
            self._warehouse.edit_product(mismatch.erp_code, discontinued=True)
            mismatch.mended_at = self._agenda.now

    def _stock(self, entry: CatalogueEntry, trade: Trade) -> None:
        luck, settings = self._luck, self._settings
        mismatch = self.mismatches.get(entry.code.upper())
        fate = luck.random()
        run_to_zero = scarce = False
        if entry.demand and mismatch is None and self.purchasing is None:
            run_to_zero = fate < settings.run_to_zero_share
            scarce = not run_to_zero and fate < (
                settings.run_to_zero_share + settings.scarce_share
            )
        if self.purchasing is not None:
            units = self.purchasing.opening_units(entry.code)
        elif scarce or run_to_zero:
            units = max(1, int(entry.demand * luck.uniform(0.3, 0.8)))
        else:
            units = int(entry.demand * luck.uniform(1.5, 3.0)) + luck.randint(2, 12)
        code = entry.code if mismatch is None else mismatch.erp_code
        self._warehouse.add_product(
            code,
            description=entry.description,
            sell_price=entry.price,
            physical=units,
            run_to_zero=run_to_zero,
            safe_level=max(1, units // 10),
        )
        if scarce:
            span = trade.ends_at - trade.starts_at
            arrives = trade.starts_at + span * luck.uniform(0.3, 0.8)
            coming = entry.demand + luck.randint(2, 10)
            self._warehouse.purchase(code, coming, arrives.date())
            self._agenda.at(arrives, lambda: self._deliver(code, coming))

    def _deliver(self, code: str, units: int) -> None:
        self.units_delivered += units
        self._warehouse.goods_in(code, units)

    def _add_discontinued(self, marketplace: Marketplace, taken: Iterable[str]) -> None:
        codes = {code.upper() for code in taken}
        number = _FIRST_DISCONTINUED
        for _ in range(self._settings.discontinued):
            while f"{number}D" in codes:
                number += 1
            code = f"{number}D"
            number += 1
            title = f"DISCONTINUED WARE {code}"
            self._warehouse.add_product(
                code,
                description=title,
                sell_price=Money(995),
                physical=self._luck.randint(0, 6),
                discontinued=True,
            )
            marketplace.list_offer(
                code, price=Money(995), title=title, category=_category(code)
            )


def _sold_on_marketplace(trade: Trade, *, until: datetime) -> Iterable[str]:
    for happening in trade.happenings:
        if isinstance(happening, MarketplaceBasket) and happening.at < until:
            for line in happening.lines:
                yield line.sku.upper()


def _misspelled(code: str, kind: int, taken: set[str]) -> str:
    """A leading zero, a hyphen, a letter or a blank more: a code that is near, and free."""
    near = [f"0{code}", f"{code[:5]}-{code[5:] or '1'}", f"{code}X", f"{code[:2]} {code[2:]}"]
    turned = near[kind % len(near) :] + near[: kind % len(near)]
    longer = (f"{code}-{number}" for number in range(1, len(taken) + 2))
    return next(spelling for spelling in (*turned, *longer) if spelling.upper() not in taken)


def _category(code: str) -> str:
    return _CATEGORIES[sum(code.upper().encode()) % len(_CATEGORIES)]
