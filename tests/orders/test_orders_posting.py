"""Orders, the shell, posting: one sales order, whatever is lost and wherever it is killed."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest

from kcjl.errors import NotFound, Refused, Unavailable
from kcjl.orders.decide_posting import POSTING_ATTEMPTS_MAX
from kcjl.orders.events import (
    CancelledAfterPosting,
    DeliveryAddressSealed,
    OrderEvent,
    PostingIntended,
    PostingRefused,
    PostingUnknown,
    SalesOrderMissing,
    SalesOrderPosted,
)
from tests.outside.marketplace import marketplace_order
from tests.outside.mishaps import LOST, Killed
from tests.rooms import Premises, Process
from tests.trade import SHIPPING, at, gbp

pytestmark = pytest.mark.anyio

POSTINGS = (
    PostingIntended,
    PostingUnknown,
    PostingRefused,
    SalesOrderMissing,
    SalesOrderPosted,
)


def premises(state: str = SHIPPING) -> Premises:
    """One order, of a product that is on the shelf."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 10
    place.shop.place(marketplace_order(state=state))
    return place


async def read_all(process: Process) -> None:
    """Offers, stock and orders are known."""
    await process.do("offers", "levels", "intake", "new-skus")


async def test_posting_of_a_ready_order_makes_one_sales_order() -> None:
    """Read, sealed, posted, compared, written back: the ordinary day of an order."""
    place = premises()
    async with place.open() as process:
        await read_all(process)
        await process.do("acceptance", "posting", "posting", "write-back", "posting")

    assert [
        "OrderReceived",
        "DeliveryAddressSealed",
        "PostingIntended",
        "SalesOrderPosted",
        "TotalsCompared",
        "ReferenceWriteIntended",
        "ReferenceWritten",
    ] == await place.story(OrderEvent)
    assert {"O1": "SO-REF-O1"} == place.shop.references
    assert 1 == place.warehouse.mishaps.times("create_order")


async def test_posting_sends_what_the_customer_ordered() -> None:
    """Reference, lines, total and address are the customer's."""
    place = premises()
    async with place.open() as process:
        await read_all(process)
        await process.do("posting")

    order = place.warehouse.taken["REF-O1"]
    assert [("O1-1", "A-1", 2, gbp(1_000))] == [
        (each.external_line_ref, each.stock_code, each.quantity, each.unit_gross)
        for each in order.lines
    ]
    assert gbp(2_000) == order.gross_total
    assert ("Featherstonehaugh", "ZZ9 9ZZ", "wilhelmina@example.org") == (
        order.deliver_to.surname,
        order.deliver_to.postcode,
        order.deliver_to.email,
    )


async def test_log_holds_no_personal_data() -> None:
    """Law 7: the buyer is in the vault; the log holds a reference."""
    place = premises()
    async with place.open() as process:
        await read_all(process)
        await process.do("posting", "write-back")

    written = b"".join(recorded.data for recorded in await place.recorded())
    assert b"buyer-O1" in written
    for word in (b"Wilhelmina", b"Featherstone", b"Larkspur", b"ZZ9", b"07700", b"example.org"):
        assert word not in written


async def test_posting_whose_answer_was_lost_is_found_and_not_sent_again() -> None:
    """The ERP took the order, and the answer was lost: it is found by its reference."""
    place = premises()
    place.warehouse.mishaps.after("create_order", LOST)
    async with place.open() as process:
        await read_all(process)
        await process.do("posting")
        place.clock.tick(3_600)
        await process.do("posting")

    assert ["PostingIntended", "PostingUnknown", "SalesOrderPosted"] == await place.story(
        *POSTINGS
    )
    (posted,) = await place.said(SalesOrderPosted)
    assert posted.found_by_lookup
    assert 1 == place.warehouse.mishaps.times("create_order")


