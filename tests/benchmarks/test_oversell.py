"""The oversell benchmark's own sums: what is oversold, withheld and lost, by hand.

Whole runs are measured by `python -m tests.benchmarks oversell`; here are two days of one ware.
"""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from kcjl.money import Money
from kcjl.sandbox.shoppers import shopper
from kcjl.sandbox.trade import COLUMNS, MarketplaceBasket, TradeLine
from kcjl.sandbox.world import World
from tests.benchmarks.oversell import _rows
from tests.benchmarks.overselling.observer import Observer, Tally, added_up
from tests.benchmarks.overselling.run import Asked, run
from tests.benchmarks.overselling.shop import Shop, open_shop

FIRST, SECOND = date(2010, 12, 1), date(2010, 12, 2)
CUP = "10001"


def trade_file(folder: Path, *sales: tuple[str, str, int]) -> str:
    """(when, invoice, units of the cup) each."""
    lines = [",".join(COLUMNS)]
    lines += [f"{no},{CUP},CUP,{units},{at},2.50,17850,UK" for at, no, units in sales]
    path = folder / "trade.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def shop_of(folder: Path, *sales: tuple[str, str, int], share: float) -> Shop:
    path = trade_file(folder, *sales)
    return Shop(path=path, first_day=FIRST, last_day=SECOND, share=share)


def show(world: World, units: int) -> None:
    catalogue = world.marketplace.catalogue
    catalogue.take_down(CUP)
    catalogue.put_back(CUP, units)


def want(world: World, units: int) -> None:
    line = TradeLine(sku=CUP, description="CUP", quantity=units, unit_price=Money(250))
    world.buying.buy(
        MarketplaceBasket(
            at=world.agenda.now, invoice="1", lines=(line,), customer=shopper(1, "1")
        )
    )


def test_two_days_of_one_ware_add_up_to_what_was_reckoned_by_hand(tmp_path: Path) -> None:
    """Oversold, withheld, overshown and lost units are those of the truth, hour by hour."""
    world = open_shop(
        shop_of(
            tmp_path,
            ("2010-12-01 09:00:00", "536365", 1),  # others buy one: 9 are left
            ("2010-12-02 17:00:00", "536366", 1),
            share=0.0,
        )
    )
    calls = Counter({"OR11": 2, "GetStockList": 5})
    observer = Observer(world, lambda: calls)
    world.warehouse.adjust(CUP, 10 - int(world.warehouse.level(CUP)), "count")

    def at(day: int, hour: float, do: str, units: int) -> None:
        act = {"show": show, "want": want}.get(do)
        when = datetime(2010, 12, day, int(hour), round(hour % 1 * 60), tzinfo=UTC)
        world.agenda.at(
            when,
            (lambda: act(world, units))
            if act
            else (lambda: world.warehouse.goods_in(CUP, units)),
        )

    at(1, 8.5, "show", 10)  # from 9:00 on: 9 free, 10 shown
    at(1, 10, "want", 12)  # 10 are sold, one of them oversold; 2 are lost
    at(1, 10.5, "want", 3)  # at a shown zero, and nothing is there
    at(1, 11, "arrive", 5)  # 14 in the ERP, 10 in flight: 4 free, none shown
    at(1, 11.5, "want", 2)  # at a shown zero, though there
    at(1, 12, "show", 3)  # one is withheld: 12 hours today, 9 tomorrow
    at(2, 9, "show", 4)
    world.agenda.advance(datetime(2010, 12, 2, 18, tzinfo=UTC))  # one overshown since 17:00
    calls["STO01"] += 1
    observer.close()

    assert observer.days == {
        FIRST: Tally(
            sales=1,
            orders=1,
            units_sold=10,
            units_oversold=1,
            orders_oversold=1,
            units_lost=7,
            units_lost_at_zero=5,
            units_lost_though_there=2,
            unit_hours_withheld=4.0 * 1 + 1.0 * 12,
            unit_hours_overshown=1.0,
        ),
        SECOND: Tally(
            sales=1,
            unit_hours_withheld=9.0,
            unit_hours_overshown=1.0,
            marketplace_calls=1,
        ),
    }
    both = added_up(observer.days.values())
    assert (25.0, 2.0) == (both.unit_hours_withheld, both.unit_hours_overshown)


SALES = tuple(
    (f"2010-12-0{day} {hour:02}:{minute:02}:00", f"5363{day}{hour:02}{minute:02}", 1)
    for day in (1, 2)
    for hour in range(9, 17)
    for minute in (0, 3, 20)
)


@pytest.mark.parametrize("kind", ["service", "poller", "seer"])
def test_a_shop_is_run_twice_and_the_same_is_counted(tmp_path: Path, kind: str) -> None:
    """The same world, seed and way of publishing give the same tallies and calls."""
    asked = msgspec.convert({"kind": kind}, Asked)
    asked = msgspec.structs.replace(asked, shop=shop_of(tmp_path, *SALES, share=50.0))
    once, again = run(asked, print), run(asked, print)
    assert once.days == again.days
    assert once.calls == again.calls
    whole = added_up(once.days.values())
    assert len(SALES) == whole.sales
    assert 0 < whole.units_sold < len(SALES)
    assert sum(once.calls.values()) >= whole.marketplace_calls + whole.erp_calls > 0


def test_withholding_oversells_less_and_withholds_more(tmp_path: Path) -> None:
    """Units kept back show in both figures, and customers are lost though units were there."""
    shop = shop_of(tmp_path, *SALES, share=50.0)
    bare = added_up(run(Asked(kind="poller", shop=shop), print).days.values())
    careful = added_up(run(Asked(kind="poller", buffer=2, shop=shop), print).days.values())
    assert careful.units_oversold <= bare.units_oversold
    assert careful.unit_hours_withheld > bare.unit_hours_withheld


def test_a_peer_that_oversold_nothing_is_only_matched_by_nothing() -> None:
    """Where a ratio has no meaning, the goal is none at all."""
    ways = ("service", "poller", "poller with 2 kept back", "seer")
    tallies = {way: [Tally(unit_hours_withheld=1.0)] for way in ways}
    tallies["service"] = [Tally(units_oversold=1, unit_hours_withheld=1.0)]
    first, *_ = _rows("ten months", tallies)
    assert (False, "at most 0") == (first.holds, first.goal)
