"""`kcjl replay`: the log or an export folded anew, and the first live row that is not so."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest

from kcjl.audit import replay_rows
from kcjl.events import vocabulary
from kcjl.log.chain import BareRow
from kcjl.log.export import export, whole
from kcjl.log.verify import verify
from kcjl.projections.catalogue import PROJECTIONS
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.cli.test_rebuild import CONFIG
from tests.cli.typed import typed_now
from tests.projections.long_trade import long_trade
from tests.trade import received

pytestmark = pytest.mark.anyio

_replay = partial(typed_now, "replay")


@pytest.fixture
async def shop(database_dsn: str, tmp_path: Path) -> AsyncIterator[Handmade]:
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made:
        await made.append(*long_trade(19))
        await made.fold()
        with whole(tmp_path / "log.gz") as file:
            await export(made.log, file)
        yield made


async def test_replay_of_log_and_of_export_gives_the_same_digests(
    shop: Handmade, tmp_path: Path
) -> None:
    """Two machines compare without a connection."""
    live = _replay("--check", "--json", cwd=tmp_path)
    alone = _replay("--from-export", "log.gz", "--json", "-c", "none", cwd=tmp_path)
    said, there = msgspec.json.decode(live.stdout), msgspec.json.decode(alone.stdout)

    assert (0, 0) == (live.returncode, alone.returncode)
    assert (True, None) == (said["same"], there["same"])
    assert [each["digest"] for each in said["projections"]] == [
        each["digest"] for each in there["projections"]
    ]


async def test_replay_names_the_field_of_a_live_row_that_was_altered(
    shop: Handmade, tmp_path: Path
) -> None:
    """Read model, key, field, both values, and the event: exit code 1."""
    await shop.database.execute(
        "update projection_row set data = replace(data::text, 'REF-', 'REX-')::json "
        "where projection = 'orders' and key = "
        "(select min(key) from projection_row where projection = 'orders')"
    )
    ended = _replay("--check", cwd=tmp_path)

    assert 1 == ended.returncode
    assert 'is "REX-' in ended.stdout
    assert "the last event that touches it is " in ended.stdout


async def test_replay_of_an_export_goes_on_in_the_live_log(
    shop: Handmade, tmp_path: Path
) -> None:
    """What came after the file was written is replayed from the log, chained to the file."""
    await shop.says(received("O9999999"))
    ended = _replay("--check", "--from-export", "log.gz", "--json", cwd=tmp_path)
    said = msgspec.json.decode(ended.stdout)

    assert (0, True) == (ended.returncode, said["same"])
    assert (await shop.log.head()).position == said["position"]


async def test_replay_of_a_file_that_was_cut_off_says_so(
    shop: Handmade, tmp_path: Path
) -> None:
    """Nothing is told of a part as if it were the whole."""
    file = tmp_path / "log.gz"
    file.write_bytes(file.read_bytes()[:-2_000])
    ended = _replay("--from-export", "log.gz", cwd=tmp_path)

    assert (1, "") == (ended.returncode, ended.stdout)
    assert "cut off" in ended.stderr


async def test_replay_that_holds_few_entries_gives_the_same_rows(
    shop: Handmade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written away and read back is what it was."""
    monkeypatch.setattr(replay_rows, "ENTRIES_HELD_MAX", 4)
    with replay_rows.ReplayedRows(MERCHANT, vocabulary(), PROJECTIONS) as rows:

        def one_by_one(page: Sequence[BareRow]) -> None:
            for row in page:
                rows.take([row])

        await verify(shop.log, sound=one_by_one)

        for projection in PROJECTIONS:
            assert await shop.store.rows(projection.name) == list(rows.rows(projection.name))
