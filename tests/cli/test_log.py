"""`kcjl log verify`, `seal` and `export` as a user and an auditor meet them."""

import gzip
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import anyio
import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kcjl.cli.proof import Progress
from kcjl.database import SERVICE, Database
from tests.architecture.tree import ROOT
from tests.log.intruder import cut_off_after, flip_a_bit
from tests.log.keepers import MERCHANT, PostgresKeeper, counted

KCJL = [sys.executable, "-m", "kcjl", "log"]
SETTINGS = """\
database = "{dsn}"
data_dir = "kept"
[merchants.acme.johnlewis]
base_url = "https://tenant.example"
[merchants.acme.khaos]
base_url = "https://erp.example/KhaosKSD.exe"
[merchants.acme.khaos.invoice_address]
line1 = "1 Example Road"
town = "London"
postcode = "ZZ1 1ZZ"
"""
EVENTS = 6


class Place:
    """A folder with a configuration, on a database with a log of six events."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder = folder
        self.dsn = dsn

    def kcjl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _kcjl(*arguments, cwd=self.folder)

    def done(self, *arguments: str) -> str:
        """Run it, see that all is well; what it said on stdout."""
        ended = self.kcjl(*arguments)
        assert 0 == ended.returncode, ended.stderr
        return ended.stdout

    def append(self, count: int) -> None:
        async def run() -> None:
            async with (
                Database(self.dsn, role=SERVICE) as database,
                PostgresKeeper(self.dsn, database).writer() as log,
            ):
                await log.append([counted("A", number) for number in range(count)])

        anyio.run(run)

    def flip(self, column: str, position: int) -> None:
        async def run() -> None:
            admin = await asyncpg.connect(self.dsn)
            await flip_a_bit(admin, column, position)
            await admin.close()

        anyio.run(run)

    def cut_off_after(self, position: int) -> None:
        async def run() -> None:
            admin = await asyncpg.connect(self.dsn)
            await cut_off_after(admin, position)
            await admin.close()

        anyio.run(run)


def _kcjl(
    *arguments: str,
    cwd: Path,
    stdout: int | IO[bytes] = subprocess.PIPE,
    preexec: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*KCJL, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=50,
        check=False,
        preexec_fn=preexec,
    )


@pytest.fixture
def place(database_dsn: str, tmp_path: Path) -> Place:
    (tmp_path / "kcjl.toml").write_text(SETTINGS.format(dsn=database_dsn))
    place = Place(tmp_path, database_dsn)
    place.append(EVENTS)
    return place


# ── with the database ───────────────────────────────────────────────────────────────────────


def test_verify_says_what_was_verified_and_what_was_not(place: Place) -> None:
    """The head on stdout; on stderr, that a cut-off tail would not be seen."""
    ended = place.kcjl("verify")

    assert 0 == ended.returncode
    assert ended.stdout.startswith("6 events of acme verified, up to position 6; head ")
    assert "no seal was given" in ended.stderr


def test_verify_from_says_in_words_what_was_trusted(place: Place) -> None:
    """Who verifies an end is told so."""
    ended = place.kcjl("verify", "--from", "4", "--json")
    found = json.loads(ended.stdout)

    assert (4, 6, 3) == (found["first"], found["position"], found["events"])
    assert "the hash at position 3 was trusted" in ended.stderr


def test_verify_of_a_broken_log_names_position_expected_and_found(place: Place) -> None:
    """Exit code 1; one line for people, one object for machines."""
    place.flip("data", 3)
    ended = place.kcjl("verify", "--json")
    found = json.loads(ended.stdout)

    assert 1 == ended.returncode
    assert (False, 3, "KCJL-5001") == (found["verified"], found["position"], found["code"])
    assert found["expected"] != found["found"]
    assert "broken at position 3" in ended.stderr
    assert found["expected"] in ended.stderr
    assert "Counted (revision 3 of stock-A" in ended.stderr


def test_seal_finds_a_tail_that_was_cut_off(place: Place) -> None:
    """Sealed, cut off, verified: without the seal all seems well, with it the cut is named."""
    place.done("seal", "--out", "acme.seal")
    place.done("seal", "--public-key", "--out", "acme.pub")
    place.append(1)
    held = place.done("verify", "--seal", "acme.seal", "--public-key", "acme.pub")
    place.cut_off_after(4)
    without = place.kcjl("verify")
    found = place.kcjl("verify", "--seal", "acme.seal", "--json")

    assert "the seal of position 6," in held
    assert 0 == without.returncode
    assert 1 == found.returncode
    assert "positions 5 to 6 were cut off" in found.stderr
    fault = json.loads(found.stdout)
    assert (5, "KCJL-5004") == (fault["position"], fault["code"])


def test_seal_that_was_forged_is_found(place: Place) -> None:
    """One figure of the seal changed: exit code 1, whatever the log is."""
    seal = json.loads(place.done("seal"))
    (place.folder / "forged").write_text(json.dumps(seal | {"position": 5}))
    ended = place.kcjl("verify", "--seal", "forged")

    assert 1 == ended.returncode
    assert "forged" in ended.stderr


def test_seal_never_overwrites_another(place: Place) -> None:
    """An older seal may be the only witness: a new one wants a new name."""
    first = place.done("seal", "--out", "acme.seal", "--json")
    ended = place.kcjl("seal", "--out", "acme.seal")

    assert 2 == ended.returncode
    assert "acme.seal is there already" in ended.stderr
    assert first == (place.folder / "acme.seal").read_text()


def test_seal_key_is_made_in_data_dir_or_where_it_is_told(place: Place) -> None:
    """Readable by its owner only, wherever it is; each key has its own public key."""
    here = json.loads(place.done("seal", "--public-key", "--json"))
    there = json.loads(place.done("seal", "--public-key", "--json", "--key", "usb/my.key"))

    for path in ("kept/seal.key", "usb/my.key"):
        assert 0o600 == (place.folder / path).stat().st_mode & 0o777
    assert here != there
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(here["public_key"]))


def test_export_to_stdout_is_the_same_file(place: Place) -> None:
    """A pipe gets what a file would hold."""
    place.done("export", "--out", "acme.gz")
    with (place.folder / "piped.gz").open("wb") as pipe:
        ended = _kcjl("export", cwd=place.folder, stdout=pipe)

    assert "exported positions 1 to 6 of acme" in ended.stderr
    contents = [(place.folder / name).read_bytes() for name in ("acme.gz", "piped.gz")]
    assert contents[0] == contents[1]


def test_export_of_a_broken_log_leaves_no_file(place: Place) -> None:
    """Exit code 1, the position, and nothing half-made."""
    place.flip("hash", 2)
    ended = place.kcjl("export", "--out", "acme.gz")

    assert 1 == ended.returncode
    assert "broken at position 2" in ended.stderr
    assert ["kcjl.toml"] == [each.name for each in place.folder.iterdir()]


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


def test_export_onto_a_full_disk_is_one_clear_line(place: Place) -> None:
    """Exit code 3, what to do, and nothing half-made."""
    ended = _kcjl("export", "--out", "acme.gz", cwd=place.folder, preexec=_small_files)

    assert (3, 1) == (ended.returncode, len(ended.stderr.splitlines())), ended.stderr
    assert "can't be written" in ended.stderr
    assert "make room" in ended.stderr
    assert ["kcjl.toml"] == [each.name for each in place.folder.iterdir()]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_export_into_a_full_pipe_is_one_clear_line(place: Place) -> None:
    """What could not be handed on is said, and never exit code 0."""
    with Path("/dev/full").open("wb") as full:
        ended = _kcjl("export", cwd=place.folder, stdout=full)

    assert (3, 1) == (ended.returncode, len(ended.stderr.splitlines())), ended.stderr
    assert "stdout can't be written" in ended.stderr


# ── without ─────────────────────────────────────────────────────────────────────────────────


def test_file_is_verified_without_database_and_configuration(
    place: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An auditor's machine: the file, the seal, the public key; nothing else, nothing made."""
    place.done("export", "--out", "acme.gz")
    place.done("seal", "--out", "acme.seal")
    key = json.loads(place.done("seal", "--public-key", "--json"))["public_key"]
    away = tmp_path_factory.mktemp("away")
    for name in ("acme.gz", "acme.seal"):
        (place.folder / name).rename(away / name)
    ended = _kcjl("verify", "acme.gz", "--seal", "acme.seal", "--public-key", key, cwd=away)
    without_key = _kcjl("verify", "acme.gz", "--seal", "acme.seal", cwd=away)

    assert 0 == ended.returncode, ended.stderr
    assert ended.stdout.startswith("6 events of acme verified, up to position 6")
    assert "the seal of position 6," in ended.stdout
    assert 2 == without_key.returncode
    assert "give --public-key" in without_key.stderr
    assert {"acme.gz", "acme.seal"} == {each.name for each in away.iterdir()}


