"""What the ERP is asked about codes, and when: not thousands each time, and never too late."""

import pytest

from kcjl.khaos.port import Capabilities
from kcjl.stock.codes import ASKED_AGAIN_MAX, Codes
from kcjl.stock.events import SkuUnmatched
from kcjl.stock.state import Match, Product
from tests.rooms import Premises

pytestmark = pytest.mark.anyio
READ = ("offers", "levels", "intake")


def unmatched(sku: str) -> Product:
    return Product(key=sku, match=Match.UNMATCHED)


async def test_unmatched_sku_is_not_asked_for_again_at_each_poll() -> None:
    """Asked once; then not before an hour has gone, however often is polled."""
    place = Premises()
    place.shop.offers_there["NOPE"] = 1
    async with place.open() as process:
        await process.do(*READ)
        first = place.warehouse.mishaps.times("products")
        for _ in range(3):
            place.clock.tick(300)
            await process.do("levels")
        assert first == place.warehouse.mishaps.times("products")
        place.clock.tick(3_600)
        await process.do("levels")

        assert first + 1 == place.warehouse.mishaps.times("products")


async def test_product_that_appears_in_the_erp_opens_its_gate_by_itself() -> None:
    """At the next poll, not an hour later: the list of edited products names it."""
    place = Premises()
    place.shop.offers_there["LAMP-01"] = 1
    async with place.open() as process:
        await process.do(*READ, "publish", "publish")
        assert 0 == place.shop.offers_there["LAMP-01"]
        place.clock.tick(300)
        place.warehouse.put("LAMP-01", 6)
        await process.do("levels", "intake", "publish")

    assert 6 == place.shop.offers_there["LAMP-01"]


async def test_unmatched_skus_are_asked_so_many_at_a_time_the_longest_unasked_first() -> None:
    """A catalogue of unknown SKUs is no flood of questions; each has its turn."""
    place = Premises()
    codes = Codes(place.warehouse, place.clock)
    products = [unmatched(f"sku-{number:04}") for number in range(ASKED_AGAIN_MAX + 20)]

    first = codes.to_ask(products, ())
    await codes.answers(first)
    second = codes.to_ask(products, ())
    await codes.answers(second)

    assert (ASKED_AGAIN_MAX, 20) == (len(first), len(second))
    assert {each.key for each in products} == {each.key for each in (*first, *second)}
    assert [] == codes.to_ask(products, ())


async def test_edited_code_as_near_as_a_slip_has_the_sku_asked_again() -> None:
    """Somebody at the ERP has touched what the SKU probably means."""
    place = Premises()
    codes = Codes(place.warehouse, place.clock)
    product = unmatched("lamp01")
    await codes.answers([product])

    assert [] == codes.to_ask([product], {"rug-02"})
    assert [product] == codes.to_ask([product], {"lamp-01"})


async def test_deleted_stock_code_goes_to_zero_and_says_why() -> None:
    """Found by the list of deletions, though nothing moved; the reason is named."""
    place = Premises()
    place.warehouse.put("LAMP-01", 6)
    place.shop.offers_there["LAMP-01"] = 1
    async with place.open() as process:
        await process.do(*READ, "publish", "publish")
        assert 6 == place.shop.offers_there["LAMP-01"]
        place.clock.tick(300)
        place.warehouse.delete("LAMP-01")
        await process.do("deleted-codes", "intake", "publish")

    assert 0 == place.shop.offers_there["LAMP-01"]
    (gone,) = await place.said(SkuUnmatched)
    assert "stock code LAMP-01 was deleted in the ERP" == gone.because


async def test_deleted_code_that_was_made_anew_stays_on_sale() -> None:
    """An entry in the list of deletions is a reason to ask, no answer."""
    place = Premises()
    place.warehouse.put("LAMP-01", 6)
    place.shop.offers_there["LAMP-01"] = 1
    place.warehouse.deleted_at["LAMP-01"] = place.clock.now()
    async with place.open() as process:
        await process.do(*READ, "deleted-codes", "publish")

    assert 6 == place.shop.offers_there["LAMP-01"]


async def test_erp_that_tells_no_deletions_is_not_asked_for_them() -> None:
    """What an adapter can't do is not tried."""
    place = Premises()
    able = place.warehouse.capabilities
    place.warehouse.capabilities = Capabilities(
        **{name: getattr(able, name) for name in able.__struct_fields__}
        | {"deleted_entries": False}
    )
    async with place.open() as process:
        await process.do(*READ, "deleted-codes")

    assert 0 == place.warehouse.mishaps.times("deleted_products")


async def test_code_whose_levels_are_missing_is_asked_about_again() -> None:
    """An ERP without a list of deletions: the level that does not come is the sign."""
    place = Premises()
    place.warehouse.put("LAMP-01", 6)
    place.shop.offers_there["LAMP-01"] = 1
    async with place.open() as process:
        await process.do(*READ, "publish", "publish")
        place.clock.tick(2 * 3_600)
        moved = place.clock.now()
        place.warehouse.delete("LAMP-01")
        place.warehouse.moved_at["LAMP-01"] = moved
        await process.do("levels", "intake", "publish")

    assert 0 == place.shop.offers_there["LAMP-01"]
    (gone,) = await place.said(SkuUnmatched)
    assert "stock code LAMP-01 is no longer in the ERP" == gone.because
