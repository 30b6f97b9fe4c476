"""Settlement, the shell: a person closes a month, and what comes late is dated after it."""

from datetime import date, timedelta

import msgspec
import pytest

from kcjl.errors import Misuse, Refused
from kcjl.settlement.closing import MonthClosing, ends_at
from kcjl.settlement.events import JournalFile, JournalIntended, PayoutClosed
from kcjl.settlement.month_events import MonthClosed, MonthKnown
from tests.rooms import Premises, Process
from tests.settlement.test_settlement_actor import premises
from tests.settlement.test_settlement_people import say, settle
from tests.trade import gbp

pytestmark = pytest.mark.anyio

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def closing(*journals: str, month: date = OCTOBER, reason: str = "") -> str:
    known = MonthKnown(
        position=10,
        looked_from=5,
        lines=0,
        total=gbp(0),
        by_kind=(),
        brought_forward=gbp(0),
        paid=gbp(0),
        carried_forward=gbp(0),
        journals=journals,
    )
    files = (JournalFile(name="close.xlsx", sha256="0" * 64),)
    asked = MonthClosing(month=month, known=known, files=files, reason=reason)
    return msgspec.json.encode(asked).decode()


async def november(place: Premises, process: Process) -> None:
    """October is over, and lines have been read since."""
    wait = ends_at(OCTOBER) + timedelta(hours=9) - place.clock.now()
    place.clock.tick(wait.total_seconds())
    await process.do("transactions")


async def test_payout_that_closes_after_its_month_is_booked_in_the_open_one() -> None:
    """It was held at the month's end: its journal is dated the first of November."""
    place = premises(stated=1_700)
    async with place.open() as process:
        await settle(place, process)
        await november(place, process)
        with pytest.raises(Refused, match=r"payouts are not closed \(CY1\)"):
            await say(process, "month-close", closing=closing())
        await say(process, "month-close", closing=closing(reason="it is looked for"))
    async with place.open() as process:  # a restart does not forget it
        await say(process, "payout-accept", cycle_id="CY1", reason="agreed")
        await process.do("payouts")

    (closed,) = await place.said(MonthClosed)
    assert (("CY1",), "it is looked for") == (closed.open_payouts, closed.reason)
    assert 1 == len(await place.said(PayoutClosed))
    (journal,) = await place.said(JournalIntended)
    assert NOVEMBER == journal.posting_date
    assert "October 2026 is closed" in journal.narrative


async def test_month_is_closed_with_the_journals_that_it_has() -> None:
    """One that the files lack: no; and a word that can't be read is told so."""
    place = premises()
    async with place.open() as process:
        await settle(place, process)
        with pytest.raises(Refused, match="it is over at"):
            await say(process, "month-close", closing=closing())
        await november(place, process)
        (journal,) = await place.said(JournalIntended)
        with pytest.raises(Refused, match="run it again"):
            await say(process, "month-close", closing=closing())
        with pytest.raises(Misuse, match="can't be read"):
            await say(process, "month-close", closing="{}")
        done = await say(process, "month-close", closing=closing(journal.reference))
        again = await say(process, "month-close", closing=closing(journal.reference))

    assert done == again
    assert "October 2026 is closed" in str(done)
    assert 1 == len(await place.said(MonthClosed))
