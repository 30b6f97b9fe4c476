"""`kcjl dispatch` as a user meets it: a real process on a database of its own."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
import pytest

from kcjl.dispatch.deadline_events import MetricRead, SellerMetricsRead
from tests.audit.handmade import Handmade, handmade
from tests.cli.test_stock import CONFIG
from tests.cli.typed import typed
from tests.dispatch.parcels import CLOSED, confirmed
from tests.trade import SHIPPING, at, changed, ordered, posted, received, shipped

pytestmark = pytest.mark.anyio

NEVER = datetime(2999, 1, 1, tzinfo=UTC)
DONE = received("O1")
LATE = received("O2", ordered("O2-1", "B-2", 5), state=SHIPPING, minutes=5)
LATER = received("O3", state=SHIPPING, minutes=10)
IN_TIME = msgspec.structs.replace(received("O4", state=SHIPPING), ship_by=NEVER)


@pytest.fixture
async def shop(database_dsn: str, tmp_path: Path) -> AsyncIterator[Handmade]:
    """One that is confirmed, two that are late (one of them shipped), one that has time."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made:
        await made.append(DONE, changed(DONE), posted(DONE), shipped(), confirmed(), CLOSED)
        await made.append(LATE, posted(LATE, 20), LATER, posted(LATER, 20), IN_TIME)
        await made.append(shipped("O3", courier="Evri", tracking="", minutes=40))
        metric = MetricRead(
            metric="late_shipment_rate", period="LAST_MONTH", value=Decimal("0.061")
        )
        await made.append(
            SellerMetricsRead(metrics=(metric,), measured_at=at(1), occurred_at=at(2))
        )
        await made.fold()
        yield made


kcjl = partial(typed, "dispatch")


async def listed(*arguments: str, cwd: Path) -> list[str]:
    ended = await kcjl("list", "--json", *arguments, cwd=cwd)
    assert 0 == ended.returncode, ended.stderr
    return [msgspec.json.decode(line)["order_id"] for line in ended.stdout.splitlines()]


async def test_list_shows_what_is_on_its_way_the_soonest_deadline_first(
    shop: Handmade, tmp_path: Path
) -> None:
    """What is confirmed is not on its way; filters add up."""
    assert ["O2", "O3", "O4"] == await listed(cwd=tmp_path)
    assert ["O2", "O3"] == await listed("--late", cwd=tmp_path)
    assert [] == await listed("--at-risk", cwd=tmp_path)
    assert ["O3"] == await listed("--waiting", cwd=tmp_path)
    assert ["O3"] == await listed("--courier", "EVRI", cwd=tmp_path)
    assert ["O2"] == await listed("--sku", "b-2", "--late", cwd=tmp_path)


async def test_list_for_people_says_whose_it_is_and_what_was_cut(
    shop: Handmade, tmp_path: Path
) -> None:
    """Rows to stdout, the count to stderr."""
    ended = await kcjl("list", "--lines", "1", cwd=tmp_path)

    assert "to_pick" in ended.stdout
    assert "warehouse" in ended.stdout
    assert "LATE" in ended.stdout
    assert "3 orders; the first 1 are shown" in ended.stderr


async def test_show_tells_whose_minutes_they_were(shop: Handmade, tmp_path: Path) -> None:
    """Each stage with both times; together they are all the time that has passed."""
    said = (await kcjl("show", "O1", cwd=tmp_path)).stdout
    shown = msgspec.json.decode((await kcjl("show", "O1", "--json", cwd=tmp_path)).stdout)

    assert said.startswith("O1: confirmed (marketplace SHIPPING)")
    assert ["accepting", "posting", "to_pick", "confirming"] == [
        each["stage"] for each in shown["spans"]
    ]
    assert 41 * 60 == sum(each["elapsed_s"] for each in shown["spans"])
    assert 41 * 60 == sum(each["business_s"] for each in shown["spent"])


async def test_show_of_an_order_that_is_none_says_where_to_look(
    shop: Handmade, tmp_path: Path
) -> None:
    """One clear line, and no traceback."""
    ended = await kcjl("show", "O9", cwd=tmp_path)

    assert (3, "") == (ended.returncode, ended.stdout)
    assert "kcjl dispatch list" in ended.stderr


async def test_report_counts_the_orders_of_its_days(shop: Handmade, tmp_path: Path) -> None:
    """Whole days of London; late by who had them longest."""
    days = ("--from", "2026-10-01", "--to", "2026-10-01")
    said = (await kcjl("report", *days, cwd=tmp_path)).stdout
    found = msgspec.json.decode((await kcjl("report", *days, "--json", cwd=tmp_path)).stdout)
    empty = await kcjl("report", "--from", "2026-09-01", "--to", "2026-09-30", cwd=tmp_path)

    report = found["report"]
    assert (4, 1, 3, 2) == tuple(report[e] for e in ("orders", "confirmed", "waiting", "late"))
    assert {"warehouse": 1, "us": 1} == report["late_by_cause"]
    assert "2 late" in said
    assert "orders placed from 2026-09-01 to 2026-09-30: 0" in empty.stdout


@pytest.mark.parametrize(
    "days",
    [("--from", "yesterday"), ("--from", "2026-10-02", "--to", "2026-10-01")],
)
async def test_report_that_cant_be_meant_is_a_usage_error(
    shop: Handmade, tmp_path: Path, days: tuple[str, ...]
) -> None:
    """Exit code 2, and one clear line."""
    ended = await kcjl("report", *days, cwd=tmp_path)

    assert (2, "") == (ended.returncode, ended.stdout)
    assert "--from" in ended.stderr


async def test_metrics_show_ours_beside_theirs(shop: Handmade, tmp_path: Path) -> None:
    """Theirs is past the threshold, and shown with the time of its reading."""
    said = (await kcjl("metrics", cwd=tmp_path)).stdout
    found = msgspec.json.decode((await kcjl("metrics", "--json", cwd=tmp_path)).stdout)
    late = next(
        each
        for each in found["metrics"]
        if (each["metric"], each["period"]) == ("late_shipment_rate", "LAST_MONTH")
    )

    assert ("0.061", "0.05", "crossed") == (late["theirs"], late["threshold"], late["standing"])
    assert "6.10 %" in said
    assert "CROSSED" in said
    assert f"read {at(2):%Y-%m-%d %H:%M:%S}Z" in said
