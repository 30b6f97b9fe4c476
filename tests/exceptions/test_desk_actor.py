"""The desk, the shell: each event is judged once, in order, over restarts too."""

import pytest

from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.orders.events import OrderHeld
from kcjl.vocabulary import Event
from tests.outside.marketplace import marketplace_line, marketplace_order
from tests.outside.mishaps import Killed
from tests.rooms import Premises

pytestmark = pytest.mark.anyio


def premises() -> Premises:
    """An order with a code that the ERP does not know."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.place(marketplace_order("O1", marketplace_line("O1-1", "A1")))
    return place


async def test_exception_names_the_event_that_caused_it() -> None:
    """What the desk says carries the position that it was said about, and its work."""
    place = premises()
    async with place.open() as process:
        await process.do("levels", "intake", "new-skus", "acceptance", "judge")

    log = await place.recorded()
    held = next(each for each in log if isinstance(each.event, OrderHeld))
    raised = [each for each in log if isinstance(each.event, ExceptionRaised)]
    about = {each.causation for each in raised}
    assert held.position in about
    assert held.correlation_id in {each.correlation_id for each in raised}
    assert {"exceptions"} == {each.by for each in raised}


async def test_events_are_judged_once_over_restarts() -> None:
    """A new process judges what is new; what was said is not said again."""
    place = premises()
    async with place.open() as process:
        await process.do("levels", "intake", "new-skus", "acceptance", "judge", "judge")
    before = len(await place.said(ExceptionRaised))
    for _ in range(2):
        async with place.open() as process:
            await process.do("judge")

    assert before == len(await place.said(ExceptionRaised)) == 2


async def test_events_that_gave_no_cause_are_known_as_judged() -> None:
    """A snapshot keeps it: in a year without trouble nothing is judged anew at each start."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    async with place.open() as process:
        await process.do("levels", "judge")
        applied = process.desk.applied

        assert 0 < applied == process.desk.folded().marks["judged"]
    assert [] == await place.said(ExceptionRaised, ExceptionCleared)


async def test_exceptions_that_were_closed_are_not_raised_again_by_a_restart() -> None:
    """A new process does not judge the past anew: what is closed stays closed."""
    place = premises()
    async with place.open() as process:
        await process.do("levels", "intake", "new-skus", "acceptance", "judge")
        place.warehouse.put("A1", 3)
        await process.do("levels", "acceptance", "judge")
    before = len(await place.said(ExceptionRaised, ExceptionCleared))
    async with place.open() as process:
        await process.do("judge")

    assert before == len(await place.said(ExceptionRaised, ExceptionCleared)) == 4


async def test_desk_killed_between_two_events_goes_on_after_the_last_word() -> None:
    """Killed after its first word: the second is said by the next process."""
    place = premises()
    async with place.open() as process:
        await process.do("levels", "intake", "new-skus", "acceptance")
        append = process.log.append

        async def once(*arguments: object, **named: object) -> object:
            await append(*arguments, **named)  # type: ignore[arg-type]
            raise Killed

        process.log.append = once  # type: ignore[method-assign,assignment]
        with pytest.raises(Killed):
            await process.do("judge")
    assert 1 == len(await place.said(ExceptionRaised))

    async with place.open() as process:
        await process.do("judge")

        assert {"sku_unmatched:a1", "order_held:O1"} == set(process.desk.open)
    assert 2 == len(await place.said(ExceptionRaised))


async def test_exceptions_close_when_the_code_is_known() -> None:
    """The product is created in the ERP: both exceptions close by themselves."""
    place = premises()
    async with place.open() as process:
        await process.do("levels", "intake", "new-skus", "acceptance", "judge")
        place.warehouse.put("A1", 3)
        await process.do("levels", "acceptance", "judge")

        assert set() == set(process.desk.open)
    story: list[type[Event]] = [
        type(event) for event in await place.said(ExceptionRaised, ExceptionCleared)
    ]
    assert [ExceptionRaised] * 2 + [ExceptionCleared] * 2 == story
