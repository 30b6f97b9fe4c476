"""Deliberate bugs, one at a time: does the simulation see each, and within how many seeds?

Promises: each bug is put into a copy of kcjl/ that a child process imports; the tree is not
touched. A bug that no seed shows ends it with exit code 1; one whose text is not in kcjl any
more is an error before anything is tried. It prints the table of docs/proof.md.
Called by people: `python -m tests.simulation.mutations`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from tests.simulation.mutants import MUTANTS, Mutant, applied

__all__ = ["Caught", "main"]

ROOT = Path(__file__).parents[2]
SEEDS_MAX = 60
"""In which a bug has to show."""
CHILD_S_MAX = 1_800.0


class Caught(msgspec.Struct, frozen=True, kw_only=True):
    """What a child says: the first seed that broke a law, and which; or none."""

    seeds: int
    """So many were run, the last of which showed it."""
    law: int | None = None
    message: str = ""


def _try(mutant: Mutant, seeds_max: int) -> Caught:
    """Run seeds on a copy with the bug, until one breaks a law."""
    with tempfile.TemporaryDirectory(prefix="kcjl-mutant-") as place:
        copy = Path(place) / "kcjl"
        shutil.copytree(ROOT / "kcjl", copy, ignore=shutil.ignore_patterns("__pycache__"))
        for module, text in applied(mutant, copy).items():
            (copy / module).write_text(text, "utf-8")
        # The tests as they are now: who goes on editing them does not disturb a trial.
        shutil.copytree(ROOT / "tests", Path(place) / "tests")
        return _seeds(seeds_max, place)


def _seeds(seeds_max: int, place: str) -> Caught:
    child = subprocess.run(
        [sys.executable, "-P", "-m", "tests.simulation.until_broken", str(seeds_max)],
        env={
            **os.environ,
            "PYTHONPATH": place,
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        cwd=place,
        capture_output=True,
        timeout=CHILD_S_MAX,
        check=False,
    )
    said = child.stdout.decode().strip().splitlines()
    if child.returncode or not said:
        failure = child.stderr.decode().strip().splitlines()[-1:] or ["no word"]
        return Caught(seeds=0, message=f"the child failed: {failure[0]}")
    return msgspec.json.decode(said[-1], type=Caught)


def _chosen(names: Sequence[str]) -> Iterator[Mutant]:
    for mutant in MUTANTS:
        if not names or any(name in mutant.name for name in names):
            yield mutant


def _row(mutant: Mutant, caught: Caught) -> str:
    if caught.law is None:
        return f"| {mutant.name} | **not caught**: {caught.message} | {caught.seeds} |"
    law = f"law {caught.law}" if caught.law else "liveness"
    return f"| {mutant.name} | {law}, {caught.message.split(':')[0]} | {caught.seeds} |"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the bugs that were asked for; 1 when one is not seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutations")
    parser.add_argument("name", nargs="*", help="part of a bug's name; none: all")
    parser.add_argument("--seeds", type=int, default=SEEDS_MAX)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="name them, and try none")
    asked = parser.parse_args(arguments)
    chosen = list(_chosen(asked.name))
    if asked.list:
        _say("\n".join(mutant.name for mutant in chosen))
        return 0
    for mutant in chosen:  # a text that is gone ends it here, before anything is tried
        applied(mutant, ROOT / "kcjl")
    missed = 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        tried = pool.map(lambda mutant: _try(mutant, asked.seeds), chosen)
        _say("| Bug | First seen by | Seeds |\n|---|---|---|")
        for mutant, caught in zip(chosen, tried, strict=True):
            missed += caught.law is None
            _say(_row(mutant, caught))
    _say(f"{len(chosen) - missed} of {len(chosen)} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
