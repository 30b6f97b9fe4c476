"""Capsules of bugs that the simulation has found: `python -m tests.capsules.making`.

Each is of the order that a seed of tests/simulation/test_found.py was about, out of the whole
history of that seed under today's rooms. Made once, and kept: every later version replays them.
Called by hand.
"""

from pathlib import Path

import anyio

from kcjl.audit.capsule import Capsule, write_capsule
from kcjl.audit.capsule_making import Asked, capsule_of, gather
from kcjl.events import vocabulary
from kcjl.log.memory import MemoryLogReader, MemoryStore
from kcjl.log.verify import verify
from kcjl.projections.catalogue import PROJECTIONS
from tests.simulation.loop import run
from tests.simulation.premises import MERCHANT
from tests.simulation.run import _Attempt
from tests.simulation.scenario import draw

__all__ = ["capsule_in", "history_of"]

FOLDER = Path(__file__).parent


async def capsule_in(store: MemoryStore, merchant: str, asked: Asked) -> Capsule:
    """Out of a log in memory, as of its end."""
    reader, words = MemoryLogReader(store, merchant), vocabulary()
    verified = await verify(reader)
    gathered = await gather(reader, words, PROJECTIONS, asked, to=verified.position)
    return await capsule_of(
        gathered,
        words,
        PROJECTIONS,
        asked=asked,
        merchant=merchant,
        at=(verified.position, verified.hash),
    )


def history_of(seed: int) -> MemoryStore:
    """What the log has at the end of a seed's run."""
    attempt = _Attempt(draw(seed), keep_lines=False)
    run(attempt.simulate, seed=seed)
    assert attempt._premises is not None
    return attempt._premises.store


FOUND = (
    ("parcel-of-an-ended-order", 6, Asked(kind="order", name="700000005-A")),
    ("box-without-a-number", 147, Asked(kind="order", name="700000004-A")),
    ("refund-behind-its-lines", 203, Asked(kind="order", name="700000024-A")),
)


def main() -> None:
    """Write each of them anew."""
    for name, seed, asked in FOUND:
        capsule = anyio.run(capsule_in, history_of(seed), MERCHANT, asked)
        write_capsule(capsule, FOLDER / f"{name}.capsule")


if __name__ == "__main__":
    main()
