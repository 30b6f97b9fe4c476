"""Stock (2): the list, why so many, and what people tell the stock room from there."""

import pytest

from kcjl.command import Command
from tests.tui.made_up import NOON, FakeSource, an_overview, some_events
from tests.tui.made_up_stock import a_hold, a_product, some_products
from tests.tui.pilots import glass, monitor, pressed, settled, table
from tui.model.filtering import Filter
from tui.model.moments import Zone
from tui.model.stock import PRODUCT_FIELDS, product_detail, product_row
from tui.model.stock_proposals import retry_proposal, unalias_proposal, writes_proposal
from tui.screens.stock import StockScreen

pytestmark = pytest.mark.anyio


def _source() -> FakeSource:
    source = FakeSource(events=some_events(40))
    source.stock.rows = some_products(60)
    return source


def _stories(source: FakeSource) -> list[str]:
    return [each.removeprefix("story ") for each in source.asked if each.startswith("story")]


async def test_skus_stand_in_the_sources_order_with_what_is_in_the_way() -> None:
    """Sign and word of each standing, the figures, and the note."""
    async with monitor(_source(), size=(200, 60)) as (app, pilot):
        await pressed(pilot, "2")
        text = glass(app)

    assert "60 SKUs" in text
    first = next(line for line in text.splitlines() if "LAMP-0006" in line)
    assert "✖ refused" in first
    assert "offer is closed" in first
    assert text.index("LAMP-0006") < text.index("SOFA-0001") < text.index("JL-0002")


async def test_cut_list_says_so_and_a_word_is_asked_of_the_source() -> None:
    """What is beyond the loaded rows is found by its name."""
    source = _source()
    source.stock.total = 100_000
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "2")
        assert "first 60 of 100,000 SKUs" in glass(app)
        await pressed(pilot, ["slash", *"chair", "enter"])
        assert source.asked.count("products find=chair limit=1000") >= 1
        assert "match in the first 60 of 100,000 SKUs" in glass(app)


async def test_why_shows_the_sum_with_positions_and_follows_the_cursor() -> None:
    """Each term with its event; another row's sum is read when the cursor is on it; once."""
    source = _source()
    async with monitor(source, size=(200, 60)) as (app, pilot):
        await pressed(pilot, ["2", "slash", *"state:confirmed flight>0", "enter", "w"])
        text = glass(app)
        assert "Why so many" in text
        assert "#12401 LevelRead" in text
        assert "rule «house»" in text
        assert "order 700123402-A" in text
        assert "learnt" in text
        first = table(app).cursor_key
        app.tick()
        await settled(pilot)
        assert [first] == _stories(source)
        await pressed(pilot, "j")
        assert [first, table(app).cursor_key] == _stories(source)


async def test_sku_on_the_command_line_opens_its_sum() -> None:
    """:sku CHAIR-0003 finds it and opens it."""
    async with monitor(_source()) as (app, pilot):
        await pressed(pilot, ["colon", *"sku chair-0003", "enter"])
        assert isinstance(app.screen, StockScreen)
        assert app.screen.opened is not None
        assert "CHAIR-0003" == app.screen.opened.sku
        await settled(pilot)
        assert "Why so many" in glass(app)


async def test_retry_sends_the_refused_figures_of_the_marked_rows() -> None:
    """One command an offer; what was not refused is not sent."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["2", "space", "space", "r"])
        assert "Retry 2 offers" in glass(app)
        await pressed(pilot, "enter")
    sent = [command.arguments["sku"] for command in source.done]

    assert ["retry-offer"] * 2 == [command.verb for command in source.done]
    assert ["LAMP-0006", "LAMP-0012"] == sent


async def test_stock_code_is_named_for_one_sku_with_the_nearest_proposed() -> None:
    """The nearest code stands there already; the ERP is asked before it counts."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["2", "slash", *"jl-0002", "enter", "c"])
        assert "JL-0002A, JL-0002/B" in glass(app)
        await pressed(pilot, "enter")

    assert [
        Command(verb="stock-alias", arguments={"sku": "JL-0002", "code": "JL-0002A"})
    ] == source.done


async def test_alias_is_taken_back_with_a_typed_word() -> None:
    """It goes to 0 at once, so enter is not enough."""
    source = _source()
    async with monitor(source) as (_, pilot):
        await pressed(pilot, ["2", "slash", *"table-0005", "enter", "C", "enter"])
        assert [] == source.done
        await pressed(pilot, [*"take", "space", *"back", "enter"])

    assert [Command(verb="stock-alias", arguments={"sku": "TABLE-0005"})] == source.done


