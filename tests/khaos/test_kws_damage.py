"""Answers damaged at random: read right, or a typed error, and never anything else."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import KcjlError
from kcjl.khaos import status_document, stock_document
from kcjl.khaos.answer_xml import Unreadable, parse_answer
from kcjl.khaos.compressed import unpacked_document
from kcjl.khaos.order_export import exported_orders
from kcjl.khaos.typed_answer import Answer, read_envelope
from tests.khaos.samples import REF, SENT, box, invoice, status
from tests.khaos.server import string
from tests.khaos.test_kws_packed import RUG, packed, zipped
from tests.khaos.test_kws_reads import EXPORTED, SOFA, info, stock_list

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ORDER = status(
    invoice(
        box(SENT.format("BOX_ITEM", "LAMP", "1"), SHIPPED="-1", SHIP_DATE="03/03/2026"),
        ISSUE_DATE="03/03/2026",
        QTY_SOLD="2",
    )
)
LEVEL = (
    '<STOCK_STATUS><STOCK_ITEM CODE="A"><LEVEL>1</LEVEL><STATUS>0</STATUS><LEAD_TIME>'
    "2026-04-10</LEAD_TIME></STOCK_ITEM></STOCK_STATUS>"
)
READINGS: dict[str, tuple[bytes, Callable[[Answer], object]]] = {
    "order statuses": (
        string("X", f"<STATUS_LIST>{ORDER}</STATUS_LIST>"),
        lambda answer: status_document.order_statuses(
            answer.document(), [REF], lambda _name: None
        ),
    ),
    "products": (
        string("X", SOFA),
        lambda answer: stock_document.products(answer.document()),
    ),
    "levels": (
        string("X", LEVEL),
        lambda answer: stock_document.stock_levels(
            answer.document(), "1", with_buildable=True, read_at=NOW
        ),
    ),
    "exported orders": (
        string("X", EXPORTED),
        lambda answer: exported_orders(answer.document(), refs=["JL1"]),
    ),
    "changed products": (
        stock_list(info("A", "B")),
        lambda answer: stock_document.product_refs(answer.rows("StockCode"), NOW),
    ),
    "packed": (packed("X", zipped(RUG)), lambda answer: unpacked_document(answer, "X")),
}
ODD = (
    *(b"&lt;", b"<", b'"', b"&amp;", b"\xff", b"\x00", b" href='#1' id='1'", b"9" * 40),
    *(b"31/02/2026", b"<!DOCTYPE a>", b"<![CDATA[", b"]]>", b"&#x0;", b"1e9999", b"nan", b""),
)
SCRAPS = st.sampled_from(ODD) | st.binary(max_size=6)
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 30), SCRAPS), min_size=1, max_size=4
)


@pytest.mark.parametrize("what", READINGS)
@given(damage=DAMAGE)
def test_damaged_answer_is_read_or_a_typed_error(
    what: str, damage: list[tuple[float, int, bytes]]
) -> None:
    """Cut, overwritten, filled with scraps: nothing but our own errors comes out."""
    sound, read = READINGS[what]
    body = sound.partition(b"\r\n\r\n")[2]
    read(Answer(read_envelope(parse_answer(body, "utf-8"))))
    for where, gone, scrap in damage:
        at = int(where * len(body))
        body = body[:at] + scrap + body[at + gone :]

    with suppress(KcjlError, Unreadable):
        read(Answer(read_envelope(parse_answer(body, "utf-8"))))
