"""`kcjl explain …` as a user types it: on a log of orders, stock, payouts and an exception."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from kcjl.audit.explain import Explanation
from kcjl.stock.events import BufferSet
from tests.audit.handmade import Handmade, handmade, raised
from tests.cli.test_stock import CONFIG, position_of
from tests.cli.typed import typed
from tests.settlement.booked import booked_payout
from tests.trade import (
    SHIPPING,
    at,
    confirmed,
    level,
    listed,
    ordered,
    orders_read,
    received,
    stock_read,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("shop")]

kcjl = partial(typed, "explain")


@pytest.fixture
async def shop(database_dsn: str, tmp_path: Path) -> AsyncIterator[Handmade]:
    """Ten lamps, twelve of them sold; a payout that is booked; an order that is held."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made:
        await made.append(BufferSet(units=1, version=1, occurred_at=at()), by="jo")
        await made.append(
            listed("A-1"),
            confirmed("A-1"),
            level(10, minutes=1),
            stock_read(1, finished=2),
            by="stock",
        )
        made.clock.tick(60)
        await booked_payout(made)
        await made.append(
            received("O7", ordered("O7-1", "A-1", 12), state=SHIPPING), orders_read(3)
        )
        held = await made.log.head()
        await made.append(raised(subject="O7"), by="exceptions", causation=held.position)
        await made.fold()
        yield made


async def told(*words: str, cwd: Path) -> Explanation:
    ended = await kcjl(*words, "--json", cwd=cwd)
    assert 0 == ended.returncode, ended.stderr
    return msgspec.json.decode(ended.stdout, type=Explanation)


async def test_explain_a_word_alone_finds_what_it_is(tmp_path: Path) -> None:
    """A SKU, an order, an exception, a bank reference: nobody has to say which."""
    kinds = [(await told(word, cwd=tmp_path)).kind for word in ("A-1", "O1", "order_held:O7")]
    payout = await told("CY1", cwd=tmp_path)

    assert ["sku", "order", "exception"] == kinds
    assert ("payout", "CY1") == (payout.kind, payout.subject)


async def test_explain_a_name_that_is_none_lists_what_has_it(tmp_path: Path) -> None:
    """A part of a name is no answer, and not the end either."""
    part = await kcjl("A-", cwd=tmp_path)
    nothing = await kcjl("nonsense", cwd=tmp_path)

    assert (3, 3) == (part.returncode, nothing.returncode)
    assert "`kcjl explain sku A-1`" in part.stderr
    assert "nothing is called 'nonsense'" in nothing.stderr


async def test_explain_sku_says_the_sum_and_the_policy_of_then(
    shop: Handmade, tmp_path: Path
) -> None:
    """Before the orders there was more to sell, by the same policy; who set it is told."""
    before = await position_of(shop, "OrderReceived") - 1
    then = await told("sku", "A-1", "--at", f"#{before}", cwd=tmp_path)
    now = await told("sku", "A-1", cwd=tmp_path)

    assert "9 of A-1 can be sold: 10 (site 1 has 10 free to sell)" in then.answer[0]
    assert "0 of A-1 can be sold" in now.answer[0]
    assert max(each.position for each in then.chain) <= before
    assert [("stock policy", 1, "jo")] == [
        (each.name, each.version, each.by) for each in then.policies
    ]


async def test_explain_order_names_who_had_it_longest(tmp_path: Path) -> None:
    """Each wait with whose it was, the longest one as the cause; its life as a tree."""
    found = await told("order", "O1", cwd=tmp_path)
    text = (await kcjl("order", "O1", "--tree", cwd=tmp_path)).stdout

    assert found.answer[0].startswith("Order O1 ")
    assert "The longest single wait was" in found.answer[1]
    assert {"OrderReceived", "SalesOrderPosted", "ParcelShipped"} <= {
        each.type for each in found.chain
    }
    assert "└ " in text or "OrderReceived" in text
    assert "learnt" in text


async def test_explain_payout_and_a_penny_of_it(tmp_path: Path) -> None:
    """Contract e.4: the lines come to what was paid; an amount leads to line and journal."""
    payout = await told("payout", "CY1", cwd=tmp_path)
    penny = await told("penny", "CY1", "10.39", cwd=tmp_path)
    pence = await told("penny", "CY1", "1039p", cwd=tmp_path)
    wrong = await kcjl("penny", "CY1", "2p", cwd=tmp_path)

    assert "21.02 GBP" in payout.answer[0]
    assert "so the residue is 0.00 GBP." in payout.answer[1]
    assert penny.answer == pence.answer
    assert any("journal line" in said for said in penny.answer)
    assert 3 == wrong.returncode
    assert "nothing in payout CY1 is 0.02 GBP" in wrong.stderr


async def test_explain_exception_says_whose_it_is_why_and_what_clears_it(
    tmp_path: Path,
) -> None:
    """The owner with the reason, what holds, what ends it, and the event that caused it."""
    found = await told("exception", "order_held:O7", cwd=tmp_path)

    assert "is with operations: no routing rule names another owner" in found.answer[0]
    assert any(said.startswith("It clears by itself when ") for said in found.answer)
    assert ["OrdersRead", "ExceptionRaised"] == [each.type for each in found.chain]


async def test_explain_oversold_by_its_order_and_by_its_sku(
    tmp_path: Path,
) -> None:
    """Twelve sold of ten: two short by a level that had been read before."""
    by_order = await told("oversold", "O7", cwd=tmp_path)
    by_sku = await told("oversold", "A-1", cwd=tmp_path)
    none = await kcjl("oversold", "O1", cwd=tmp_path)

    assert by_order == by_sku
    assert "O7 A-1" == by_order.subject
    assert "2" in by_order.answer[0]
    assert {"cadence", "buffer", "limit"} == {each.name for each in by_order.changes}
    assert 3 == none.returncode


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("foo", "bar"), "'foo' is nothing to be explained"),
        (("sku", "A-1", "B-2"), "a name with blanks is quoted"),
        (("penny", "CY1", "lots"), "write it like 2p or 0.02"),
        (("A-1", "--at", "yesterday"), "no time"),
    ],
)
async def test_explain_of_what_can_not_be_asked_says_how(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    """A clear word, and the next step."""
    ended = await kcjl(*words, cwd=tmp_path)

    assert ended.returncode
    assert said in ended.stderr
