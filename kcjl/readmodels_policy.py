"""What people look at of policy: every rule and map that is in force, and its versions.

Promises: policy is history: each version says since when it holds, who said so and why, and
where it stands in the log. A list that is cut says how long it really is. It changes nothing.
Called by the monitor. Implemented by `kcjl/projections/policyview.py`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from kcjl.readmodels import Freshness

__all__ = [
    "VERSIONS_MAX",
    "PolicyCut",
    "PolicyKind",
    "PolicyReading",
    "PolicyRow",
    "PolicyStory",
    "PolicyVersion",
    "WhatIf",
]

VERSIONS_MAX = 50
"""Versions of one story: the newest; the log has the others."""
POLICY_ROWS_MAX = 2_000


class PolicyKind(StrEnum):
    """What is policy here, in the order in which it is listed."""

    STOCK = "stock"
    CARRIER = "carrier"
    ACCOUNT = "account"
    TERMS = "terms"
    ROUTING = "routing"
    ACCEPTANCE = "acceptance"


class PolicyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One document, one of its rules, one courier of the map, or one role of the accounts."""

    key: str
    kind: PolicyKind
    name: str
    """Of a rule, courier or role; empty: the whole document."""
    says: str
    """What it says, in a line."""
    state: str
    """in force, to come, proposed, not today; of a courier also waiting, gone and none."""
    version: int
    """0: nobody has said it, it is the house's own."""
    since: datetime | None
    by: str
    value: str = ""
    """What can be changed by itself: the carrier's code, the nominal account."""
    nearest: tuple[str, ...] = ()
    """Carrier codes that are near to a courier that has none."""


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What was said, by whom and when."""

    version: int
    what: str
    """proposed, approved, set, mapped or withdrawn."""
    text: str
    """The whole of it, as it is written."""
    reason: str
    by: str
    position: int
    occurred_at: datetime
    recorded_at: datetime
    valid_from: datetime | None = None
    """Where it is another time than when it was said."""


class PolicyStory(msgspec.Struct, frozen=True, kw_only=True):
    """All that was said of one row, newest first."""

    key: str
    versions: tuple[PolicyVersion, ...]
    total: int
    """Versions there are; the newest are here."""


class PolicyCut(msgspec.Struct, frozen=True, kw_only=True):
    """All policies, by kind."""

    rows: tuple[PolicyRow, ...]
    total: int
    fresh: Freshness


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What the proposed stock policy would change if it were in force now."""

    version: int
    changes: int
    products: int
    units_now: int
    units_then: int
    largest: tuple[tuple[str, int, int, str], ...]
    """(SKU, now, then, because), the largest change first."""
    unmet: tuple[str, ...]


class PolicyReading(Protocol):
    """What can be asked of policy."""

    async def policies(self, *, limit: int = POLICY_ROWS_MAX) -> PolicyCut: ...

    async def versions(self, key: str) -> PolicyStory:
        """All that was said of a row, by its key; empty for one that nobody has spoken of."""
        ...

    async def what_if(self, version: int) -> WhatIf | None:
        """Worked out over every product, so it takes its time; None: it is not proposed."""
        ...
