"""`kcjl log rebuild` and `state` as a user meets them, on a database of its own."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
import pytest

from kcjl.cli.rebuild import moment_of, progress_line
from kcjl.errors import Misuse
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.store import PostgresRows
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.cli.typed import typed_now
from tests.projections.long_trade import long_trade
from tests.trade import at, received

pytestmark = pytest.mark.anyio

CONFIG = """\
database = "{dsn}"
[merchants.acme.johnlewis]
base_url = "https://tenant.example"
[merchants.acme.khaos]
base_url = "https://erp.example/KhaosKSD.exe"
[merchants.acme.khaos.invoice_address]
line1 = "1 Example Road"
town = "London"
postcode = "ZZ1 1ZZ"
"""


@pytest.fixture
async def shop(database_dsn: str, tmp_path: Path) -> AsyncIterator[Handmade]:
    """A log with 20 orders, the last one recorded an hour after the others."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made:
        await made.append(*long_trade(19))
        made.clock.tick(3_600)
        await made.append(received("O9999999"))
        await made.fold()
        yield made


_log = partial(typed_now, "log")


async def test_rebuild_says_what_it_did_and_the_rows_are_the_same(
    shop: Handmade, tmp_path: Path
) -> None:
    """Data on stdout, as JSON; nothing on stderr where nobody looks."""
    ended = _log("rebuild", "orders", "stock", "--json", cwd=tmp_path)
    said = msgspec.json.decode(ended.stdout)

    assert (0, "") == (ended.returncode, ended.stderr)
    assert (["orders", "stock"], 40) == (said["projections"], said["rows"])
    assert "" == (await shop.replay()).difference
    rows = await PostgresRows(shop.database, MERCHANT).rows("orders")
    assert 20 == len(rows)


async def test_rebuild_of_an_unknown_name_lists_those_that_there_are(tmp_path: Path) -> None:
    """A usage error, before anything is looked at."""
    ended = _log("rebuild", "ordres", cwd=tmp_path)

    assert 2 == ended.returncode
    assert "'ordres'" in ended.stderr
    assert all(projection.name in ended.stderr for projection in PROJECTIONS)


async def test_state_is_told_as_of_a_time_and_as_of_a_position(
    shop: Handmade, tmp_path: Path
) -> None:
    """London's half past nine is before the last order, eleven is after it."""
    head = (await shop.log.head()).position
    before = _log("state", "orders", "--at", "2026-10-01 09:30", "--json", cwd=tmp_path)
    after = _log("state", "orders", "--at", "2026-10-01T11:00+01:00", "--json", cwd=tmp_path)
    then = _log("state", "orders", "--at", f"#{head - 1}", "--json", cwd=tmp_path)
    now = _log("state", "orders", "--json", cwd=tmp_path)
    keys = [msgspec.json.decode(line)["key"] for line in before.stdout.splitlines()]

    assert 19 == len(keys)
    assert "O9999999" not in keys
    assert before.stdout == then.stdout
    assert after.stdout == now.stdout
    assert 20 == len(now.stdout.splitlines())
    assert (
        f"as of position {head - 1:,}, recorded 2026-10-01 08:00:00Z: 19 rows" in before.stderr
    )


async def test_state_of_one_row_is_shown_whole(shop: Handmade, tmp_path: Path) -> None:
    """What was known of one order; an order of which nothing was known yet is said so."""
    one = _log("state", "orders", "O9999999", cwd=tmp_path)
    nobody = _log("state", "orders", "O9999999", "--at", "#5", cwd=tmp_path)
    row = msgspec.json.decode(one.stdout)

    assert ("received", "O9999999") == (row["state"], row["row"]["order_id"])
    assert (3, "") == (nobody.returncode, nobody.stdout)
    assert "no 'O9999999' as of position 5" in nobody.stderr


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("14:03", datetime(2026, 10, 1, 13, 3, tzinfo=UTC)),
        ("9:05", datetime(2026, 10, 1, 8, 5, tzinfo=UTC)),
        ("09:05:30", datetime(2026, 10, 1, 8, 5, 30, tzinfo=UTC)),
        ("2026-10-31 23:59", datetime(2026, 10, 31, 23, 59, tzinfo=UTC)),
        ("2026-07-01T00:30", datetime(2026, 6, 30, 23, 30, tzinfo=UTC)),
        ("2026-10-31T23:59:00Z", datetime(2026, 10, 31, 23, 59, tzinfo=UTC)),
        ("2026-10-31T23:59:00+02:00", datetime(2026, 10, 31, 21, 59, tzinfo=UTC)),
        ("2026-10-25 01:30", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
async def test_time_is_londons_unless_it_says_otherwise(text: str, moment: datetime) -> None:
    """Summer and winter, and the hour that comes twice: then the second."""
    assert moment == moment_of(text, at(0))


async def test_today_is_londons_day() -> None:
    """Half past midnight in London is still yesterday in UTC."""
    now = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)

    assert datetime(2026, 7, 2, 8, 0, tzinfo=UTC) == moment_of("09:00", now)


@pytest.mark.parametrize("text", ["yesterday", "25:00", "2026-13-01", "", "1:2"])
async def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    """The ways in which a time can be given are said."""
    with pytest.raises(Misuse, match="no time: give one like"):
        moment_of(text, at(0))


@pytest.mark.parametrize("text", ["#", "#-1", "#one", "#1.5"])
async def test_what_is_no_position_is_refused(text: str, tmp_path: Path) -> None:
    """A position is a number of the log."""
    ended = _log("state", "orders", "--at", text, cwd=tmp_path)

    assert 2 == ended.returncode
    assert "no position" in ended.stderr


async def test_progress_says_the_share_the_rate_and_the_time_left() -> None:
    """Who waits wants to know how long."""
    assert (
        "folding ██████░░░░░░░░░░░░░░░░░░  25%  250,000 of 1,000,000  125,000/s  6 s left"
        == progress_line("folding", 250_000, 1_000_000, 2.0)
    )
    assert "folding ████████████████████████ 100%  0 of 0  0/s" == progress_line(
        "folding", 0, 0, 0.0
    )
