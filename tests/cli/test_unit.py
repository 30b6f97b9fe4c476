"""`kcjl service unit`: what systemd is given."""

import configparser
import subprocess
import sys
from pathlib import Path

from kcjl.cli.unit import unit_text
from tests.cli.test_cli import WHOLE


def printed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "kcjl.toml").write_text(WHOLE, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "kcjl", "service", "unit", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_unit_names_this_program_and_this_configuration_by_whole_paths(tmp_path: Path) -> None:
    """What is printed can be copied as it stands; what is missing is said beside it."""
    ended = printed(tmp_path, "--user", "shop")
    unit = configparser.RawConfigParser(strict=False)
    unit.read_string(ended.stdout)
    service = unit["Service"]

    assert 0 == ended.returncode, ended.stderr
    assert f"{sys.executable} -m kcjl run --config {tmp_path}/kcjl.toml" == service["ExecStart"]
    assert ("notify", "shop") == (service["Type"], service["User"])
    assert f"{tmp_path}/kcjl-data" == service["ReadWritePaths"]
    assert f"make {tmp_path}/kcjl-data first, and give it to shop" in ended.stderr


def test_unit_allows_no_more_than_is_needed() -> None:
    """No new rights, no writing outside the data directory, no root."""
    text = unit_text(
        program="kcjl",
        config=Path("/etc/kcjl/kcjl.toml"),
        data_dir=Path("/var/lib/kcjl"),
        user="kcjl",
        secrets=Path("/etc/kcjl/secrets.env"),
    )

    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="):
        assert f"\n{line}\n" in text
    assert "\nRestartPreventExitStatus=2\n" in text


def test_root_is_refused(tmp_path: Path) -> None:
    """Whoever breaks into it has the machine otherwise."""
    ended = printed(tmp_path, "--user", "root")

    assert 2 == ended.returncode
    assert "give it an account" in ended.stderr
