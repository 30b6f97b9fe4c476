"""The trade that a sandbox replays: out of a file, or out of a seed."""

import csv
import gzip
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.generator import GeneratedTrade, generate_trade
from kcjl.sandbox.shoppers import shopper
from kcjl.sandbox.trade import (
    COLUMNS,
    MarketplaceBasket,
    ReturnElsewhere,
    SaleElsewhere,
    StockAdjustment,
    Trade,
    TradeLine,
    read_trade,
)

SHARED = Path(os.environ.get("KCJL_SHARED") or Path(__file__).parents[2].parent / "shared")
REAL_TRADE = SHARED / "data" / "online_retail.csv.gz"
DAY = date(2011, 3, 1)

needs_real_trade = pytest.mark.skipif(
    not REAL_TRADE.is_file(), reason=f"the real trade is not at {REAL_TRADE} (KCJL_SHARED)"
)


def written(path: Path, *rows: tuple[object, ...]) -> Path:
    """A trade file of (invoice, code, quantity, price, customer, time of the day)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for invoice, code, quantity, price, customer, at in rows:
            when = at if " " in str(at) else f"2011-03-01 {at}"
            writer.writerow(
                (invoice, code, "WARE", quantity, when, price, customer, "United Kingdom")
            )
    return path


def read(path: Path, *, share: float = 100, seed: int = 7, days: int = 1) -> Trade:
    return read_trade(path, first_day=DAY, days=days, share=share, seed=seed)


def test_sale_for_the_marketplace_keeps_each_row_as_it_is(tmp_path: Path) -> None:
    """Spellings, codes that are no product, zero prices and repeated SKUs are not cleaned."""
    path = written(
        tmp_path / "trade.csv",
        ("1", "85123A", 2, "2.55", "17850.0", "08:30:00"),
        ("1", "85123a", 1, "2.55", "17850.0", "08:30:00"),
        ("1", "85123A", 3, "2.55", "17850.0", "08:30:00"),
        ("1", "POST", 1, "18.0", "17850.0", "08:30:00"),
        ("1", "22423", 1, "0.0", "17850.0", "08:31:00"),
    )

    trade = read(path)

    (basket,) = trade.happenings
    assert isinstance(basket, MarketplaceBasket)
    assert [("85123A", 2), ("85123a", 1), ("85123A", 3), ("POST", 1), ("22423", 1)] == [
        (line.sku, line.quantity) for line in basket.lines
    ]
    assert [255, 255, 255, 1800, 0] == [line.unit_price.amount_minor for line in basket.lines]
    assert datetime(2011, 3, 1, 8, 30, tzinfo=UTC) == basket.at


def test_summer_trade_is_read_as_london_wall_time(tmp_path: Path) -> None:
    """10:00 in London is 09:00 UTC in summer."""
    path = written(tmp_path / "t.csv", ("1", "10001", 1, "1", "", "2011-06-01 10:00:00"))

    trade = read_trade(path, first_day=date(2011, 6, 1), days=1, share=0, seed=1)

    assert datetime(2011, 6, 1, 9, tzinfo=UTC) == trade.happenings[0].at


def test_rows_that_are_no_sale_become_what_they_are(tmp_path: Path) -> None:
    """Returns, counts and bookkeeping are told apart, and each row is counted once."""
    path = written(
        tmp_path / "trade.csv",
        ("C9", "10001", -4, "1.00", "17850.0", "09:00:00"),
        ("2", "10001", -10, "0.0", "", "10:00:00"),
        ("3", "10002", 5, "0.0", "", "11:00:00"),
        ("A4", "B", 1, "-11062.06", "", "12:00:00"),
        ("5", "10003", 1, "0.001", "1.0", "13:00:00"),
        ("6", "10003", 1, "1", "1.0", "2011-03-02 08:00:00"),
    )

    trade = read(path, share=0)

    back, lost, found, sale = trade.happenings
    line = TradeLine(sku="10001", description="WARE", quantity=4, unit_price=Money(100))
    assert isinstance(back, ReturnElsewhere)
    assert (line,) == back.lines
    assert isinstance(lost, StockAdjustment)
    assert ("10001", -10) == (lost.sku, lost.delta)
    assert isinstance(found, StockAdjustment)
    assert ("10002", 5) == (found.sku, found.delta)
    assert isinstance(sale, SaleElsewhere)
    tally = trade.tally
    assert (5, 1) == (tally.rows_in, tally.rows_outside)
    assert (1, 2, 1, 1, 0) == (
        tally.return_rows,
        tally.adjustment_rows,
        tally.bookkeeping_rows,
        tally.elsewhere_rows,
        tally.marketplace_rows,
    )
    assert 1 == tally.prices_rounded
    assert tally.rows_in == tally.accounted_for()


def test_catalogue_of_two_spellings_is_one_entry_with_all_of_its_demand(tmp_path: Path) -> None:
    """Codes that differ only in case are one product; the most used spelling names it."""
    path = written(
        tmp_path / "trade.csv",
        ("1", "85123A", 2, "2.00", "1.0", "08:30:00"),
        ("2", "85123A", 2, "3.00", "1.0", "08:31:00"),
        ("3", "85123a", 5, "9.00", "1.0", "08:32:00"),
        ("4", "POST", 1, "18.0", "1.0", "08:33:00"),
    )

    ware, post = read(path).catalogue()

    assert ("85123A", ("85123A", "85123a"), 9) == (ware.code, ware.spellings, ware.demand)
    assert Money(300) == ware.price
    assert ware.is_product
    assert not post.is_product


@pytest.mark.parametrize("damage", ["gone", "column", "number", "not gzip", "empty window"])
def test_trade_file_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, damage: str
) -> None:
    """A file that is missing, of another shape or of other days is named, and why."""
    path = tmp_path / "trade.csv"
    match damage:
        case "column":
            path.write_text("InvoiceNo,StockCode\n1,2\n")
        case "number":
            written(path, ("1", "10001", "many", "1", "", "08:00:00"))
        case "not gzip":
            path = tmp_path / "trade.csv.gz"
            path.write_text("InvoiceNo")
        case "empty window":
            written(path, ("1", "10001", 1, "1", "", "2012-01-01 08:00:00"))

    with pytest.raises(Misuse) as refusal:
        read(path)

    assert str(path) in refusal.value.message
    assert "\n" not in refusal.value.message


def test_compressed_trade_reads_as_the_plain_file(tmp_path: Path) -> None:
    """csv.gz and csv are the same trade."""
    plain = written(tmp_path / "trade.csv", ("1", "10001", 1, "1", "", "08:00:00"))
    packed = tmp_path / "trade.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert read(plain) == read(packed)


@needs_real_trade
def test_real_day_accounts_for_every_row() -> None:
    """1 March 2011 has 1,361 rows: each has one fate, none is lost."""
    trade = read(REAL_TRADE, share=60)

    moved = sum(
        1 if isinstance(happening, StockAdjustment) else len(happening.lines)
        for happening in trade.happenings
    )
    assert 1361 == trade.tally.rows_in == trade.tally.accounted_for()
    assert 1361 == moved + trade.tally.bookkeeping_rows
    assert 370_931 == trade.tally.rows_in + trade.tally.rows_outside
    times = [happening.at for happening in trade.happenings]
    assert sorted(times) == times


@needs_real_trade
def test_marketplace_share_when_raised_keeps_the_invoices_it_had() -> None:
    """An invoice's channel hangs on its number and the seed, not on the rest of the run."""

    def chosen(share: float, days: int) -> set[str]:
        trade = read(REAL_TRADE, share=share, days=days)
        return {b.invoice for b in trade.happenings if isinstance(b, MarketplaceBasket)}

    few, many, longer = chosen(30, 1), chosen(60, 1), chosen(30, 2)

    assert few
    assert few < many
    assert few < longer


