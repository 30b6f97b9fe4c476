"""A cluster on disk: made whole or not at all, checked for its version, and who is serving it.

Promises: a cluster appears by one rename, so a kill half-way leaves nothing half-made; a
process counts as its server only when it is a living `postgres` that works in that folder.
It does not upgrade a cluster. Called by `place`, `server` and `finding`.
"""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kcjl.embedded.account import Account
from kcjl.embedded.postgres_log import last_line
from kcjl.embedded.refusals import DataDirectoryUnusable, ServerDidNotStart

__all__ = ["PidFile", "check_cluster", "is_server", "make_cluster", "read_pid_file"]

INITDB_S = 120.0  # takes about a second; a stuck disk must not hold us for ever
INITDB_FLAGS = (
    "-U",
    "postgres",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C",
    "--no-instructions",
)


@dataclass(frozen=True, slots=True)
class PidFile:
    """What postmaster.pid says."""

    pid: int
    socket_folder: Path
    ready: bool


def check_cluster(cluster: Path, major: int, bin_dir: Path) -> None:
    made_by = (cluster / "PG_VERSION").read_text().strip()
    if made_by != str(major):
        raise DataDirectoryUnusable(
            f"The cluster {cluster} is of PostgreSQL {made_by}, and {bin_dir} is {major}: give "
            f"binaries of version {made_by}, or move the data with pg_dump or pg_upgrade"
        )


def make_cluster(cluster: Path, account: Account, bin_dir: Path) -> None:
    """Make it beside its place and rename, so that a kill half-way leaves nothing half-made."""
    if cluster.exists() and (not cluster.is_dir() or any(cluster.iterdir())):
        raise DataDirectoryUnusable(
            f"{cluster} is no PostgreSQL cluster, and is not empty: move it away"
        )
    for left in cluster.parent.glob("postgres.new-*"):
        shutil.rmtree(left, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=cluster.parent))
    try:
        if account.switched:
            os.chown(fresh, account.uid, account.gid, follow_symlinks=False)
        command = [str(bin_dir / "initdb"), "-D", str(fresh), *INITDB_FLAGS]
        status, output = account.run(command, INITDB_S)
        if status:
            raise ServerDidNotStart(
                f"initdb for {cluster} failed with status {status}: {last_line(output)}; mend "
                "that, then run again; nothing half-made was left"
            )
        fresh.rename(cluster)  # over an empty folder too
        os.sync()  # or a power cut could bring the former name back, and we sweep that
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def read_pid_file(cluster: Path) -> PidFile | None:
    try:
        lines = (cluster / "postmaster.pid").read_text(errors="replace").splitlines()
        ready = len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004 - line 8
        return PidFile(int(lines[0]), Path(lines[4].strip()), ready)
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None  # none, or not yet whole


def is_server(pid: int, cluster: Path) -> bool:
    """Is that process a living `postgres` of this cluster, not a zombie or a stranger?"""
    process = Path("/proc") / str(pid)
    try:
        if Path("/proc/self/stat").exists():
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            if state in "ZX" or (process / "comm").read_text().strip() != "postgres":
                return False
            return (process / "cwd").samefile(cluster)
    except (OSError, IndexError):
        return False
    listed = subprocess.run(  # noqa: S603 - our own arguments, no shell
        ["/bin/ps", "-ww", "-o", "stat=,command=", "-p", str(pid)],
        capture_output=True,
        check=False,
        text=True,
    ).stdout.strip()
    return not listed.startswith("Z") and f"postgres -D {cluster} " in listed
