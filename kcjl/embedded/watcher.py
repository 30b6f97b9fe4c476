"""The process that ends an embedded server whose owner is gone.

`watcher.py GRACE_S CLUSTER LOCK`, with a pipe for stdin that the owner alone holds. When it
closes, the owner is dead, for `Embedded.stop` ends this process first. After GRACE_S, in which
a restarted owner adopts the server, a cluster that nobody has locked is ended (SIGINT).
Promises: a server with an owner is left alone. It holds the lock for the moment of the signal
only: an owner that comes then finds a server that ends, and starts another.
Started by `server.py`, as a script: it imports kcjl only when it has something to do.
"""

import fcntl
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event

__all__ = ["end_orphan"]


def end_orphan(cluster: Path, lock: Path) -> None:
    """End the server of a cluster, unless somebody owns it."""
    from kcjl.embedded.cluster import is_server, read_pid_file

    with suppress(OSError), lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = read_pid_file(cluster)
        if found is not None and is_server(found.pid, cluster):
            os.kill(found.pid, signal.SIGINT)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    Event().wait(float(sys.argv[1]))
    sys.path[0] = str(Path(__file__).parents[2])
    end_orphan(Path(sys.argv[2]), Path(sys.argv[3]))
