"""Run benchmarks: `python -m tests.benchmarks [NAME …] [--rounds N] [--json] [--plot FILE]`.

Without a name it lists them. Each is run beside a peer, on the same server, in the same run;
the peer's library is the extra `bench`, and without it the peer's columns stay empty.
Exit code 1 when a goal was not reached.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import anyio
import msgspec

from kcjl.collector import settle_collector
from tests.benchmarks import (
    adapters,
    appending,
    closing,
    desking,
    dispatching,
    moneying,
    monitoring,
    ordering,
    oversell,
    projecting,
    remembering,
    replaying,
    settling,
    simulating,
    starting,
    stocking,
    subscribing,
    trading,
    travelling,
)
from tests.benchmarks.places import place
from tests.benchmarks.rows import Figure, Row

BENCHMARKS = {
    "log": appending,
    "replay": replaying,
    "adapters": adapters,
    "subscribe": subscribing,
    "projections": projecting,
    "memory": remembering,
    "start": starting,
    "simulation": simulating,
    "stock": stocking,
    "oversell": oversell,
    "desk": desking,
    "dispatch": dispatching,
    "orders": ordering,
    "settlement": settling,
    "trade": trading,
    "money": moneying,
    "close": closing,
    "timetravel": travelling,
    "tui": monitoring,
}
"""Each has a head that says what it measures, and `benchmark(place, rounds=, say=)`."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("name", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="oversell: draw its curve")
    given = parser.parse_args()
    if not given.name:
        for name, module in BENCHMARKS.items():
            summary = (module.__doc__ or "").partition("\n")[0].partition(": ")[2]
            sys.stdout.write(f"{name:<10} {summary}\n")
        return 0
    settle_collector()  # as the service does
    rows = anyio.run(_run, given.name, given.rounds, given.plot)
    for row in rows:
        sys.stdout.write(_as_json(row) if given.json else _as_text(row))
    return 1 if any(row.holds is False for row in rows) else 0


async def _run(names: list[str], rounds: int, plot: Path | None) -> list[Row]:
    rows: list[Row] = []
    async with place() as server:
        for name in names:
            benchmark = BENCHMARKS[name].benchmark
            if name == "oversell":
                benchmark = partial(benchmark, plot=plot)
            rows += await benchmark(server, rounds=rounds, say=_say)
    return rows


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _as_json(row: Row) -> str:
    return msgspec.json.encode(row).decode() + "\n"


def _as_text(row: Row) -> str:
    line = f"{row.name:<38} {_shown(row.ours):>30} {row.unit:<8}"
    if row.peer is not None and row.ratio is not None:
        line += f" {row.ratio:>7.2f} × {row.peer_name} {_shown(row.peer)}"
    if row.goal:
        line += f"; goal: {row.goal}, {'reached' if row.holds else 'MISSED'}"
    return line + "\n"


def _shown(figure: Figure) -> str:
    form = ",.0f" if figure.median >= 100 else ".2f"
    return f"{figure.median:{form}} ({figure.least:{form}}–{figure.most:{form}})"


if __name__ == "__main__":
    sys.exit(main())
