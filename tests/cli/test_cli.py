"""The command line as a user meets it: help, and one clear line for each mistake."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

KCJL = [sys.executable, "-m", "kcjl"]

WHOLE = """\
[merchants.shop.johnlewis]
base_url = "https://tenant.example"
[merchants.shop.khaos]
base_url = "https://erp.example/KhaosKSD.exe"
[merchants.shop.khaos.invoice_address]
line1 = "1 Example Road"
town = "London"
postcode = "ZZ1 1ZZ"
"""


def _kcjl(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*KCJL, *arguments],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def _one_clear_line(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    lines = ended.stderr.strip().splitlines()
    assert 2 == ended.returncode, ended.stderr
    assert "" == ended.stdout
    assert 1 == len(lines), ended.stderr
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    "verb",
    [
        (),
        ("demo",),
        ("run",),
        ("sandbox",),
        ("tui",),
        ("init",),
        ("manual",),
        ("calls",),
        ("calls", "summary"),
        ("calls", "surprises"),
        ("log",),
        ("log", "tail"),
        ("log", "show"),
        ("log", "verify"),
        ("log", "seal"),
        ("log", "export"),
        ("log", "rebuild"),
        ("log", "state"),
        ("stock", "buffer"),
        ("orders", "refund"),
        ("orders", "cancel"),
        ("orders", "withdraw"),
        ("orders", "buyer"),
        ("orders", "erase"),
        ("dispatch", "map", "list"),
        ("dispatch", "map", "set"),
        ("dispatch", "map", "remove"),
        ("dispatch", "map", "suggest"),
        ("dispatch", "retry"),
        ("settlement", "account"),
    ],
)
def test_help_of_each_verb_says_what_it_does(verb: tuple[str, ...], tmp_path: Path) -> None:
    """Every verb explains itself, and its options."""
    ended = _kcjl(*verb, "--help", cwd=tmp_path)

    assert 0 == ended.returncode
    assert "Usage: kcjl" in ended.stdout
    assert "--help" in ended.stdout


def test_run_without_configuration_says_where_it_looked(tmp_path: Path) -> None:
    """No configuration: the path is named, and the way out."""
    _one_clear_line(_kcjl("run", cwd=tmp_path), "kcjl.toml", "kcjl demo")

    assert [] == list(tmp_path.iterdir())


def test_run_with_an_unknown_key_names_it(tmp_path: Path) -> None:
    """A misspelt key is refused, not ignored."""
    (tmp_path / "kcjl.toml").write_text("databse = 'embedded'\n" + WHOLE)
    _one_clear_line(_kcjl("run", cwd=tmp_path), "databse", "kcjl.toml")

    assert ["kcjl.toml"] == [each.name for each in tmp_path.iterdir()]


def test_run_on_a_live_system_without_live_true_is_refused_before_anything_is_made(
    tmp_path: Path,
) -> None:
    """Nothing is written to a system that is not on this machine without `live = true`."""
    (tmp_path / "kcjl.toml").write_text(WHOLE)
    _one_clear_line(_kcjl("run", cwd=tmp_path), "tenant.example", "live = true")

    assert ["kcjl.toml"] == [each.name for each in tmp_path.iterdir()]


def test_run_without_the_api_key_names_the_variable_and_never_a_secret(tmp_path: Path) -> None:
    """A secret that is missing is named by where it should be."""
    (tmp_path / "kcjl.toml").write_text("live = true\n" + WHOLE)
    ended = _kcjl("run", cwd=tmp_path, KCJL_JOHNLEWIS_KEY="")

    _one_clear_line(ended, "KCJL_JOHNLEWIS_KEY")


def test_sandbox_on_a_busy_port_names_the_port_and_the_option(tmp_path: Path) -> None:
    """A port that is taken: which, and how to choose another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = _kcjl("sandbox", "--port", port, "--khaos-port", "0", cwd=tmp_path)

    _one_clear_line(ended, port, "--port")


@pytest.mark.parametrize("verb", ["demo", "sandbox"])
def test_trade_file_that_is_missing_is_named(verb: str, tmp_path: Path) -> None:
    """A trade file that is not there: its name, and nothing half-made."""
    more = ("--headless",) if verb == "demo" else ("--port", "0", "--khaos-port", "0")
    ended = _kcjl(verb, "--trade", "gone.csv", "--from", "2011-03-01", *more, cwd=tmp_path)

    _one_clear_line(ended, "gone.csv")
    assert [] == list(tmp_path.iterdir())


def test_demo_in_a_directory_of_somebody_elses_things_is_refused(tmp_path: Path) -> None:
    """A directory that is not a demo's is never touched."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary")
    ended = _kcjl("demo", "--headless", "--data-dir", "mine", cwd=tmp_path)

    _one_clear_line(ended, "mine", "--data-dir")
    assert ["diary.txt"] == [each.name for each in (tmp_path / "mine").iterdir()]


def test_usage_error_exits_with_2_and_names_the_option(tmp_path: Path) -> None:
    """A wrong option is a usage error, told in words and not as a traceback."""
    ended = _kcjl("demo", "--sped", "600", cwd=tmp_path)

    assert 2 == ended.returncode
    assert "--sped" in ended.stderr
    assert "Traceback" not in ended.stderr
