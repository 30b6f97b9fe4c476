"""The canonical form: an auditor builds it anew, and it never changes."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.log.chain import Entry, bare, genesis, link_entry, link_rows

EVENT = Entry(
    merchant="acme",
    position=7,
    stream="order-700123456-A",
    revision=2,
    type="OrderPosted",
    schema=1,
    occurred_at=datetime(2026, 10, 1, 8, 0, 0, 123456, tzinfo=UTC),
    recorded_at=datetime(2026, 10, 1, 8, 0, 1, tzinfo=UTC),
    correlation_id="c-1",
    causation=None,
    by="orders",
    data='{"order":"£ 日本"}'.encode(),
    hash=b"",
)


def an_auditors_own(previous: bytes, event: Entry) -> bytes:
    """As the head of chain.py says, from nothing else."""
    hashed = hashlib.sha256(previous)
    for name in Entry.__struct_fields__[:-1]:
        value = getattr(event, name)
        if isinstance(value, datetime):
            value = round((value - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e6)
        text = "" if value is None else value
        field = text if isinstance(text, bytes) else str(text).encode()
        hashed.update(len(field).to_bytes(4, "big") + field)
    return hashed.digest()


def test_genesis_is_the_merchants_own() -> None:
    """Two merchants' chains begin apart, at a value that is written down."""
    assert hashlib.sha256(b"kcjl-log-1:acme").digest() == genesis("acme")


def test_link_is_what_it_was() -> None:
    """The form is frozen: a change of it would break every log there is."""
    first = link_entry(genesis("acme"), EVENT)

    assert "d18efdc623b2e0d6520aa6ba63ddb27bf6178564e7ab13c508123132668880ad" == first.hex()


def test_link_can_be_built_from_the_description() -> None:
    """Ten lines written from the module's head give the same hash."""
    previous = genesis("acme")

    assert an_auditors_own(previous, EVENT) == link_entry(previous, EVENT)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("merchant", "acme2"),
        ("position", 8),
        ("stream", "order-700123456-B"),
        ("revision", 3),
        ("type", "OrderHeld"),
        ("schema", 2),
        ("occurred_at", EVENT.occurred_at + timedelta(microseconds=1)),
        ("recorded_at", EVENT.recorded_at - timedelta(microseconds=1)),
        ("correlation_id", ""),
        ("causation", 6),
        ("by", "order"),
        ("data", EVENT.data + b" "),
    ],
)
def test_link_covers_every_column(field: str, value: object) -> None:
    """No column can be changed without changing the hash."""
    columns = {name: getattr(EVENT, name) for name in Entry.__struct_fields__}
    changed = Entry(**(columns | {field: value}))

    assert link_entry(b"\0" * 32, EVENT) != link_entry(b"\0" * 32, changed)


@given(st.text(max_size=9), st.text(max_size=9), st.integers(0, 9))
def test_link_fields_can_not_flow_into_each_other(left: str, right: str, cut: int) -> None:
    """A letter moved from one column to the next is another event."""
    joined = left + right
    columns = {name: getattr(EVENT, name) for name in Entry.__struct_fields__}
    one = Entry(**(columns | {"stream": left, "type": right}))
    other = Entry(**(columns | {"stream": joined[:cut], "type": joined[cut:]}))
    same = (left, right) == (joined[:cut], joined[cut:])

    assert same == (link_entry(b"", one) == link_entry(b"", other))


@given(
    st.text(max_size=200),
    st.integers(1, 2**62),
    st.none() | st.integers(1, 2**62),
    st.text(max_size=9),
)
def test_link_rows_is_link_for_any_text(
    stream: str, position: int, causation: int | None, data: str
) -> None:
    """Verification's quick way gives the same hashes: other scripts and long names too."""
    columns = {name: getattr(EVENT, name) for name in Entry.__struct_fields__}
    first = Entry(
        **columns
        | {
            "stream": stream,
            "position": position,
            "causation": causation,
            "data": data.encode(),
            "hash": b"s" * 32,
        }
    )

    linked = list(link_rows(b"p" * 32, "acme", [bare(first), bare(EVENT)]))

    assert [link_entry(b"p" * 32, first), link_entry(b"s" * 32, EVENT)] == linked
