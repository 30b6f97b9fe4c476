"""What `kcjl demo` is made of: its times, its directory, its summary and its verdict."""

import os
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from kcjl import embedded
from kcjl.cli.demo import MARK, Plan, _claim, _mark, _seconds
from kcjl.cli.demo_summary import Summary, _broken_laws, summary_text
from kcjl.embedded import DataDirectoryTaken
from kcjl.errors import Misuse
from kcjl.money import Money

# ── how long ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("60s", 60.0),
        ("5m", 300.0),
        ("1h", 3_600.0),
        ("90", 90.0),
        ("0.5m", 30.0),
    ],
)
def test_time_of_a_demo_is_read_with_its_unit(text: str, seconds: float | None) -> None:
    """Seconds where no unit is said; nothing said is no end."""
    assert seconds == _seconds(text)


@pytest.mark.parametrize("text", ["s", "soon", "5 minutes", "1d", "5M", "1h30m", "--"])
def test_time_that_cannot_be_read_is_refused_with_examples(text: str) -> None:
    """What was written, and how to write it."""
    with pytest.raises(Misuse, match="say 60s, 5m or 1h") as refused:
        _seconds(text)

    assert text in refused.value.message


@pytest.mark.parametrize("text", ["0", "0s", "-5m", "nan"])
def test_time_of_nothing_or_less_is_refused(text: str) -> None:
    """A demo that ends before it begins shows nothing."""
    with pytest.raises(Misuse, match="above nothing"):
        _seconds(text)


# ── whose directory ─────────────────────────────────────────────────────────────────────────

PLAN = Plan(trade="", first_day="", days=1, share=60.0, speed=600.0, seed=1)


def _former(data_dir: Path, plan: Plan = PLAN) -> Path:
    """A demo that has been there; returns something that it left."""
    _mark(data_dir, plan)
    left = data_dir / "world" / "journal"
    left.parent.mkdir()
    left.write_text("what happened")
    return left


def _marked(data_dir: Path) -> Plan:
    return msgspec.json.decode((data_dir / MARK).read_bytes(), type=Plan)


def test_demo_marks_a_directory_that_is_new_or_empty(tmp_path: Path) -> None:
    """Fresh: it is the demo's from now on, with its plan in it."""
    (tmp_path / "empty").mkdir()
    for data_dir in (tmp_path / "deep" / "new", tmp_path / "empty"):
        _claim(data_dir, PLAN)

        assert PLAN == _marked(data_dir)
        assert [MARK] == [each.name for each in data_dir.iterdir()]


def test_demo_of_the_same_plan_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cut short before: what it left is kept, and it says that it goes on."""
    left = _former(tmp_path / "demo")
    _claim(tmp_path / "demo", PLAN)

    assert "what happened" == left.read_text()
    assert "going on with the demo" in capsys.readouterr().err


@pytest.mark.parametrize(
    "former",
    [
        msgspec.structs.replace(PLAN, finished=True),
        msgspec.structs.replace(PLAN, seed=2),
        msgspec.structs.replace(PLAN, speed=60.0),
        msgspec.structs.replace(PLAN, trade="/elsewhere/trade.csv"),
    ],
)
def test_demo_begins_anew_after_one_that_is_finished_or_another(
    former: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of the former is left, and no database is made just to be removed."""
    left = _former(tmp_path / "demo", former)
    _claim(tmp_path / "demo", PLAN)

    assert not left.exists()
    assert PLAN == _marked(tmp_path / "demo")
    assert [MARK] == [each.name for each in (tmp_path / "demo").iterdir()]
    assert "" == capsys.readouterr().err


def test_demo_begins_anew_with_the_database_of_the_former_gone_wherever_it_stood(
    tmp_path: Path,
) -> None:
    """While somebody has it, it is not touched; then it is removed whole."""
    data_dir = tmp_path / "demo"
    left = _former(data_dir, msgspec.structs.replace(PLAN, finished=True))
    server = anyio.run(embedded.own, data_dir)
    home = server.cluster_dir.parent
    try:
        with pytest.raises(DataDirectoryTaken):
            _claim(data_dir, PLAN)
        kept = (left.exists(), server.cluster_dir.exists())
    finally:
        anyio.run(server.stop)
    _claim(data_dir, PLAN)

    assert (True, True) == kept
    assert [MARK] == [each.name for each in data_dir.iterdir()]
    assert home == data_dir or not home.exists()