def test_shoppers_include_what_breaks_imports() -> None:
    """Among many there are long lines, accents beyond Latin-1, apostrophes, & and <."""
    crowd = [shopper(1, str(number)) for number in range(400)]

    text = "".join(f"{s.first_name}{s.last_name}{s.company}{s.additional}" for s in crowd)
    assert crowd == [shopper(1, str(number)) for number in range(400)]
    assert any(len(s.street_1) > 35 for s in crowd)
    assert {"&", "<", "'", "Ł", "é"} <= set(text)


def test_generated_trade_from_one_seed_is_one_trade() -> None:
    """Without a file there is a day's trade, the same each time, within the opening hours."""
    wanted = GeneratedTrade(orders_per_hour=40, seed=3)

    trade = generate_trade(wanted)

    assert trade == generate_trade(wanted)
    assert trade != generate_trade(GeneratedTrade(orders_per_hour=40, seed=4))
    assert datetime(2026, 11, 2, 8, tzinfo=UTC) == trade.starts_at
    assert all(trade.starts_at <= h.at for h in trade.happenings)
    assert trade.ends_at - trade.starts_at < timedelta(hours=12)
    assert 350 < len(trade.happenings) < 620
    share = trade.tally.marketplace_invoices / (
        trade.tally.marketplace_invoices + trade.tally.elsewhere_invoices
    )
    assert 0.5 < share < 0.7


@pytest.mark.parametrize(
    "wrong", [GeneratedTrade(skus=0), GeneratedTrade(days=0), GeneratedTrade(opens_at_hour=21)]
)
def test_generated_trade_of_nothing_is_refused(wrong: GeneratedTrade) -> None:
    """Settings that can't make a trade are said so."""
    with pytest.raises(Misuse):
        generate_trade(wrong)
