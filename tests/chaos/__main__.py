"""`python -m tests.chaos [--rounds 20] [--seed N]`: kill -9 while 64 appenders write.

Prints the rounds, what was acknowledged and what was found. Exit code 1 on a fault; the seed is
printed, and gives the same kills in the same order after as many acknowledged batches.
"""

import argparse
import secrets
import sys
from collections import Counter
from functools import partial

import anyio

from tests.chaos.rounds import KINDS, Outcome, chaos

FAULTS_SHOWN = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    _say(f"seed {seed}, {options.rounds} rounds")
    outcome = anyio.run(partial(chaos, rounds=options.rounds, seed=seed, say=_say))
    sys.stdout.write(_told(outcome))
    return 1 if outcome.faults else 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _told(outcome: Outcome) -> str:
    kills = Counter(outcome.kills)
    lines = [
        f"rounds        {len(outcome.kills)}, seed {outcome.seed}",
        "killed        " + ", ".join(f"{kind} {kills[kind]} ×" for kind in KINDS),
        f"acknowledged  {outcome.acknowledged:,} events",
        f"found         {outcome.found:,} events",
        f"faults        {len(outcome.faults)}",
        *(f"  {fault}" for fault in outcome.faults[:FAULTS_SHOWN]),
    ]
    if len(outcome.faults) > FAULTS_SHOWN:
        lines.append(f"  and {len(outcome.faults) - FAULTS_SHOWN} more")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
