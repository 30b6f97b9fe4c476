"""The bank's word in the room: said, raised, cleared and taken back, also after a restart."""

import msgspec
import pytest

from kcjl.errors import Misuse, NotFound, Refused
from kcjl.settlement.received import Receipt
from kcjl.settlement.received_events import (
    PayoutReceiptOverdue,
    PayoutReceiptWithdrawn,
    PayoutReceived,
)
from tests.rooms import Process
from tests.settlement.test_settlement_actor import DAY_S, premises
from tests.settlement.test_settlement_people import say, settle
from tests.trade import at, gbp

pytestmark = pytest.mark.anyio


def told(*amounts: int) -> str:
    receipts = [
        Receipt(
            cycle_id="CY1",
            amount=gbp(amount),
            received_on=at().date(),
            matched_by="reference",
            bank_line=f"line-{number}",
        )
        for number, amount in enumerate(amounts)
    ]
    return msgspec.json.encode(receipts).decode()


async def say_and_judge(process: Process, verb: str, **arguments: str) -> str | None:
    answer = await say(process, verb, **arguments)
    await process.do("judge")
    return answer


async def test_payout_that_is_not_in_the_bank_is_raised_and_clears_when_it_is() -> None:
    """Five working days after; then the money comes, ten pence short; then the rest."""
    place = premises()
    async with place.open() as process:
        await settle(place, process)
        place.clock.tick(9 * DAY_S)
        await process.do("payouts", "payouts", "judge")
        assert "payout_not_received:CY1" in process.desk.open

        await say_and_judge(process, "payout-received", receipts=told(1_630))
        assert "payout_not_received:CY1" not in process.desk.open
        assert gbp(10) == process.desk.open["payout_received_differs:CY1"].raised.money_at_risk

        again = await say_and_judge(process, "payout-received", receipts=told(1_630))
        answer = await say_and_judge(process, "payout-received", receipts=told(1_630, 10))
        assert "payout_received_differs:CY1" not in process.desk.open
    assert "nothing new" in (again or "")
    assert "payout CY1: 16.40 GBP in the bank on 2026-10-01" == answer
    assert 1 == len(await place.said(PayoutReceiptOverdue))
    assert {"jo"} == {
        each.by for each in await place.recorded() if isinstance(each.event, PayoutReceived)
    }


async def test_receipt_that_is_taken_back_is_waited_for_again_by_another_process() -> None:
    """Withdrawn; then it is overdue, once more."""
    place = premises()
    async with place.open() as process:
        await settle(place, process)
        await say_and_judge(process, "payout-received", receipts=told(1_630))
        with pytest.raises(Refused, match="--receipt NUMBER"):
            await say(
                process, "payout-received-withdraw", cycle_id="CY1", receipt="7", reason="slip"
            )
        answer = await say_and_judge(
            process, "payout-received-withdraw", cycle_id="CY1", receipt="", reason="slip"
        )
        assert "payout_received_differs:CY1" not in process.desk.open
    place.clock.tick(9 * DAY_S)
    async with place.open() as process:
        await process.do("payouts", "judge")

        assert "payout_not_received:CY1" in process.desk.open
    assert "payout CY1: nothing of it is in the bank" == answer
    assert ["slip"] == [each.reason for each in await place.said(PayoutReceiptWithdrawn)]


async def test_statement_with_one_line_that_can_not_be_is_not_booked_at_all() -> None:
    """All or nothing."""
    place = premises()
    async with place.open() as process:
        await settle(place, process)
        with pytest.raises(Refused, match="above nothing"):
            await say(process, "payout-received", receipts=told(1_640, 0))

    assert [] == await place.said(PayoutReceived)


async def test_money_that_is_typed_by_hand_is_booked_in_the_payouts_currency() -> None:
    """An amount and the bank's day as a person writes them; what is no amount is refused."""
    place = premises()
    async with place.open() as process:
        await settle(place, process)
        typed = {"cycle_id": "CY1", "on": "01/10/2026"}
        answer = await say(process, "payout-received-by-hand", amount="16.40", **typed)
        with pytest.raises(Misuse, match="not an amount of money"):
            await say(process, "payout-received-by-hand", amount="a lot", **typed)
        with pytest.raises(Misuse, match=r"the day: 'soon' is no day\. Write it as"):
            await say(
                process, "payout-received-by-hand", cycle_id="CY1", amount="1.00", on="soon"
            )
        with pytest.raises(NotFound, match="payouts list"):
            await say(
                process,
                "payout-received-by-hand",
                cycle_id="CY9",
                amount="1.00",
                on="2026-10-01",
            )

    assert "payout CY1: 16.40 GBP in the bank on 2026-10-01" == answer
    (event,) = await place.said(PayoutReceived)
    assert (gbp(1_640), "person") == (event.amount, event.matched_by)
