"""What each pane shows, in trade words: the text behind F1.

Promises: every pane that can be focused is explained (a test goes through them), and the
seconds at which an age changes its sign are written out. Called by the app.
"""

from tui.model.freshness import AgeLimits
from tui.model.log import WINDOW_EVENTS_MAX

__all__ = ["PANES", "explanation"]

PANES: dict[str, tuple[str, str]] = {
    "lane-stock": (
        "Stock",
        (
            "Offers on the marketplace against what the ERP says is there. Done: figures "
            "that the marketplace has acknowledged. Waiting: changes on their way. "
            "Excepted: SKUs that need a person, for example because no stock code is "
            "confirmed for them."
        ),
    ),
    "lane-orders": (
        "Orders",
        (
            "Marketplace orders on their way into the ERP. Done: posted there and the "
            "number written back. Waiting: not yet accepted, not yet ready, or being "
            "posted. Excepted: held for a person. Oldest due is the closest acceptance or "
            "posting deadline."
        ),
    ),
    "lane-dispatch": (
        "Dispatch",
        (
            "Parcels that the warehouse has shipped, to be confirmed on the marketplace "
            "with carrier and tracking number. Waiting: not confirmed yet. Oldest due is "
            "the closest shipping deadline; past it, the sale counts as late."
        ),
    ),
    "lane-money": (
        "Money",
        (
            "Payouts and their statement lines, each tied to its order and to the ERP. "
            "Done: closed with a residue of zero or named pence. Excepted: pence that are "
            "not explained."
        ),
    ),
    "lane": (
        "Lane",
        (
            "One concern at a glance: what is done, what waits, what needs a person, and "
            "the closest deadline."
        ),
    ),
    "feed": (
        "Latest events",
        (
            "What the service has just recorded, newest at the bottom. The list follows "
            "while the cursor is on the last row; move up and it holds still."
        ),
    ),
    "exceptions": (
        "Exceptions",
        (
            "The work list, most urgent first, as the service ranks it: by deadline and by "
            "money at risk. The same condition seen again is the same row. A row leaves by "
            "itself when its condition has cleared."
        ),
    ),
    "money": (
        "Money",
        (
            "Billing cycles of the marketplace and the payouts that they become: held ones "
            "first, then the newest. Stated: what the marketplace says that it pays. "
            "Expected: what its lines should have come to, by the prices and the terms. "
            "Banked: what has come into the bank, as somebody or a statement says. Residue: "
            "what is stated less its lines. ✖ HELD waits for a person; ▲ ENTER has a journal "
            "that is in no ledger yet. The row «next» is what is on no payout yet: "
            "its day by day is in the detail. w: the sum with the event of each part, and "
            "each penny's way from the payout to its order and to the journal."
        ),
    ),
    "health": (
        "Health",
        (
            "The service itself, what is wrong first: its rooms (by their newest event), jobs "
            "that do not run, what is read of the outside and how late, the calls of the last "
            "hour (p95: nineteen of twenty were quicker), the read models' distance from the "
            "log, the lease (who serves this merchant), and what the service's watch has "
            "found: clocks that differ, a broken chain, a full disk, certificates. ● is as it "
            "should be, ▲ is to be looked at, ✖ is wrong, ? is not known. It is made of what "
            "was recorded, so it is there while the service is down. The lease and the read "
            "models are known only as they are now, also when another time is looked at."
        ),
    ),
    "orders": (
        "Orders",
        (
            "Orders that somebody or something is waited for, soonest deadline first; then the "
            "newest that have ended. TO says what the deadline is of: accept at the "
            "marketplace, or ship. A word in the filter is looked for beyond what is loaded: "
            "in every order's id, else in what the most urgent hold. enter opens an order, w "
            "shows its life in full width: each event under what caused it, with both clocks."
        ),
    ),
    "dispatch": (
        "Dispatch",
        (
            "Parcels of orders that are not confirmed, soonest deadline first, a line each; an "
            "order of which nothing is shipped is a line by itself. WHOSE says who has to do "
            "the next thing. ✖ is past the marketplace's deadline, ▲ near it or past your own "
            "cut-off. Below: deadlines ahead by the hour, and the marketplace's metrics of the "
            "shop beside the limits of your settings."
        ),
    ),
    "stock": (
        "Stock",
        (
            "One line a SKU, what needs a person first. CAN SELL: the sum that would be "
            "published. SHOWN: what the marketplace shows as far as we know, ? where that is "
            "not known. LEVEL: what the ERP has free. IN FLIGHT: orders that the level does "
            "not know yet. HELD: units that buffers hold back. SENT: on its way. ACK AGE: "
            "since the marketplace acknowledged our figure. w shows the sum with its events; "
            "a word in the filter also finds SKUs beyond those that are loaded."
        ),
    ),
    "policy": (
        "Policy",
        (
            "Rules and maps by kind: stock policy, carrier map, account map, commission terms, "
            "routing of exceptions, acceptance of orders. Each line says since when it holds "
            "and who said so; «the house» is what holds until somebody says otherwise. w shows "
            "the whole text and the versions before; v works out what a proposed stock policy "
            "would change."
        ),
    ),
    "log": (
        "Log",
        (
            "The event log itself, oldest first: nothing is known that is not in it. The "
            "list follows the newest only while the cursor is on the last row. The filter "
            f"looks through the events that are loaded, at most {WINDOW_EVENTS_MAX:,}; go to "
            "the top and press g or up again to load older ones."
        ),
    ),
    "detail": (
        "Detail",
        (
            "All about the row under the cursor. For an exception: what happened, the next "
            "step, whose it is, until when. For an event: both clocks (when it was true "
            "outside, when we learnt it), what caused it, the payload, and the hash that "
            "chains it to the event before."
        ),
    ),
}
"""Pane id -> title and text."""

_AGES = (
    "\n\nAges are by the world's clock. This pane's figures: ● under {pane_ageing_s}s, ▲ from "
    "{pane_ageing_s}s, ✖ from {pane_stale_s}s. A lane's last read of the outside: ● under "
    "{lane_ageing_s}s, ▲ from {lane_ageing_s}s, ✖ from {lane_stale_s}s."
)


def explanation(pane: str, limits: AgeLimits) -> tuple[str, str]:
    """Title and text for a pane; an unknown lane is explained as a lane."""
    title, text = PANES.get(pane) or PANES["lane"]
    ages = _AGES.format(
        pane_ageing_s=limits.pane_ageing_s,
        pane_stale_s=limits.pane_stale_s,
        lane_ageing_s=limits.lane_ageing_s,
        lane_stale_s=limits.lane_stale_s,
    )
    return title, text + ages
