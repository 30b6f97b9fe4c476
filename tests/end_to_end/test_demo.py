"""The whole program as a user runs it: processes, PostgreSQL, HTTP, killed and started again.

No timing is asserted; the time limits only end a run that hangs.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(420)

KCJL = [sys.executable, "-m", "kcjl"]
SMALL = ["--share", "25", "--speed", "1500"]
"""A quarter of the invoices, a world day in about a minute."""


def _demo(data_dir: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [*KCJL, "demo", "--headless", "--json", "--data-dir", str(data_dir)]
    with (
        (data_dir.parent / "demo.err").open("ab") as log,
        (data_dir.parent / "demo.out").open("wb") as out,
    ):
        return subprocess.Popen([*command, *SMALL, *more], stdout=out, stderr=log)


def _summary(data_dir: Path) -> dict[str, object]:
    found = json.loads((data_dir.parent / "demo.out").read_bytes())
    assert isinstance(found, dict)
    return found


def _told(data_dir: Path) -> str:
    return (data_dir.parent / "demo.err").read_text(encoding="utf-8")


def _until(data_dir: Path, running: subprocess.Popen[bytes], events: int) -> None:
    """Wait until the log holds so many events, by what the demo says of itself."""
    while running.poll() is None:
        said = [line for line in _told(data_dir).splitlines() if " events (" in line]
        if said:
            number = said[-1].split(" events (")[0].rsplit("· ", 1)[-1]
            if int(number.replace(",", "")) >= events:
                return
        time.sleep(0.2)
    pytest.fail(f"the demo ended early: {_told(data_dir)[-2000:]}")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "demo"


def test_day_with_the_service_killed_three_times_ends_with_every_law_kept(place: Path) -> None:
    """Whatever moment the service is killed at, nothing is lost and nothing is doubled.

    The world also loses two answers of the ERP after it took the order, and one of the
    marketplace after it took the parcel: still one sales order, one confirmation.
    """
    moment = random.Random(20261123)
    running = _demo(place)
    for kills, events in enumerate((450, 700, 950)):
        _until(place, running, events)
        time.sleep(moment.random())
        os.kill(int((place / "service.pid").read_text()), signal.SIGKILL)
        assert kills < 3
    code = running.wait()
    summary = _summary(place)

    assert [] == summary["laws_broken"], _told(place)[-3000:]
    assert 0 == code
    assert summary["finished"] is True
    assert 3 == _told(place).count("starting it again")
    assert summary["orders_placed"] == summary["orders_seen"]
    assert 1 == summary["sales_orders_per_order_max"]
    assert 0 == summary["parcels_confirmed_twice"]
    assert 0 == summary["units_oversold"]
    assert summary["parcels_shipped"] == summary["parcels_confirmed"]
    assert summary["payouts_paid"] == summary["payouts_closed"] == summary["journals"]
    assert summary["payouts_paid"]
    assert summary["paid_out"] == summary["lines_total"]
    assert summary["events"] == summary["chain_verified_to"]
    cleared = summary["exceptions_cleared"]
    assert isinstance(cleared, dict)
    assert {"sku_unmatched", "order_held"} <= cleared.keys()


def test_demo_killed_whole_goes_on_where_it_stopped(place: Path) -> None:
    """The same command after kill -9 of the whole demo resumes world, log and service."""
    first = _demo(place, "--for", "300s")
    _until(place, first, 500)
    first.kill()
    first.wait()
    second = _demo(place, "--for", "20s")
    code = second.wait()
    summary = _summary(place)

    assert [] == summary["laws_broken"], _told(place)[-3000:]
    assert 0 == code
    assert "going on with the demo" in _told(place)
    events = summary["events"]
    assert isinstance(events, int)
    assert events >= 500