def test_directory_with_somebody_elses_things_is_refused_and_kept(tmp_path: Path) -> None:
    """Not empty and without our mark: never ours, whatever it is."""
    (tmp_path / "diary.txt").write_text("dear diary")
    with pytest.raises(Misuse, match="not a demo's"):
        _claim(tmp_path, PLAN)

    assert ["diary.txt"] == [each.name for each in tmp_path.iterdir()]


@pytest.mark.parametrize("mark", ["", "{}", "[1]", "\x00"])
def test_directory_whose_mark_cannot_be_read_is_refused_and_kept(
    mark: str, tmp_path: Path
) -> None:
    """A mark that is not ours gives no right to remove anything."""
    (tmp_path / MARK).write_text(mark)
    (tmp_path / "diary.txt").write_text("dear diary")
    with pytest.raises(Misuse, match="can't be used for the demo"):
        _claim(tmp_path, PLAN)

    assert "dear diary" == (tmp_path / "diary.txt").read_text()


def test_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    """A file is no directory, and stays."""
    (tmp_path / "demo").write_text("a file")
    with pytest.raises(Misuse, match="not a directory"):
        _claim(tmp_path / "demo", PLAN)

    assert "a file" == (tmp_path / "demo").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_directory_of_another_account_is_refused(tmp_path: Path) -> None:
    """Root could remove anything, and so must not."""
    _former(tmp_path / "demo", msgspec.structs.replace(PLAN, finished=True))
    os.chown(tmp_path / "demo", 65_534, 65_534)
    with pytest.raises(Misuse, match="belongs to somebody else"):
        _claim(tmp_path / "demo", PLAN)

    assert (tmp_path / "demo" / "world" / "journal").exists()


# ── what it says at the end ─────────────────────────────────────────────────────────────────


def _gbp(pence: int) -> Money:
    return Money(pence, "GBP")


GOOD = Summary(
    finished=True,
    world_hours=40.0,
    seconds=61.5,
    orders_placed=100,
    orders_seen=100,
    orders_accepted=97,
    orders_held=1,
    orders_posted=96,
    orders_cancelled=3,
    orders_waiting=0,
    orders_dispatched=96,
    orders_confirmed=95,
    parcels_shipped=110,
    parcels_confirmed=107,
    parcels_excepted=2,
    parcels_left=1,
    parcels_confirmed_twice=0,
    orders_confirmed_late=0,
    sales_orders_per_order_max=1,
    sales_orders_of_no_order=0,
    units_sold=250,
    units_oversold=0,
    units_lost_though_free=4,
    publishes=33,
    exceptions_open={"order_held": 1},
    exceptions_cleared={"sku_unmatched": 2, "order_held": 3},
    payouts_paid=2,
    payouts_closed=2,
    lines_total=_gbp(123_456),
    paid_out=_gbp(123_456),
    payouts_held=0,
    residue=_gbp(0),
    journals=2,
    events=4_321,
    events_per_second=70.3,
    chain_verified_to=4_321,
    replayed_rows=1_234,
    replay_difference="",
    laws_broken=(),
)
ALWAYS: list[tuple[dict[str, Any], str]] = [
    (
        {"replay_difference": "orders O1: live, but not replayed"},
        "law 1: replay differs: orders",
    ),
    ({"sales_orders_per_order_max": 2}, "law 2: a marketplace order has more than one"),
    ({"sales_orders_of_no_order": 1}, "law 2: a sales order belongs to no"),
    ({"parcels_confirmed_twice": 1}, "law 2: a parcel was confirmed twice"),
    ({"residue": _gbp(1)}, "law 5: the residue is"),
    ({"payouts_held": 1}, "law 5: a payout is held, and nobody was told"),
]
AT_THE_END: list[tuple[dict[str, Any], str]] = [
    ({"orders_seen": 99}, "law 3: 100 orders were placed, 99 seen"),
    ({"orders_waiting": 2}, "law 3: 2 orders are neither posted nor held"),
    ({"parcels_shipped": 111}, "law 3: 111 parcels were shipped, 110 "),
    ({"parcels_excepted": 1}, "law 3: 110 parcels were shipped, 109 "),
    ({"parcels_left": 0}, "law 3: 110 parcels were shipped, 109 "),
    ({"lines_total": _gbp(123_455)}, "law 5: "),
    ({"payouts_paid": 3}, "law 5: 3 payouts were paid, 2 closed"),
]


