"""Buyers are shown to who asks with a reason, erased in time and on request; history stays."""

import msgspec
import pytest

from kcjl.errors import Misuse, NotFound, Refused
from kcjl.fold import Table
from kcjl.log.memory import MemoryLogReader
from kcjl.log.verify import verify
from kcjl.orders.events import DeliveryAddressSealed
from kcjl.orders.events_changes import LineWithdrawn
from kcjl.orders.personal import why_not_erase
from kcjl.orders.personal_events import BuyerErased, BuyerShown
from kcjl.orders.state import ORDERS
from kcjl.orders.translate import SealedBuyer
from kcjl.sealedanswer import Asker, seal_for
from tests.outside.marketplace import BUYER, EMAIL, marketplace_order
from tests.rooms import MERCHANT, Premises, Process
from tests.trade import SHIPPING, WAITING, at, made_of, ordered, received

pytestmark = pytest.mark.anyio

DAY_S = 86_400


def premises(state: str = SHIPPING) -> Premises:
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 10
    place.shop.place(marketplace_order(state=state))
    return place


async def read_all(process: Process) -> None:
    await process.do("offers", "levels", "intake", "new-skus")


async def posted(process: Process) -> None:
    await read_all(process)
    await process.do("posting")


async def asked(process: Process, asker: Asker, reason: str = "a call") -> str:
    return await process.orders.people.show("O1", reason=reason, asker_key=asker.key, by="jo")


# ── shown ───────────────────────────────────────────────────────────────────────────────────


async def test_buyer_is_shown_to_the_asker_alone_and_the_asking_is_in_the_log() -> None:
    """Who, when and why is an event; the answer opens with the asker's own key only."""
    place, asker = premises(), Asker()
    async with place.open() as process:
        await posted(process)
        answer = await asked(process, asker)

    buyer = msgspec.json.decode(asker.open(answer), type=SealedBuyer)
    assert (BUYER, EMAIL) == (buyer.address, buyer.email)
    with pytest.raises(Misuse, match="not sealed for this question"):
        Asker().open(answer)
    (shown,) = [each for each in await place.recorded() if isinstance(each.event, BuyerShown)]
    assert ("jo", "a call") == (shown.by, getattr(shown.event, "reason", ""))
    assert "Featherstonehaugh" not in answer


@pytest.mark.parametrize("damaged", ["", "x", "AAAA", "A" * 200])
async def test_answer_that_is_none_is_said_to_be_none(damaged: str) -> None:
    """A cut or a changed answer never opens to something else."""
    with pytest.raises(Misuse):
        Asker().open(damaged)
    with pytest.raises(Misuse, match="the asker's key is none"):
        seal_for(damaged, b"x")


async def test_buyer_without_a_reason_or_an_order_is_not_shown() -> None:
    """Nobody looks in passing; an order that there is none of is said to be none."""
    place, asker = premises(), Asker()
    async with place.open() as process:
        await posted(process)
        with pytest.raises(Refused, match="says why"):
            await asked(process, asker, " ")
        with pytest.raises(Refused, match="there is no order O9"):
            await process.orders.people.show("O9", reason="x", asker_key=asker.key, by="jo")

    assert [] == await place.said(BuyerShown)


async def test_buyer_of_an_order_that_is_not_accepted_is_not_known_yet() -> None:
    """The marketplace tells the address when the order is to be shipped."""
    place = premises(WAITING)
    async with place.open() as process:
        await process.do("intake")

        with pytest.raises(Refused, match="nothing is known of the buyer"):
            await asked(process, Asker())


# ── erased on request ───────────────────────────────────────────────────────────────────────


