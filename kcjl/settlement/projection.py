"""Settlement, the read models: one row a payout, one row a transaction line."""

from kcjl.projections.projection import Projection
from kcjl.settlement.state import CYCLES, LINES, Line

__all__ = ["LINES_SHOWN", "PAYOUTS_SHOWN"]


def _line_state(line: Line) -> str:
    if line.seen.order_id is None:
        return "cycle"
    return "tied" if line.tied_to else "untied"


PAYOUTS_SHOWN = Projection("payouts", CYCLES, lambda cycle: cycle.state.value)
LINES_SHOWN = Projection("settlement_lines", LINES, _line_state)
