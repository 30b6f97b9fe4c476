"""The process of an embedded server: adopted or started, watched, ended.

Promises: what was committed outlives any kill, of the owner or of the server; a server that a
dead owner left behind is adopted, not doubled, and ended after ORPHAN_S when nobody came
(`watcher.py`); a server that dies is brought back.
It never uses SIGKILL. Invariant: only the holder of the place's locks starts, adopts or stops.
Called by `run`, `demo` and the verbs that own a database.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread

from kcjl.clock import real_monotonic, real_sleep
from kcjl.embedded.cluster import PidFile, is_server, read_pid_file
from kcjl.embedded.finding import DATABASE, PORT, answers, dsn_of
from kcjl.embedded.place import Place, private_folder, settle
from kcjl.embedded.postgres_log import last_words, open_log
from kcjl.embedded.refusals import (
    DataDirectoryUnusable,
    ServerDidNotStart,
    ServerDidNotStop,
    as_unusable,
)

__all__ = ["Embedded", "own"]

POLL_S = 0.02
WATCH_S = 0.1
READY_S = 600.0  # crash recovery of a long log takes minutes; ending it early never finishes it
RETRY_S = 10.0  # after a crash the old backends hold the shared memory for a moment
STOP_S = 30.0  # per signal: SIGINT rolls open transactions back, SIGQUIT leaves at once
ORPHAN_S = 10.0
"""So long a server outlives its owner: a service that is restarted adopts it."""
STEADY_S = 60.0  # a server that lived this long is restarted without delay
BACK_OFF_S_MIN = 0.2
BACK_OFF_S_MAX = 30.0
SETTINGS = (
    f"listen_addresses= port={PORT} unix_socket_permissions=0700 max_connections=100 "
    "shared_buffers=128MB fsync=on log_checkpoints=off logging_collector=off"
).split()


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

    def __init__(self, place: Place) -> None:
        self.data_dir = place.data_dir
        self.cluster_dir = place.cluster
        self.dsn = dsn_of(place.socket_folder, DATABASE)
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
        self._watcher: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Adopt the live server, or start one; return when it answers. Called by `own`.

        Raises `ServerDidNotStart` when it still ends after RETRY_S of trying.
        """
        give_up_s: float | None = None
        async with self._changing:
            if self._watcher is None or self._watcher.poll() is not None:
                self._watcher = await anyio.to_thread.run_sync(self._start_watcher)
            while not self._stopping:
                if not self._alive():
                    found = read_pid_file(self.cluster_dir)
                    self.adopted = found is not None and is_server(found.pid, self.cluster_dir)
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
                        f"{last_words(log, self._log_start)}; see {log}"
                    )
                await real_sleep(BACK_OFF_S_MIN)

    async def watch(self) -> None:
        """Bring the server back when it dies, or has lost its socket. Ends after `stop`.

        A server that dies young is restarted with a growing delay; it never gives up:
        `trouble` says why the latest attempt failed.
        """
        delay_s = 0.0
        while not self._stopping:
            await real_sleep(WATCH_S)
            if self._stopping or (self._alive() and self._has_socket()):
                continue
            steady = real_monotonic() - self._started_s > STEADY_S
            delay_s = 0 if steady else min(max(2 * delay_s, BACK_OFF_S_MIN), BACK_OFF_S_MAX)
            await real_sleep(delay_s)
            try:
                await self._end_if_deaf()
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
                    self._end_watcher()
                    self._process, self.pid = None, 0
                    self._place.locks.close()

    def _start_watcher(self) -> subprocess.Popen[bytes]:
        """It ends the server when we are gone: the pipe to it is ours alone."""
        script = Path(__file__).with_name("watcher.py")
        places = (self.cluster_dir, self.data_dir / "owner.lock")
        return subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            [sys.executable, str(script), str(ORPHAN_S), *map(str, places)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _end_watcher(self) -> None:
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()

    async def _end_if_deaf(self) -> None:
        """A server whose socket was removed serves nobody: it is ended, to be started anew.

        A cleaner of temporary folders does that, and so does an older server of a directory
        that was deleted under it and made anew: it removes "its" socket when it ends.
        """
        async with self._changing:
            if not self._stopping and self._alive() and not self._has_socket():
                await self._end_server()

    def _has_socket(self) -> bool:
        return (self._place.socket_folder / f".s.PGSQL.{PORT}").exists()

    def _alive(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return bool(self.pid) and is_server(self.pid, self.cluster_dir)

    def _launch(self, stale: PidFile | None) -> None:
        """Start the server as our direct child, so that it is reaped."""
        place = self._place
        with as_unusable(self.data_dir):
            with suppress(ProcessLookupError, PermissionError):
                if stale:
                    # When its number lives on in a stranger, PostgreSQL would take that for a
                    # server. A dead number stays: PostgreSQL reads more from the file.
                    os.kill(stale.pid, 0)
                    (place.cluster / "postmaster.pid").unlink()
            private_folder(place.socket_folder, place.account)
            for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
                (place.socket_folder / name).unlink(missing_ok=True)
            settings = (*SETTINGS, f"unix_socket_directories={place.socket_folder}")
            flags = [word for setting in settings for word in ("-c", setting)]
            command = [str(place.bin_dir / "postgres"), "-D", str(place.cluster), *flags]
            log = open_log(self.data_dir / "postgres.log")
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
            seen = read_pid_file(self.cluster_dir)
            if seen and seen.ready and seen.pid == self.pid:
                # One that was started by hand, with another socket, is ended and started anew.
                return seen.socket_folder == self._place.socket_folder and await answers(
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
    place = await anyio.to_thread.run_sync(settle, data_dir, bin_dir)
    server = Embedded(place)
    try:
        await server.start()
    except BaseException:
        await server.stop()
        raise
    return server
