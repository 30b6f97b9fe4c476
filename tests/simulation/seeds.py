"""Many seeds, in one process or in several, and what came of them together.

Promises: `chunks` gives the seeds' outcomes in order, so that whoever keeps the last can go on
from there. A run in a child process is the same run.
Called by the command and by the tests.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import msgspec

from tests.simulation.run import run_scenario
from tests.simulation.scenario import draw

__all__ = ["Tally", "chunks", "run_span"]

CHUNK_SEEDS = 5


class Tally(msgspec.Struct, kw_only=True):
    """What was run so far: kept in the file of `--resume`."""

    seeds: int = 0
    events: int = 0
    calls: int = 0
    orders: int = 0
    virtual_s: float = 0.0
    faults: dict[str, int] = {}
    said: dict[str, int] = {}
    """In how many seeds each type of event came: what the laws had to judge."""
    failed: list[int] = []
    next_seed: int = 0
    """All before it were run."""

    def add(self, other: "Tally") -> None:
        self.seeds += other.seeds
        self.events += other.events
        self.calls += other.calls
        self.orders += other.orders
        self.virtual_s += other.virtual_s
        self.faults = dict(sorted((Counter(self.faults) + Counter(other.faults)).items()))
        self.said = dict(sorted((Counter(self.said) + Counter(other.said)).items()))
        self.failed = sorted({*self.failed, *other.failed})

    def keep(self, file: Path) -> None:
        """So that it is there whole, or as it was before."""
        half = file.with_suffix(f"{file.suffix}.part")
        half.write_bytes(msgspec.json.encode(self))
        half.replace(file)


def chunks(first: int, last: int, jobs: int) -> Iterator[tuple[int, Tally]]:
    """(the seed before which all are run, what a chunk was), in order of the seeds."""
    spans = [
        (start, min(start + CHUNK_SEEDS - 1, last))
        for start in range(first, last + 1, CHUNK_SEEDS)
    ]
    if jobs <= 1:
        for start, stop in spans:
            yield stop + 1, run_span(start, stop)
        return
    done: dict[int, Tally] = {}
    at = 0
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(run_span, *span): span for span in spans}
        for finished in as_completed(running):
            done[running[finished][0]] = finished.result()
            while at < len(spans) and spans[at][0] in done:
                yield spans[at][1] + 1, done.pop(spans[at][0])
                at += 1


def run_span(first: int, last: int) -> Tally:
    """Run these seeds in this process."""
    tally = Tally()
    for seed in range(first, last + 1):
        run = run_scenario(draw(seed))
        tally.add(
            Tally(
                seeds=1,
                events=run.events,
                calls=run.calls,
                orders=run.orders,
                virtual_s=run.virtual_s,
                faults=dict(run.faults_by_kind),
                said=dict.fromkeys(run.said, 1),
                failed=[seed] if run.broken else [],
            )
        )
    return tally
