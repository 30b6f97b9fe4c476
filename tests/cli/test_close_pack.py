"""The month's workbook over any trade: its totals are the month's figures, to the penny."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from kcjl.cli.close_pack import MonthPack, PackAsked, write_pack
from kcjl.clock import chance
from kcjl.events import vocabulary
from kcjl.ledger.workbook import HEAD_ROWS
from kcjl.log.queries import PostgresQueries
from kcjl.money import Money
from kcjl.projections.asof import fold_log
from kcjl.projections.monthreading import MonthRows
from kcjl.settlement.account import month_figures
from kcjl.settlement.closing import starts_at
from kcjl.settlement.events import ROLE_OF_KIND, SettlementLineSeen, SettlementLineTied
from kcjl.settlement.month_events import MonthClosed
from kcjl.settlement.projection import LINES_SHOWN
from kcjl.vocabulary import Event
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.trade import at, cycle_seen, money_line

pytestmark = pytest.mark.anyio

replace = msgspec.structs.replace
SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
BEGIN = datetime(2026, 8, 25, tzinfo=UTC)
KINDS = [*ROLE_OF_KIND, "PAYMENT", "NEW_FEE"]
EVIL = "=HYPERLINK(1)"


def trade(seed: int, lines: int = 240, first: int = 0) -> Iterator[Event]:
    """Lines of orders and of none, over four months, seen again when they are paid."""
    luck = chance(seed)
    for number in range(6):
        paid = BEGIN + timedelta(days=luck.randrange(90))
        state = luck.choice(["PAID", "PAID", "PENDING"])
        yield replace(
            cycle_seen(luck.randrange(-50, 9_000), state, cycle=f"CY{number}"),
            paid_at=paid if state == "PAID" else None,
            payout_reference=luck.choice([f"BACS {number}", EVIL, None]),
            occurred_at=paid - timedelta(hours=5),
        )
    for number in range(first, first + lines):
        order = luck.choice([None, EVIL, *(f"O{luck.randrange(60)}" for _ in range(8))])
        line = replace(
            money_line(
                f"L{number}",
                luck.randrange(-9_999, 9_999),
                luck.choice(KINDS),
                cycle=None,
                order_id=order,
            ),
            created_at=BEGIN + timedelta(hours=luck.randrange(95 * 24)),
        )
        yield line
        if order is not None and luck.randrange(3):
            yield SettlementLineTied(
                line_id=line.line_id,
                order_id=order,
                order_line_id=None,
                reference="REF",
                erp_order_code=f"SO-{order}",
                occurred_at=at(5),
            )
        if luck.randrange(2):
            amount = line.amount if luck.randrange(9) else Money(1)
            yield replace(line, cycle_id=f"CY{luck.randrange(6)}", amount=amount)


def there(folder: Path) -> Path:
    """Made, if it is not."""
    folder.mkdir(exist_ok=True)
    return folder


def cheaper(events: Iterator[Event]) -> Iterator[Event]:
    """The same lines, of seven pence less."""
    for event in events:
        if isinstance(event, SettlementLineSeen):
            yield replace(event, amount=event.amount - Money(7))


async def packed(
    made: Handmade, month: date, folder: Path, closed: MonthClosed | None = None
) -> MonthPack:
    log = PostgresQueries(made.database, MERCHANT, vocabulary())
    position = (await made.log.head()).position
    rows = MonthRows(made.database, MERCHANT, vocabulary(), log, position=position)
    assert closed == await rows.last_closed()
    asked = PackAsked(
        merchant=MERCHANT,
        month=month,
        currency="GBP",
        known_at=made.clock.now(),
        closed=closed,
        looked_from=await rows.looked_from(closed, starts_at(month)),
        preview=False,
    )
    return await write_pack(rows, asked, there(folder), lambda _: None)


def columns_that_add_up(sheet: Worksheet) -> int:
    """How many totals there are; each is the sum of the cells above it."""
    rows = list(sheet.iter_rows(min_row=HEAD_ROWS + 1, values_only=True))
    checked = 0
    for column, total in enumerate(rows[-1]):
        if column == 0 or not isinstance(total, int | float):
            continue
        above = [row[column] for row in rows[:-1]]
        pence = sum(round(100 * each) for each in above if isinstance(each, int | float))
        assert pence == round(100 * total), (sheet.title, column)
        checked += 1
    return checked


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_sheets_add_up_to_the_months_figures(
    seed: int, database_dsn: str, tmp_path: Path
) -> None:
    """Every sheet to its own total, the orders to the month, by type; and nothing is run."""
    async with handmade(database_dsn) as made:
        await made.append(*trade(seed))
        pack = await packed(made, OCTOBER, tmp_path)
        (lines,) = await fold_log(made.log, (LINES_SHOWN,), to=pack.known.position)
    figures = month_figures(lines.values(), OCTOBER, "GBP")

    assert (figures.lines, figures.total) == (pack.known.lines, pack.known.total)
    assert [(e.name, e.lines, e.amount) for e in figures.by_kind] == [
        (e.name, e.lines, e.amount) for e in pack.known.by_kind
    ]
    path = tmp_path / pack.files[0].name
    book = openpyxl.load_workbook(path, data_only=True)
    totals = [columns_that_add_up(sheet) for sheet in book.worksheets[1:]]
    assert [8, 1, 1, 5, 2, 3, 3, 2] == totals
    orders, fees, vat = (book[name] for name in ("Orders", "Fees", "VAT"))
    assert figures.total.amount_minor == pence_in(orders, 11)
    neither = ("clearing", "refunds", "reserve")
    charged = sum(
        each.amount.amount_minor
        for each in figures.by_kind
        if ROLE_OF_KIND.get(each.name) not in neither
    )
    assert charged == pence_in(fees, 6) + pence_in(vat, 6)
    formulas = [
        str(cell.value)
        for sheet in openpyxl.load_workbook(path).worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert all(each.startswith("=SUM(") for each in formulas)


@pytest.mark.parametrize("seed", [4, 5])
async def test_what_is_carried_out_of_a_closed_month_is_brought_into_the_next(
    seed: int, database_dsn: str, tmp_path: Path
) -> None:
    """The look that begins at the oldest unpaid line finds what the whole log has."""
    async with handmade(database_dsn) as made:
        await made.append(*trade(seed, lines=120))
        september = await packed(made, SEPTEMBER, tmp_path / "9")
        closed = MonthClosed(
            month=SEPTEMBER, known=september.known, files=(), occurred_at=at(0)
        )
        await made.append(closed)
        october = await packed(made, OCTOBER, tmp_path / "10", closed)
        assert september.known.carried_forward == october.known.brought_forward
        await made.append(*trade(seed + 10, lines=60, first=120))
        await made.append(*cheaper(trade(seed, lines=20)))
        came = await packed(made, OCTOBER, tmp_path / "10", closed)
        was, now = [
            await before_october(made, at_position)
            for at_position in (september.known.position, came.known.position)
        ]

    path = tmp_path / "10" / came.files[0].name
    late = openpyxl.load_workbook(path, data_only=True)["Late"]
    assert late.max_row > HEAD_ROWS + 1
    assert columns_that_add_up(late) == 3
    assert now - was == pence_in(late, 8)


async def before_october(made: Handmade, position: int) -> int:
    """Pence that had moved before October, as was known then."""
    (lines,) = await fold_log(made.log, (LINES_SHOWN,), to=position)
    return sum(
        month_figures(lines.values(), month, "GBP").total.amount_minor
        for month in (date(2026, 8, 1), SEPTEMBER)
    )


def pence_in(sheet: Worksheet, column: int) -> int:
    """The total of a column, in its last row."""
    return round(100 * float(str(sheet.cell(sheet.max_row, column).value)))


async def test_same_position_makes_the_same_files(database_dsn: str, tmp_path: Path) -> None:
    """Whatever has come since: an auditor can have them again."""
    async with handmade(database_dsn) as made:
        await made.append(*trade(7, lines=80))
        first = await packed(made, NOVEMBER, tmp_path / "a")
        again = await packed(made, NOVEMBER, tmp_path / "b")

    assert first.files == again.files