async def test_erased_buyer_is_gone_and_the_history_is_whole() -> None:
    """Law 7: no hash breaks, and a replay gives the same orders as before."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        await process.orders.people.erase("O1", reason="they wrote to us", by="jo")
        before = dict(process.orders.orders.items())
        with pytest.raises(Refused, match=r"was erased \(at a person's word\)"):
            await asked(process, Asker())
    with pytest.raises(NotFound):
        await place.vault.open("buyer-O1")
    again = Table(ORDERS)
    for recorded in await place.recorded():
        again.apply(recorded.event)

    verified = await verify(MemoryLogReader(place.store, MERCHANT))
    assert len(await place.recorded()) == verified.events
    assert before == dict(again.items())
    assert ["REF-O1"] == place.warehouse.forgotten_buyers
    (erased,) = await place.said(BuyerErased)
    assert ("asked", "they wrote to us") == (erased.cause, erased.reason)


async def test_erasing_twice_is_one_event_and_erases_again() -> None:
    """A command carried out twice (a crash in between) leaves nothing behind."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        for _ in range(2):
            await process.orders.people.erase("O1", reason="x", by="jo")
            await place.vault.seal(
                "buyer-O1", b"as if", at=place.clock.now(), until=place.clock.now()
            )
        await process.orders.people.erase("O1", reason="x", by="jo")

    assert 1 == len(await place.said(BuyerErased))
    with pytest.raises(NotFound):
        await place.vault.open("buyer-O1")


async def test_buyer_whose_order_is_not_in_the_erp_yet_is_not_erased() -> None:
    """It still needs its address: what to do first is said, and nothing is gone."""
    place = premises()
    async with place.open() as process:
        await read_all(process)
        with pytest.raises(Refused, match=r"still needs its address.*kcjl orders cancel O1"):
            await process.orders.people.erase("O1", reason="x", by="jo")
        place.shop.set_state("O1", "CANCELED")
        place.clock.tick(60)
        await process.do("intake")
        await process.orders.people.erase("O1", reason="x", by="jo")

    assert 1 == len(await place.said(BuyerErased))


def test_buyer_of_whom_all_was_paid_back_before_the_posting_needs_no_address() -> None:
    """There is nothing to send any more; a part of it still has to be sent."""
    order = received("O1", ordered("O1-1"), ordered("O1-2"), state=SHIPPING)
    parts = [
        LineWithdrawn(
            order_id="O1",
            line_id=line.line_id,
            sku=line.sku,
            units=line.quantity,
            amount=line.price,
            shipping_amount=line.shipping_price,
            occurred_at=at(9),
        )
        for line in order.lines
    ]

    assert why_not_erase(made_of(ORDERS, "O1", order, parts[0]))
    assert not why_not_erase(made_of(ORDERS, "O1", order, *parts))


async def test_erased_buyer_is_not_sealed_again_by_the_next_read() -> None:
    """The marketplace still shows the address; we have been asked to forget it."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        await process.orders.people.erase("O1", reason="x", by="jo")
        place.clock.tick(2 * DAY_S)
        place.shop.set_state("O1", SHIPPING)
        await process.do("intake")

    assert 1 == len(await place.said(DeliveryAddressSealed))
    with pytest.raises(NotFound):
        await place.vault.open("buyer-O1")


# ── erased in time ──────────────────────────────────────────────────────────────────────────


async def test_buyer_whose_time_is_over_is_erased_by_the_daily_job_and_said_once() -> None:
    """After the retention that is set; a day before it is still there."""
    place = premises()
    async with place.open() as process:
        await posted(process)
        place.clock.tick(89 * DAY_S)
        await process.do("vault-expiry")
        assert [] == await place.said(BuyerErased)
        place.clock.tick(2 * DAY_S)
        await process.do("vault-expiry", "vault-expiry")

    (erased,) = await place.said(BuyerErased)
    assert ("retention", "buyer-O1") == (erased.cause, erased.vault_ref)
    with pytest.raises(NotFound):
        await place.vault.open("buyer-O1")


async def test_buyer_whose_order_still_needs_the_address_is_kept_beyond_its_time() -> None:
    """A held order is still to be posted: it goes when it is, or is ended."""
    place = premises()
    async with place.open() as process:
        await read_all(process)
        place.clock.tick(91 * DAY_S)
        await process.do("vault-expiry")
        assert [] == await place.said(BuyerErased)
        assert await place.vault.open("buyer-O1")
        await process.do("posting", "vault-expiry")

    assert 1 == len(await place.said(BuyerErased))


async def test_sealed_documents_of_the_cloud_feed_go_with_their_time() -> None:
    """What waits for an ERP that fetches its orders is a buyer's address, too."""
    place = premises()
    now = place.clock.now()
    await place.vault.seal("cloud-order-ref-o1", b"x", at=now, until=now)
    async with place.open() as process:
        await process.do("vault-expiry")

    with pytest.raises(NotFound):
        await place.vault.open("cloud-order-ref-o1")
