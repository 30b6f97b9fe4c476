"""OF21, OF24, OF02, OF03, OF51 to OF54 and STO01 to STO03, client against sandbox."""

from datetime import timedelta

import msgspec
import pytest

from kcjl.errors import CredentialsRefused, NotFound, Refused
from kcjl.johnlewis.offer_port import OfferImportStatus, OfferRemoval, completed
from kcjl.johnlewis.port import StockFigure, StockImportStatus
from kcjl.money import Money
from kcjl.sandbox.faults import Fault
from tests.johnlewis.test_seller_api_sandbox import serving
from tests.johnlewis.test_seller_api_sandbox_exports import all_of
from tests.sandbox.marketplace_shop import BEGINNING, SHIRT, SOCKS, quick

pytestmark = pytest.mark.anyio


async def test_offers_are_read_as_they_stand() -> None:
    """OF21: number, quantity and price of the sandbox's own truth."""
    async with serving() as world:
        kept = world.shop.marketplace.offers
        told = await world.api().offers()

    assert {(each.offer_id, each.sku, each.quantity, each.price) for each in kept.values()} == {
        (each.offer_id, each.sku, each.quantity, each.price) for each in told
    }


async def test_offers_of_a_stranger_are_not_told() -> None:
    """OF21 and OF51: a wrong key is a 401, not a shop without offers."""
    async with serving() as world:
        with pytest.raises(CredentialsRefused):
            await world.api("somebody").offers()
        with pytest.raises(CredentialsRefused):
            await all_of(world.api("somebody").offers_changed(BEGINNING))


async def test_offer_is_written_and_another_deleted() -> None:
    """OF24 and OF02: the import says what it did, and the truth has it; the same offers sent
    while it is in hand are no second import (d.5).
    """
    chosen = quick(call_limits=True, import_s_min=120, import_s_max=120)
    async with serving(chosen) as world:
        api, shop = world.api(), world.shop
        shirt, socks = sorted(await api.offers(), key=lambda each: each.sku)
        dearer = msgspec.structs.replace(
            completed(shirt, quantity=4), price=Money(2600), prices=()
        )
        removal = OfferRemoval(sku=socks.sku, state_code="11", price=Money(1550))
        import_id = await api.publish_offers([dearer], [removal])
        same_id = await api.publish_offers([dearer], [removal])
        done = await api.offer_import_done(import_id, shop.agenda.now)
        kept = dict(shop.marketplace.offers)

    assert [SHIRT] == list(kept)
    assert (Money(2600), 4) == (kept[SHIRT].price, kept[SHIRT].quantity)
    assert (OfferImportStatus.COMPLETE, 2, 0, 1, 1) == (
        done.status,
        done.lines_in_success,
        done.lines_in_error,
        done.offers_updated,
        done.offers_deleted,
    )
    assert import_id == same_id == done.import_id


async def test_line_of_an_offer_import_that_is_wrong_fails_alone() -> None:
    """OF03: the line's number, SKU and words; the other line is done."""
    async with serving(quick(call_limits=True, known_product_ids=())) as world:
        api, shop = world.api(), world.shop
        whole = [completed(each, quantity=3) for each in await api.offers()]
        stranger = msgspec.structs.replace(
            whole[0], sku="NOPE", product_id="5012345678900", product_id_type="EAN"
        )
        import_id = await api.publish_offers([*whole, stranger])
        done = await api.offer_import_done(import_id, shop.agenda.now)
        (error,) = await api.offer_import_errors(import_id)

    assert (2, 1, True) == (done.lines_in_success, done.lines_in_error, done.has_error_report)
    assert ("NOPE", 3) == (error.sku, error.line_number)
    assert error.message
    assert {SHIRT: 3, SOCKS: 3} == {
        each.sku: each.quantity for each in shop.marketplace.offers.values()
    }


async def test_offer_import_that_fails_whole_does_nothing() -> None:
    """OF02: FAILED is a refusal; the offers stand as they stood."""
    async with serving(quick(call_limits=True, failing_import_share=1)) as world:
        api, shop = world.api(), world.shop
        whole = [completed(each, quantity=1) for each in await api.offers()]
        import_id = await api.publish_offers(whole)
        with pytest.raises(Refused) as failed:
            await api.offer_import_done(import_id, shop.agenda.now)

    assert "FAILED" in failed.value.message
    assert failed.value.reason_code
    assert {10} == {each.quantity for each in shop.marketplace.offers.values()}


async def test_offers_of_a_stranger_are_not_written() -> None:
    """OF24: a wrong key is a 401, and no import is made."""
    async with serving() as world:
        whole = [completed(each, quantity=1) for each in await world.api().offers()]
        with pytest.raises(CredentialsRefused):
            await world.api("somebody").publish_offers(whole)

        assert {} == world.shop.marketplace.offer_imports.imports


