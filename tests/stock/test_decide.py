"""Stock, the rules: what may be offered, when a figure is sent, and what is news."""

from decimal import Decimal

import pytest

from kcjl.stock.conditions import worked_out
from kcjl.stock.decide import (
    cut,
    decide_buffer,
    decide_confirmation,
    decide_figures,
    decide_level,
    decide_zeros,
    may_publish,
)
from kcjl.stock.events import BufferSet, Figure, HeldBack, LevelRead, StockImportIntended
from kcjl.stock.policy_book import POLICY_BOOK
from kcjl.stock.reads import READS, Reads
from kcjl.stock.state import PRODUCTS, Product
from kcjl.vocabulary import Event
from tests.stock.under import under
from tests.trade import (
    SHIPPING,
    at,
    confirmed,
    folded,
    level,
    listed,
    made_of,
    ordered,
    orders_read,
    posted,
    received,
    stock_read,
    unmatched,
)

NO_BUFFER = under()
FIFTH = made_of(POLICY_BOOK, "policy", BufferSet(units=3, version=5, occurred_at=at(-1)))
READ_IN_ORDER = Reads(stock_finished_at=at(2), orders_began_at=at(3))


def product(*events: Event) -> Product:
    return made_of(PRODUCTS, "a-1", *events)


def sellable(units: str | int, *more: Event, status: int | None = 0) -> Product:
    return product(listed(), confirmed(), level(units, status=status), *more)


def quantity(entry: Product, buffer: int = 0) -> int:
    return worked_out([entry], under(buffer=buffer)).quantity


# ── available to sell ───────────────────────────────────────────────────────────────────────


def test_available_is_level_less_in_flight_less_buffer() -> None:
    """The sum, with its terms."""
    entry = sellable("10", received("O1", ordered(quantity=3), state=SHIPPING))

    available = worked_out([entry], under(buffer=2))

    assert (5, Decimal(10), 2, "") == (
        available.quantity,
        available.level,
        available.held,
        available.reason,
    )


@pytest.mark.parametrize(
    ("units", "offered"), [("2.9", 2), ("0.5", 0), ("-3", 0), ("-0.5", 0), ("0", 0)]
)
def test_available_rounds_down_and_never_below_zero(units: str, offered: int) -> None:
    """Half a unit can't be sold, and less than nothing is nothing."""
    assert offered == quantity(sellable(units))


def test_available_adds_up_the_sites() -> None:
    """What all the chosen sites have is what can be sold."""
    two = LevelRead(
        sku="A-1", levels=(("1", Decimal(3)), ("2", Decimal(4))), status=0, occurred_at=at(1)
    )

    assert 7 == quantity(product(listed(), confirmed(), two))


@pytest.mark.parametrize(
    ("multiple", "offered"), [(None, 11), (0, 11), (1, 11), (4, 8), (12, 0)]
)
def test_available_is_whole_sales_multiples(multiple: int | None, offered: int) -> None:
    """Sold by the four: what does not fill a four is not offered."""
    entry = product(listed(), confirmed(multiple=multiple), level(11))

    assert offered == quantity(entry)


@pytest.mark.parametrize(("cap", "offered"), [(None, 11), (0, 11), (5, 5), (20, 11)])
def test_available_is_never_above_the_display_cap(cap: int | None, offered: int) -> None:
    """No more is shown than the ERP says may be shown."""
    assert offered == quantity(product(listed(), confirmed(cap=cap), level(11)))


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (product(listed(), unmatched(), level(9)), "the ERP does not know this SKU"),
        (product(listed(), confirmed(discontinued=True), level(9)), "discontinued in the ERP"),
        (sellable(9, status=4), "discontinued in the ERP"),
        (
            product(listed(), confirmed(stock_controlled=False), level(9)),
            "not stock-controlled in the ERP: no quantity is known",
        ),
        (sellable(9, status=5), "not stock-controlled in the ERP: no quantity is known"),
        (product(listed(), confirmed()), "the ERP has given no level for it"),
    ],
)
def test_available_of_what_is_not_for_sale_is_zero_with_its_reason(
    entry: Product, reason: str
) -> None:
    """What can't be sold is offered at 0, and the reason is named."""
    available = worked_out([entry], NO_BUFFER)

    assert (0, reason) == (available.quantity, available.reason)