async def test_posting_that_never_arrived_is_sent_once_more() -> None:
    """The ERP never had it: looked up, missing, and sent again after a minute."""
    place = premises()
    place.warehouse.mishaps.before("create_order", LOST)
    async with place.open() as process:
        await read_all(process)
        await process.do("posting", "posting")
        assert 0 == len(place.warehouse.taken)
        place.clock.tick(60)
        await process.do("posting")

    assert [
        "PostingIntended",
        "PostingUnknown",
        "SalesOrderMissing",
        "PostingIntended",
        "SalesOrderPosted",
    ] == await place.story(*POSTINGS)
    assert 1 == len(place.warehouse.taken)


async def test_posting_taken_after_it_was_looked_up_is_no_second_one() -> None:
    """It arrives late, after we looked: the second one is refused there, and found."""
    place = premises()
    place.warehouse.mishaps.before("create_order", LOST)
    async with place.open() as process:
        await read_all(process)
        await process.do("posting")
        first = process.orders.orders["O1"]
        place.warehouse.take_late(first.reference, gross_total=gbp(2_000))
        place.clock.tick(60)
        await process.do("posting")

    (posted,) = await place.said(SalesOrderPosted)
    assert posted.found_by_lookup
    assert 2 == place.warehouse.mishaps.times("create_order")


async def test_posting_that_the_erp_refuses_waits_longer_each_time_then_for_a_person() -> None:
    """Refused is said with the ERP's words; after six times nothing is sent any more."""
    place = premises()
    place.warehouse.mishaps.before(
        "create_order", *(Refused("no such postcode") for _ in range(20))
    )
    async with place.open() as process:
        await read_all(process)
        for _ in range(200):
            await process.do("posting")
            place.clock.tick(600)

    refusals = await place.said(PostingRefused)
    times = [each.occurred_at for each in refusals]
    pauses = [(b - a).total_seconds() / 60 for a, b in pairwise(times)]
    assert POSTING_ATTEMPTS_MAX == len(refusals)
    assert {"no such postcode"} == {each.message for each in refusals}
    assert [10, 20, 40, 80, 160] == pauses


async def test_posting_that_never_arrives_is_not_given_up_in_silence() -> None:
    """Six lost answers, and never there: a person is told."""
    place = premises()
    place.warehouse.mishaps.before("create_order", *(LOST for _ in range(20)))
    async with place.open() as process:
        await read_all(process)
        for _ in range(20):
            await process.do("posting", "judge")
            place.clock.tick(60)

        assert {"posting_refused:O1"} == set(process.desk.open)
    assert POSTING_ATTEMPTS_MAX == place.warehouse.mishaps.times("create_order")


async def test_posting_that_was_not_sent_is_looked_up_before_it_is_sent() -> None:
    """Certainly not taken is an open intention too: look first, then send."""
    place = premises()
    place.warehouse.mishaps.before("create_order", Unavailable("connection refused"))
    async with place.open() as process:
        await read_all(process)
        with pytest.raises(Unavailable):
            await process.do("posting")
        place.clock.tick(60)
        await process.do("posting")
        place.clock.tick(60)
        await process.do("posting")

    assert ["find_order", "create_order"] == [
        call for call in place.warehouse.mishaps.calls if call.endswith("_order")
    ][1:3]
    assert 1 == len(place.warehouse.taken)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_restart_in_the_middle_of_a_posting_looks_it_up_first(when: str) -> None:
    """Killed while the ERP was being asked: the new process looks before it writes."""
    place = premises()
    plan: Callable[..., None] = getattr(place.warehouse.mishaps, when)
    plan("create_order", Killed())
    async with place.open() as process:
        await read_all(process)
        with pytest.raises(Killed):
            await process.do("posting")

    async with place.open() as process:
        place.warehouse.mishaps.calls.clear()
        await process.do("posting")
        place.clock.tick(60)
        await process.do("posting")

    assert "find_order" == place.warehouse.mishaps.calls[0]
    assert 1 == len(place.warehouse.taken)
    assert 1 == len(await place.said(SalesOrderPosted))


