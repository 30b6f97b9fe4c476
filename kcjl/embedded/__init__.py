"""The PostgreSQL server that kcjl owns when nobody gives it a DSN.

Promises: one owner at a time for a data directory; the server speaks over a private Unix socket
only; what was committed outlives any kill; as root the server runs as `postgres` or `nobody`.
It does not upgrade a cluster, listen on a network, or run on Windows.
Layout: DATA/postgres (the cluster), DATA/run (the socket; a short folder in the temporary
directory when that path is too long), DATA/owner.lock, DATA/postgres.log. Where the account of
the server can't reach DATA (root's own home), the cluster and the socket stand in a new
/var/lib/kcjl-HASH-TOKEN, and DATA/postgres.path names the cluster.
Rooms: `server` the process, `place` the folders and the lock, `account` who runs it, `cluster`
what is on disk, `installation` the binaries, `finding` the DSN, `refusals` the errors.
Callers: verbs that write own; verbs that only read find.
"""

from kcjl.embedded.finding import find
from kcjl.embedded.installation import binaries
from kcjl.embedded.place import make_data_dir
from kcjl.embedded.refusals import (
    BinariesMissing,
    DataDirectoryTaken,
    DataDirectoryUnusable,
    ServerDidNotStart,
    ServerDidNotStop,
)
from kcjl.embedded.server import Embedded, own

__all__ = [
    "BinariesMissing",
    "DataDirectoryTaken",
    "DataDirectoryUnusable",
    "Embedded",
    "ServerDidNotStart",
    "ServerDidNotStop",
    "binaries",
    "find",
    "make_data_dir",
    "own",
]
