"""What a capsule takes out of a log, and which rows it may have."""

import pytest

from kcjl.audit.capsule import replay_capsule
from kcjl.audit.capsule_making import Asked
from kcjl.clock import RealClock
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.memory import MemoryLog, MemoryStore
from kcjl.log.port import Draft
from kcjl.projections.asof import fold_log
from kcjl.projections.catalogue import PROJECTIONS
from tests.capsules.making import capsule_in
from tests.trade import changed, intended, listed, posted, received

pytestmark = pytest.mark.anyio


async def _store() -> MemoryStore:
    """Two orders of the same product."""
    one, other, store = received("O1"), received("O2"), MemoryStore()
    events = (listed(), one, other, changed(one), changed(other), intended(one), posted(one))
    epoch = store.take_over("acme")
    async with MemoryLog.open(store, "acme", vocabulary(), RealClock(), epoch) as log:
        await log.append([Draft(event=e, by="test", correlation_id="c") for e in events])
    return store


async def test_capsule_of_an_order_has_its_rows_as_the_whole_log_makes_them() -> None:
    """Law 1, and no row of which an event is missing: the product's has another order in it."""
    store = await _store()
    capsule = await capsule_in(store, "acme", Asked(kind="order", name="O1"))

    assert [2, 4, 6, 7] == [each.position for each in capsule.events]
    assert {"orders", "dispatch", "timings"} == {row.projection for row in capsule.rows}
    log = MemoryLog(store, "acme", vocabulary(), RealClock(), 1)
    for projection, entries in zip(
        PROJECTIONS, await fold_log(log, PROJECTIONS, to=7), strict=True
    ):
        for row in capsule.rows:
            if row.projection == projection.name:
                assert projection.encode(entries[row.key]).decode() == row.data
    assert replay_capsule(capsule, vocabulary(), PROJECTIONS).difference is None


async def test_capsule_of_a_product_has_its_row_with_every_order_in_it() -> None:
    capsule = await capsule_in(await _store(), "acme", Asked(kind="sku", name="A-1"))

    assert ("stock", "a-1") in {(row.projection, row.key) for row in capsule.rows}


async def test_capsule_of_what_the_log_does_not_know_is_not_found() -> None:
    store = await _store()

    with pytest.raises(NotFound, match="nothing of order O9"):
        await capsule_in(store, "acme", Asked(kind="order", name="O9"))
