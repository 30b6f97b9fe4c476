"""What if: the same policy is what happened; another is held against the world's truth."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from kcjl.audit.what_if import WhatIf
from kcjl.audit.what_if_answer import Answer, Asked
from kcjl.audit.what_if_plot import drawn
from kcjl.log.port import PAGE_EVENTS_MAX, Recorded
from kcjl.sandbox.trade import COLUMNS
from kcjl.stock.policy import read_document
from tests.benchmarks.overselling.observer import Tally, added_up
from tests.benchmarks.overselling.run import Asked as ShopAsked
from tests.benchmarks.overselling.run import recorded
from tests.benchmarks.overselling.shop import Shop

pytestmark = pytest.mark.anyio

DAY = date(2010, 12, 1)
HOUR_S = 3_600.0
LARGEST = 6
"""Units of one line."""
BARE = read_document('[[rules]]\nname = "bare"\nbuffer = 0\n')
"""Holds nothing back: what a hub does."""
OPENING_HOURS = 130.0
"""Unit-hours withheld before the first import, which the world's observer does not count."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Eight wares, a sale each minute of a day; half of the invoices are the marketplace's."""
    chance = random.Random(1)
    lines = [",".join(COLUMNS)]
    opens = datetime(2010, 12, 1, 8, tzinfo=UTC)
    for number in range(12 * 60):
        at, ware = opens + timedelta(minutes=number), 10001 + chance.randrange(8)
        units = chance.choice((1, 1, 1, 2, 3, 6))
        lines.append(
            f"{536000 + number},{ware},CUP {ware},{units},{at:%Y-%m-%d %H:%M:%S},2.50,17850,UK"
        )
    path = tmp_path_factory.mktemp("trade") / "trade.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Shop(path=str(path), first_day=DAY, last_day=DAY, share=50.0)


def _traded(asked: ShopAsked) -> tuple[Tally, Sequence[Recorded]]:
    ran, log = recorded(asked, lambda _: None)
    return added_up(ran.days.values()), log


@pytest.fixture(scope="module")
def careful(shop: Shop) -> tuple[Tally, Sequence[Recorded]]:
    """As the service is by default."""
    return _traded(ShopAsked(shop=shop))


@pytest.fixture(scope="module")
def naive(shop: Shop) -> tuple[Tally, Sequence[Recorded]]:
    """Reads once an hour, and holds nothing back."""
    return _traded(ShopAsked(shop=shop, speed=0.0, watched=False, stock_poll_s=HOUR_S))


async def _answer(log: Sequence[Recorded], asked: Asked) -> Answer:
    other = WhatIf(asked)
    for start in range(0, len(log), PAGE_EVENTS_MAX):
        await other.hear(log[start : start + PAGE_EVENTS_MAX])
    return other.answer()


async def test_same_policy_is_what_happened_figure_by_figure(
    careful: tuple[Tally, Sequence[Recorded]],
) -> None:
    """Nothing asked otherwise, nothing comes out otherwise: the method is checked by itself."""
    found = await _answer(careful[1], Asked())

    assert (0, 0) == (found.not_as_recorded, found.imports_of_its_own)
    assert found.figures == found.figures_other > 500
    assert found.happened == found.other
    assert all(day.happened == day.other for day in found.days)


async def test_same_policy_out_of_a_file_is_what_happened(
    careful: tuple[Tally, Sequence[Recorded]],
) -> None:
    """Also where the other world looks for something of its own to say."""
    default = read_document('[[rules]]\nname = "speed"\nspeed = 0.999\n')
    found = await _answer(careful[1], Asked(policy=default))

    assert (0, 0) == (found.not_as_recorded, found.imports_of_its_own)
    assert found.happened == found.other


async def test_oversells_of_a_naive_policy_hold_the_worlds_truth_between_their_bounds(
    naive: tuple[Tally, Sequence[Recorded]],
) -> None:
    """The world knows how many it was. What is told is off by no more than the largest order,
    six units, for each line that was oversold in truth.
    """
    truth, log = naive
    found = (await _answer(log, Asked())).happened

    assert truth.units_oversold > 0
    assert found.units_oversold_at_least <= truth.units_oversold
    assert truth.units_oversold <= found.units_oversold_at_most
    off = abs(found.units_oversold - truth.units_oversold)
    assert off <= LARGEST * truth.orders_oversold


async def test_careful_policy_would_have_oversold_less_than_the_naive_one_did(
    naive: tuple[Tally, Sequence[Recorded]],
) -> None:
    """What it holds back shows, and what it turns away as well."""
    careful = read_document('[[rules]]\nname = "careful"\nspeed = 0.999\nbuffer = 2\n')
    found = await _answer(naive[1], Asked(policy=careful))

    assert found.other.units_oversold < found.happened.units_oversold
    assert found.other.units_turned_away > 0
    assert found.other.unit_hours_withheld > found.happened.unit_hours_withheld


async def test_naive_policy_over_a_careful_history_shows_as_much_as_is_not_there_in_truth(
    careful: tuple[Tally, Sequence[Recorded]], naive: tuple[Tally, Sequence[Recorded]]
) -> None:
    """The naive world was run as well: what is told of it without running it is off by a fifth
    at most.
    """
    told = (await _answer(careful[1], Asked(policy=BARE, read_every_s=HOUR_S))).other
    truth = naive[0].unit_hours_overshown

    assert truth == pytest.approx(told.unit_hours_overshown, rel=0.2)


async def test_withheld_is_what_the_world_says(
    careful: tuple[Tally, Sequence[Recorded]],
) -> None:
    """From the first import on; before it everything is withheld."""
    truth, log = careful
    told = (await _answer(log, Asked())).happened.unit_hours_withheld

    assert truth.unit_hours_withheld <= told <= truth.unit_hours_withheld * 1.1 + OPENING_HOURS


async def test_same_question_gives_the_same_bytes_and_the_same_picture(
    careful: tuple[Tally, Sequence[Recorded]],
) -> None:
    """An answer can be shown to somebody else, who gets it again."""
    asked = Asked(policy=BARE, push_every_s=900)
    once, again = await _answer(careful[1], asked), await _answer(careful[1], asked)

    assert msgspec.json.encode(once) == msgspec.json.encode(again)
    assert once.imports_other < once.imports
    assert drawn(once.days, other="bare") == drawn(again.days, other="bare")


def test_picture_of_no_day_is_a_picture() -> None:
    """A log of one moment has no day."""
    assert drawn((), other="x").startswith("<svg")