async def test_lookup_that_fails_leaves_the_outcome_open() -> None:
    """While the ERP can't be asked, nothing is sent."""
    place = premises()
    place.warehouse.mishaps.after("create_order", LOST)
    place.warehouse.mishaps.before("find_order", Unavailable(), Unavailable())
    async with place.open() as process:
        await read_all(process)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await process.do("posting")
            place.clock.tick(3_600)
        await process.do("posting")

    assert 1 == place.warehouse.mishaps.times("create_order")
    assert 1 == len(await place.said(SalesOrderPosted))


async def test_order_cancelled_while_its_posting_is_open_is_looked_up_all_the_same() -> None:
    """The customer cancels, the answer is still out: it is found, and a person is told."""
    place = premises()
    place.warehouse.mishaps.after("create_order", Killed())
    async with place.open() as process:
        await read_all(process)
        with pytest.raises(Killed):
            await process.do("posting")

    place.shop.set_state("O1", "CANCELED")
    async with place.open() as process:
        place.clock.tick(60)
        await process.do("intake", "posting", "judge")

        assert "cancelled_after_posting:O1" in set(process.desk.open)
    assert 1 == len(await place.said(SalesOrderPosted))
    assert 1 == len(await place.said(CancelledAfterPosting))


async def test_address_that_was_erased_is_sealed_again_before_posting() -> None:
    """Erased while the order waits: the address is asked for again, then it is posted."""
    place = premises()
    async with place.open() as process:
        await read_all(process)
        await place.vault.erase("buyer-O1")
        await process.do("posting", "posting")

    assert 2 == len(await place.said(DeliveryAddressSealed))
    assert 1 == len(place.warehouse.taken)


async def test_address_that_nobody_has_any_more_holds_up_that_order_only() -> None:
    """No address to be had: it is said, and the other orders are posted."""
    place = premises()
    place.shop.place(marketplace_order("O2", state=SHIPPING))
    async with place.open() as process:
        await read_all(process)
        await place.vault.erase("buyer-O1")
        del place.shop.orders_there["O1"]
        with pytest.raises(NotFound):
            await process.do("posting")

    assert {"REF-O2"} == set(place.warehouse.taken)


async def test_addresses_expire() -> None:
    """After the time that was set the vault has nothing of the buyer any more."""
    place = premises()
    async with place.open() as process:
        await read_all(process)
        await process.do("posting")
        place.clock.tick(91 * 86_400)
        await process.do("vault-expiry")

    with pytest.raises(NotFound):
        await place.vault.open("buyer-O1")


