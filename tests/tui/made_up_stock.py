"""Made-up SKUs, and why there are so many of them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from kcjl.readmodels import Freshness
from kcjl.readmodels_stock import HeldNow, ProductRow, ProductsCut, ProductStory
from kcjl.stock.events import GuardFinding, HeldFigure
from kcjl.stock.explained import (
    Explained,
    InFlightShown,
    OfferStanding,
    Origin,
    Step,
    TermShown,
)
from kcjl.stock.nearest import Near

__all__ = ["FakeStock", "a_hold", "a_product", "a_story", "some_products"]

NOON = datetime(2026, 7, 7, 11, 0, 0, tzinfo=UTC)

_REFUSED = "refused, and parked until the offer changes or a person retries: offer is closed"
_DRIFTED = "it was found to show 3: foreign writer"
_KINDS: tuple[tuple[str, dict[str, object]], ...] = (
    ("LAMP-{n:04}", {"state": "refused", "waits_for": _REFUSED, "can_be_sold": 4}),
    ("SOFA-{n:04}/L", {"drifted": True, "waits_for": _DRIFTED, "shown": 3}),
    (
        "JL-{n:04}",
        {
            "state": "unmatched",
            "stock_code": "",
            "can_be_sold": 0,
            "shown": 0,
            "level": None,
            "held_back": 0,
            "nearest": ("JL-{n:04}A", "JL-{n:04}/B"),
            "reason": "no stock code of the ERP is confirmed for it",
        },
    ),
    ("CHAIR-{n:04}", {"in_flight": 2, "sent": 6}),
    ("RUG-{n:04}", {"shown": None, "acknowledged": None, "acknowledged_at": None}),
    ("TABLE-{n:04}", {"alias": "TB-{n:04}", "stock_code": "TB-{n:04}"}),
)


class FakeStock:
    """Implements `kcjl.readmodels_stock.StockReading`."""

    def __init__(
        self, asked: Callable[[str], Awaitable[None]], fresh: Callable[[], Freshness]
    ) -> None:
        self._asked = asked
        self._fresh = fresh
        self.rows: tuple[ProductRow, ...] = ()
        self.total: int | None = None
        self.held: HeldNow | None = None
        self.stopped = ""
        self.publishing = True

    async def products(self, *, find: str = "", limit: int = 1_000) -> ProductsCut:
        await self._asked(f"products find={find} limit={limit}")
        return ProductsCut(
            rows=self.rows[:limit],
            total=len(self.rows) if self.total is None else self.total,
            fresh=self._fresh(),
            stopped=self.stopped,
            publishing=self.publishing,
            held=self.held,
            policy_version=3,
        )

    async def story(self, sku: str) -> ProductStory | None:
        await self._asked(f"story {sku}")
        row = next((each for each in self.rows if each.key == sku), None)
        return None if row is None else a_story(row, self._fresh())


def a_product(number: int = 1, **facts: object) -> ProductRow:
    pattern, kind = _KINDS[number % len(_KINDS)]
    sku = pattern.format(n=number)
    told = {name: _numbered(value, number) for name, value in kind.items()}
    row = ProductRow(
        key=sku.casefold(),
        sku=sku,
        stock_code=sku,
        alias="",
        nearest=(),
        state="confirmed",
        offers=1,
        can_be_sold=number % 40 + 1,
        shown=number % 40 + 1,
        level=Decimal(number % 40 + 3),
        in_flight=0,
        held_back=2,
        sent=None,
        acknowledged=number % 40 + 1,
        acknowledged_at=NOON - timedelta(seconds=47 * number),
        level_read_at=NOON - timedelta(seconds=31 * number),
        drifted=False,
        stale=False,
        refused=(),
        reason="",
        waits_for="",
    )
    made = msgspec.structs.replace(row, **told)
    if made.state == "refused":
        made = msgspec.structs.replace(made, refused=(sku,))
    if made.in_flight and made.level is not None:
        made = msgspec.structs.replace(made, level=made.level + made.in_flight)
    return msgspec.structs.replace(made, **facts)


def _numbered(value: object, number: int) -> object:
    if isinstance(value, str):
        return value.format(n=number)
    if isinstance(value, tuple):
        return tuple(_numbered(each, number) for each in value)
    return value


def some_products(count: int) -> tuple[ProductRow, ...]:
    """In the source's order: what needs a person first."""
    made = (a_product(number) for number in range(1, count + 1))
    return tuple(sorted(made, key=lambda row: (_need(row), row.key)))


