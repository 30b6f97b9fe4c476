"""Each kind of exception is provoked: once on the desk, with its owner, and gone by its action.

One served world goes through those that the sandbox makes in minutes: the real service, real
HTTP both ways, real PostgreSQL. The others stand in `provocations.py`, each with the test that
provokes it; a kind in neither place fails.
"""

from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from kcjl.dispatch.events import ParcelConfirmed
from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.money import Money
from kcjl.orders.events import SalesOrderPosted
from kcjl.sandbox.faults import Fault
from kcjl.settings import OpeningPolicy
from kcjl.stock.events import StockImportFinished
from tests.exceptions.provocations import (
    IN_THEIR_ROOM,
    ON_THEIR_PROBE,
    ONLY_DECIDED,
    ONLY_DECIDED_MAX,
    OVER_HTTP,
)
from tests.exceptions.test_provoked_served import DISPATCH, ORDERS, STOCK
from tests.service.running import MERCHANT, Shop, quiet_world, serving, shop

pytestmark = pytest.mark.anyio

TESTS = Path(__file__).parent.parent

# ── in one world ────────────────────────────────────────────────────────────────────────────


async def _raised(world: Shop, kind: str, subject: str = "") -> ExceptionRaised:
    return await world.until(
        ExceptionRaised,
        lambda event: event.kind == kind and subject in event.subject,
    )


def _what(event: ExceptionRaised | ExceptionCleared) -> tuple[str, str]:
    return event.kind, event.subject


async def _cleared(world: Shop, kind: str) -> None:
    await world.until(ExceptionCleared, lambda event: event.kind == kind)


async def _courier_and_what_comes_after(world: Shop) -> None:
    """One order: its courier is mapped by a person, its confirmation is refused once; then the
    customer complains, and the operator gives money back.
    """
    order_id = world.buy(world.an_offer())
    unmapped = await _raised(world, "courier_unmapped")
    await world.ask("map-courier", by="jo", courier=unmapped.subject, carrier_code="DPD")
    await _raised(world, "confirmation_refused", order_id)
    await world.until(ParcelConfirmed, lambda event: event.order_id == order_id)
    (line,) = world.order(order_id).lines
    world.change("johnlewis", "open_incident", order_line_id=line.line_id)
    await _raised(world, "incident_open", order_id)
    world.change("johnlewis", "close_incident", order_line_id=line.line_id)
    await _cleared(world, "incident_open")
    world.change(
        "johnlewis",
        "operator_refunds",
        order_line_id=line.line_id,
        amount=Money(100, "GBP"),
    )
    refund = await _raised(world, "refund_to_enter", order_id)
    _, _, task = refund.subject.partition("/")
    await world.ask("correction-done", by="jo", order_id=order_id, task=task, note="entered")


async def _unknown_code(world: Shop) -> None:
    """The ERP does not know it; made there, the order goes on."""
    price = {"amount_minor": 1_250}
    world.change("johnlewis", "list_offer", sku="LAMP-77", price=price, title="A lamp")
    await _raised(world, "sku_unmatched", "lamp-77")
    order_id = world.buy("LAMP-77")
    await _raised(world, "order_held", order_id)
    world.change(
        "khaos",
        "add_product",
        code="LAMP-77",
        description="A lamp",
        sell_price=price,
        physical=9,
    )
    await world.until(SalesOrderPosted, lambda event: event.order_id == order_id)


async def _switches(world: Shop) -> None:
    """Off and on again, by a person; when the orders of the others have gone through."""
    await world.until(StockImportFinished)
    for verb, kind in (
        ("switch-publishing", "publishing_off"),
        ("switch-writes", "writes_off"),
    ):
        await world.ask(verb, by="jo", switch="off", reason="stock-taking")
        await _raised(world, kind)
        await world.ask(verb, by="jo", switch="on", reason="done")
        await _cleared(world, kind)


AT_ONCE = (
    Fault(kind="status", side="johnlewis", operation="OR11", status=503, times=2),
    Fault(kind="status", side="johnlewis", operation="STO01", status=400),
    Fault(kind="status", side="johnlewis", operation="ST01", status=400),
)
"""OR11 is away twice, one stock import and one confirmation are refused."""
WALKS: tuple[Callable[[Shop], Coroutine[object, object, None]], ...] = (
    _courier_and_what_comes_after,
    _unknown_code,
    _switches,
)
IN_ONE_WORLD = {
    "job_interrupted",
    "stock_import_failed",
    "courier_unmapped",
    "confirmation_refused",
    "incident_open",
    "refund_to_enter",
    "sku_unmatched",
    "order_held",
    "publishing_off",
    "writes_off",
}


async def test_what_goes_wrong_in_a_served_world_is_told_once_to_its_owner_and_ends(
    database_dsn: str, tmp_path: Path
) -> None:
    """Raised once each, routed as its kind is, cleared by what the person did or by itself."""
    async with shop(database_dsn, tmp_path, quiet_world()) as world:
        nothing_mapped = OpeningPolicy(buffer_units=1, carriers={})
        merchant = replace(world.settings.merchants[MERCHANT], opening_policy=nothing_mapped)
        world.settings = replace(world.settings, merchants={MERCHANT: merchant})
        world.fails(*AT_ONCE)
        async with serving(world):
            async with anyio.create_task_group() as group:
                for walk in WALKS:
                    group.start_soon(walk, world)
            for kind in sorted(IN_ONE_WORLD):
                await _cleared(world, kind)
            raised = await world.events(ExceptionRaised)
            cleared = {_what(each) for each in await world.events(ExceptionCleared)}

    told = [each for each in raised if each.kind in IN_ONE_WORLD]
    assert IN_ONE_WORLD == {each.kind for each in told}
    assert {1} == set(Counter(map(_what, told)).values())
    assert set(map(_what, told)) <= cleared
    assert {(each.kind, KINDS[each.kind].owner) for each in told} == {
        (each.kind, each.owner) for each in told
    }


# ── the table ───────────────────────────────────────────────────────────────────────────────

WAYS: dict[str, set[str]] = {
    "served world": IN_ONE_WORLD | STOCK | ORDERS | DISPATCH,
    "over HTTP": set(OVER_HTTP),
    "its room": set(IN_THEIR_ROOM),
    "its probe": set(ON_THEIR_PROBE),
    "events only": set(ONLY_DECIDED),
}
"""How each kind is shown, as docs/exceptions.md counts them."""
ELSEWHERE = OVER_HTTP | IN_THEIR_ROOM | ON_THEIR_PROBE | ONLY_DECIDED


def test_every_kind_of_the_catalogue_is_provoked_in_one_way() -> None:
    """A kind that nobody has seen raised, routed and cleared is a kind that nobody knows."""
    ways = Counter(kind for kinds in WAYS.values() for kind in kinds)

    assert dict.fromkeys(KINDS, 1) == dict(ways)
    assert ONLY_DECIDED_MAX >= len(ONLY_DECIDED)


def test_numbers_of_kinds_by_way_stand_in_the_docs() -> None:
    """Who reads the page knows what was shown, and how."""
    page = (TESTS.parent / "docs" / "exceptions.md").read_text(encoding="utf-8")

    for way, kinds in WAYS.items():
        assert f"| {way} | {len(kinds)} |" in page


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_test_that_provokes_a_kind_is_there(test: str) -> None:
    """A test that was renamed or taken away provokes nothing."""
    file, _, name = test.partition("::")

    assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8")
