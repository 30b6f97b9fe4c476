"""Capsules of bugs that the simulation has found: `python -m tests.capsules.making`.

Each is of the order or exception that a seed of tests/simulation/test_found.py was about, out of
that seed's whole history. Made once; they are here to be replayed by every later version.
"""

from pathlib import Path

import anyio

from kcjl.audit.capsule import Capsule, write_capsule
from kcjl.audit.capsule_making import Asked, capsule_of, gather
from kcjl.events import vocabulary
from kcjl.log.memory import MemoryLogReader, MemoryStore
from kcjl.log.verify import verify
from kcjl.projections.catalogue import PROJECTIONS

__all__ = ["made"]

FOLDER = Path(__file__).parent


async def made(store: MemoryStore, merchant: str, asked: Asked) -> Capsule:
    """Of a log in memory, as of its end."""
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


def main() -> None:
    """Each of them."""
    from tests.capsules.found import FOUND, history_of

    for name, seed, wanted in FOUND:
        store, merchant = history_of(seed)
        asked = wanted(store, merchant)
        capsule = anyio.run(made, store, merchant, asked)
        write_capsule(capsule, FOLDER / f"{name}.capsule")


if __name__ == "__main__":
    main()