def _need(row: ProductRow) -> Sequence[bool]:
    return (row.state != "refused", not row.drifted, row.state != "unmatched")


def a_hold() -> HeldNow:
    return HeldNow(
        hold_id="4f1c02aa77",
        since=NOON - timedelta(minutes=9),
        findings=(
            GuardFinding(
                guard="to_zero",
                skus=214,
                offered=18_244,
                examples=(
                    HeldFigure(sku="SOFA-0001/L", before=12, after=0),
                    HeldFigure(sku="CHAIR-0003", before=6, after=0),
                ),
            ),
        ),
    )


def an_origin(position: int, kind: str, *, by: str = "stock", learnt_s: float = 0) -> Origin:
    true = NOON - timedelta(seconds=(12_431 - position) * 3)
    return Origin(
        position=position,
        type=kind,
        occurred_at=true,
        recorded_at=true + timedelta(seconds=learnt_s),
        by=by,
    )


def a_story(row: ProductRow, fresh: Freshness) -> ProductStory:
    read = an_origin(12_401, "LevelRead", learnt_s=41)
    policy = an_origin(8_120, "StockPolicyApproved", by="ann")
    order = an_origin(12_410, "OrderReceived", by="orders", learnt_s=63)
    level = int(row.level or 0)
    terms = [
        TermShown(
            name="level",
            units=level,
            why=f"the ERP has {level} free to sell",
            rule="",
            origins=(read,),
        ),
        TermShown(
            name="in flight",
            units=-row.in_flight,
            why="orders that the level does not know yet",
            rule="",
            origins=(order,),
        ),
        TermShown(
            name="buffer", units=-2, why="held back from each", rule="house", origins=(policy,)
        ),
    ]
    taken_away = row.can_be_sold - sum(term.units for term in terms)
    gate = row.reason or "open"
    if taken_away:
        terms.append(
            TermShown(name="gate", units=taken_away, why=gate, rule="", origins=(read,))
        )
    flying = InFlightShown(
        order_id="700123402-A",
        line_id="700123402-A-1",
        units=row.in_flight,
        seen=order,
        taken=None,
    )
    return ProductStory(
        sum=Explained(
            sku=row.sku,
            stock_code=row.stock_code,
            alias=row.alias,
            shares_with=(),
            gate=gate,
            nearest=tuple(
                Near(code=code, rank=(1,), reason="one sign more") for code in row.nearest
            ),
            position=12_431,
            quantity=row.can_be_sold,
            terms=tuple(terms),
            in_flight=(flying,) if row.in_flight else (),
            offers=(
                OfferStanding(
                    sku=row.sku,
                    shown=row.shown,
                    listed=9,
                    sent=row.sent,
                    acknowledged=row.acknowledged,
                    acknowledged_at=row.acknowledged_at,
                    lag_s=212.0,
                    waits_for=row.waits_for,
                    inactive=(),
                ),
            ),
            policy_version=3,
            lag_s=375.0,
            level_read_at=row.level_read_at,
            level_read_by=None,
            orders_read_at=NOON - timedelta(seconds=95),
        ),
        steps=(
            Step(said=f"the marketplace lists an offer {row.sku}, with 9", origin=policy),
            Step(said=f"the ERP has {level} at site 1 free to sell of {row.sku}", origin=read),
            Step(said="order 700123402-A was seen (SHIPPING): 2 of it", origin=order),
        ),
        fresh=fresh,
    )
