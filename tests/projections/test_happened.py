"""Known and happened: two clocks, and what lies between them."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from kcjl.errors import Misuse
from kcjl.events import vocabulary
from kcjl.log.memory import MemoryLog, MemoryStore
from kcjl.log.port import Draft
from kcjl.log.queries import MemoryQueries
from kcjl.projections.asof import fold_log
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.happened import SHARED, STREAMS, happened_by
from kcjl.projections.projection import Projection
from kcjl.vocabulary import Event
from tests.clockwork import MORNING, Clockwork
from tests.projections.long_trade import long_trade
from tests.test_events import SAMPLES
from tests.trade import SHIPPING, changed, received

pytestmark = pytest.mark.anyio

FAR = datetime.max.replace(tzinfo=MORNING.tzinfo)
TOLD = [projection for projection in PROJECTIONS if projection.name in STREAMS]
ORDERS_SHOWN = next(each for each in PROJECTIONS if each.name == "orders")


async def written(*events: Event) -> tuple[MemoryQueries, list[dict[str, Any]]]:
    """A log of these, and what each of the projections says of it at its end."""
    store = MemoryStore()
    async with MemoryLog.open(
        store, "acme", vocabulary(), Clockwork(), store.take_over("acme")
    ) as log:
        for start in range(0, len(events), 500):
            page = events[start : start + 500]
            await log.append([Draft(event=each, by="t", correlation_id="one") for each in page])
        entries = await fold_log(log, TOLD, to=len(events))
    return MemoryQueries(store, "acme", vocabulary()), entries


async def test_all_that_ever_happened_is_the_live_row() -> None:
    """Each row of each of these read models, out of its own streams alone."""
    queries, entries = await written(*long_trade(60))
    for projection, there in zip(TOLD, entries, strict=True):
        for key, entry in there.items():
            assert entry == (await happened_by(queries, projection, key, FAR)).entry
        assert there


@pytest.mark.parametrize("projection", TOLD, ids=lambda each: each.name)
def test_every_event_that_touches_a_row_is_in_its_streams(projection: Projection[Any]) -> None:
    """Of each kind of event the sample: none is looked for where it is not."""
    words = vocabulary()
    seen = count()
    for sample in SAMPLES.written_now:
        event = words.decode(sample.type, sample.schema, sample.data.encode())
        for key, _ in projection.touches([event]):
            shared = [(each.stream, each.types) for each in SHARED.get(projection.name, ())]
            streams = {stream.format(key) for stream in STREAMS[projection.name]}
            assert event.stream in streams or (event.stream, (sample.type,)) in shared
            next(seen)
    assert 0 < next(seen)


async def test_what_was_learnt_late_had_happened_all_the_same() -> None:
    """An order went to shipping in the morning; the log came to know it after another read."""
    order = received("O1")
    shipping = changed(order, SHIPPING)
    queries, _ = await written(order, received("O2"), shipping)
    before = shipping.occurred_at - timedelta(microseconds=1)

    then = await happened_by(queries, ORDERS_SHOWN, "O1", before)
    happened = await happened_by(queries, ORDERS_SHOWN, "O1", shipping.occurred_at)

    assert (1, 3) == (then.learnt, happened.learnt)
    assert then.entry is not None
    assert happened.entry is not None
    assert (order.state, SHIPPING) == (then.entry.state, happened.entry.state)


async def test_before_anything_happened_there_is_no_row() -> None:
    """And nobody had to learn of it."""
    queries, _ = await written(received("O1"))
    nothing = await happened_by(queries, ORDERS_SHOWN, "O1", MORNING - timedelta(days=999))

    assert (None, 0) == (nothing.entry, nothing.learnt)


async def test_read_model_of_no_single_order_is_refused() -> None:
    """Stock is touched by every order: what had happened to it is another question."""
    queries, _ = await written(received("O1"))
    with pytest.raises(Misuse, match="one row of orders, dispatch, timings, payouts"):
        await happened_by(queries, PROJECTIONS[0], "A-1", FAR)
