"""Files that verbs write: nobody else on the machine reads a business's trade."""

import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from tests.architecture.tree import ROOT
from tests.audit.handmade import handmade
from tests.cli.test_stock import CONFIG
from tests.settlement.booked import booked_payout

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("shop")]

GROUP_AND_OTHERS = 0o077


@pytest.fixture
async def shop(database_dsn: str, tmp_path: Path) -> AsyncIterator[None]:
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made:
        await booked_payout(made)
        await made.fold()
        yield


@pytest.mark.parametrize(
    "line",
    [
        "log export --out {file}",
        "log seal --out {file}",
        "sample --seed s --html {file}",
        "capsule make --order O1 --out {file}",
    ],
)
async def test_file_is_its_owner_s_alone_whatever_the_umask(tmp_path: Path, line: str) -> None:
    """Also where the account lets everybody write."""
    file = tmp_path / "written"

    def typed() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kcjl", *line.format(file=file).split()],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            umask=0,
        )

    ended = await anyio.to_thread.run_sync(typed)

    assert 0 == ended.returncode, ended.stderr
    assert 0 == stat.S_IMODE(file.stat().st_mode) & GROUP_AND_OTHERS
