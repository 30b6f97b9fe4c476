"""`python -m tests.fuzz [--minutes N] [--seed S] [NAME …]`: every parser, as long as is given.

Prints a line a target: executions, bodies that were read, the slowest (CPU time), and each
error that was not promised, with a body that makes it again. Exit code 1 when there was one.
"""

import argparse
import sys
import time
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.bodies import bodies
from tests.fuzz.targets import PROMISED, Target, targets

A_ROUND = 200


class Tally:
    """What became of one target."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.executions = self.read = 0
        self.slowest_s = 0.0
        self.bugs: dict[str, bytes] = {}

    def try_body(self, body: bytes) -> None:
        self.executions += 1
        began = time.process_time()
        try:
            self.target.read(body)
            self.read += 1
        except PROMISED:
            pass
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} in {Path(last.filename).name}:{last.name}"
            if where not in self.bugs or len(body) < len(self.bugs[where]):
                self.bugs[where] = body
        self.slowest_s = max(self.slowest_s, time.process_time() - began)

    def round(self, number: int) -> None:
        @seed(number)
        @settings(
            max_examples=A_ROUND,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(body=bodies(self.target.samples))
        def tried(body: bytes) -> None:
            self.try_body(body)

        tried()


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz")
    asked.add_argument("names", nargs="*")
    asked.add_argument("--minutes", type=float, default=1.0)
    asked.add_argument("--seed", type=int, default=0)
    told = asked.parse_args()
    with TemporaryDirectory() as folder:
        tallies = {
            name: Tally(target)
            for name, target in targets(Path(folder)).items()
            if not told.names or any(each in name for each in told.names)
        }
        ends, number = time.monotonic() + 60 * told.minutes, told.seed
        while time.monotonic() < ends:
            for tally in tallies.values():
                tally.round(number)
            number += 1
    for name, tally in tallies.items():
        print(  # noqa: T201
            f"{name:<20} {tally.executions:>9,} executions {tally.read:>8,} read  "
            f"slowest {1000 * tally.slowest_s:>6.0f} ms  {len(tally.bugs)} bugs"
        )
        for where, body in tally.bugs.items():
            shown = f"{body[:200]!r}" + (f" … {len(body):,} bytes" if len(body) > 200 else "")
            print(f"    {where}: {shown}")  # noqa: T201
    total = sum(tally.executions for tally in tallies.values())
    bugs = sum(len(tally.bugs) for tally in tallies.values())
    print(f"{total:,} executions, {bugs} bugs, seeds {told.seed} to {number - 1}")  # noqa: T201
    return 1 if bugs else 0


if __name__ == "__main__":
    sys.exit(main())
