"""`python -m tests.simulation --seeds A..B [--jobs N] [--resume FILE] [--scenario FILE]`.

Runs the seeds and says how it goes: seeds and events a second, simulated days, faults by kind.
A seed that breaks a law is made smaller and printed with the commit, the law and the history
that leads to it; exit code 1. `--resume` keeps what was done in a file, and goes on from there.
`--scenario` runs one scenario out of a file of JSON, as a failure prints it; `--history` prints
all that happened in it. `--as-drawn` leaves a failure as large as it is.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.simulation.laws import Broken
from tests.simulation.minimise import minimised
from tests.simulation.run import Run, run_scenario
from tests.simulation.scenario import Scenario, draw
from tests.simulation.seeds import Tally, chunks

__all__ = ["main"]

SAY_EVERY_S = 10.0
HISTORY_LINES = 120
"""Of the smallest history, the last so many are printed."""
SECONDS_A_DAY = 86_400.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 1 when a law was broken."""
    given = _asked(arguments)
    if given.scenario is not None:
        scenario = msgspec.json.decode(Path(given.scenario).read_bytes(), type=Scenario)
        return _one(scenario, history=given.history)
    first, last = given.seeds
    if first == last and given.history:
        return _one(draw(first), history=True)
    tally = _many(first, last, jobs=given.jobs, resume=given.resume)
    for seed in tally.failed[: given.failures]:
        _explain(seed, as_drawn=given.as_drawn)
    return 1 if tally.failed else 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=_span, default=(1, 20), metavar="A..B")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--resume", type=Path, default=None, metavar="FILE")
    parser.add_argument("--scenario", default=None, metavar="FILE")
    parser.add_argument("--history", action="store_true", help="print all that happened")
    parser.add_argument("--as-drawn", action="store_true", help="do not make failures smaller")
    parser.add_argument("--failures", type=int, default=3, help="explain so many at most")
    return parser.parse_args(arguments)


def _span(text: str) -> tuple[int, int]:
    first, _, last = text.partition("..")
    return int(first), int(last or first)


# ── many ────────────────────────────────────────────────────────────────────────────────────


def _many(first: int, last: int, *, jobs: int, resume: Path | None) -> Tally:
    tally = Tally(next_seed=first)
    if resume is not None and resume.exists():
        tally = msgspec.json.decode(resume.read_bytes(), type=Tally)
        _say(f"going on with seed {tally.next_seed}: {tally.seeds:,} were run")
    began, said, before = time.monotonic(), time.monotonic(), tally.seeds
    for reached, chunk in chunks(tally.next_seed, last, jobs):
        tally.add(chunk)
        tally.next_seed = reached
        for seed in chunk.failed:
            _say(f"seed {seed} breaks a law")
        if resume is not None:
            tally.keep(resume)
        if time.monotonic() - said > SAY_EVERY_S:
            said = time.monotonic()
            _say(f"seed {reached - 1:,} of {last:,}, {len(tally.failed)} failed")
    took_s = max(time.monotonic() - began, 1e-9)
    sys.stdout.write(_told(tally, tally.seeds - before, took_s))
    sys.stdout.flush()
    return tally


def _told(tally: Tally, seeds: int, took_s: float) -> str:
    days = tally.virtual_s / SECONDS_A_DAY
    lines = [
        f"commit     {_commit()}",
        f"seeds      {tally.seeds:,}, {seeds / took_s:.2f} a second in this sitting",
        f"failed     {len(tally.failed)}{_named(tally.failed)}",
        f"simulated  {days:,.0f} days, {tally.orders:,} orders",
        f"           {tally.events:,} events, {tally.calls:,} calls outside",
        "reached    " + (", ".join(_shares(tally)) or "nothing"),
        "faults     " + (", ".join(f"{k} {n:,}" for k, n in tally.faults.items()) or "none"),
    ]
    return "\n".join(lines) + "\n"


def _shares(tally: Tally) -> list[str]:
    """Of the seeds, in how many there was something of each kind to judge."""
    return [f"{kind} {100 * seeds // tally.seeds} %" for kind, seeds in tally.said.items()]


def _named(failed: Sequence[int]) -> str:
    named = ", ".join(map(str, failed[:20]))
    return "" if not failed else f": {named}{', …' if len(failed) > 20 else ''}"


# ── one ─────────────────────────────────────────────────────────────────────────────────────


def _one(scenario: Scenario, *, history: bool) -> int:
    run = run_scenario(scenario, keep_lines=history)
    if history:
        sys.stdout.write("\n".join(run.lines) + "\n")
    _tell(run)
    return 1 if run.broken else 0


def _explain(seed: int, *, as_drawn: bool) -> None:
    """Make a failure small, and print how to see it again."""
    scenario = draw(seed)
    broken = run_scenario(scenario).broken
    if broken and not as_drawn:
        _say(f"seed {seed} is made smaller")
        scenario = minimised(scenario, broken[0], run=_broken)
    run = run_scenario(scenario, keep_lines=True)
    sys.stdout.write(f"\nseed {seed}, commit {_commit()}\n")
    _tell(run)
    shown = run.lines[-HISTORY_LINES:]
    sys.stdout.write(
        f"the smallest scenario that was found (python -m tests.simulation --scenario FILE "
        f"--history):\n{msgspec.json.encode(scenario).decode()}\n"
        f"the last {len(shown)} lines of its history:\n" + "\n".join(shown) + "\n"
    )
    sys.stdout.flush()


def _broken(scenario: Scenario) -> tuple[Broken, ...]:
    return run_scenario(scenario).broken


def _tell(run: Run) -> None:
    faults = ", ".join(f"{kind} {number}" for kind, number in run.faults_by_kind.items())
    sys.stdout.write(
        f"trace {run.trace_hash}\n"
        f"{run.virtual_s / 3600:.1f} virtual hours, {run.orders} orders, "
        f"{run.events:,} events, {run.calls:,} calls outside, {run.steps:,} steps\n"
        f"faults: {faults or 'none'}\n"
    )
    for broken in run.broken:
        sys.stdout.write(f"BROKEN {broken}\n")


def _commit() -> str:
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        capture_output=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return said.stdout.decode().strip() or os.environ.get("KCJL_COMMIT", "unknown")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
