"""Laws of the marketplace's imports and exports, without HTTP."""

from datetime import timedelta

import msgspec
import pytest

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.marketplace import ApiError
from kcjl.sandbox.marketplace.exports import ExportAsked, OfferSearch
from tests.sandbox.marketplace_shop import SHIRT, SOCKS, Shop, quick

EAN = "5012345678900"
GONE = [{"shop_sku": SHIRT, "state_code": "11", "price": "1", "update_delete": "delete"}]
NEW = {
    "shop_sku": "NEW",
    "state_code": "11",
    "price": "12.50",
    "product_id": EAN,
    "product_id_type": "EAN",
    "quantity": 2,
}


def busy_world(seed: int) -> bytes:
    """A shop that has imported, deleted and exported: its picture in the end."""
    shop = Shop(quick(failing_import_share=0.5, failing_export_share=0.5), seed=seed)
    marketplace = shop.marketplace
    for number in range(6):
        shop.order(0, 1, beyond_the_window=True)
        marketplace.import_offers([{**NEW, "shop_sku": f"NEW-{number}"}, *GONE])
        marketplace.import_offer_file(f"sku;price\nNEW-{number};{number}\n", "NORMAL")
        marketplace.import_prices(f"offer-sku;price\nNEW-{number};{number + 1}\n")
        for kind in ("offers", "orders", "transactions"):
            marketplace.start_export({"kind": kind})
        shop.wait(seconds=45)
        if number == 0:
            marketplace.list_offer("AGAIN", price=Money(100), title="Again")
            marketplace.import_offers([{**NEW, "shop_sku": SHIRT}])
            shop.wait(seconds=20)
    return marketplace.picture()


def test_same_seed_and_calls_give_the_same_imports_and_exports() -> None:
    """What a journal holds can be played again: ids, failures and files come out alike."""
    assert busy_world(3) == busy_world(3)
    assert busy_world(3) != busy_world(4)


def test_arguments_of_changes_can_be_written_to_a_journal_and_back() -> None:
    """Live and replay see the same: amounts as text, dates as text."""
    asked = ExportAsked(kind="offers", offers=OfferSearch(changed_since=Shop().agenda.now))
    written = msgspec.json.encode({"asked": asked, "offers": [NEW]})
    back = msgspec.json.decode(written)
    shop = Shop()
    shop.marketplace.import_offers(back["offers"])
    tracking_id = shop.marketplace.start_export(back["asked"])
    shop.wait(seconds=20)

    assert 1250 == shop.marketplace.offers["NEW"].price.amount_minor
    assert asked == shop.marketplace.exports.find("offers", tracking_id).asked


def test_offer_numbers_are_never_given_twice() -> None:
    """A deleted offer keeps its number for itself."""
    shop = Shop()
    numbers = {offer.offer_id for offer in shop.marketplace.offers.values()}
    shop.marketplace.import_offers(GONE)
    shop.wait(seconds=10)
    fresh = shop.marketplace.list_offer("FRESH", price=Money(1), title="Fresh")
    shop.marketplace.import_offers([{**NEW, "shop_sku": SHIRT}])
    shop.wait(seconds=10)

    assert fresh not in numbers
    assert shop.marketplace.offers[SHIRT].offer_id in numbers


def test_order_of_a_deleted_offer_can_still_be_refused() -> None:
    """What was bought before is decided as ever; there is no offer to empty."""
    shop = Shop()
    order = shop.order(1, 0)
    shop.marketplace.import_offers(GONE)
    shop.wait(seconds=10)
    shop.decide(order, False)

    assert "REFUSED" == order.state
    assert 0 == shop.marketplace.offered(SHIRT)


def test_export_shows_what_was_so_when_it_was_made() -> None:
    """A file does not change while it is being fetched."""
    shop = Shop()
    order = shop.order(1, 0)
    tracking_id = shop.marketplace.start_export({"kind": "orders"})
    shop.wait(seconds=20)
    shop.decide(order)
    _, (exported,) = shop.marketplace.exports.rows("orders", tracking_id, 1)

    assert "WAITING_ACCEPTANCE" == getattr(exported, "state", None)
    assert "WAITING_DEBIT" == order.state


def test_imports_of_all_kinds_wait_in_one_line() -> None:
    """What came first is done first: a stock figure that follows an offer file counts."""
    shop = Shop()
    shop.marketplace.import_offers([{**NEW, "shop_sku": SOCKS, "quantity": 9}])
    shop.marketplace.import_offers(
        [{"shop_sku": SOCKS, "state_code": "11", "price": "15.50", "quantity": 9}]
    )
    shop.marketplace.import_stock(f"offer-sku;quantity\n{SOCKS};4\n")
    shop.wait(seconds=30)

    assert 4 == shop.marketplace.offered(SOCKS)


def test_offer_outside_its_time_is_not_active() -> None:
    """available_ended has passed: exported only where inactive ones are asked for."""
    shop = Shop()
    yesterday = (shop.agenda.now - timedelta(days=1)).isoformat()
    shop.marketplace.import_offers([{**NEW, "available_ended": yesterday}])
    shop.wait(seconds=10)
    offer = shop.marketplace.offers["NEW"]
    found = [
        [each.sku for each in shop.marketplace.exports.offers(OfferSearch(with_inactive=wide))]
        for wide in (False, True)
    ]

    assert ["NOT_IN_AVAILABILITY_PERIOD"] == offer.inactive_because(shop.agenda.now)
    assert [[SHIRT, SOCKS], [SHIRT, SOCKS, "NEW"]] == found


def test_products_may_be_limited_to_those_that_the_operator_knows() -> None:
    """A closed catalogue: an unknown EAN is no product."""
    shop = Shop(quick(known_product_ids=("4006381333931",)))
    other = {**NEW, "shop_sku": "OTHER", "product_id": "4006381333931"}
    import_id = shop.marketplace.import_offers([NEW, other])
    shop.wait(seconds=10)
    taken = shop.marketplace.offer_imports.find(import_id)

    assert (1, 1) == (taken.inserted, len(taken.errors))
    assert "does not exist" in taken.errors[0].message
    assert 2 == shop.marketplace.offered("OTHER")


@pytest.mark.parametrize(("seconds_each", "count"), [(-1, 1), (1e9, 1), (1, 0), (1, 10**6)])
def test_slow_imports_beyond_reason_are_refused(seconds_each: float, count: int) -> None:
    """A hand that slips does not stop a world for ever."""
    with pytest.raises(Misuse, match="slow imports"):
        Shop().marketplace.slow_imports(seconds_each, count)


def test_failing_exports_beyond_reason_are_refused() -> None:
    """The same of exports; an export of another kind is not found under an id."""
    shop = Shop()
    with pytest.raises(Misuse, match="failing exports"):
        shop.marketplace.fail_exports(-1)
    tracking_id = shop.marketplace.start_export({"kind": "offers"})

    with pytest.raises(ApiError, match="not found"):
        shop.marketplace.exports.find("orders", tracking_id)
