"""Imports of a large catalogue: what is intended, and what came of it, fits into the log."""

from datetime import timedelta
from decimal import Decimal

import pytest

from kcjl.events import vocabulary
from kcjl.log.drafting import prepare
from kcjl.log.port import Draft
from kcjl.stock.decide import PUBLISH_LINES_MAX, cut
from kcjl.stock.events import (
    Figure,
    HeldBack,
    StockImportFinished,
    StockImportIntended,
)
from kcjl.stock.sending import refused_lines
from kcjl.vocabulary import Event
from tests.trade import at


def figures(count: int, sku_length: int) -> list[Figure]:
    """Of so many SKUs, with all that a figure can say."""
    return [
        Figure(
            sku=f"{number:0{sku_length}}",
            quantity=number,
            level=Decimal("1234.5678"),
            in_flight=12,
            buffer=34,
            level_read_at=at() + timedelta(microseconds=number),
            orders_read_at=at() + timedelta(microseconds=number),
            reason="not stock-controlled in the ERP: no quantity is known",
            before=number,
            code=f"{number:0{sku_length}}",
            held=HeldBack(fixed=1, percent=2, speed=3, stale=4),
        )
        for number in range(1, count + 1)
    ]


def taken_by_the_log(event: Event) -> None:
    prepare([Draft(event=event, by="stock", correlation_id="c")], {}, vocabulary())


@pytest.mark.parametrize("sku_length", [8, 40])
def test_import_of_a_catalogue_that_moves_as_a_whole_fits_into_the_log(sku_length: int) -> None:
    """Else nothing of it would ever be published: each try would be refused by our own log."""
    some = cut(figures(PUBLISH_LINES_MAX, sku_length), PUBLISH_LINES_MAX)

    assert 1_000 < len(some) < PUBLISH_LINES_MAX
    taken_by_the_log(
        StockImportIntended(
            publish_id="p", figures=tuple(some), policy_version=1, occurred_at=at()
        )
    )


@pytest.mark.parametrize("sku_length", [8, 40])
@pytest.mark.parametrize("message", ["The offer does not exist. " * 100, "£" * 1_500])
def test_import_of_which_every_line_is_refused_at_length_fits_into_the_log(
    sku_length: int, message: str
) -> None:
    """Its end has to be told, whatever they say; what is cut off is shown as cut."""
    some = cut(figures(PUBLISH_LINES_MAX, sku_length), PUBLISH_LINES_MAX)
    refused = refused_lines([(each.sku, message) for each in some], {}, at())

    assert {True} == {each.message.endswith("…") for each in refused}
    taken_by_the_log(
        StockImportFinished(
            publish_id="p",
            import_id="1",
            skus=tuple(each.sku for each in some),
            refused=refused,
            occurred_at=at(),
        )
    )


def test_usual_message_of_a_refused_line_is_kept_as_it_is() -> None:
    """Nothing is cut that need not be."""
    (line,) = refused_lines([("A-1", "x" * 1_000)], {}, at())

    assert "x" * 1_000 == line.message
