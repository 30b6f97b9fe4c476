"""OR11's page, row by row where one of its orders can't be read.

Promises: a page that can be read whole is read whole, at no further cost; of any other each
order is read alone, and one that can't be is told with its id and the field, never with what
stood there. It judges no order. Invariant: as many rows come out as there are in the page.
Called by `seller_api.py`. Source: contract johnlewis b.3.
"""

import hashlib
import re

import msgspec

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis import order_records
from kcjl.johnlewis.order_port import Order, UnreadableOrder
from kcjl.johnlewis.order_wire import WireOrder
from kcjl.johnlewis.reading import Page, listed, plain_text, text, total
from kcjl.johnlewis.wire import decoded
from kcjl.johnlewis.wire_values import WireId, WireNumber, WireRead

__all__ = ["order_rows"]

_ID = re.compile(r"[\w.:/-]{1,100}")
"""What is repeated as an id; a text that is none may name people."""
_SKU = re.compile(r"\S(?:[^\n]{0,98}\S)?")
"""What is taken for a SKU, which may have blanks in it."""


class WireOrderBodies(WireRead, frozen=True, kw_only=True):
    """The page, its orders left as they came."""

    orders: list[msgspec.Raw] | None = None
    total_count: WireNumber = None


class WireHeld(WireRead, frozen=True, kw_only=True):
    offer_sku: WireId = None


class WireHolding(WireRead, frozen=True, kw_only=True):
    order_lines: tuple[WireHeld, ...] = ()


class WireNamed(WireRead, frozen=True, kw_only=True):
    order_id: WireId = None


def order_rows(body: bytes, currency: str) -> Page[Order | UnreadableOrder]:
    """Raises `ProtocolSurprise` for what is no page at all."""
    try:
        read = order_records.orders(body, currency)
        return Page(rows=list(read.rows), total=read.total)
    except ProtocolSurprise:
        page = decoded(body, WireOrderBodies, "OR11")
    rows = [_row(bytes(raw), currency) for raw in listed(page.orders, body, "OR11")]
    return Page(rows=rows, total=total(page.total_count))


def _row(raw: bytes, currency: str) -> tuple[str, Order | UnreadableOrder]:
    """The order under its id; one without an id under what it looks like."""
    try:
        order = order_records.order(msgspec.json.decode(raw, type=WireOrder), currency)
    except ProtocolSurprise as surprise:
        message = surprise.message
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        message = str(error)
    else:
        return order.order_id, order
    order_id = _order_id(raw)
    key = order_id or f"unreadable:{hashlib.sha256(raw).hexdigest()}"
    said = plain_text(message)
    return key, UnreadableOrder(order_id=order_id, message=said, skus=_skus(raw))


def _skus(raw: bytes) -> tuple[str, ...] | None:
    """None where it has no lines, or one of them has none that can be read."""
    try:
        lines = msgspec.json.decode(raw, type=WireHolding).order_lines
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    skus = tuple(text(line.offer_sku) for line in lines)
    return skus if skus and all(map(_SKU.fullmatch, skus)) else None


def _order_id(raw: bytes) -> str:
    """Empty where it has none that can be read."""
    try:
        told = msgspec.json.decode(raw, type=WireNamed).order_id
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ""
    order_id = text(told)
    return order_id if _ID.fullmatch(order_id) else ""
