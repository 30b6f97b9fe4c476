"""What figures are worked out under: the policy in force, the day, the lag, the feed.

Promises: pure; one sum for all who ask for it: publishing, `show`, `list`, `explain`, previews.
Time counts in steps only: London's day, and lags in steps of a quarter. So figures change with
what was read or ordered, and otherwise together, when one of the conditions does.
Invariant: a figure depends on the products of its stock code and on the conditions, on nothing
else. Called by `publishing.py`, `decide.py`, `preview.py` and `explained.py`.
"""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from kcjl.stock.available import (
    Available,
    Circumstances,
    Staleness,
    available_to_sell,
    shelf_of,
)
from kcjl.stock.policy import LONDON, PolicyDocument, london_day
from kcjl.stock.policy_book import Approved, PolicyBook
from kcjl.stock.policy_rules import InForce, Rules, strictest
from kcjl.stock.publishing_state import Publishing
from kcjl.stock.reads import Reads
from kcjl.stock.selling import Selling
from kcjl.stock.state import Product

__all__ = [
    "Conditions",
    "conditions_at",
    "conditions_told",
    "group_key",
    "rules_of",
    "stepped",
    "worked_out",
]

READ_TO_SHOWN_S = 120.0
"""Before the first import has been measured: a minute's wait, and the import."""
STEP = 1.25
STEP_S_MIN = 60.0


class Conditions:
    """The conditions at a moment, equal as long as no figure changes by them."""

    def __init__(
        self,
        rules: Rules,
        *,
        day: date,
        lag_s: float = 0.0,
        staleness: Staleness = Staleness.FRESH,
        stale_lag_s: float = 0.0,
    ) -> None:
        self.rules = rules
        self.day = day
        self.at = datetime.combine(day, time(), LONDON).astimezone(UTC)
        self.lag_s = lag_s
        self.staleness = staleness
        self.stale_lag_s = stale_lag_s

    @property
    def version(self) -> int:
        return self.rules.version

    @property
    def key(self) -> tuple[object, ...]:
        """What they are told apart by; a version is one document for ever."""
        return (self.version, self.day, self.lag_s, self.staleness, self.stale_lag_s)

    def moves_all_since(self, before: "Conditions | None") -> bool:
        """Whether other figures may change than those of products that sell: another policy,
        or a window of it that opens or closes. What else there is only moves speed buffers.
        """
        return (
            before is None
            or before.version != self.version
            or self.rules.changes_between(before.day, self.day)
        )

    def under(self, document: PolicyDocument) -> "Conditions":
        """The same under another policy."""
        return Conditions(
            Rules(document, self.version + 1),
            day=self.day,
            lag_s=self.lag_s,
            staleness=self.staleness,
            stale_lag_s=self.stale_lag_s,
        )

    def in_force(self, group: Sequence[Product]) -> InForce:
        """The strictest of what holds for each of their offers."""
        said = [
            self.rules.in_force(shown.sku, shown.category_code, self.day)
            for product in group
            for shown in product.shown
        ]
        if not said:
            said = [self.rules.in_force(product.sku, "", self.day) for product in group]
        return strictest(said)


def conditions_at(
    book: PolicyBook,
    publishing: Publishing,
    reads: Reads | None,
    now: datetime,
    *,
    poll_s: float,
    known: Rules | None = None,
) -> Conditions | None:
    """None before the first policy. `known`: those of the last time, with what they know."""
    policy = book.in_force(now)
    if policy is None:
        return None
    rules = known if known and known.version == policy.version else rules_of(policy)
    lag_s, age_s = _lag_s(publishing, poll_s), 0.0
    staleness = Staleness(publishing.stale) if publishing.stale else Staleness.FRESH
    if staleness is not Staleness.FRESH and reads and reads.stock_began_at:
        age_s = (now - reads.stock_began_at).total_seconds()
    return Conditions(
        rules,
        day=london_day(now),
        lag_s=stepped(lag_s),
        staleness=staleness,
        stale_lag_s=stepped(_lag_s(publishing, max(age_s, poll_s))) if age_s else 0.0,
    )


def conditions_told(
    policy: Approved | None,
    reads: Reads | None,
    at: datetime,
    *,
    lag_s: float,
    stale: str,
) -> Conditions:
    """Those of the last figures, for whoever asks about them. `lag_s`: as they have it."""
    lag_s = lag_s or stepped(READ_TO_SHOWN_S)
    began_at = reads.stock_began_at if reads else None
    age_s = max((at - began_at).total_seconds(), 0.0) if began_at else 0.0
    return Conditions(
        rules_of(policy),
        day=london_day(at),
        lag_s=lag_s,
        staleness=Staleness(stale) if stale else Staleness.FRESH,
        stale_lag_s=stepped(lag_s + age_s) if stale else 0.0,
    )


def rules_of(policy: Approved | None) -> Rules:
    """The rules of a policy, or of none."""
    return Rules(
        policy.document if policy else PolicyDocument(), policy.version if policy else 0
    )


def _lag_s(publishing: Publishing, poll_s: float) -> float:
    """How old the level behind a shown figure may be: a poll, and the way to the marketplace.

    The order's way to the ERP is not in it: other channels sell on meanwhile, but what holds
    that back turns away many sales for each order that it saves (decision 0014).
    """
    shown_s = publishing.lag_p95_s
    return poll_s + (READ_TO_SHOWN_S if shown_s is None else shown_s)


def stepped(seconds: float) -> float:
    """The lag, up to the next step: so small a change of it moves no figure.

    >>> stepped(60), stepped(61), stepped(75)
    (60.0, 75.0, 75.0)
    """
    if seconds <= STEP_S_MIN:
        return STEP_S_MIN
    steps = math.ceil(round(math.log(seconds / STEP_S_MIN, STEP), 6))
    return float(math.ceil(round(STEP_S_MIN * STEP**steps, 6)))


def group_key(product: Product) -> str:
    """Products with the same key share one figure; one without a stock code is alone."""
    return product.code_key or f"\0{product.key}"


def worked_out(group: Sequence[Product], conditions: Conditions) -> Available:
    """Available to sell of the stock code that the products share."""
    return available_to_sell(
        shelf_of(group),
        Circumstances(
            rules=conditions.in_force(group),
            at=conditions.at,
            selling=_selling(group),
            lag_s=conditions.lag_s,
            staleness=conditions.staleness,
            stale_lag_s=conditions.stale_lag_s,
        ),
    )


def _selling(group: Sequence[Product]) -> Selling | None:
    """Of one level told under several SKUs, the longest history."""
    known = [each.selling for each in group if each.selling is not None]
    return min(known, key=lambda each: each.first_at, default=None)
