"""Who runs the embedded server: we do, unless we are root; then `postgres` or `nobody`.

Promises: a program is started with a clean environment, in a session of its own, as that
account and no other; an existing cluster keeps the account that it has.
It does not create accounts or change what they may enter.
Invariant: PostgreSQL never runs as root. Called by the other modules of this package.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kcjl.embedded.refusals import DataDirectoryUnusable

__all__ = ["CONNECT_S", "SYSTEM_ROOM", "Account", "server_account", "user_name"]

CONNECT_S = 10.0
SERVER_ACCOUNTS = ("postgres", "nobody")
SYSTEM_ROOM = Path("/var/lib")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
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


def server_account(cluster: Path) -> Account:
    """Who runs the server: we do, unless we are root. An existing cluster keeps its account."""
    uid = os.geteuid()
    owner = cluster.stat().st_uid if cluster.exists() else uid
    if uid != 0:
        if owner != uid:
            raise DataDirectoryUnusable(
                f"The cluster {cluster} belongs to {user_name(owner)}, and we are "
                f"{user_name(uid)}: run as its owner, or choose another data directory"
            )
        return Account(user_name(uid), uid, os.getegid(), switched=False)
    known = []
    for name in SERVER_ACCOUNTS:
        with suppress(KeyError):
            known.append(pwd.getpwnam(name))
    # An empty folder that root made in advance is nobody's cluster yet.
    fitting = [entry for entry in known if owner in (uid, entry.pw_uid)]
    if not fitting:
        raise DataDirectoryUnusable(
            f"As root, PostgreSQL runs as {' or '.join(SERVER_ACCOUNTS)}; "
            f"{cluster} belongs to {user_name(owner)}: run as an ordinary user"
        )
    entry = fitting[0]
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switched=True)


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
