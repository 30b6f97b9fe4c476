"""Rows of a long list are given while it is parsed: all of them, each once, none kept."""

from collections.abc import Sequence

import pytest

from kcjl.khaos.answer_xml import BLOCK_BYTES, Element, parse_answer
from kcjl.khaos.long_list import ListRows
from kcjl.khaos.typed_answer import Answer, read_envelope
from tests.khaos.server import soap
from tests.khaos.test_kws_reads import info, stock_list

MANY = 2 * BLOCK_BYTES // len(info("LAMP-00000"))
"""More than one block holds, so that a row is cut in two."""


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def read(answer: bytes) -> tuple[list[str], list[str], Element]:
    """The codes that were given, those that stayed, and what is left of the answer."""
    given: list[dict[str, str]] = []
    rows = ListRows("StockCode", each=given.append)
    root = parse_answer(body_of(answer), "utf-8", rows=rows)
    left = list(Answer(read_envelope(root)).rows("StockCode"))
    return codes(given), codes(left), root


def codes(rows: Sequence[dict[str, str]]) -> list[str]:
    return [row["stockcode"] for row in rows]


def referred(*names: str, field: str = "<StockCode>{}</StockCode>") -> bytes:
    """A list of references, and what they point to behind it."""
    items = "".join(f'<item href="#{number}"/>' for number in range(len(names)))
    rows = "".join(
        f'<x id="{number}">{field.format(name)}</x>' for number, name in enumerate(names)
    )
    return soap("GetStockList", f"<return><List>{items}</List></return>", after=rows)


def test_long_list_is_given_row_by_row_and_leaves_no_row() -> None:
    """Nothing of a hundred thousand rows stays in memory once each was read."""
    named = [f"LAMP-{number:05}" for number in range(MANY)]

    given, left, root = read(stock_list(*map(info, named)))

    assert named == given
    assert [] == left
    assert [] == root.xpath(".//*[local-name() = 'item']")


def test_rows_behind_the_answer_are_given_once_and_can_be_pointed_to() -> None:
    """Multi-reference: the rows stand by themselves, and the list points to them."""
    given, left, root = read(referred("A", "B"))

    assert ["A", "B"] == given
    assert [] == left
    assert [] == root.xpath(".//*[local-name() = 'StockCode']")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            stock_list("<item><STOCKCODE>A</STOCKCODE></item>"), id="spelled otherwise"
        ),
        pytest.param(
            soap(
                "GetStockList",
                '<return><List><item><StockCode href="#1"/></item></List></return>',
                after='<x id="1">A</x>',
            ),
            id="its code stands elsewhere",
        ),
    ],
)
def test_row_written_otherwise_stays_and_is_read_as_always(answer: bytes) -> None:
    """What can't be read in passing is not lost."""
    given, left, _ = read(answer)

    assert [] == given
    assert ["A"] == left


def test_row_within_a_row_neither_is_lost_nor_read_twice() -> None:
    """A structure that holds rows and is one itself."""
    inner = f"<item><StockCode>A</StockCode><List>{info('B')}{info('C')}</List></item>"

    given, left, _ = read(stock_list(inner, info("D")))

    assert ["B", "C", "D"] == given
    assert ["A"] == left
