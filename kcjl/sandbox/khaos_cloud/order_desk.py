"""The channel's order desk: what was downloaded, what was refused, what is asked for again.

Promises: each order is taken for itself; a bad one is remembered by its reference with the
reason, and the others go on; an order is downloaded once, later changes are not looked at.
Orders that are too old are skipped. Invariant: a reference is taken, refused or skipped.
Called by the channel. Source: contract khaos b.10, g.10.
"""

from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec

from kcjl.sandbox.khaos_cloud.customers import CustomerMatching
from kcjl.sandbox.khaos_cloud.documents import ImportConfig, SalesOrderDocument
from kcjl.sandbox.khaos_cloud.order_entry import OrderEntry, moment_of
from kcjl.sandbox.khaos_cloud.reading import ChannelRefusal, Plain, read_document, record_of
from kcjl.sandbox.khaos_cloud.settings import ChannelSettings
from kcjl.sandbox.warehouse import SalesOrder, Warehouse

__all__ = ["ChannelError", "OrderDesk", "TakenOrder", "rows_of"]

_REMEMBERED_MAX = 10_000
"""Errors that are kept; the oldest are forgotten, and counted."""
_MONTHS = 12


About: TypeAlias = Literal["order", "return", "call"]


class ChannelError(msgspec.Struct, frozen=True, kw_only=True):
    """What the channel did not take, as its screen shows it."""

    subject: str
    """An order's or a return's reference, or a kind of call."""
    about: About
    reason: str
    at: datetime
    times: int = 1


class TakenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that came through this channel."""

    ref: str
    """As the other side knows it."""
    associated_ref: str
    """As the channel's format made it."""
    sales_order: SalesOrder
    custom_data: str


class OrderDesk:
    """Takes downloads of orders."""

    def __init__(
        self, warehouse: Warehouse, settings: ChannelSettings, customers: CustomerMatching
    ) -> None:
        self._warehouse = warehouse
        self._settings = settings
        self.entry = OrderEntry(warehouse, settings, customers)
        self.taken: dict[str, TakenOrder] = {}
        """By reference."""
        self.errors: dict[str, ChannelError] = {}
        self.skipped: dict[str, str] = {}
        self.repeated = 0
        """Orders that were there already: nothing was done with them."""
        self.errors_forgotten = 0

    def take(self, body: bytes, form: str, asked: list[str]) -> int:
        """Take a download; `asked` are the references of a retry. Returns how many are new."""
        strict = form.upper() == "JSON"
        said = read_document(body, form, "SalesOrderImport")
        check_version(said, self._settings)
        orders = rows_of(said, "Orders")
        most = self._settings.orders_per_download_max
        if most and len(orders) > most:
            raise ChannelRefusal(
                f"{len(orders)} orders in one answer, {most} at most: split by continuation"
            )
        config = record_of(said.get("Config", {}), ImportConfig, strict=strict)
        before = len(self.taken)
        seen: set[str] = set()
        for number, order in enumerate(orders, start=1):
            ref = _reference(order) or f"order {number} of {len(orders)}"
            seen.add(ref)
            try:
                if asked and ref not in asked:
                    raise ChannelRefusal(  # noqa: TRY301 - one place remembers refusals
                        f"only {', '.join(asked)} was asked for"
                    )
                self._take_one(ref, order, config, strict=strict)
            except ChannelRefusal as refusal:
                self.remember(ref, str(refusal))
        for ref in asked:
            if ref not in seen:
                self.remember(ref, "it was asked for, and is not in the answer")
        return len(self.taken) - before

    def remember(self, subject: str, reason: str, about: About = "order") -> None:
        """Put an error on the channel's screen."""
        before = self.errors.pop(subject, None)
        self.errors[subject] = ChannelError(
            subject=subject,
            about=about,
            reason=reason,
            at=self._warehouse.agenda.now,
            times=before.times + 1 if before is not None else 1,
        )
        if len(self.errors) > _REMEMBERED_MAX:
            del self.errors[next(iter(self.errors))]
            self.errors_forgotten += 1

    def _take_one(self, ref: str, said: object, config: ImportConfig, *, strict: bool) -> None:
        if ref in self.taken:
            self.repeated += 1
            return
        order = record_of(said, SalesOrderDocument, strict=strict)
        placed = moment_of(order.header.order_date)
        earliest = self._earliest()
        if placed < earliest:
            self.skipped[ref] = f"placed {placed:%Y-%m-%d}, before {earliest:%Y-%m-%d}"
            self.errors.pop(ref, None)
            return
        associated = self._settings.order_ref_format.format(ref)
        if len(associated) > self._settings.associated_ref_max:
            raise ChannelRefusal(
                f"AssociatedRef {associated!r} is longer than "
                f"{self._settings.associated_ref_max} characters"
            )
        entered = self.entry.enter(order, associated, config)
        self.errors.pop(ref, None)
        self.taken[ref] = TakenOrder(
            ref=ref,
            associated_ref=associated,
            sales_order=entered,
            custom_data=order.header.custom_data,
        )

    def _earliest(self) -> datetime:
        now = self._warehouse.agenda.now
        back = months_before(now, self._settings.months_back)
        return max(back, self._settings.starts_from or back)


def check_version(said: Plain, settings: ChannelSettings) -> None:
    version = said.get("ApiVersion")
    if str(version) not in {str(known) for known in settings.api_versions}:
        raise ChannelRefusal(f"ApiVersion is required: {settings.api_versions}, not {version}")


def rows_of(said: Plain, name: str) -> list[object]:
    rows = said.get(name)
    if rows is None:
        raise ChannelRefusal(f"{name} is required, with no rows where there are none")
    if not isinstance(rows, list):
        raise ChannelRefusal(f"{name} is an array")
    return rows


def months_before(now: datetime, months: int) -> datetime:
    """The start of that day so many months ago.

    >>> months_before(datetime(2026, 5, 31, 9, tzinfo=UTC), 3).date().isoformat()
    '2026-02-28'
    """
    count = now.year * _MONTHS + now.month - 1 - months
    for day in range(now.day, 0, -1):
        try:
            return datetime(count // _MONTHS, count % _MONTHS + 1, day, tzinfo=UTC)
        except ValueError:
            continue
    return now


def _reference(said: object) -> str:
    header = said.get("Header") if isinstance(said, dict) else None
    ref = header.get("AssociatedRef") if isinstance(header, dict) else None
    return ref.strip() if isinstance(ref, str) else ""
