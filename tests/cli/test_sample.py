"""`kcjl sample` as an auditor types it: verified, sealed, drawn, and written to a page."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from tests.audit.handmade import Handmade, handmade, raised
from tests.cli.test_stock import CONFIG
from tests.cli.typed import typed
from tests.settlement.booked import booked_payout
from tests.trade import SHIPPING, ordered, received

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("shop")]

kcjl = partial(typed, "sample")


@pytest.fixture
async def shop(database_dsn: str, tmp_path: Path) -> AsyncIterator[Handmade]:
    """A payout that is booked, of one order; another order that is on the desk."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made:
        await booked_payout(made)
        await made.append(received("O7", ordered("O7-1", "A-1", 12), state=SHIPPING))
        await made.append(raised(subject="O7/INV1"), by="exceptions")
        await made.fold()
        yield made


async def test_sample_is_drawn_of_what_was_verified_and_is_the_same_again(
    tmp_path: Path, shop: Handmade
) -> None:
    """The page names the head, the seal, and each event of an order with its hash."""
    head = await shop.log.head()
    sealed = await typed("log", "seal", "--out", "head.seal", cwd=tmp_path)
    assert 0 == sealed.returncode, sealed.stderr
    for name in ("one.html", "two.html"):
        done = await kcjl(
            *("--seed", "s", "--seal", "head.seal", "--by", "A. Auditor", "--html", name),
            cwd=tmp_path,
        )
        assert 0 == done.returncode, done.stderr
        assert f"2 orders of 2, as of event {head.position:,}" in done.stderr
    page = (tmp_path / "one.html").read_text(encoding="utf-8")

    assert page == (tmp_path / "two.html").read_text(encoding="utf-8")
    assert f"the log stands as it was sealed at event {head.position:,}" in page
    assert head.hash.hex() in page
    assert "A. Auditor" in page
    assert 2 == page.count("<section ")


async def test_sample_of_a_log_that_is_not_whole_is_none(
    tmp_path: Path, database_dsn: str
) -> None:
    """Nothing is written, and the first bad position is named."""
    admin = await asyncpg.connect(database_dsn)
    await admin.execute("alter table event disable trigger event_append_only")
    await admin.execute("update event set by = 'another' where position = 2")
    await admin.close()
    broken = await kcjl("--seed", "s", "--html", "page.html", cwd=tmp_path)

    assert 1 == broken.returncode
    assert "2" in broken.stderr
    assert not (tmp_path / "page.html").exists()


async def test_sample_as_of_a_position_knows_nothing_later(tmp_path: Path) -> None:
    """The second order, and what was raised of it, had not come."""
    whole = await kcjl("--seed", "s", "--json", cwd=tmp_path)
    report, *orders = map(json.loads, whole.stdout.splitlines())
    first = next(each for each in orders if each["story"]["order_id"] != "O7")
    before = (
        min(e["position"] for each in orders for e in each["story"]["events"] if each != first)
        - 1
    )
    then = await kcjl("--seed", "s", "--json", "--at", f"#{before}", cwd=tmp_path)
    earlier, *less = map(json.loads, then.stdout.splitlines())

    assert {"exception", "plain"} >= {each["stratum"]["what"] for each in report["drawn"]}
    assert [first["story"]["order_id"]] == [each["story"]["order_id"] for each in less]
    assert (before, report["seed"]) == (earlier["position"], earlier["seed"])
    assert all(each["hashes"] for each in orders)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--seed", "s"), "say where to write the report"),
        (("--seed", "s", "--html", "kcjl.toml"), "kcjl.toml is there already"),
        (("--seed", "s", "--json", "--at", "#99999"), "give a range in it"),
    ],
)
async def test_sample_that_is_asked_for_badly_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """In words that say what to type instead."""
    refused = await kcjl(*arguments, cwd=tmp_path)

    assert 0 != refused.returncode
    assert said in refused.stderr
