"""A log in one file: verified anywhere, and found out whatever is done to it."""

import gzip
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest

from kcjl.database import Database
from kcjl.errors import Misuse
from kcjl.log import exported as reading
from kcjl.log import verify as verifying
from kcjl.log.drafting import prepare, record
from kcjl.log.export import export, whole
from kcjl.log.exported import BrokenExport, ExportReader, verify_export
from kcjl.log.memory import MemoryStore
from kcjl.log.port import Draft
from kcjl.log.verify import BrokenChain, EntryReader, Verified
from tests.log.keepers import (
    MERCHANT,
    MORNING,
    VOCABULARY,
    AnyReader,
    MemoryKeeper,
    PostgresKeeper,
    counted,
    noted,
)

pytestmark = pytest.mark.anyio

EVENTS = 8
ODD_TEXT = 'naïve “£” 日本語 🧦 \u2028 \u0000 \t\n "quoted" \\ /'


@pytest.fixture
async def keeper() -> MemoryKeeper:
    """Eight events on three streams, one of them of odd text."""
    keeper = MemoryKeeper()
    async with keeper.writer() as log:
        for number in range(1, EVENTS):
            await log.append([counted("AB"[number % 2], number)])
        await log.append([noted("odd", ODD_TEXT)])
    return keeper


async def _exported(
    reader: EntryReader, path: Path, *, first: int = 1, last: int | None = None
) -> Path:
    with whole(path) as file:
        await export(reader, file, first=first, last=last)
    return path


async def _verified(path: Path, *, first: int | None = None) -> Verified:
    with ExportReader(path) as reader:
        return await verify_export(reader, first=first)


async def _refused(path: Path) -> BrokenExport:
    with pytest.raises(BrokenExport) as caught:
        await _verified(path)
    assert str(path) in caught.value.message
    return caught.value


def _edit(path: Path, change: Callable[[list[bytes]], object]) -> Path:
    """Unpack, change the lines, pack again: line 0 is the header, line N is position N."""
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    change(lines)
    path.write_bytes(gzip.compress(b"".join(lines)))
    return path


def _names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


# ── whole files ─────────────────────────────────────────────────────────────────────────────


async def test_export_of_a_database_holds_every_column_and_verifies_without_it(
    database_dsn: str, database: Database, tmp_path: Path
) -> None:
    """What comes out of the file is what stands in the database, byte for byte."""
    keeper = PostgresKeeper(database_dsn, database)
    async with keeper.writer() as log:
        await log.append([counted("A", 1), noted("odd", ODD_TEXT)])
        await log.append([counted("A", 2, causation=1)])
    reader = keeper.reader()
    path = await _exported(reader, tmp_path / "acme.gz")
    stored = [entry async for page in reader.entries() for entry in page]
    with ExportReader(path) as exported:
        read = [entry async for page in exported.entries() for entry in page]

    assert stored == read
    assert (3, stored[-1].hash) == ((await _verified(path)).events, read[-1].hash)


async def test_export_of_the_same_range_is_the_same_file(
    keeper: MemoryKeeper, tmp_path: Path
) -> None:
    """Two people who export the same can compare their files byte by byte."""
    one = await _exported(keeper.reader(), tmp_path / "one.gz")
    other = await _exported(keeper.reader(), tmp_path / "other.gz")

    assert one.read_bytes() == other.read_bytes()


async def test_export_that_was_unpacked_still_verifies(
    keeper: MemoryKeeper, tmp_path: Path
) -> None:
    """The compression is nobody's proof: plain lines are as good, packed anew as well."""
    path = await _exported(keeper.reader(), tmp_path / "acme.gz")
    plain = tmp_path / "acme.jsonl"
    plain.write_bytes(gzip.decompress(path.read_bytes()))

    assert EVENTS == (await _verified(plain)).events
    assert EVENTS == (await _verified(_edit(path, lambda _: None))).events


async def test_export_of_an_empty_log_verifies(tmp_path: Path) -> None:
    """Nothing, well attested."""
    path = await _exported(MemoryKeeper().reader(), tmp_path / "acme.gz")

    assert (0, 0) == ((await _verified(path)).position, (await _verified(path)).events)


