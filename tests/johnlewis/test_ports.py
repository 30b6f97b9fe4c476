"""The seller API keeps every port of the marketplace."""

import pytest

from kcjl.johnlewis.account_port import AccountPort
from kcjl.johnlewis.offer_port import OfferPort
from kcjl.johnlewis.order_export import OrderExportPort
from kcjl.johnlewis.parcel_port import ParcelPort
from kcjl.johnlewis.port import MarketplacePort
from kcjl.johnlewis.seller_api import SellerApi

pytestmark = pytest.mark.anyio


async def test_seller_api_keeps_every_port(api: SellerApi) -> None:
    """The type checker compares the signatures; here each call is there."""
    core: MarketplacePort = api
    offers: OfferPort = api
    orders: OrderExportPort = api
    parcels: ParcelPort = api
    account: AccountPort = api

    lacking = [
        name
        for port in (MarketplacePort, OfferPort, OrderExportPort, ParcelPort, AccountPort)
        for name in vars(port)
        if not name.startswith("_") and not callable(getattr(api, name, None))
    ]

    assert [] == lacking
    assert {core, offers, orders, parcels, account} == {api}


def test_areas_of_the_seller_api_do_not_hide_each_others_calls() -> None:
    """The areas are one object: a name that two of them have would be one area's only."""
    names = [
        name
        for area in SellerApi.__mro__[:-1]
        for name, value in vars(area).items()
        if callable(value) and not name.startswith("__")
    ]

    assert len(set(names)) == len(names)