async def test_number_that_is_refused_keeps_no_other_one_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A full call of refused numbers would otherwise be sent for ever, and no other one."""
    monkeypatch.setattr("kcjl.orders.actor.WRITE_BACK_MAX", 1)
    place = premises()
    place.shop.place(marketplace_order("O2", state=SHIPPING))
    place.shop.refused_references["O1"] = "no such order"
    async with place.open() as process:
        await read_all(process)
        await process.do("posting", "posting", "write-back", "write-back")

    assert ["O2"] == list(place.shop.references)


async def test_held_orders_of_one_sku_that_resume_together_go_the_soonest_too_late_first() -> (
    None
):
    """Whatever order they came in: the oldest shipping deadline is posted first (design 7)."""
    place = Premises()
    place.warehouse.put("B-2", 50)
    place.shop.offers_there["A-1"] = 10
    due = {"O1": 40, "O2": 10, "O3": 30, "O4": 20}
    for order_id, hours in due.items():
        waits = marketplace_order(order_id, state=SHIPPING)
        place.shop.place(msgspec.structs.replace(waits, ship_by=at(hours * 60)))
    async with place.open() as process:
        await read_all(process)
        await process.do("acceptance", "posting")
        held = {order_id for order_id, entry in process.orders.orders.items() if entry.held}
        assert set(due) == held

        place.clock.tick(3_600)
        place.warehouse.put("A-1", 50)
        await process.do("levels", "new-skus", "intake", "acceptance", "posting")

    assert ["O2", "O4", "O3", "O1"] == [
        each.order_id for each in await place.said(PostingIntended)
    ]


# ── what can't be written as the ERP wants it ───────────────────────────────────────────────

LONG_WORD = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"


def live_at(place: Premises, street: str) -> None:
    """The marketplace shows the order with that street from now on."""
    order = place.shop.orders_there["O1"]
    assert order.delivery_address is not None
    address = msgspec.structs.replace(order.delivery_address, street_1=street)
    place.shop.place(
        msgspec.structs.replace(order, delivery_address=address, updated_at=place.clock.now())
    )


async def test_order_that_can_not_be_written_is_said_once_and_nothing_is_sent() -> None:
    """Nothing changes by trying again: no intention, no call, no attempt, however long."""
    place = premises()
    live_at(place, LONG_WORD)
    async with place.open() as process:
        await read_all(process)
        for _ in range(10):
            await process.do("intake", "posting", "judge")
            place.clock.tick(6 * 3_600)
        message = process.desk.open["posting_refused:O1"].raised.message

        assert 0 == process.orders.orders["O1"].posting_attempts
    assert ["PostingRefused"] == await place.story(*POSTINGS)
    assert 0 == place.warehouse.mishaps.times("create_order")
    assert "a word of DADDRESS1..3 has 58 characters and Khaos Control holds 35" in message
    assert "associated ref REF-O1, and say kcjl orders retry O1" in message
    assert "Llanfair" not in message


async def test_order_that_could_not_be_written_is_posted_when_its_address_is_put_right() -> (
    None
):
    """The operator corrects the street: it is read, sealed anew and posted at once."""
    place = premises()
    live_at(place, LONG_WORD)
    async with place.open() as process:
        await read_all(process)
        await process.do("posting", "judge")
        place.clock.tick(60)
        live_at(place, "58 Llanfair Road")
        await process.do("intake", "posting", "judge")

        assert [] == list(process.desk.open)
    assert ["PostingRefused", "PostingIntended", "SalesOrderPosted"] == await place.story(
        *POSTINGS
    )
    assert 2 == len(await place.said(DeliveryAddressSealed))
    assert "58 Llanfair Road" == place.warehouse.taken["REF-O1"].deliver_to.line1


async def test_order_that_could_not_be_written_is_looked_at_by_a_new_process_and_not_told_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its settings may be others: where they are not, there is nothing to say."""
    place = premises()
    live_at(place, LONG_WORD)
    async with place.open() as process:
        await read_all(process)
        await process.do("posting")
    async with place.open() as process:
        await process.do("posting")
    assert ["PostingRefused"] == await place.story(*POSTINGS)

    monkeypatch.setattr(place.warehouse, "check_order", lambda _order: None)
    async with place.open() as process:
        await process.do("posting")

    assert ["PostingRefused", "PostingIntended", "SalesOrderPosted"] == await place.story(
        *POSTINGS
    )


async def test_order_that_was_entered_by_hand_is_found_on_a_person_s_word() -> None:
    """The person shortened the street in the ERP: found by its reference, not sent."""
    place = premises()
    live_at(place, LONG_WORD)
    async with place.open() as process:
        await read_all(process)
        await process.do("posting", "judge")
        place.warehouse.take_late("REF-O1", gross_total=gbp(2_000))
        await process.orders.accepting.retry("O1", reason="entered by hand", by="jo")
        await process.do("posting", "judge")

        assert "posting_refused:O1" not in process.desk.open
    (posted,) = await place.said(SalesOrderPosted)
    assert posted.found_by_lookup
    assert 0 == place.warehouse.mishaps.times("create_order")
