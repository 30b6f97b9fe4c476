"""A child process: simulate three days of 200 orders, and say what it cost.

Called by simulating.py. With `--profile` it says on stderr where the time goes.
"""

import cProfile
import pstats
import sys
import time
from unittest.mock import patch

import msgspec

from tests.benchmarks.simulating import Measured
from tests.simulation import run as simulation
from tests.simulation.laws import Broken, Evidence, judge
from tests.simulation.scenario import Scenario

DAYS = 3
ORDERS_A_DAY = 200.0
SECONDS_A_DAY = 86_400.0
SHOWN = 40


def main(seed: int, *, profiled: bool) -> None:
    """Run it once; time is the processor's."""
    processor_s = time.process_time
    judged_s = 0.0

    def timed(evidence: Evidence) -> list[Broken]:
        nonlocal judged_s
        began = processor_s()
        broken = judge(evidence)
        judged_s += processor_s() - began
        return broken

    scenario = Scenario(seed=seed, days=DAYS, orders_a_day=ORDERS_A_DAY, skus=120)
    profile = cProfile.Profile()
    began = processor_s()
    if profiled:
        profile.enable()
    with patch.object(simulation, "judge", timed):
        done = simulation.run_scenario(scenario)
    profile.disable()
    measured = Measured(
        days=done.virtual_s / SECONDS_A_DAY,
        orders=done.orders,
        events=done.events,
        run_s=processor_s() - began - judged_s,
        judged_s=judged_s,
    )
    sys.stdout.write(msgspec.json.encode(measured).decode() + "\n")
    if profiled:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(SHOWN)


if __name__ == "__main__":
    main(int(sys.argv[1]), profiled="--profile" in sys.argv)
