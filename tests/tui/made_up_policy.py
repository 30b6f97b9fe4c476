"""Made-up policies, their versions, and what a proposed one would change."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from kcjl.readmodels import Freshness
from kcjl.readmodels_policy import (
    PolicyCut,
    PolicyKind,
    PolicyRow,
    PolicyStory,
    PolicyVersion,
    WhatIf,
)

__all__ = ["FakePolicy", "some_policies"]

NOON = datetime(2026, 7, 7, 11, 0, 0, tzinfo=UTC)
_TEXT = """note = "for the sale"

[[rules]]
name = "house"
buffer = 9
"""


class FakePolicy:
    """Implements `kcjl.readmodels_policy.PolicyReading`."""

    def __init__(
        self, asked: Callable[[str], Awaitable[None]], fresh: Callable[[], Freshness]
    ) -> None:
        self._asked = asked
        self._fresh = fresh
        self.rows: tuple[PolicyRow, ...] = ()

    async def policies(self, *, limit: int = 2_000) -> PolicyCut:
        await self._asked(f"policies limit={limit}")
        return PolicyCut(rows=self.rows[:limit], total=len(self.rows), fresh=self._fresh())

    async def versions(self, key: str) -> PolicyStory:
        await self._asked(f"versions {key}")
        said = tuple(
            PolicyVersion(
                version=version,
                what="proposed" if version == 4 else "approved",
                text=_TEXT,
                reason="" if version == 4 else "agreed with the warehouse",
                by="jo" if version == 4 else "ann",
                position=12_000 + version,
                occurred_at=NOON - timedelta(days=9 * (5 - version)),
                recorded_at=NOON - timedelta(days=9 * (5 - version)),
            )
            for version in (4, 3)
        )
        return PolicyStory(key=key, versions=said, total=7)

    async def what_if(self, version: int) -> WhatIf | None:
        await self._asked(f"what_if {version}")
        if version != 4:
            return None
        return WhatIf(
            version=4,
            changes=214,
            products=18_244,
            units_now=91_002,
            units_then=85_240,
            largest=(
                ("SOFA-0001/L", 12, 5, "buffer -9 (held back from each, house)"),
                ("CHAIR-0003", 6, 0, "buffer -9 (held back from each, house)"),
            ),
            unmet=("rule 'yule': no offer has the SKU 'TREE-1'",),
        )


def _row(
    kind: PolicyKind,
    name: str,
    says: str,
    state: str = "in force",
    *,
    version: int = 0,
    by: str = "",
    value: str = "",
    nearest: tuple[str, ...] = (),
) -> PolicyRow:
    return PolicyRow(
        key=f"{kind}:{name.casefold() or f'version:{version}'}",
        kind=kind,
        name=name,
        says=says,
        state=state,
        version=version,
        since=NOON - timedelta(days=3 * version, minutes=7) if version else None,
        by=by,
        value=value,
        nearest=nearest,
    )


def some_policies() -> tuple[PolicyRow, ...]:
    stock, carrier, account = PolicyKind.STOCK, PolicyKind.CARRIER, PolicyKind.ACCOUNT
    return (
        _row(stock, "", "1 rule: for the sale", "proposed", version=4, by="jo"),
        _row(stock, "", "2 rules", version=3, by="ann"),
        _row(stock, "house", "buffer 2 for everything", version=3, by="ann"),
        _row(
            stock,
            "yule",
            "cap 5 for SKUs TREE-1 from 12-01 until 12-24",
            "not today",
            version=3,
            by="ann",
        ),
        _row(carrier, "Royal Post", "no carrier", "waiting", nearest=("RM", "RMSD")),
        _row(carrier, "DPD Local", "DPD (DPD)", "mapped", version=2, by="jo", value="DPD"),
        _row(carrier, "Parcelforce", "PF (Parcelforce)", "same name", value="PF"),
        _row(carrier, "Van", "no carrier", "none"),
        _row(account, "bank", "1200", version=1, by="finance", value="1200"),
        _row(
            account,
            "commission",
            "Marketplace Commission, tax code T1",
            value="Marketplace Commission",
        ),
        _row(PolicyKind.TERMS, "", "VAT 20 %; 1 rate", version=1, by="finance"),
        _row(PolicyKind.TERMS, "1 sofas", "18 %, shipping too", version=1, by="finance"),
        _row(PolicyKind.ROUTING, "", "1 rule", version=2, by="jo"),
        _row(PolicyKind.ROUTING, "money", "finance has Money", version=2, by="jo"),
        _row(
            PolicyKind.ACCEPTANCE,
            "",
            "accepts known and available; at 95 % of the time: leave; 1 rule",
            version=1,
            by="the settings",
        ),
        _row(
            PolicyKind.ACCEPTANCE,
            "dear",
            "holds orders above 1,000.00 GBP",
            version=1,
            by="the settings",
        ),
    )