# ── when a figure is sent ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reads", "may"),
    [
        (None, False),
        (Reads(), False),
        (Reads(stock_finished_at=at(2)), False),
        (Reads(orders_began_at=at(3)), False),
        (Reads(stock_finished_at=at(2), orders_began_at=at(1)), False),
        (Reads(stock_finished_at=at(2), orders_began_at=at(2)), True),
        (Reads(stock_finished_at=at(2), orders_began_at=at(3)), True),
    ],
)
def test_publish_only_after_stock_and_then_orders(
    reads: Reads | None,
    *,
    may: bool,
) -> None:
    """Read stock, then orders, then publish: never the other way round."""
    assert may == may_publish(reads)


def test_figures_name_every_term_of_the_sum() -> None:
    """A figure says which level, which orders, which buffer it was made of."""
    assert (
        Figure(
            sku="A-1",
            quantity=7,
            level=Decimal(8),
            in_flight=0,
            buffer=1,
            level_read_at=at(1),
            orders_read_at=at(3),
            before=5,
            first=True,
            code="A-1",
            held=HeldBack(fixed=1),
        ),
    ) == decide_figures([[sellable(8)]], under(buffer=1), READ_IN_ORDER)


def test_figures_after_reads_in_the_wrong_order_are_none() -> None:
    """Orders read before the stock know nothing of what was sold since."""
    assert () == decide_figures(
        [[sellable(8)]], NO_BUFFER, Reads(stock_finished_at=at(3), orders_began_at=at(2))
    )
    assert () == decide_figures([[sellable(8)]], NO_BUFFER, None)


def test_figures_of_a_level_newer_than_the_orders_are_not_sent() -> None:
    """A level that was read while the orders were being read waits for the next orders."""
    late = product(listed(), confirmed(), level(8, minutes=1, finished=4))

    assert () == decide_figures([[late]], NO_BUFFER, READ_IN_ORDER)


def test_what_is_0_goes_although_its_orders_are_older_than_its_level() -> None:
    """An order that nobody has read can only take units away; one that falls to 3 waits for it:
    of 5 that are shown 4 may be sold by now, and the marketplace shows 1.
    """
    silent = Reads(stock_finished_at=at(3), orders_began_at=at(2))

    (figure,) = decide_zeros([[sellable(0)], [sellable(3)]], NO_BUFFER, silent)

    assert (0, 5, at(2)) == (figure.quantity, figure.before, figure.orders_read_at)
    assert () == decide_zeros([[product(listed(), confirmed())]], NO_BUFFER, Reads())


def test_figures_of_what_an_unreadable_order_may_hold_are_0_or_none() -> None:
    """Its units may have to come off: no number is sent but nothing, under any alias."""
    unread = Reads(
        stock_finished_at=at(2), orders_began_at=at(3), unread={"O9": ("a-1", "Z-9")}
    )
    elsewhere = Reads(stock_finished_at=at(2), orders_began_at=at(3), unread={"O9": ("Z-9",)})

    assert () == decide_figures([[sellable(8)]], NO_BUFFER, unread)
    assert [0] == [each.quantity for each in decide_figures([[sellable(0)]], NO_BUFFER, unread)]
    assert [8] == [
        each.quantity for each in decide_figures([[sellable(8)]], NO_BUFFER, elsewhere)
    ]


def test_figures_that_are_shown_already_are_not_sent() -> None:
    """Only what changed is sent."""
    entry = sellable(8)
    figures = decide_figures([[entry]], NO_BUFFER, READ_IN_ORDER)
    sent = StockImportIntended(
        publish_id="P1", figures=figures, policy_version=1, occurred_at=at(4)
    )

    assert () == decide_figures([[sellable(8, sent)]], NO_BUFFER, READ_IN_ORDER)


@pytest.mark.parametrize(
    "entry", [product(listed()), product(confirmed(), level(8))], ids=["unasked", "no offer"]
)
def test_figures_of_what_nobody_asked_about_or_offers_are_none(entry: Product) -> None:
    """Before the ERP was asked, and without an offer, there is nothing to say."""
    assert () == decide_figures([[entry]], NO_BUFFER, READ_IN_ORDER)


def test_figures_of_an_unmatched_sku_are_zero() -> None:
    """The gate: what is no stock code is not on sale."""
    (figure,) = decide_figures([[product(listed(), unmatched())]], NO_BUFFER, READ_IN_ORDER)

    assert (0, "the ERP does not know this SKU", None) == (
        figure.quantity,
        figure.reason,
        figure.level_read_at,
    )