def test_part_is_held_against_the_seals_at_both_its_ends(place: Place) -> None:
    """A part that begins where one seal ends and stops where another does is proved whole."""
    place.done("seal", "--out", "first.seal")
    place.append(3)
    place.done("seal", "--out", "second.seal")
    place.done("export", "--from", "7", "--out", "part.gz")
    key = json.loads(place.done("seal", "--public-key", "--json"))["public_key"]
    seals = ("--seal", "first.seal", "--seal", "second.seal", "--public-key", key)
    ended = place.kcjl("verify", "part.gz", *seals)
    place.done("export", "--from", "8", "--out", "late.gz")
    late = place.kcjl("verify", "late.gz", *seals)

    assert 0 == ended.returncode, ended.stderr
    assert "trusted" not in ended.stderr
    assert 2 == late.returncode
    assert "position 6, which is not in what was verified" in late.stderr


def test_damaged_file_is_named_with_its_position(place: Place) -> None:
    """A changed letter and a file that is cut off: exit code 1, and where."""
    place.done("export", "--out", "acme.gz")
    path = place.folder / "acme.gz"
    packed = path.read_bytes()
    path.write_bytes(
        gzip.compress(gzip.decompress(packed).replace(b'units\\":3', b'units\\":4'))
    )
    changed = place.kcjl("verify", "acme.gz", "--json")
    path.write_bytes(packed[:-20])
    cut = place.kcjl("verify", "acme.gz", "--json")

    assert (1, 1) == (changed.returncode, cut.returncode)
    assert 4 == json.loads(changed.stdout)["position"]
    assert "cut off" in json.loads(cut.stdout)["finding"]


