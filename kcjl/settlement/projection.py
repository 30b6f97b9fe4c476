"""Settlement, the read models: one row a payout, a transaction line, an invoice of theirs."""

from kcjl.projections.projection import Projection
from kcjl.settlement.state import CYCLES, INVOICES, LINES, Invoiced, Line

__all__ = ["INVOICES_SHOWN", "LINES_SHOWN", "PAYOUTS_SHOWN"]


def _line_state(line: Line) -> str:
    if line.seen.order_id is None:
        return "cycle"
    return "tied" if line.tied_to else "untied"


def _invoice_state(invoice: Invoiced) -> str:
    if invoice.document is not None:
        return "filed"
    return "missing" if invoice.missing else "waiting"


PAYOUTS_SHOWN = Projection("payouts", CYCLES, lambda cycle: cycle.state.value)
LINES_SHOWN = Projection("settlement_lines", LINES, _line_state)
INVOICES_SHOWN = Projection("operator_invoices", INVOICES, _invoice_state)
