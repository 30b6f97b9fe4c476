"""The main screens: their names, their number keys, and what they are for.

Promises: the same nine everywhere: in the header, on the keys, in the palette and on the
command line. Called by the registry of actions, the header and the app.
"""

import msgspec

__all__ = ["PLACES", "Place"]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    key: str
    label: str
    help: str
    names: tuple[str, ...] = ()
    """Other words for it on the command line."""


PLACES = (
    Place(
        name="overview",
        key="1",
        label="Overview",
        names=("home",),
        help="The four lanes (Stock, Orders, Dispatch, Money) and the latest events.",
    ),
    Place(
        name="stock",
        key="2",
        label="Stock",
        names=("skus", "sku"),
        help="What can be sold of each SKU, what is shown, and why.",
    ),
    Place(
        name="orders",
        key="3",
        label="Orders",
        names=("order",),
        help="Every order: where it stands, until when, and its life.",
    ),
    Place(
        name="dispatch",
        key="4",
        label="Dispatch",
        names=("parcels", "parcel"),
        help="Parcels to confirm, confirmed, or of unknown outcome; who is late.",
    ),
    Place(
        name="money",
        key="5",
        label="Money",
        names=("payouts", "payout"),
        help="Payouts: expected, stated, banked, the residue, and the journal.",
    ),
    Place(
        name="exceptions",
        key="6",
        label="Exceptions",
        names=("exc", "exception", "desk"),
        help="The work list: what went wrong, whose it is, how long is left.",
    ),
    Place(
        name="log",
        key="7",
        label="Log",
        names=("events", "event"),
        help="Every event, oldest first, following the newest.",
    ),
    Place(
        name="health",
        key="8",
        label="Health",
        names=("service",),
        help="Workers, reads, call limits, clocks, the chain, and the last faults.",
    ),
    Place(
        name="policy",
        key="9",
        label="Policy",
        names=("policies", "maps"),
        help="Buffer rules, carrier and account maps, with their versions.",
    ),
)
"""In the order of their keys."""