@pytest.mark.parametrize(("first", "last"), [(1, 3), (3, 8), (4, 4), (5, 4), (9, 8)])
async def test_export_of_a_part_verifies_from_the_hash_before_it(
    keeper: MemoryKeeper, tmp_path: Path, first: int, last: int
) -> None:
    """A part stands on the hash before it; streams that began earlier are no fault."""
    path = await _exported(keeper.reader(), tmp_path / "part.gz", first=first, last=last)
    verified = await _verified(path)

    assert (last - first + 1, last) == (verified.events, verified.position)


@pytest.mark.parametrize(("first", "last"), [(1, 9), (6, 4), (10, None)])
async def test_export_of_a_range_that_is_not_there_is_refused(
    keeper: MemoryKeeper, tmp_path: Path, first: int, last: int | None
) -> None:
    """The range that there is, is named, and no file is made."""
    with pytest.raises(Misuse, match="positions 1 to 8"):
        await _exported(keeper.reader(), tmp_path / "part.gz", first=first, last=last)

    assert [] == _names(tmp_path)


async def test_verify_of_a_file_from_a_position_trusts_what_stands_before(
    keeper: MemoryKeeper, tmp_path: Path
) -> None:
    """As with a database: what comes before is neither read nor judged."""
    path = await _exported(keeper.reader(), tmp_path / "acme.gz")

    assert 3 == (await _verified(path, first=6)).events
    _edit(path, lambda lines: lines.__setitem__(2, lines[2].replace(b":2}", b":7}")))
    _edit(path, lambda lines: lines.__setitem__(7, lines[7].replace(b"stock", b"stick")))
    with pytest.raises(BrokenExport) as caught:
        await _verified(path, first=6)
    assert 7 == caught.value.position


# ── damaged files ───────────────────────────────────────────────────────────────────────────


async def test_any_changed_byte_of_the_lines_is_found_and_named(
    keeper: MemoryKeeper, tmp_path: Path
) -> None:
    """Every byte of every line counts, and the line that it stands in is named."""
    path = await _exported(keeper.reader(), tmp_path / "acme.jsonl", last=4)
    content = gzip.decompress(path.read_bytes())
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= 1
        path.write_bytes(changed)
        fault = await _refused(path)
        line = content.count(b"\n", 0, at)
        if content[at : at + 1] == b"\n" or line > 0:
            assert line == fault.position
        # A header can be changed into another good one, which its lines then do not fit.


async def test_any_changed_byte_of_the_packed_file_is_found_or_changes_nothing(
    keeper: MemoryKeeper, tmp_path: Path
) -> None:
    """Whatever happens to the file on its way: it is said, or the content is the same."""
    path = await _exported(keeper.reader(), tmp_path / "acme.gz", last=4)
    packed = path.read_bytes()
    content = gzip.decompress(packed)
    found = 0
    for at in range(len(packed)):
        changed = bytearray(packed)
        changed[at] ^= 0xFF
        path.write_bytes(changed)
        try:
            await _verified(path)
        except BrokenExport:
            found += 1
        else:
            assert content == gzip.decompress(bytes(changed))

    assert found > len(packed) - 10  # only of gzip's own head there are bytes without a meaning


@pytest.mark.parametrize("position", range(1, EVENTS + 1))
async def test_removed_line_is_found_and_named(
    keeper: MemoryKeeper, tmp_path: Path, position: int
) -> None:
    """A line that is gone leaves its number."""
    path = await _exported(keeper.reader(), tmp_path / "acme.gz")
    fault = await _refused(_edit(path, lambda lines: lines.pop(position)))

    assert position == fault.position


async def test_swapped_and_doubled_lines_are_found_and_named(
    keeper: MemoryKeeper, tmp_path: Path
) -> None:
    """Each event stands once, and where it belongs."""

    def swap(lines: list[bytes]) -> None:
        lines[3], lines[4] = lines[4], lines[3]

    path = await _exported(keeper.reader(), tmp_path / "acme.gz")
    swapped = (await _refused(_edit(path, swap))).position
    _edit(path, swap)
    doubled = (await _refused(_edit(path, lambda lines: lines.insert(6, lines[6])))).position
    _edit(path, lambda lines: lines.pop(6))
    added = await _refused(_edit(path, lambda lines: lines.append(lines[EVENTS])))

    assert (3, 7, EVENTS + 1) == (swapped, doubled, added.position)
    assert "more lines" in added.finding


