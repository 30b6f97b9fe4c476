"""A sample for auditors: drawn alike by everybody, and a page that nothing in it can break."""

import hashlib
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.audit.explain import Explanation
from kcjl.audit.sample import Candidate, Drawn, Stratum, draw
from kcjl.audit.sample_page import Evidence, Report, report_page
from kcjl.money import Money
from kcjl.readmodels_orders import LifeEvent, OrderLine, OrderStory
from tests.patience import unhurried

AT = datetime(2026, 10, 5, 9, tzinfo=UTC)


def candidate(
    number: int, *, month: int = 10, pence: int = 1_000, back: bool = False, desk: bool = False
) -> Candidate:
    return Candidate(
        order_id=f"O{number:04}",
        created_at=AT.replace(month=month),
        total=Money(pence),
        money_back=back,
        excepted=desk,
    )


def taken(drawn: tuple[Drawn, ...]) -> dict[tuple[str, str], int]:
    return {(each.stratum.month, each.stratum.what): len(each.order_ids) for each in drawn}


def test_each_stratum_is_drawn_from_and_the_rest_goes_by_size() -> None:
    """A single refund among a hundred orders is not missed."""
    orders = [
        *(candidate(n) for n in range(80)),
        *(candidate(n, month=9) for n in range(80, 95)),
        candidate(95, back=True, desk=True),
        candidate(96, desk=True),
        *(candidate(n, pence=90_000) for n in range(97, 100)),
    ]
    drawn = draw(orders, size=12, seed="s")

    assert {
        ("2026-09", "plain"): 1,
        ("2026-10", "exception"): 1,
        ("2026-10", "large"): 1,
        ("2026-10", "money back"): 1,
        ("2026-10", "plain"): 8,
    } == taken(drawn)
    assert 100 == sum(each.orders for each in drawn)


def test_draw_can_be_done_again_by_hand() -> None:
    """With nothing but the ids and SHA-256."""
    orders = [candidate(n) for n in range(19)]
    (drawn,) = draw(orders, size=5, seed="2026-Q3")
    by_hand = sorted(
        (each.order_id for each in orders),
        key=lambda each: hashlib.sha256(f"2026-Q3\n{each}".encode()).hexdigest(),
    )

    assert tuple(by_hand[:5]) == drawn.order_ids
    assert drawn.order_ids != draw(orders, size=5, seed="2026-Q4")[0].order_ids


@given(
    st.lists(
        st.builds(
            candidate,
            st.integers(min_value=0, max_value=9_999),
            month=st.integers(min_value=1, max_value=3),
            pence=st.integers(min_value=0, max_value=99_999),
            back=st.booleans(),
            desk=st.booleans(),
        ),
        unique_by=lambda each: each.order_id,
        max_size=60,
    ),
    st.integers(min_value=1, max_value=40),
    st.text(max_size=5),
)
@unhurried
def test_any_draw(orders: list[Candidate], size: int, seed: str) -> None:
    """As many as asked for or all, none twice, whatever order they are read in."""
    drawn = draw(orders, size=size, seed=seed)
    ids = [one for each in drawn for one in each.order_ids]

    assert min(size, len(orders)) == len(ids) == len(set(ids))
    assert {each.order_id for each in orders} >= set(ids)
    assert drawn == draw(orders[::-1], size=size, seed=seed)
    if size >= len(drawn):
        assert all(each.order_ids for each in drawn)


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "\x1b[2J\u202e", '"><img src=x>']
)
def test_nothing_from_outside_breaks_the_page(hostile: str) -> None:
    """Every word of it may come from a customer, a colleague, or the ERP."""
    event = LifeEvent(
        depth=0,
        position=7,
        type=hostile,
        stream="order-O1",
        occurred_at=AT,
        recorded_at=AT,
        by=hostile,
        correlation_id="c",
        causation=None,
        said=hostile,
    )
    line = OrderLine(
        line_id=hostile,
        sku=hostile,
        quantity=1,
        price=Money(5),
        state=hostile,
        refunded=Money(0),
    )
    story = OrderStory(
        order_id=hostile,
        standing=hostile,
        marketplace_state=hostile,
        deadline=None,
        late=False,
        reference=hostile,
        erp_order_code=hostile,
        total=Money(5),
        buyer=hostile,
        country=hostile,
        held="",
        rule="",
        policy_version=0,
        acceptance="",
        posting="",
        posting_attempts=0,
        lines=(line,),
        events=(event,),
        cut=True,
    )
    why = Explanation(
        kind="order", subject=hostile, position=7, recorded_at=AT, answer=(hostile,)
    )
    drawn = Drawn(
        stratum=Stratum(month="2026-10", what="plain"),
        orders=1,
        value=(Money(5),),
        order_ids=(hostile,),
    )
    report = Report(
        merchant=hostile,
        version="0",
        by=hostile,
        position=7,
        hash="ab",
        recorded_at=AT,
        seals=(hostile,),
        seed=hostile,
        size=1,
        drawn=(drawn,),
    )
    evidence = Evidence(story=story, why=why, exceptions=(hostile,), hashes={7: "cd"})
    page = "".join(report_page(report, [evidence]))
    plain = "".join(
        report_page(
            msgspec.structs.replace(report, merchant="m"),
            [msgspec.structs.replace(evidence, exceptions=())],
        )
    )

    assert hostile not in page
    assert "<code>cd</code>" in page
    for tag in ("<section", "<h2", "<tr", "<li", "<script", "<img"):
        assert page.count(tag) == plain.count(tag)
    assert 0 == page.count("<script") + page.count("<img")
