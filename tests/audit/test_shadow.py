"""Shadow: this version decides as the log says; a deliberate bug is seen, and named."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import msgspec
import pytest

from kcjl.audit import shadow_reasons as reasons
from kcjl.audit.shadow import Shadowed
from kcjl.audit.shadow_desk import DeskShadow
from kcjl.audit.shadow_dispatch import DispatchShadow
from kcjl.audit.shadow_orders import OrdersShadow
from kcjl.audit.shadow_payouts import PayoutShadow
from kcjl.audit.shadow_stock import StockShadow
from kcjl.cli.history import History
from kcjl.cli.shadow import shadow_of
from kcjl.events import EVENT_CLASSES
from kcjl.log.export import export
from kcjl.log.memory import MemoryLogReader, MemoryStore
from kcjl.stock.events import Figure, StockImportIntended, StockRead
from kcjl.stock.publishing import StockPublisher
from tests.rooms import Premises
from tests.simulation.mutants import MUTANTS, applied
from tests.simulation.premises import MERCHANT
from tests.simulation.run import recorded_by
from tests.simulation.scenario import draw

ROOT = Path(__file__).parents[2]
SEED = 1
CHECKS = (StockShadow, OrdersShadow, DispatchShadow, PayoutShadow, DeskShadow)


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """Two days of trade with faults: every room has decided something."""
    return recorded_by(draw(SEED))


@pytest.fixture(scope="module")
def exported(store: MemoryStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "log.gz"

    async def write() -> None:
        with path.open("wb") as file:
            await export(MemoryLogReader(store, MERCHANT), file)

    anyio.run(write)
    return path


def _shadowed(store: MemoryStore) -> Shadowed:
    async def look() -> Shadowed:
        log = MemoryLogReader(store, MERCHANT)
        return await shadow_of(History(log, (await log.head()).position), None)

    return anyio.run(look)


def test_this_version_decides_what_it_has_recorded(store: MemoryStore) -> None:
    """None differs, in any room; what was not decided again says why."""
    found = _shadowed(store)

    assert () == found.differences
    checked = {each.type: each.checked for each in found.by_type}
    for name in (
        "StockImportIntended",
        "LevelRead",
        "PostingIntended",
        "ConfirmationIntended",
        "PayoutClosed",
        "JournalIntended",
        "ExceptionRaised",
        "ExceptionCleared",
    ):
        assert checked[name] > 0, name
    others = sum(each.events for each in found.not_checkable)
    assert found.events <= found.checked + others


BUGS = {
    "percent of the stock policy ignored": "StockImportIntended",
    "pennies rounded in the journal": "JournalIntended",
    "cancelled after posting, and nobody told": "ExceptionRaised",
    "tracking number not held against its carrier's forms": "TrackingMalformed",
}


@pytest.mark.parametrize(("bug", "decision"), BUGS.items())
def test_bug_in_a_decider_is_seen_and_its_first_decision_is_named(
    bug: str, decision: str, exported: Path, tmp_path: Path
) -> None:
    """A copy with the bug reads the log of a version without it: exit code 1."""
    copy = tmp_path / "kcjl"
    shutil.copytree(ROOT / "kcjl", copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    (mutant,) = (each for each in MUTANTS if each.name == bug)
    for module, text in applied(mutant, copy).items():
        (copy / module).write_text(text, "utf-8")

    ended = _shadow(tmp_path, ("--from-export", str(exported), "--json"))

    assert 1 == ended.returncode, ended.stderr
    found = msgspec.json.decode(ended.stdout, type=Shadowed)
    assert decision == found.differences[0].type
    assert found.differences[0].fields
    assert [each.position for each in found.differences] == sorted(
        each.position for each in found.differences
    )


def test_shadow_of_an_export_says_that_none_differs(exported: Path, tmp_path: Path) -> None:
    """As people call it; without a configuration."""
    ended = _shadow(
        ROOT, ("--from-export", str(exported), "--config", str(tmp_path / "no.toml"))
    )

    assert (0, "") == (ended.returncode, ended.stderr)
    assert "decisions differs." in ended.stdout.splitlines()[-1]


def test_every_event_is_judged_or_has_its_reason() -> None:
    """A new event can't be forgotten, and none has two reasons."""
    judged = [each.__name__ for check in CHECKS for each in check.types]
    others = (reasons.FACTS, reasons.PEOPLE, *reasons.NOT_CHECKED.values())
    named: list[str] = [*judged, *(name for each in others for name in each)]

    assert sorted(each.__name__ for each in EVENT_CLASSES) == sorted(named)


def _shadow(place: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "kcjl", "shadow", *arguments],
        env={**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )


async def _import_beside_a_read(monkeypatch: pytest.MonkeyPatch) -> Premises:
    """Levels are read, and not followed by orders, while figures are worked out."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 10
    guarded = StockPublisher._guarded

    async with place.open() as process:

        async def read_meanwhile(
            publisher: StockPublisher, figures: Sequence[Figure]
        ) -> Sequence[Figure]:
            if figures:
                place.clock.tick(5)
                await process.do("levels")
            return await guarded(publisher, figures)

        await process.do("offers")
        place.clock.tick(300)
        await process.do("levels", "intake")
        place.warehouse.put("A-1", 7)
        place.clock.tick(300)
        await process.do("levels", "intake")
        monkeypatch.setattr(StockPublisher, "_guarded", read_meanwhile)
        await process.do("publish")
    return place


def test_import_rests_on_the_read_that_its_orders_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A read that ended meanwhile is not claimed, and shadow decides on the one before it."""
    place = anyio.run(_import_beside_a_read, monkeypatch)
    events = [each.event for each in place.store.shelf(MERCHANT).events]
    reads = [each.occurred_at for each in events if isinstance(each, StockRead)]
    (intended,) = [each for each in events if isinstance(each, StockImportIntended)]

    assert events.index(intended) > max(
        number for number, each in enumerate(events) if isinstance(each, StockRead)
    )
    assert reads[-2] == intended.stock_read_at
    assert () == _shadowed(place.store).differences