def test_file_can_not_steer_the_terminal_that_its_faults_are_shown_on(place: Place) -> None:
    """A forger's text is shown as text: it can't wipe out what was said about it."""
    place.done("export", "--out", "acme.gz")
    path = place.folder / "acme.gz"
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(content.replace(b'"type":"Counted"', b'"type":"\\u001b[2J"'))
    ended = place.kcjl("verify", "acme.gz")

    assert 1 == ended.returncode
    assert "\x1b" not in ended.stderr
    assert "\\x1b[2J (revision 1 of stock-A" in ended.stderr


def test_file_of_another_merchant_is_a_mistake(place: Place) -> None:
    """Who names the merchant gets that one's log or none."""
    place.done("export", "--out", "acme.gz")
    ended = place.kcjl("verify", "acme.gz", "--merchant", "other")

    assert 2 == ended.returncode
    assert f"is the log of {MERCHANT}, not of other" in ended.stderr


# ── progress ────────────────────────────────────────────────────────────────────────────────


def test_progress_tells_position_rate_and_time_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A line now and then where there is no terminal, not one for each page."""
    times = iter([0.0, 5.0, 20.0, 25.0])
    progress = Progress(1_000, lambda: next(times))
    progress.last = 100_000
    for position in (2_000, 41_000, 42_000):
        progress(position)
    progress.end()

    told = capsys.readouterr()
    assert "position 41,000 of 100,000, 2,000 events/s, 0 min 30 s left\n" == told.err
    assert "" == told.out


def test_progress_on_a_terminal_is_one_line_that_is_taken_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person sees it move, at most five times a second, and nothing of it stays."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    times = iter([0.0, 0.1, 0.5, 1.0])
    progress = Progress(0, lambda: next(times))
    for position in (100, 1_000, 2_000):
        progress(position)
    progress.end()

    told = capsys.readouterr().err
    assert ["", "position 1,000, 2,000 events/s", "position 2,000, 2,000 events/s", ""] == (
        told.split("\r\x1b[K")
    )


# ── what the page promises ──────────────────────────────────────────────────────────────────


def _recipes() -> list[str]:
    page = (ROOT / "docs" / "proof.md").read_text(encoding="utf-8")
    return [part.partition("```")[0] for part in page.split("```python\n")[1:]]


def _run_recipe(recipe: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-c", recipe, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_recipe_of_the_page_verifies_an_export_and_finds_a_change(place: Place) -> None:
    """An auditor who trusts nobody's program writes ten lines of his own."""
    chain, _ = _recipes()
    place.append(2)
    place.done("export", "--out", "acme.gz")
    place.done("export", "--from", "3", "--to", "5", "--out", "part.gz")
    path = place.folder / "acme.gz"
    whole, part = (
        _run_recipe(chain, name, cwd=place.folder) for name in ("acme.gz", "part.gz")
    )
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content.replace(b'"stock-A"', b'"stock-B"', 3)))
    changed = _run_recipe(chain, "acme.gz", cwd=place.folder)
    path.write_bytes(gzip.compress(b"".join(content.splitlines(keepends=True)[:-1])))
    cut = _run_recipe(chain, "acme.gz", cwd=place.folder)

    assert (0, 0) == (whole.returncode, part.returncode), whole.stderr + part.stderr
    assert whole.stdout.startswith("acme: 1 to 8, ")
    assert part.stdout.startswith("acme: 3 to 5, ")
    assert (1, "broken at position 1\n") == (changed.returncode, changed.stderr)
    assert (1, "cut off after position 7\n") == (cut.returncode, cut.stderr)


def test_recipe_of_the_page_checks_a_seal_and_finds_a_forged_one(place: Place) -> None:
    """The signature needs no program of ours either."""
    _, recipe = _recipes()
    seal = json.loads(place.done("seal", "--out", "acme.seal", "--json"))
    place.done("seal", "--public-key", "--out", "acme.pub")
    genuine = _run_recipe(recipe, "acme.seal", "acme.pub", cwd=place.folder)
    (place.folder / "acme.seal").write_text(json.dumps(seal | {"position": 5}))
    forged = _run_recipe(recipe, "acme.seal", "acme.pub", cwd=place.folder)

    assert 0 == genuine.returncode, genuine.stderr
    assert genuine.stdout.startswith("acme was at position 6 with the hash ")
    assert 1 == forged.returncode
    assert "InvalidSignature" in forged.stderr


def test_recipe_has_ten_lines() -> None:
    """Short enough to be read, and typed, by who does not trust us."""
    lengths = []
    for recipe in _recipes():
        lines = [line for line in recipe.splitlines() if line.strip()]
        lengths.append(len([line for line in lines if not line.startswith(("import", "from"))]))

    assert 10 == lengths[0]
    assert max(lengths) <= 10
