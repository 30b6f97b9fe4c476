"""Any body whatsoever is read or refused with a reason: never another error."""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from kcjl.khaos.cloud_inbound import Read, read_levels, read_statuses, read_stock
from kcjl.khaos.cloud_reading import BadBody, Part, parse_body
from tests.cloud.channel import cloud_settings, level, status
from tests.patience import unhurried

SETTINGS = cloud_settings(order_ref_format="KCC{0}")
READERS: dict[str, Callable[[Part], Read]] = {
    "statuses": lambda body: read_statuses(body, SETTINGS),
    "levels": lambda body: read_levels(body, SETTINGS),
    "stock": read_stock,
}
WHOLE: dict[str, Any] = {
    "statuses": {
        "Statuses": [
            status(
                "JL1",
                CustomData="JL1",
                Shipments=[
                    {
                        "ID": "1",
                        "Code": "INV1",
                        "Status": "Issue",
                        "Items": [{"SKU": "A", "Quantity": 1.5, "ImportRef": "L1"}],
                        "Packages": [
                            {
                                "ConsignmentRef": "C1",
                                "Courier": {"Code": "X", "Name": "Y"},
                                "ShipmentDate": "2026-10-02T08:00:00",
                            }
                        ],
                    }
                ],
            )
        ]
    },
    "levels": {
        "Statuses": [
            level("A", 5) | {"RelationshipPotential": {"FromChildren": 1}},
            level("B", 1),
        ]
    },
    "stock": {
        "Items": [
            {
                "StockID": "1",
                "StockCode": "A",
                "StockDescription": "A lamp",
                "Options": {"Discontinued": False, "RunToZero": True, "StockControlled": True},
                "SalesMultiple": 1.0,
                "SellPrice": {"Net": 1.0},
                "Barcodes": [{"Barcode": "501", "Type": {"ID": "1"}}],
                "WebProperties": {"MetaDisplayQty": 3},
            }
        ],
        "Deleted": ["7"],
    },
}
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        ("", "\0", "1e999", "NaN", "-1", "9999-12-31T23:59:59-05:00", "2026-13-45", "x" * 300)
    ),
)
NAMES = st.one_of(
    st.text(max_size=5),
    st.sampled_from(("Statuses", "Items", "ID", "Code", "Status", "OrderStatus", "StockCode")),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
KINDS = st.sampled_from(sorted(READERS))


@st.composite
def hurt(draw: st.DrawFn, tree: Any) -> Any:
    """The tree with some of its values taken away, replaced, or renamed."""
    if isinstance(tree, dict):
        made = {}
        for name, value in tree.items():
            match draw(
                st.sampled_from(("keep", "keep", "keep", "keep", "drop", "any", "case"))
            ):
                case "keep":
                    made[name] = draw(hurt(value))
                case "any":
                    made[name] = draw(ANYTHING)
                case "case":
                    made[name.upper()] = value
                case _:
                    pass
        if draw(st.booleans()):
            made[draw(NAMES)] = draw(ANYTHING)
        return made
    if isinstance(tree, list):
        return [draw(hurt(each)) for each in tree]
    return draw(ANYTHING) if draw(st.integers(0, 9)) == 0 else tree


def settle(kind: str, body: bytes) -> str:
    """What became of it; anything but these two fails the test."""
    try:
        read = READERS[kind](parse_body(body, "utf-8"))
    except BadBody as bad:
        return "refused" if str(bad) else "refused without a reason"
    assert all(read.wrong)
    return "partly" if read.wrong else "read"


def as_xml(tree: Any, name: str = "Root") -> etree._Element:
    node = etree.Element(name)
    if isinstance(tree, dict):
        for key, value in tree.items():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(value, list):
                    wrapper = node.find(key)
                    wrapper = etree.SubElement(node, key) if wrapper is None else wrapper
                    wrapper.append(as_xml(each, "Thing"))
                else:
                    node.append(as_xml(each, key))
    elif tree is not None:
        node.text = str(tree)
    return node


@unhurried
@given(KINDS, st.data())
def test_hurt_body_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    """Any field absent, null, of another form or case, or unknown."""
    body = msgspec.json.encode(data.draw(hurt(WHOLE[kind])))

    assert settle(kind, body) in ("read", "partly", "refused")


@unhurried
@given(KINDS, ANYTHING)
def test_any_json_is_read_or_refused(kind: str, tree: Any) -> None:
    """Whatever a JSON document can be."""
    assert settle(kind, msgspec.json.encode(tree)) in ("read", "partly", "refused")


@unhurried
@given(KINDS, st.binary(max_size=200) | st.text("<>/&;=\"' ab{}[]:,1\n").map(str.encode))
def test_any_bytes_are_read_or_refused(kind: str, body: bytes) -> None:
    """Whatever a body can be."""
    assert settle(kind, body) in ("read", "partly", "refused")


def test_whole_body_is_read_in_json_and_in_xml_to_the_same() -> None:
    """Both forms say one thing."""
    for kind, tree in WHOLE.items():
        by_json = READERS[kind](parse_body(msgspec.json.encode(tree), None))
        by_xml = READERS[kind](parse_body(etree.tostring(as_xml(tree)), None))

        assert () == by_json.wrong
        assert by_json == by_xml
