"""The stock of the sandbox's ERP: items, what lies on which site, what is assigned, who waits.

Promises: only `level` = physical − assigned is for showing; free stock goes to back orders
first, oldest delivery date first. Codes are compared case-insensitively and keep the ERP's
spelling. Lookups by code, other ref, description, id and date of change never scan the
catalogue. Invariant: per site, Σ assigned of an item = Σ assigned of its open order lines.
Called by the warehouse model and its staff; read by the SOAP face.
"""

import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_FLOOR, Decimal

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda

__all__ = ["BackOrder", "StockBook", "StockItem", "key_of"]

_NOTHING = Decimal(0)
_FIRST_ITEM_ID = 40_001


def key_of(text: str) -> str:
    """What two spellings of one code have in common."""
    return text.strip().casefold()


@dataclass(slots=True)
class BackOrder:
    """Units of an order line that no stock was assigned to yet."""

    due: date
    """Delivery date: the oldest is served first."""
    turn: int
    """Among equal dates, who came first."""
    quantity: Decimal
    on_assigned: Callable[[Decimal], None]


@dataclass(slots=True)
class StockItem:
    """A stock item."""

    code: str
    item_id: int
    description: str
    sell_price: Money
    launched_at: datetime
    revised_at: datetime
    moved_at: datetime
    other_ref: str = ""
    barcodes: tuple[str, ...] = ()
    sell_price_is_net: bool = False
    buy_price: Money = field(default_factory=lambda: Money(0))
    tax_code: int = 1
    discontinued: bool = False
    run_to_zero: bool = False
    stock_controlled: bool = True
    on_web: bool = True
    sales_multiple: int = 0
    max_display: int = 0
    min_level: int = 0
    safe_level: int = 0
    pack_of: tuple[tuple[str, Decimal], ...] = ()
    parent_code: str = ""
    styles: tuple[tuple[str, str], ...] = ()
    """A child's place in its parent: (description, code suffix) level by level, up to 4."""
    children: list[str] = field(default_factory=list)
    physical: dict[int, Decimal] = field(default_factory=dict)
    assigned: dict[int, Decimal] = field(default_factory=dict)
    waiting: dict[int, list[BackOrder]] = field(default_factory=dict)
    on_order: list[tuple[date, Decimal]] = field(default_factory=list)
    """Undelivered purchases by due date."""

    @property
    def holds_stock(self) -> bool:
        """Whether an order line of it needs stock to be assigned."""
        return self.stock_controlled and not self.pack_of

    def level(self, site_id: int | None = None) -> Decimal:
        """Physical less assigned, on one site or on all. May be negative."""
        if site_id is not None:
            held = self.physical.get(site_id, _NOTHING)
            return held - self.assigned.get(site_id, _NOTHING)
        return sum(self.physical.values(), _NOTHING) - sum(self.assigned.values(), _NOTHING)

    def units_on_order(self) -> Decimal:
        return sum((quantity for _, quantity in self.on_order), _NOTHING)

    def units_on_back_order(self) -> Decimal:
        return sum((b.quantity for row in self.waiting.values() for b in row), _NOTHING)


class _Changes:
    """Items by when they changed last; the dates only ever grow."""

    def __init__(self) -> None:
        self._when: dict[str, datetime] = {}

    def note(self, key: str, when: datetime) -> None:
        self._when.pop(key, None)
        self._when[key] = when

    def forget(self, key: str) -> None:
        del self._when[key]

    def since(self, since: datetime | None, *, inclusive: bool) -> list[str]:
        """Keys that changed since, the earliest first."""
        found: list[str] = []
        for key in reversed(self._when):
            when = self._when[key]
            if since is not None and (when < since or (when == since and not inclusive)):
                break
            found.append(key)
        found.reverse()
        return found