async def test_first_of_several_faults_is_named(keeper: MemoryKeeper, tmp_path: Path) -> None:
    """A file that can't be read further on still has its first fault first."""
    path = await _exported(keeper.reader(), tmp_path / "acme.gz")

    def spoil(lines: list[bytes]) -> None:
        lines[3] = lines[3].replace(b"stock", b"stick")
        lines[6] = b"{}\n"

    assert 3 == (await _refused(_edit(path, spoil))).position


async def test_file_cut_off_at_any_byte_is_found_and_named(
    keeper: MemoryKeeper, tmp_path: Path
) -> None:
    """Half a file proves nothing: where it ends is said, and never further than it reaches."""
    path = await _exported(keeper.reader(), tmp_path / "acme.gz")
    packed = path.read_bytes()
    places = []
    for size in range(len(packed)):
        path.write_bytes(packed[:size])
        places.append((await _refused(path)).position)

    assert places == sorted(places)
    assert (0, EVENTS + 1) == (places[0], places[-1])


async def test_file_cut_off_between_two_lines_is_found_by_its_header(
    keeper: MemoryKeeper, tmp_path: Path
) -> None:
    """Packed anew it is a whole gzip file; its header still says what there was."""
    path = await _exported(keeper.reader(), tmp_path / "acme.gz")
    fault = await _refused(_edit(path, lambda lines: lines.__delitem__(slice(6, None))))

    assert 6 == fault.position
    assert "its header promises 8" in fault.finding


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"last":8', b'"last":7'),
        (b'"first":1', b'"first":2'),
        (b'"merchant":"acme"', b'"merchant":"acmf"'),
        (b'"merchant":"acme"', b'"merchant": "acme"'),
        (b"kcjl-export-1", b"kcjl-export-2"),
        (b'{"format"', b'{"more":1,"format"'),
    ],
)
async def test_header_that_was_changed_is_found(
    keeper: MemoryKeeper, tmp_path: Path, old: bytes, new: bytes
) -> None:
    """The header is part of the file, and is held against the lines."""
    path = await _exported(keeper.reader(), tmp_path / "acme.gz")
    await _refused(_edit(path, lambda lines: lines.__setitem__(0, lines[0].replace(old, new))))


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"hello\n", b"\x1f\x8b", gzip.compress(b"", mtime=0)]
)
async def test_file_that_is_no_export_is_named(tmp_path: Path, content: bytes) -> None:
    """Something else altogether: the header is what is wrong."""
    path = tmp_path / "odd"
    path.write_bytes(content)

    assert 0 == (await _refused(path)).position


async def test_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """A wrong path is no finding."""
    with pytest.raises(Misuse, match="no exported file at"):
        ExportReader(tmp_path / "gone.gz")


