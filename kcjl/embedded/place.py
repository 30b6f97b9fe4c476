"""Where an embedded server stands, and who may have it: settled, and locked, before it starts.

Promises: one owner at a time for a data directory (DATA/owner.lock, freed by any kill of its
holder); the socket's folder is private, short and reachable for the server's account.
It does not start anything. Invariant: no parent folder's mode is ever changed.
Called by `server`; `recorded_cluster` by `finding`.
"""

import fcntl
import hashlib
import os
import re
import stat
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from kcjl.embedded.account import SYSTEM_ROOM, Account, server_account, user_name
from kcjl.embedded.cluster import check_cluster, make_cluster
from kcjl.embedded.installation import binaries, runnable
from kcjl.embedded.refusals import DataDirectoryTaken, DataDirectoryUnusable, as_unusable

__all__ = ["Place", "make_data_dir", "private_folder", "recorded_cluster", "settle"]

SOCKET_FOLDER_BYTES_MAX = 89  # sun_path holds 104 on macOS; the socket's own name takes 14


@dataclass(frozen=True, slots=True)
class Place:
    """All that `own` settles before a server starts; holds the locks."""

    data_dir: Path
    cluster: Path
    socket_folder: Path
    bin_dir: Path
    account: Account
    locks: ExitStack


def settle(data_dir: Path, bin_dir: Path | None) -> Place:
    """Lock the data directory, choose account, binaries and places, make the cluster if new."""
    found_binaries = binaries(bin_dir)
    with as_unusable(data_dir), ExitStack() as locks:
        data_dir = data_dir.resolve()
        _check_data_dir(data_dir)
        _lock(data_dir / "owner.lock", data_dir, locks)
        cluster = recorded_cluster(data_dir) or data_dir / "postgres"
        account = server_account(cluster)
        usable, major = runnable(found_binaries, account)
        if not account.reaches(cluster.parent):
            cluster = _relocated(data_dir, cluster, account)
        if cluster.parent != data_dir:
            # A copied data directory names the same cluster: only one of the two may run it.
            _lock(cluster.parent / "owner.lock", data_dir, locks)
        if not (cluster / "PG_VERSION").exists():
            make_cluster(cluster, account, usable)
        check_cluster(cluster, major, usable)
        socket_folder = _socket_folder(data_dir, cluster.parent, account)
        return Place(data_dir, cluster, socket_folder, usable, account, locks.pop_all())


def recorded_cluster(data_dir: Path) -> Path | None:
    """The cluster that DATA/postgres.path names; None when it stands in DATA itself."""
    record = data_dir / "postgres.path"
    try:
        cluster = Path(record.read_text().strip())
    except (FileNotFoundError, NotADirectoryError):
        return None
    home = cluster.parent
    ours = home.is_dir() and home.lstat().st_uid == data_dir.stat().st_uid
    if not cluster.is_absolute() or not ours or home.is_symlink():
        raise DataDirectoryUnusable(
            f"{record} names the cluster {cluster}, which is not there or not ours: bring it "
            f"back, or remove {record} to begin with an empty database"
        )
    return cluster


def make_data_dir(data_dir: Path) -> None:
    """The folder and those above it, where they are missing; what exists stays as it is.

    They are our own account's alone, whatever the umask; root's server runs as another account,
    which must pass through.
    """
    missing = [each for each in (data_dir, *data_dir.parents) if not each.exists()]
    data_dir.mkdir(parents=True, exist_ok=True)
    for each in missing:
        each.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _check_data_dir(data_dir: Path) -> None:
    if data_dir.exists() and not data_dir.is_dir():
        raise DataDirectoryUnusable(
            f"Data directory {data_dir} is not a directory: move it away, or choose another"
        )
    make_data_dir(data_dir)
    facts = data_dir.stat()
    if facts.st_uid != os.geteuid():
        raise DataDirectoryUnusable(
            f"Data directory {data_dir} belongs to {user_name(facts.st_uid)}, and we are "
            f"{user_name(os.geteuid())}: run as its owner, or choose another data directory"
        )
    if facts.st_mode & stat.S_IWOTH:
        raise DataDirectoryUnusable(
            f"Data directory {data_dir} can be written by everybody: choose a folder of its own"
        )


def _lock(path: Path, data_dir: Path, locks: ExitStack) -> None:
    """Take the lock, or say who holds it. A kill -9 of the holder frees it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    locks.callback(os.close, lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode(errors="replace").strip()
        raise DataDirectoryTaken(
            f"Data directory {data_dir} is in use by process {holder or '(not yet known)'}: "
            "stop that one first, or choose another data directory"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    locks.callback(os.ftruncate, lock, 0)


def _relocated(data_dir: Path, cluster: Path, account: Account) -> Path:
    """A place for a new cluster that the account can reach, recorded in DATA/postgres.path.

    The name has a token of chance: a data directory that was deleted and made anew, or moved,
    must not meet another one's cluster.
    """
    if (cluster / "PG_VERSION").exists() or not account.reaches(SYSTEM_ROOM):
        raise DataDirectoryUnusable(
            f"The account {account.name}, which runs PostgreSQL for root, can't reach "
            f"{cluster}: choose a data directory with parents open to it, like /srv/kcjl"
        )
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    home = Path(tempfile.mkdtemp(prefix=f"kcjl-{digest}-", dir=SYSTEM_ROOM))
    home.chmod(0o711)
    fresh = data_dir / "postgres.path.new"
    fresh.write_text(f"{home / 'postgres'}\n")
    fresh.replace(data_dir / "postgres.path")
    os.sync()
    return home / "postgres"


def _socket_folder(data_dir: Path, home: Path, account: Account) -> Path:
    """The first folder that is short, plain (no comma: a list separator) and reachable."""
    digest = hashlib.sha256(os.fsencode(data_dir) + f" {os.geteuid()}".encode()).hexdigest()
    rooms = (Path(tempfile.gettempdir()).resolve(), Path("/tmp").resolve())  # noqa: S108
    for folder in (home / "run", *(room / f"kcjl-{digest[:16]}" for room in rooms)):
        plain = re.fullmatch(r"[A-Za-z0-9_./+-]+", os.fspath(folder))
        short = len(os.fsencode(folder)) <= SOCKET_FOLDER_BYTES_MAX
        if plain and short and account.reaches(folder.parent):
            private_folder(folder, account)
            return folder
    raise DataDirectoryUnusable(
        f"No short folder for the socket of {data_dir}: set TMPDIR to a path below 60 bytes"
    )


def private_folder(folder: Path, account: Account) -> None:
    """Make a folder that only the server's account can enter, or check that it is just that."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    facts = folder.lstat()
    ours = facts.st_uid in (account.uid, os.geteuid())
    if not stat.S_ISDIR(facts.st_mode) or not ours or facts.st_mode & 0o077:
        raise DataDirectoryUnusable(
            f"Socket folder {folder} is not a private folder of {account.name}: remove it"
        )
    if facts.st_uid != account.uid:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
