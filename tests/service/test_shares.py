"""Who should serve whom: shares that every worker works out alike."""

from collections import Counter
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kcjl.shares import MerchantSeen, WorkerSeen, share_out
from tests.patience import unhurried

NAMES = [f"m{number}" for number in range(12)]
HOLDERS = ["east", "north", "west"]


def workers(*holders: str, able: list[str] = NAMES) -> list[WorkerSeen]:
    return [WorkerSeen(holder=each, able=frozenset(able)) for each in holders]


def merchants(held_by: str = "", names: list[str] = NAMES) -> list[MerchantSeen]:
    return [MerchantSeen(merchant=each, held_by=held_by) for each in names]


def counted(shares: dict[str, str]) -> dict[str, int]:
    return dict(Counter(shares.values()))


def test_merchants_are_shared_evenly() -> None:
    """As many for each, whoever was first."""
    assert {"east": 4, "north": 4, "west": 4} == counted(
        share_out(workers(*HOLDERS), merchants())
    )
    assert {"east": 4, "north": 4, "west": 4} == counted(
        share_out(workers(*HOLDERS), merchants("west"))
    )


def test_dead_worker_s_merchants_go_to_the_others_and_nobody_else_s_move() -> None:
    """Each that lives keeps what it has."""
    before = share_out(workers(*HOLDERS), merchants())
    held = [MerchantSeen(merchant=name, held_by=before[name]) for name in NAMES]
    after = share_out(workers("east", "west"), held)

    assert {"east": 6, "west": 6} == counted(after)
    assert all(after[name] == before[name] for name in NAMES if before[name] != "north")


def test_weight_counts_not_number() -> None:
    """One that is worth three others has a worker of its own."""
    heavy = MerchantSeen(merchant="heavy", weight=3.0)
    shares = share_out(
        workers("east", "west", able=[*NAMES, "heavy"]), [heavy, *merchants(names=NAMES[:3])]
    )

    assert 1 == sum(holder == shares["heavy"] for holder in shares.values())


def test_paused_merchant_is_nobody_s_and_a_moved_one_stays_where_it_was_moved() -> None:
    """A person's word stands over evenness, while that worker lives."""
    wanted = [
        msgspec.structs.replace(each, wanted="east", paused=each.merchant == "m0")
        for each in merchants("west")
    ]

    assert {"east": 11} == counted(share_out(workers("east", "west"), wanted))
    assert {"west": 11} == counted(share_out(workers("west"), wanted))


@given(
    st.lists(
        st.builds(
            WorkerSeen,
            holder=st.sampled_from(HOLDERS),
            able=st.frozensets(st.sampled_from(NAMES)),
        ),
        unique_by=lambda each: each.holder,
    ),
    st.lists(
        st.builds(
            MerchantSeen,
            merchant=st.sampled_from(NAMES),
            held_by=st.sampled_from(["", *HOLDERS, "gone"]),
            weight=st.sampled_from([0.5, 1.0, 3.0]),
            paused=st.booleans(),
            wanted=st.sampled_from(["", *HOLDERS]),
        ),
        unique_by=lambda each: each.merchant,
    ),
    st.randoms(use_true_random=False),
)
@unhurried
def test_any_shares(there: list[WorkerSeen], seen: list[MerchantSeen], order: Any) -> None:
    """Alike in whatever order they are read; served by who can; at rest once they are taken."""
    shares = share_out(there, seen)
    able = {each.holder: each.able for each in there}
    for each in seen:
        somebody_can = any(each.merchant in one for one in able.values())
        assert (each.merchant in shares) == (somebody_can and not each.paused)
    assert all(merchant in able[holder] for merchant, holder in shares.items())

    again, others = list(seen), list(there)
    order.shuffle(again)
    order.shuffle(others)
    assert shares == share_out(others, again)
    taken = [
        msgspec.structs.replace(each, held_by=shares.get(each.merchant, "")) for each in seen
    ]
    assert shares == share_out(there, taken)
