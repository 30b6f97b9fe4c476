"""A person's word on a served order: money back over HTTP, a buyer shown, a buyer erased."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from kcjl.audit.replay import replay
from kcjl.command import Outcome
from kcjl.commands import wait_for_outcome
from kcjl.database import OPERATOR, Database
from kcjl.log.verify import verify
from kcjl.orders.events import SalesOrderPosted
from kcjl.orders.personal_events import BuyerShown
from kcjl.orders.reversal_amounts import Asked
from kcjl.orders.reversal_events import ReversalHeldBack, ReversalTaken, ReversalUnknown
from kcjl.orders.reversal_plan import REFUND, ReversalPlan
from kcjl.orders.translate import SealedBuyer
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.store import PostgresRows
from kcjl.sandbox.faults import Fault
from kcjl.sealedanswer import Asker
from tests.service.running import HANGS_S, MERCHANT, Shop, quiet_world, serving, shop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def quiet(database_dsn: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(database_dsn, tmp_path, quiet_world()) as running:
        yield running


async def answer(quiet: Shop, verb: str, **arguments: str) -> Outcome:
    command_id = await quiet.ask(verb, by="jo", **arguments)
    async with Database(quiet.dsn, role=OPERATOR) as database:
        outcome = await wait_for_outcome(database, MERCHANT, command_id, seconds=HANGS_S)
    assert outcome is not None
    return outcome


async def said_yes(quiet: Shop, order_id: str) -> ReversalPlan:
    """One unit is previewed and ordered."""
    line_id = quiet.order(order_id).lines[0].line_id
    asked = msgspec.json.encode(Asked(line_ids=(line_id,), units=1, reason_code="17"))
    words = {"order_id": order_id, "kind": REFUND, "asked": asked.decode()}
    preview = await answer(quiet, "preview-reversal", **words)
    assert preview.ok, preview.message
    plan = msgspec.json.decode(preview.message, type=ReversalPlan)
    done = await answer(
        quiet, "order-reversal", **words, plan_id=plan.plan_id, reason="a cup was broken"
    )
    assert done.ok, done.message
    return plan


async def test_refund_whose_answer_is_lost_over_http_is_made_once(quiet: Shop) -> None:
    """OR28 was done, its answer cut: found on the order, and never sent again."""
    async with serving(quiet):
        order_id = quiet.buy(quiet.an_offer(), 2)
        await quiet.until(SalesOrderPosted)
        quiet.fails(Fault(kind="lost_after", side="johnlewis", operation="OR28"))
        plan = await said_yes(quiet, order_id)
        taken = await quiet.until(ReversalTaken)

    (line,) = quiet.sandbox.world.marketplace.orders[order_id].lines
    (refund,) = line.refunds
    assert 1_250 == plan.total.amount_minor == refund.charge.amount.amount_minor
    assert refund.refund_id == taken.marketplace_id
    assert taken.found_by_lookup
    assert 1 == len(await quiet.events(ReversalUnknown))


async def test_refund_above_the_shops_balance_waits_for_it(quiet: Shop) -> None:
    """The sandbox's refusal in its own words is known for what it is: nothing is lost."""
    quiet.change("johnlewis", "switch", settings={"refund_needs_payable_balance": True})
    async with serving(quiet):
        order_id = quiet.buy(quiet.an_offer(), 2)
        await quiet.until(SalesOrderPosted)
        await said_yes(quiet, order_id)
        held = await quiet.until(ReversalHeldBack)
        quiet.change("johnlewis", "switch", settings={"refund_needs_payable_balance": False})
        quiet.sandbox.doorkeeper.set_pace(leap_s=7 * 3_600)
        await quiet.until(ReversalTaken)

    assert "balance" in held.message
    assert 1 == len(quiet.sandbox.world.marketplace.orders[order_id].lines[0].refunds)


async def test_buyer_is_shown_sealed_erased_and_the_log_still_proves_itself(
    quiet: Shop, database_dsn: str
) -> None:
    """Nothing of the buyer stands in the queue; erased, the log verifies and replays whole."""
    asker = Asker()
    async with serving(quiet):
        order_id = quiet.buy(quiet.an_offer())
        await quiet.until(SalesOrderPosted)
        shown = await answer(
            quiet, "show-buyer", order_id=order_id, reason="a call", asker_key=asker.key
        )
        erased = await answer(quiet, "erase-buyer", order_id=order_id, reason="they asked")
        again = await answer(
            quiet, "show-buyer", order_id=order_id, reason="a call", asker_key=asker.key
        )
    async with Database(database_dsn, role=None) as database:
        queue = await database.fetch("select body::text, outcome::text from command")
        sealed = await database.fetchval("select count(*) from vault")
        replayed = await replay(quiet.log, PostgresRows(database, MERCHANT), PROJECTIONS)
    verified = await verify(quiet.log)

    buyer = msgspec.json.decode(asker.open(shown.message), type=SealedBuyer)
    assert "Quillfeather" == buyer.address.last_name
    assert "Quillfeather" not in repr(queue)
    assert erased.ok
    assert 0 == sealed
    assert not again.ok
    assert "was erased" in again.message
    assert 1 == len(await quiet.events(BuyerShown))
    assert verified.events == verified.position
    assert "" == replayed.difference