async def test_line_without_an_end_is_refused_before_it_fills_the_memory(
    keeper: MemoryKeeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bomb of one endless line is a line that is too long."""
    monkeypatch.setattr(reading, "LINE_BYTES_MAX", 1_000)
    path = await _exported(keeper.reader(), tmp_path / "acme.gz")
    fault = await _refused(_edit(path, lambda lines: lines.insert(4, b"x" * 5_000 + b"\n")))

    assert (4, "its line has no end") == (fault.position, fault.finding)


# ── what a forger would have to get right ───────────────────────────────────────────────────


def _forged(parts: list[list[Draft]], revisions: list[dict[str, int]]) -> AnyReader:
    """Chain events soundly, whatever their revisions."""
    keeper = MemoryKeeper()
    keeper.store = MemoryStore()
    shelf = keeper.store.shelf(MERCHANT)
    for number, (drafts, known) in enumerate(zip(parts, revisions, strict=True)):
        events, shelf.head = record(
            prepare(drafts, {}, VOCABULARY),
            merchant=MERCHANT,
            head=shelf.head,
            recorded_at=MORNING + timedelta(seconds=number),
            revisions=known,
        )
        shelf.events.extend(events)
    return keeper.reader()


@pytest.mark.parametrize("again", [0, 5, 1])
async def test_revision_that_does_not_follow_is_found_in_a_file_of_many_streams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: int
) -> None:
    """Also of a stream that verification had to forget, so that its memory stays bounded."""
    monkeypatch.setattr(verifying, "STREAMS_REMEMBERED_MAX", 3)
    many = [counted(f"S{number}", number) for number in range(6_000)]
    known: dict[str, int] = {}
    sound = _forged([many, many], [known, known])
    known = {}
    odd = _forged([many, many, [counted("S0", 1)]], [known, known, {"stock-S0": again}])
    first = await _exported(sound, tmp_path / "sound.gz")
    second = await _exported(odd, tmp_path / "odd.gz")

    assert 12_000 == (await _verified(first)).events
    assert 12_001 == (await _refused(second)).position


async def test_verify_of_a_file_needs_no_more_memory_for_a_longer_one(tmp_path: Path) -> None:
    """Bounded memory: three times the file, the same peak."""
    peaks = []
    for pages in (2, 6):
        known: dict[str, int] = {}
        parts = [[counted(f"S{n}", n) for n in range(5_000)] for _ in range(pages)]
        reader = _forged(parts, [known] * pages)
        path = await _exported(reader, tmp_path / f"{pages}.gz")
        del reader, parts
        tracemalloc.start()
        await _verified(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.2 * peaks[0]


# ── how it is written ───────────────────────────────────────────────────────────────────────


async def test_broken_log_is_not_exported_and_leaves_no_file(
    keeper: MemoryKeeper, tmp_path: Path
) -> None:
    """Nobody is handed a file that would be found broken; an older one stays as it was."""
    path = tmp_path / "acme.gz"
    path.write_bytes(b"older")
    await keeper.edit(3, old='"units":3', new='"units":4')
    with pytest.raises(BrokenChain) as caught:
        await _exported(keeper.reader(), path)

    assert 3 == caught.value.position
    assert ["acme.gz"] == _names(tmp_path)
    assert b"older" == path.read_bytes()


async def test_log_with_a_gap_or_another_end_is_not_exported(
    keeper: MemoryKeeper, tmp_path: Path
) -> None:
    """A missing event is named, also when it is the last."""
    places = []
    for position in (EVENTS, 2):
        await keeper.remove(position)
        with pytest.raises(BrokenChain) as caught:
            await _exported(keeper.reader(), tmp_path / "acme.gz")
        places.append(caught.value.position)

    assert [EVENTS, 2] == places


async def test_export_tells_how_far_it_is(keeper: MemoryKeeper) -> None:
    """Progress is told page by page, and never goes back."""
    told: list[int] = []
    await export(keeper.reader(), BytesIO(), progress=told.append)

    assert EVENTS == told[-1]
    assert all(one < other for one, other in pairwise(told))


def test_file_in_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """Where it could not be written is named."""
    with pytest.raises(Misuse, match="gone"), whole(tmp_path / "gone" / "acme.gz"):
        pass


def test_file_that_another_process_writes_is_left_to_it(tmp_path: Path) -> None:
    """Two exports to one name: the second one is told, and the first one's is whole."""
    path = tmp_path / "acme.gz"
    with whole(path) as file:
        file.write(b"first")
        with pytest.raises(Misuse, match="another process"), whole(path):
            pass

    assert b"first" == path.read_bytes()


def test_what_a_killed_process_left_is_written_over(tmp_path: Path) -> None:
    """A half file from before is in nobody's way, and in no file."""
    (tmp_path / ".acme.gz.part").write_bytes(b"half of a longer file")
    with whole(tmp_path / "acme.gz") as file:
        file.write(b"whole")

    assert b"whole" == (tmp_path / "acme.gz").read_bytes()
    assert ["acme.gz"] == _names(tmp_path)
