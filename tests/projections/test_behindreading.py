"""What stands behind a journal, read from the read models: to the penny, or not yet."""

import pytest

from kcjl.errors import Unavailable
from kcjl.projections.behindreading import BehindRows
from kcjl.projections.payoutreading import PayoutRows
from kcjl.settlement.events import JournalIntended
from tests.audit.handmade import MERCHANT, Handmade
from tests.cli.test_payouts import shop
from tests.cli.test_stock import said_of
from tests.settlement.test_behind import figures, stated

__all__ = ["shop"]

pytestmark = pytest.mark.anyio


async def test_journals_figures_are_made_of_its_payouts_lines(shop: Handmade) -> None:
    """Fourteen lines and the transfer; the line that says it was paid is none of them."""
    source = BehindRows(PayoutRows(shop.database, MERCHANT))
    ((journal, _),) = await said_of(shop, JournalIntended)
    found = [each async for page in source.behind(journal.reference) for each in page]

    assert stated(journal) == figures(found)
    assert 14 + 1 == len(found)


async def test_journal_that_the_read_models_do_not_know_yet_is_waited_for(
    shop: Handmade,
) -> None:
    """Rows are a moment behind the log; one that never comes is tried again later."""
    source = BehindRows(PayoutRows(shop.database, MERCHANT), wait_s=0)

    with pytest.raises(Unavailable, match="the read models do not know it yet"):
        async for _ in source.behind("JL-UNKNOWN"):
            pass
