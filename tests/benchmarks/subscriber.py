"""A subscriber in a process of its own: notes when each event reached it.

`python -m tests.benchmarks.subscriber DSN MERCHANT` follows the log with a connection of its
own, as the monitor and other readers do; `… DSN peer` is the peer's subscription. It says
"ready" when the first event is there, and after the event LAST, on one line of JSON, at which
moment of the machine's monotonic clock, which all processes share, each event was in its hands,
decoded. Called by subscribing.py.
"""

import sys

import anyio
import msgspec

from kcjl.clock import real_monotonic
from kcjl.database import AUDITOR, Database
from kcjl.log.postgres import PostgresLogReader
from tests.benchmarks import peer
from tests.benchmarks.trade import VOCABULARY, order

__all__ = ["LAST", "PEER", "Reached"]

PEER = "peer"
LAST = order(9_999, 1)
"""After this event a subscriber tells, and ends."""
Reached = list[tuple[int, float]]
"""(the last position of a page, when it was there)"""


async def follow(dsn: str, merchant: str) -> Reached:
    reached: Reached = []
    async with Database(dsn, role=AUDITOR) as database:
        async for page in PostgresLogReader(database, merchant, VOCABULARY).follow():
            reached.append((page[-1].position, real_monotonic()))
            if len(reached) == 1:
                say_ready()
            if page[-1].event == LAST:
                break
    return reached


def follow_peer(dsn: str) -> Reached:
    reached: Reached = []
    with peer.recorder(dsn, connections=2) as recorder:
        for number, state in recorder.subscription():
            event = VOCABULARY.decode("OrderTaken", 1, state)
            reached.append((number, real_monotonic()))
            if len(reached) == 1:
                say_ready()
            if event == LAST:
                break
    return reached


def say_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main(dsn: str, merchant: str) -> None:
    reached = follow_peer(dsn) if merchant == PEER else anyio.run(follow, dsn, merchant)
    sys.stdout.write(msgspec.json.encode(reached).decode() + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