async def test_imports_that_nobody_made_are_not_found() -> None:
    """OF02, OF03, STO02 and STO03 of an id that is no import's."""
    unknown = "00000000-0000-4000-8000-000000000000"
    async with serving() as world:
        api = world.api()
        with pytest.raises(NotFound):
            await api.offer_import(1)
        with pytest.raises(NotFound):
            await api.offer_import_errors(1)
        with pytest.raises(NotFound):
            await api.stock_import(unknown)
        with pytest.raises(NotFound):
            await api.stock_import_errors(unknown)


async def test_changes_of_offers_are_told_by_both_exports() -> None:
    """OF51, and OF52 with OF53 and OF54: what was changed since, and what was deleted since."""
    async with serving() as world:
        shop = world.shop
        shop.wait(hours=2)
        since = shop.agenda.now
        shop.stock({SHIRT: 6})
        shop.marketplace.catalogue.delete(shop.marketplace.offers[SOCKS])
        api = world.api()
        changed = await all_of(api.offers_changed(since))
        exported = await all_of(api.offers_exported(since))

    for told in (changed, exported):
        assert {(True, 0), (False, 6)} == {(each.deleted, each.quantity or 0) for each in told}


async def test_export_of_offers_that_fails_is_told_with_its_code() -> None:
    """OF53: FAILED with the code of its error; the next export is whole."""
    async with serving() as world:
        world.shop.marketplace.fail_exports(1)
        with pytest.raises(Refused) as failed:
            await all_of(world.api().offers_exported(None))
        world.shop.wait(hours=1)
        told = await all_of(world.api().offers_exported(None))

    assert "1" == failed.value.reason_code
    assert {SHIRT, SOCKS} == {each.sku for each in told}


@pytest.mark.parametrize("operation", ["OF51", "OF54"])
async def test_file_of_offers_that_is_not_there_is_no_empty_file(operation: str) -> None:
    """OF51 and OF54: a 404 is an error, never "nothing changed"."""
    async with serving() as world:
        api = world.api()
        world.faults.add([Fault(kind="status", status=404, operation=operation)])
        told = (
            api.offers_changed(BEGINNING) if operation == "OF51" else api.offers_exported(None)
        )
        with pytest.raises(NotFound) as gone:
            await all_of(told)

    assert gone.value.message.startswith(operation)


async def test_stock_is_published_and_followed_to_its_end() -> None:
    """STO01 and STO02: waiting, then complete; the truth has the figures."""
    async with serving(quick(call_limits=True, import_s_min=40, import_s_max=40)) as world:
        api, shop = world.api(), world.shop
        shop.wait(seconds=60)
        import_id = await api.publish_stock(
            [StockFigure(sku=SHIRT, quantity=3), StockFigure(sku=SOCKS, quantity=0)]
        )
        first = await api.stock_import(import_id)
        before = shop.marketplace.offered(SOCKS)
        shop.wait(seconds=40)
        last = await api.stock_import(import_id)

    assert (StockImportStatus.WAITING, 10) == (first.status, before)
    assert (StockImportStatus.COMPLETE, 2, 0) == (
        last.status,
        last.lines_in_success,
        last.lines_in_error,
    )
    assert (3, 0) == (shop.marketplace.offered(SHIRT), shop.marketplace.offered(SOCKS))


async def test_line_of_a_stock_import_that_is_wrong_fails_alone() -> None:
    """STO03: the line's number, SKU and words; nothing is offered of what is not ours."""
    async with serving() as world:
        api, shop = world.api(), world.shop
        import_id = await api.publish_stock(
            [StockFigure(sku=SHIRT, quantity=3), StockFigure(sku="NOPE", quantity=5)]
        )
        shop.wait(seconds=30)
        status = await api.stock_import(import_id)
        (error,) = await api.stock_import_errors(import_id)

    assert (1, 1, True) == (
        status.lines_in_success,
        status.lines_in_error,
        status.has_error_report,
    )
    assert "NOPE" == error.sku
    assert error.message
    assert 3 == shop.marketplace.offered(SHIRT)


async def test_stock_of_a_stranger_is_not_taken() -> None:
    """STO01: a wrong key is a 401, and the figures stand."""
    async with serving() as world:
        made = len(world.shop.marketplace.catalogue.imports)
        with pytest.raises(CredentialsRefused):
            await world.api("somebody").publish_stock([StockFigure(sku=SHIRT, quantity=1)])
        world.shop.wait(seconds=timedelta(minutes=5).total_seconds())

    assert made == len(world.shop.marketplace.catalogue.imports)
    assert 10 == world.shop.marketplace.offered(SHIRT)
