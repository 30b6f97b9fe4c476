"""What a fold says that it hears is all that can touch it: nothing else is asked or read."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcjl.alerts import state as alerts
from kcjl.alerts.actor import Alerts
from kcjl.alerts.alert_settings import AlertSettings
from kcjl.dispatch import carriers_state, deadlines, metrics, outage, timekeeping
from kcjl.dispatch import state as dispatch
from kcjl.events import EVENT_CLASSES, vocabulary
from kcjl.exceptions import decide as desk
from kcjl.exceptions import interruptions, routing_book, service_state, skus, storms
from kcjl.exceptions.watch import ServiceWatch
from kcjl.fold import Fold
from kcjl.orders import (
    acceptance_state,
    changes_state,
    count,
    intake,
    personal,
    reversals,
    shelf,
)
from kcjl.orders import state as orders
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.projection import Projection
from kcjl.settlement import closing, gaps_since, sold
from kcjl.settlement import state as settlement
from kcjl.stock import policy_book, reads
from kcjl.stock import publishing_state as publishing
from kcjl.stock import state as stock
from kcjl.tenant import state as tenant
from kcjl.vocabulary import Event
from tests.any_event import any_events
from tests.patience import unhurried
from tests.rooms import Premises

pytestmark = pytest.mark.anyio


ROOM_FOLDS: dict[str, Fold[Any]] = {
    "jobs": interruptions.JOBS,
    "silences": outage.SILENCES,
    "switch": interruptions.SWITCH,
    "products": stock.PRODUCTS,
    "publishing": publishing.PUBLISHING,
    "publishes": publishing.PUBLISHES,
    "late": publishing.LATE,
    "policy": policy_book.POLICY_BOOK,
    "stock reads": reads.READS,
    "orders": orders.ORDERS,
    "catalogue": orders.CATALOGUE,
    "intake": intake.INTAKE,
    "unread": intake.UNREAD,
    "exporting": intake.EXPORTING,
    "after intake": changes_state.AFTER_INTAKE,
    "returns read": changes_state.RETURNS_READ,
    "gaps": count.GAPS,
    "told": count.TOLD,
    "counts": count.COUNTS,
    "words": acceptance_state.WORDS,
    "acceptance policies": acceptance_state.POLICIES,
    "shelves": shelf.SHELVES,
    "stock look": shelf.STOCK_LOOK,
    "reversals": reversals.REVERSALS,
    "buyers": personal.BUYERS,
    "dispatches": dispatch.DISPATCHES,
    "timings": timekeeping.TIMINGS,
    "deadlines counted": deadlines.COUNTED,
    "metrics read": metrics.METRICS_READ,
    "metrics judged": metrics.METRICS_JUDGED,
    "carriers": carriers_state.CARRIERS,
    "answering": outage.ANSWERING,
    "lines": settlement.LINES,
    "cycles": settlement.CYCLES,
    "sold": sold.SOLD,
    "gaps since": gaps_since.GAPS_SINCE,
    "order money": sold.ORDER_MONEY,
    "invoices": settlement.INVOICES,
    "terms": settlement.TERMS,
    "accounts": settlement.ACCOUNTS,
    "settlement reads": settlement.READS,
    "closed months": closing.MONTHS,
    "open exceptions": desk.OPEN,
    "tallies": storms.TALLIES,
    "routing rules": routing_book.RULES,
    "order SKUs": skus.ORDER_SKUS,
    "found by the watch": service_state.FOUND,
    "feeds read": service_state.FEEDS_READ,
    "tenant": tenant.TENANT,
    "alert episodes": alerts.EPISODES,
    "alert storms": alerts.STORMS,
    "alert routes": alerts.ROUTES,
    "alert channels": alerts.CHANNELS,
}


def _unheard(each: Projection[Any] | Fold[Any]) -> list[type[Event]]:
    return [cls for cls in EVENT_CLASSES if not issubclass(cls, each.hears)]


@pytest.mark.parametrize("fold", ROOM_FOLDS.values(), ids=ROOM_FOLDS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chance=st.data())
def test_event_that_is_not_heard_touches_no_entry_of_a_room(
    fold: Fold[Any], chance: st.DataObject
) -> None:
    """Whatever stands in it: a room does not ask the table about it."""
    for event in chance.draw(any_events(*_unheard(fold), max_size=4)):
        assert () == fold.keys(event)


async def test_every_table_of_a_room_is_one_of_these_folds() -> None:
    """And none of them hears everything."""
    async with Premises().open() as process:
        watch = ServiceWatch(process.log, process.desk.clock, process.desk.ids)
        told = Alerts(
            process.log,
            process.desk.clock,
            process.desk.ids,
            channels=(),
            settings=AlertSettings(),
        )
        folds = {fold for room in (*process.rooms, watch, told) for fold in room._folds}

    assert set(ROOM_FOLDS.values()) == folds
    assert all(20 < len(_unheard(fold)) for fold in folds)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
@settings(unhurried, max_examples=30)
@given(chance=st.data())
def test_event_that_is_not_heard_touches_no_row(
    projection: Projection[Any], chance: st.DataObject
) -> None:
    """Whatever stands in it: it may be left out of a rebuild."""
    for event in chance.draw(any_events(*_unheard(projection), max_size=4)):
        assert () == projection.keys(event)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
def test_every_projection_says_what_it_hears(projection: Projection[Any]) -> None:
    """The default, everything, is right but slow; none of ours needs it."""
    assert 20 < len(_unheard(projection)) < len(vocabulary().names())
