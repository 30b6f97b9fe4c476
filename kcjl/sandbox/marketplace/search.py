"""Finding orders and transaction lines by the filters that the seller API has.

Promises: the narrowest index serves a search, so that a poll by update date costs what has
changed; orders come in order of creation, lines in the order that was asked, page after page.
It changes nothing. Invariant: bounds of time are included (contract g).
Called by the HTTP face for OR11 and TL02.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.ledger import Ledger
from kcjl.sandbox.marketplace.recency import seek
from kcjl.sandbox.marketplace.records import Order, TransactionLine

__all__ = ["OrderSearch", "TransactionSearch", "find_orders", "find_transactions"]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the searches; an empty filter lets everything through."""


class OrderSearch(Search, frozen=True, kw_only=True):
    """OR11's filters."""

    order_ids: tuple[str, ...] = ()
    customer_references: tuple[str, ...] = ()
    seller_references: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    customer_debited: bool | None = None
    payment_workflow: str | None = None
    has_incident: bool | None = None


class TransactionSearch(Search, frozen=True, kw_only=True):
    """TL02's filters."""

    updated_from: datetime | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    transaction_from: datetime | None = None
    transaction_to: datetime | None = None
    cycle_ids: tuple[str, ...] = ()
    payment_states: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()
    order_line_ids: tuple[str, ...] = ()
    customer_references: tuple[str, ...] = ()
    seller_references: tuple[str, ...] = ()
    document_numbers: tuple[str, ...] = ()
    document_ids: tuple[str, ...] = ()


def find_orders(book: Book, search: OrderSearch) -> list[Order]:
    """All orders that fit, oldest first."""
    fits = _order_fits(search)
    return [order for order in _order_candidates(book, search) if fits(order)]


def _order_candidates(book: Book, search: OrderSearch) -> list[Order]:
    narrow: list[Iterable[str]] = []
    if search.order_ids:
        narrow.append(search.order_ids)
    if search.customer_references:
        found = (book.by_customer_order_number.get(key) for key in search.customer_references)
        narrow.append([order.order_id for order in found if order is not None])
    if search.seller_references:
        narrow.append(
            [
                order_id
                for key in search.seller_references
                for order_id in book.by_seller_reference.get(key, ())
            ]
        )
    if narrow:
        return book.in_creation_order(narrow[0])
    by_state = sum(len(book.by_state.get(state, ())) for state in search.states)
    is_by_update = search.updated_from is not None or search.updated_to is not None
    touched = len(book.by_update.between(search.updated_from, search.updated_to))
    if search.states and (not is_by_update or by_state <= touched):
        return book.in_creation_order(
            order_id for state in search.states for order_id in book.by_state.get(state, ())
        )
    if is_by_update and touched < len(book.orders):
        return book.in_creation_order(
            book.updated_between(search.updated_from, search.updated_to)
        )
    found_ids = book.created_between(search.created_from, search.created_to)
    return [book.orders[order_id] for order_id in found_ids]


def _order_fits(search: OrderSearch) -> Callable[[Order], bool]:
    order_ids = frozenset(search.order_ids)
    customer_references = frozenset(search.customer_references)
    seller_references = frozenset(search.seller_references)
    states = frozenset(search.states)

    def fits(order: Order) -> bool:
        return (
            (not order_ids or order.order_id in order_ids)
            and (not customer_references or order.customer_order_number in customer_references)
            and (not seller_references or order.seller_reference in seller_references)
            and (not states or order.state in states)
            and _within(order.created_at, search.created_from, search.created_to)
            and _within(order.updated_at, search.updated_from, search.updated_to)
            and (
                search.customer_debited is None
                or search.customer_debited == (order.customer_debited_at is not None)
            )
            and search.payment_workflow in {None, order.payment_workflow}
            and search.has_incident in {None, order.has_incident}
        )

    return fits


def find_transactions(
    ledger: Ledger,
    book: Book,
    search: TransactionSearch,
    *,
    by_update: bool,
    descending: bool,
    after: int | None,
    limit: int,
) -> tuple[list[TransactionLine], int | None]:
    """A page of lines, and the place after which the next one begins."""
    index = ledger.by_update if by_update else ledger.by_creation
    places: Iterable[int]
    chosen = _chosen_lines(ledger, book, search)
    if chosen is not None:
        places = sorted({index.place(line_id) for line_id in chosen})
        if after is not None:
            places = [
                place for place in places if (place < after if descending else place > after)
            ]
        if descending:
            places = reversed(places)
    else:
        if by_update:
            span = index.between(search.updated_from, None)
        else:
            span = index.between(search.created_from, search.created_to)
        if after is not None and descending:
            span = range(span.start, min(span.stop, after))
        elif after is not None:
            span = range(max(span.start, after + 1), span.stop)
        places = index.current(reversed(span) if descending else span)
    return seek(
        places,
        lambda place: ledger.lines[index.key_at(place)],
        _line_fits(book, search),
        limit,
    )


def _chosen_lines(
    ledger: Ledger, book: Book, search: TransactionSearch
) -> Iterable[str] | None:
    """Ids of the lines of named orders or cycles; None where none are named."""
    order_ids: set[str] = set(search.order_ids)
    for line_id in search.order_line_ids:
        of_line = book.order_of_line.get(line_id)
        order_ids |= {of_line.order_id} if of_line else set()
    for key in search.customer_references:
        of_key = book.by_customer_order_number.get(key)
        order_ids |= {of_key.order_id} if of_key else set()
    for key in search.seller_references:
        order_ids |= book.by_seller_reference.get(key, {}).keys()
    if (
        search.order_ids
        or search.order_line_ids
        or search.customer_references
        or search.seller_references
    ):
        return [
            line_id for key in sorted(order_ids) for line_id in ledger.by_order.get(key, ())
        ]
    if search.cycle_ids:
        return [line_id for key in search.cycle_ids for line_id in ledger.by_cycle.get(key, ())]
    return None


def _line_fits(book: Book, search: TransactionSearch) -> Callable[[TransactionLine], bool]:
    def among(value: str | None, wanted: tuple[str, ...]) -> bool:
        return not wanted or value in wanted

    def fits(line: TransactionLine) -> bool:
        order = book.orders[line.order_id] if line.order_id else None
        return (
            among(line.payment_state, search.payment_states)
            and among(line.kind, search.kinds)
            and among(line.cycle_id, search.cycle_ids)
            and among(line.order_id, search.order_ids)
            and among(line.order_line_id, search.order_line_ids)
            and among(
                order.customer_order_number if order else None, search.customer_references
            )
            and among(order.seller_reference if order else None, search.seller_references)
            and among(line.document_number, search.document_numbers)
            and among(line.document_id, search.document_ids)
            and _within(line.updated_at, search.updated_from, None)
            and _within(line.created_at, search.created_from, search.created_to)
            and _within(line.transaction_at, search.transaction_from, search.transaction_to)
        )

    return fits


def _within(moment: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    if moment is None:
        return since is None and until is None
    return (since is None or since <= moment) and (until is None or moment <= until)