async def test_guards_hold_is_released_after_its_figures_were_seen() -> None:
    """So many of so many, with examples; exactly that hold is named."""
    source = _source()
    source.stock.held = a_hold()
    source.stock.stopped = "a guard holds the figures: kcjl stock release"
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "2")
        assert "nothing is published: a guard holds the figures" in glass(app)
        await pressed(pilot, "R")
        text = glass(app)
        assert "214 of 18,244 offers would go to 0" in text
        assert "SOFA-0001/L: 12 → 0" in text
        await pressed(pilot, [*"release", "enter"])

    assert [Command(verb="release-publish", arguments={"hold_id": "4f1c02aa77"})] == source.done


async def test_nothing_held_is_said_and_nothing_proposed() -> None:
    """No empty dialog."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["2", "R"])
        assert "no guard holds anything" in glass(app)
        assert isinstance(app.screen, StockScreen)


async def test_publishing_is_switched_the_other_way_with_a_reason() -> None:
    """Off takes a word; on does not."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["2", "P", *"counting", "tab", *"off", "enter"])
        source.stock.publishing = False
        app.tick()
        await settled(pilot)
        await pressed(pilot, ["P", *"counted", "enter"])

    assert [("off", "counting"), ("on", "counted")] == [
        (each.arguments["switch"], each.arguments["reason"]) for each in source.done
    ]


async def test_buffer_says_that_it_takes_the_policys_place() -> None:
    """A fixed buffer is a policy of one rule: the whole policy goes."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["2", "b"])
        assert "(version 3)" in glass(app)
        await pressed(pilot, ["5", "tab", *"buffer", "enter"])

    assert [Command(verb="set-buffer", arguments={"units": "5"})] == source.done


async def test_kill_switch_is_one_key_everywhere_and_asks_for_a_word() -> None:
    """From the log, from the overview: W, why, and the word."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["7", "W"])
        assert "Nothing is written to the marketplace or the ERP" in glass(app)
        await pressed(pilot, [*"fire", "tab", *"stop", "enter"])

    assert [
        Command(verb="switch-writes", arguments={"switch": "off", "reason": "fire"})
    ] == source.done


def test_kill_switch_that_is_off_is_switched_on_again() -> None:
    """The other way round once writes are stopped."""
    (command,) = writes_proposal(an_overview(writes_allowed=False)).commands
    assert "on" == command.arguments["switch"]


async def test_read_only_operator_has_no_key_that_acts() -> None:
    """The keys are not there, and the kill switch is not either."""
    source = _source()
    source.may_act = False
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["2", "r", "c", "R", "P", "b", "W"])
        assert isinstance(app.screen, StockScreen)
    assert [] == source.done


def test_nothing_to_do_is_said_in_words() -> None:
    """A row that was not refused, and one that stands for itself."""
    row = a_product(3)
    assert "nothing of it was refused" in str(retry_proposal([row]))
    assert "stands for itself" in str(unalias_proposal([row]))


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("state:refused", ["LAMP-0006"]),
        ("is:drifted", ["SOFA-0001/L"]),
        ("flight>0", ["CHAIR-0003"]),
        ("sell=0", ["JL-0002"]),
        ("!state:confirmed", ["LAMP-0006", "JL-0002"]),
        ("code:TB-", ["TABLE-0005"]),
    ],
)
def test_filter_knows_the_fields_of_a_sku(raw: str, found: list[str]) -> None:
    """Standing, figures, stock code; an alias is found by the code that it stands for."""
    wanted = Filter(raw, PRODUCT_FIELDS)
    matching = [row.sku for row in some_products(6) if wanted.matches(row, NOON)]
    assert sorted(found) == sorted(matching)


def test_filter_gives_its_first_plain_word_to_the_source() -> None:
    """Not a field's word, and not an inverse one."""
    assert "lamp" == Filter("state:refused !sofa Lamp chair", PRODUCT_FIELDS).find
    assert "" == Filter("state:refused !sofa", PRODUCT_FIELDS).find


def test_figure_that_is_not_known_is_no_nought() -> None:
    """? for what the marketplace shows, a dash for a level that was never read."""
    unknown = product_row(a_product(4, level=None), NOON)
    assert ("?", "-") == (unknown.cells[3].text, unknown.cells[4].text)


def test_detail_before_its_sum_was_read_says_so() -> None:
    """The row's own facts are there at once."""
    view = product_detail(a_product(3), None, NOON, Zone.LONDON)
    assert "being read…" in [line.value for line in view.lines]
