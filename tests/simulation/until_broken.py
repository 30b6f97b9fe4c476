"""Run seeds until one breaks a law, and say which: one line of JSON. The child of mutations.py.

Called as `python -P -m tests.simulation.until_broken SEEDS_MAX`, with the kcjl that is to be
tried first on the path.
"""

import sys

import msgspec

from tests.simulation.mutations import Caught
from tests.simulation.run import run_scenario
from tests.simulation.scenario import draw

__all__ = ["main"]


def main(seeds_max: int) -> Caught:
    for seed in range(1, seeds_max + 1):
        broken = run_scenario(draw(seed)).broken
        if broken:
            first = broken[0]
            return Caught(
                seeds=seed, law=first.law, message=f"{first.checker}: {first.message}"
            )
    return Caught(seeds=seeds_max, message=f"no law was broken in {seeds_max} seeds")


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(main(int(sys.argv[1]))).decode() + "\n")
