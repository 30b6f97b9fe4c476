"""Several consignments in one field: each is a parcel, where it can be one."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.dispatch.consignments import dealt_into_parcels
from kcjl.dispatch.decide import decide_parcels
from kcjl.dispatch.events import ParcelShipped
from tests.dispatch.parcels import confirmed, dispatch, intended
from tests.patience import unhurried
from tests.trade import at, shipped


def several(units: int, *numbers: str) -> ParcelShipped:
    return msgspec.structs.replace(
        shipped("O1", "INV1/1", ("A-1", units), tracking=numbers[0]),
        more_tracking_numbers=numbers[1:],
    )


def seen(units: int, *numbers: str) -> list[tuple[str, str, int, tuple[str, ...]]]:
    parts = dealt_into_parcels(dispatch(), several(units, *numbers), by_shipment=True)
    return [
        (
            each.parcel_key,
            each.tracking_number,
            sum(item.quantity for item in each.items),
            each.more_tracking_numbers,
        )
        for each in parts
    ]


def test_each_consignment_is_a_parcel_with_its_share() -> None:
    """Three lamps in two consignments: two and one."""
    assert [("INV1/1", "A", 2, ()), ("INV1/1#2", "B", 1, ())] == seen(3, "A", "B")


def test_consignment_without_a_unit_is_named_and_no_parcel() -> None:
    """One lamp in two consignments is one parcel; the other number is not lost."""
    assert [("INV1/1", "A", 1, ("B",))] == seen(1, "A", "B")
    assert [("INV1/1", "A", 1, ()), ("INV1/1#2", "B", 1, ("C",))] == seen(2, "A", "B", "C")


def test_one_shipment_an_order_takes_one_number() -> None:
    """Without shipments the order has one number; the others stay named with it."""
    told = several(3, "A", "B")

    assert (told,) == dealt_into_parcels(dispatch(), told, by_shipment=False)


@pytest.mark.parametrize("numbers", [("A",), ("A", "B"), ("A", "B", "C")])
def test_what_was_sent_is_dealt_out_no_other_way_later(numbers: tuple[str, ...]) -> None:
    """A number that is entered after the confirmation makes no second parcel."""
    first, second = dealt_into_parcels(dispatch(), several(2, "A", "B"), by_shipment=True)
    entry = dispatch(first, second, intended("INV1/1"), confirmed("INV1/1"))

    parts = dealt_into_parcels(entry, several(2, *numbers), by_shipment=True)
    whole = dispatch(several(2, "A"), intended("INV1/1"), confirmed("INV1/1"))
    unsplit = dealt_into_parcels(whole, several(2, *numbers), by_shipment=True)

    assert ["INV1/1", "INV1/1#2"] == [each.parcel_key for each in parts]
    assert ["INV1/1"] == [each.parcel_key for each in unsplit]


def test_consignment_that_is_entered_before_anything_was_sent_divides_the_parcel() -> None:
    """Nothing was told yet, so the parcel is what the ERP now shows."""
    whole = shipped("O1", "INV1/1", ("A-1", 2), tracking="")
    entry = dispatch(whole)

    parts = dealt_into_parcels(entry, several(2, "A", "B"), by_shipment=True)

    assert parts == decide_parcels(entry, parts, cancelled=None, now=at(40))


@unhurried
@given(
    st.lists(
        st.tuples(st.sampled_from(["A-1", "B-2"]), st.integers(1, 4)), min_size=1, max_size=4
    ),
    st.integers(1, 6),
)
def test_dealing_loses_no_unit_and_no_number(items: list[tuple[str, int]], count: int) -> None:
    """All units are in the parts, all numbers are named, and no part is empty."""
    numbers = tuple(f"N{each}" for each in range(count))
    whole = msgspec.structs.replace(
        shipped("O1", "INV1/1", *items, tracking=numbers[0]), more_tracking_numbers=numbers[1:]
    )

    parts = dealt_into_parcels(dispatch(), whole, by_shipment=True)

    assert sum(units for _, units in items) == sum(
        item.quantity for part in parts for item in part.items
    )
    assert numbers == tuple(
        number
        for part in parts
        for number in (part.tracking_number, *part.more_tracking_numbers)
    )
    assert all(part.items for part in parts)