def test_summary_in_which_all_is_well_breaks_no_law() -> None:
    """Held, excepted and left things are told, and break nothing."""
    assert [] == _broken_laws(GOOD, ())
    assert [] == _broken_laws(msgspec.structs.replace(GOOD, finished=False), ())


@pytest.mark.parametrize(("change", "law"), ALWAYS)
def test_summary_names_the_law_that_may_never_be_broken(
    change: dict[str, Any], law: str
) -> None:
    """Finished or cut short: once is once, and the log is the system."""
    for finished in (True, False):
        changed = msgspec.structs.replace(GOOD, finished=finished, **change)
        (broken,) = _broken_laws(changed, ())

        assert broken.startswith(law)


@pytest.mark.parametrize(("change", "law"), AT_THE_END)
def test_summary_holds_a_finished_trade_to_its_end_and_one_cut_short_not(
    change: dict[str, Any], law: str
) -> None:
    """What is still on its way when a demo is cut short is no broken law."""
    changed = msgspec.structs.replace(GOOD, **change)
    (broken,) = _broken_laws(changed, ())

    assert broken.startswith(law)
    assert [] == _broken_laws(msgspec.structs.replace(changed, finished=False), ())


def test_summary_names_each_thing_that_is_neither_final_waiting_nor_excepted() -> None:
    """Law 3 by name, also while the trade goes on."""
    missing = ("order O1 is held, and nobody told", "parcel INV1/1 of order O2 is unmapped")
    cut_short = msgspec.structs.replace(GOOD, finished=False)

    assert [f"law 3: {each}" for each in missing] == _broken_laws(cut_short, missing)


def test_summary_text_tells_both_sides_and_the_verdict() -> None:
    """A person reads it once and knows what happened, and that all holds."""
    text = summary_text(GOOD)

    for told in (
        "100 placed, 100 seen, 97 accepted, 96 posted, 1 held, 3 cancelled, 0 on their way",
        "110 shipped, 107 confirmed, 2 excepted, 1 left",
        "250 units sold, 0 oversold, 33 publishes",
        "open: order_held 1",
        "cleared: sku_unmatched 2, order_held 3",
        "2 paid, 2 closed",
        "4,321 events (70.3/s), chain verified to 4,321, 1,234 rows replayed",
    ):
        assert told in text
    assert "trade         done" == text.splitlines()[0]
    assert "laws          every law holds" == text.splitlines()[-1]


def test_summary_text_of_a_broken_law_ends_with_it_and_not_with_praise() -> None:
    """Nobody has to look for it."""
    broken = msgspec.structs.replace(
        GOOD,
        finished=False,
        exceptions_open={},
        replay_difference="orders O1: live, but not replayed",
        laws_broken=("law 1: replay differs", "law 2: a parcel was confirmed twice"),
    )
    lines = summary_text(broken).splitlines()

    assert "cut short" in lines[0]
    assert "every law holds" not in summary_text(broken)
    assert "REPLAY DIFFERS: orders O1" in summary_text(broken)
    assert "open: none" in summary_text(broken)
    assert ["  law 1: replay differs", "  law 2: a parcel was confirmed twice"] == lines[-2:]


def test_summary_as_json_can_be_read_back_whole() -> None:
    """`--json` loses nothing of it: money stays whole pence."""
    written = msgspec.json.encode(GOOD)

    assert GOOD == msgspec.json.decode(written, type=Summary)
    assert {"amount_minor": 123_456, "currency": "GBP"} == msgspec.json.decode(written)[
        "paid_out"
    ]