def test_figures_of_two_offers_share_what_there_is() -> None:
    """Two spellings of one product offer together what is on the one shelf."""
    entry = product(listed("A-1"), listed("a-1"), confirmed(), level(5))

    figures = decide_figures([[entry]], NO_BUFFER, READ_IN_ORDER)

    assert [("A-1", 3), ("a-1", 2)] == [(each.sku, each.quantity) for each in figures]


def test_figures_are_cut_at_the_bound_and_the_rest_follows() -> None:
    """One import holds so many lines; what is left still differs, and so goes next time."""
    shelf = [
        [made_of(PRODUCTS, f"s{n}", listed(f"s{n}"), confirmed(f"s{n}"), level(1, sku=f"s{n}"))]
        for n in range(3)
    ]
    figures = decide_figures(shelf, NO_BUFFER, READ_IN_ORDER)

    assert 3 == len(cut(figures, 5))
    assert ["s0", "s1"] == [each.sku for each in cut(figures, 2)]


def test_figures_of_one_stock_code_are_never_cut_apart() -> None:
    """What one offer gains the other gives: they go in one file, or wait for the next."""
    alone = sellable(4)
    pair = made_of(
        PRODUCTS, "b-2", listed("B-2"), listed("b-2"), confirmed("b-2"), level(5, sku="b-2")
    )
    figures = decide_figures([[alone], [pair]], NO_BUFFER, READ_IN_ORDER)

    assert ["A-1"] == [each.sku for each in cut(figures, 2)]
    assert ["A-1", "B-2", "b-2"] == [each.sku for each in cut(figures, 3)]


# ── what is news ────────────────────────────────────────────────────────────────────────────


def test_confirmation_is_news_once() -> None:
    """The same answer about a code is told once."""
    assert (confirmed(),) == decide_confirmation(product(listed()), confirmed())
    assert () == decide_confirmation(product(confirmed()), confirmed(minutes=9))


@pytest.mark.parametrize(
    "answer",
    [
        confirmed(discontinued=True),
        confirmed(stock_controlled=False),
        confirmed(multiple=2),
        confirmed(cap=2),
        confirmed("a-1x"),
    ],
)
def test_confirmation_that_differs_is_news(answer: Event) -> None:
    """Whatever the ERP changes about a product is told."""
    assert (answer,) == decide_confirmation(product(confirmed()), answer)  # type: ignore[arg-type]


def test_unmatched_is_news_once_and_when_other_codes_are_near() -> None:
    """A mismatch is told once; again when what is near has changed."""
    known = product(listed(), unmatched("A-1", "A-11"))

    assert (unmatched(),) == decide_confirmation(product(confirmed()), unmatched())
    assert () == decide_confirmation(known, unmatched("A-1", "A-11", minutes=5))
    assert (unmatched("A-1", "A-12"),) == decide_confirmation(known, unmatched("A-1", "A-12"))


def test_level_is_news_when_it_differs() -> None:
    """Another number or another status is news; the same again is not."""
    known = sellable(8)

    assert () == decide_level(known, level(8, minutes=5))
    assert (level(7, minutes=5),) == decide_level(known, level(7, minutes=5))
    assert (level(8, status=1, minutes=5),) == decide_level(
        known, level(8, status=1, minutes=5)
    )


def test_level_older_than_the_known_one_is_not_news() -> None:
    """A read that began before the last one says nothing any more."""
    assert () == decide_level(product(level(8, minutes=5)), level(3, minutes=4))


def test_level_that_lets_units_go_is_news_although_the_same() -> None:
    """The first read after the ERP took an order is told, for what it lets out of flight."""
    order = received(state=SHIPPING)
    taken = sellable(8, order, posted(order, minutes=8))

    assert () == decide_level(taken, level(8, minutes=8))
    assert (level(8, minutes=9),) == decide_level(taken, level(8, minutes=9))


def test_buffer_is_versioned_and_said_once() -> None:
    """Policy is history: each change is an event with the next version."""
    assert (BufferSet(units=3, version=1, occurred_at=at(0)),) == decide_buffer(
        None, units=3, now=at(0)
    )
    assert (BufferSet(units=4, version=6, occurred_at=at(0)),) == decide_buffer(
        FIFTH, units=4, now=at(0)
    )
    assert () == decide_buffer(FIFTH, units=3, now=at(0))


def test_reads_are_what_was_last_read() -> None:
    """Both clocks of reading, as they were said."""
    assert Reads(
        stock_began_at=at(1),
        stock_finished_at=at(2),
        stock_cursor=at(1),
        orders_began_at=at(3),
    ) == folded(READS, "reads", [stock_read(1, 2), orders_read(3)])