class StockBook:
    """All items, and every movement of theirs."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._items: dict[str, StockItem] = {}
        self._by_id: dict[str, str] = {}
        self._by_other_ref: dict[str, str] = {}
        self._by_description: dict[str, str] = {}
        self._by_barcode: dict[str, str] = {}
        self._revised = _Changes()
        self._moved = _Changes()
        self._launched: list[tuple[datetime, int, str]] = []
        self._added = 0
        self.deleted: list[tuple[datetime, StockItem]] = []
        """Items that a person deleted, and when."""
        self.on_moved: list[Callable[[StockItem], None]] = []
        """Called when a level may have changed."""

    # ── items ──

    def add(self, item: StockItem) -> None:
        key = key_of(item.code)
        if not key or key in self._items:
            raise Misuse(f"stock code {item.code!r} is empty or already there")
        self._items[key] = item
        self._added += 1
        self._by_id[str(item.item_id)] = key
        for index, names in (
            (self._by_other_ref, (item.other_ref,)),
            (self._by_description, (item.description,)),
            (self._by_barcode, item.barcodes),
        ):
            for name in names:
                if name:
                    index.setdefault(key_of(name), key)
        if item.parent_code:
            self.get(item.parent_code).children.append(item.code)
        self._moved.note(key, item.moved_at)
        self._revised.note(key, item.revised_at)
        bisect.insort(self._launched, (item.launched_at, item.item_id, key))

    def next_item_id(self) -> int:
        return _FIRST_ITEM_ID + self._added

    def remove(self, item: StockItem) -> None:
        """Delete an item; what refers to it is the caller's care."""
        key = key_of(item.code)
        if item.parent_code:
            self.get(item.parent_code).children.remove(item.code)
        for index in (self._by_id, self._by_other_ref, self._by_description, self._by_barcode):
            for name in [name for name, mapped in index.items() if mapped == key]:
                del index[name]
        self._revised.forget(key)
        self._moved.forget(key)
        self._launched = [row for row in self._launched if row[2] != key]
        del self._items[key]
        self.deleted.append((self._agenda.now, item))

    def find(self, code: str) -> StockItem | None:
        return self._items.get(key_of(code))

    def get(self, code: str) -> StockItem:
        item = self.find(code)
        if item is None:
            raise Misuse(f"the warehouse has no stock code {code!r}")
        return item

    def find_by_id(self, item_id: str) -> StockItem | None:
        return self._mapped(self._by_id, item_id)

    def find_by_other_ref(self, other_ref: str) -> StockItem | None:
        return self._mapped(self._by_other_ref, other_ref)

    def find_by_description(self, description: str) -> StockItem | None:
        return self._mapped(self._by_description, description)

    def find_by_barcode(self, barcode: str) -> StockItem | None:
        return self._mapped(self._by_barcode, barcode)

    def _mapped(self, index: dict[str, str], name: str) -> StockItem | None:
        key = index.get(key_of(name))
        return self._items[key] if key is not None else None

    def __iter__(self) -> Iterator[StockItem]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def revised(self, item: StockItem) -> None:
        """Say that the item was edited."""
        item.revised_at = self._agenda.now
        self._revised.note(key_of(item.code), item.revised_at)
        if item.description:
            self._by_description.setdefault(key_of(item.description), key_of(item.code))

    def revised_since(self, since: datetime | None, *, inclusive: bool) -> list[StockItem]:
        return [self._items[key] for key in self._revised.since(since, inclusive=inclusive)]

    def moved_since(self, since: datetime | None, *, inclusive: bool) -> list[StockItem]:
        return [self._items[key] for key in self._moved.since(since, inclusive=inclusive)]

    def launched_since(self, since: datetime | None, *, inclusive: bool) -> list[StockItem]:
        if since is None:
            return [self._items[key] for _, _, key in self._launched]
        cut = bisect.bisect_left(self._launched, (since, 0, ""))
        rows = self._launched[cut:]
        return [self._items[key] for when, _, key in rows if inclusive or when > since]

    # ── movements ──

    def _note_movement(self, item: StockItem) -> None:
        item.moved_at = self._agenda.now
        self._moved.note(key_of(item.code), item.moved_at)
        for observer in self.on_moved:
            observer(item)

    def put(self, item: StockItem, site_id: int, delta: Decimal) -> None:
        """Change what lies there; new free stock goes to back orders first."""
        if not delta:
            return
        item.physical[site_id] = item.physical.get(site_id, _NOTHING) + delta
        self._note_movement(item)
        if delta > 0:
            self._serve_back_orders(item, site_id)

    def assign(self, item: StockItem, site_id: int, quantity: Decimal) -> Decimal:
        """Reserve what is free, up to so many; returns how many."""
        free = max(_NOTHING, item.level(site_id))
        if quantity == quantity.to_integral_value():
            free = free.to_integral_value(ROUND_FLOOR)
        taken = min(quantity, free)
        if taken > 0:
            item.assigned[site_id] = item.assigned.get(site_id, _NOTHING) + taken
            self._note_movement(item)
        return taken

    def wait(self, item: StockItem, site_id: int, back_order: BackOrder) -> None:
        """Queue for goods-in: by delivery date, then by turn."""
        row = item.waiting.setdefault(site_id, [])
        bisect.insort(row, back_order, key=lambda waiting: (waiting.due, waiting.turn))
        self._note_movement(item)

    def stop_waiting(self, item: StockItem, site_id: int, back_order: BackOrder) -> None:
        row = item.waiting.get(site_id, [])
        item.waiting[site_id] = [waiting for waiting in row if waiting is not back_order]

    def unassign(self, item: StockItem, site_id: int, quantity: Decimal) -> None:
        """Give reserved stock back: to who waits first, then to be sold."""
        if quantity > 0:
            item.assigned[site_id] = item.assigned.get(site_id, _NOTHING) - quantity
            self._note_movement(item)
            self._serve_back_orders(item, site_id)

    def issue(self, item: StockItem, site_id: int, quantity: Decimal) -> None:
        """Reserved stock has left the house for good: the level stays as it is."""
        item.physical[site_id] = item.physical.get(site_id, _NOTHING) - quantity
        item.assigned[site_id] = item.assigned.get(site_id, _NOTHING) - quantity
        self._note_movement(item)

    def deliver(self, item: StockItem, quantity: Decimal) -> None:
        """Take a delivery off the undelivered purchases, the earliest due first."""
        left = quantity
        open_purchases: list[tuple[date, Decimal]] = []
        for due, ordered in item.on_order:
            taken = min(left, ordered)
            left -= taken
            if ordered > taken:
                open_purchases.append((due, ordered - taken))
        item.on_order = open_purchases

    def _serve_back_orders(self, item: StockItem, site_id: int) -> None:
        row = item.waiting.get(site_id)
        while row and item.level(site_id) > 0:
            first = row[0]
            taken = self.assign(item, site_id, first.quantity)
            if not taken:
                return
            first.quantity -= taken
            if not first.quantity:
                row.pop(0)
            first.on_assigned(taken)
