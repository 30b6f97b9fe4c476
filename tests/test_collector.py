"""The collector's settings: calm, and still there."""

import subprocess
import sys

ASK = """
import gc
from kcjl.collector import settle_collector
settle_collector()
class Ring: pass
ring = Ring()
ring.itself = ring
import weakref
there = weakref.ref(ring)
del ring
kept = []
for number in range(10_100):
    kept.append([number])
print(gc.isenabled(), gc.get_freeze_count() > 0, there() is None)
"""


def test_settled_collector_still_finds_cycles_by_itself() -> None:
    """What was loaded is set aside, and a new cycle goes without being asked for."""
    said = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, check=True, timeout=20
    )

    assert "True True True" == said.stdout.strip()
