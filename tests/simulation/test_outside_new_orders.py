"""New orders enter the simulated ERP as the adapter's document would be read by the sandbox."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kcjl.errors import KcjlError
from kcjl.khaos.order_document import order_document
from kcjl.khaos.port import DeliveryAddress, NewOrder, NewOrderLine
from kcjl.money import Money
from kcjl.sandbox.warehouse import WarehouseSettings
from kcjl.sandbox.warehouse.documents import parse_sales_orders
from tests.simulation.outside_erp import KWS
from tests.simulation.outside_new_orders import NewOrderReader

WAREHOUSE = WarehouseSettings()
READER = NewOrderReader(KWS, WAREHOUSE)

words = st.text(st.sampled_from("Ab 1-'ß東“é\t\u200b"), max_size=40)
short = st.text(st.sampled_from("Ab 1-é"), max_size=12)
addresses = st.builds(
    DeliveryAddress,
    line1=words,
    line2=words | st.just(""),
    line3=short,
    town=short,
    postcode=short,
    country_code=st.sampled_from(("GBR", "")),
    surname=short,
    forename=short,
    county=short,
    phone=st.text(st.sampled_from("0123 +é"), max_size=24),
    email=st.sampled_from(("", "ada@example.org", "é@example.org", "a" * 51)),
    organisation=short,
)
lines = st.builds(
    NewOrderLine,
    external_line_ref=st.sampled_from(("", "700-A-1", " 7")),
    stock_code=st.sampled_from(("LAMP-1", "A&B <2>", "LÄMP", "x" * 51, " A")),
    quantity=st.integers(1, 90),
    unit_gross=st.builds(Money, st.integers(1, 99_999)),
)
orders = st.builds(
    NewOrder,
    external_ref=st.sampled_from(("JL100200300", "x" * 16, "a,b", "é1")),
    ordered_at=st.integers(0, 10_000).map(
        lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours, seconds=7.5)
    ),
    currency=st.just("GBP"),
    deliver_to=addresses,
    lines=st.lists(lines, min_size=1, max_size=3).map(tuple),
    delivery_gross=st.builds(Money, st.integers(0, 999)),
    gross_total=st.builds(Money, st.integers(1, 999_999)),
    note=words,
)


def outcome(read: Callable[[], object]) -> object:
    """What a reading gave, or how it was refused."""
    try:
        return read()
    except KcjlError as error:
        return type(error), error.message


@settings(max_examples=400, deadline=None)
@given(orders)
def test_short_way_reads_what_the_document_says_or_refuses_as_it_does(order: NewOrder) -> None:
    """Byte for byte the same record, for whatever names, codes and notes."""
    long = outcome(lambda: next(parse_sales_orders(order_document(order, KWS), WAREHOUSE)))

    assert long == outcome(lambda: READER.read(order))


def test_plain_order_takes_the_short_way() -> None:
    """Else the comparison would compare the long way with itself."""
    assert READER._the_short_way(NEW) == READER._the_long_way(NEW)


NEW = NewOrder(
    external_ref="JL100200300",
    ordered_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    currency="GBP",
    deliver_to=DeliveryAddress(
        line1="1 Test Street, a street with a long name that has to be broken",
        town="Leeds",
        postcode="LS1 1AA",
        country_code="GBR",
        surname="",
        forename="Ada",
        phone="07000 000000",
        email="ada@example.org",
    ),
    lines=(
        NewOrderLine(
            external_line_ref="L-1", stock_code="LAMP-1", quantity=2, unit_gross=Money(6499)
        ),
    ),
    delivery_gross=Money(395),
    gross_total=Money(13393),
)
