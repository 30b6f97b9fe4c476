"""How a Cloud ERP's channel is set up: its pace, its rules, and which spelling it takes.

Promises: every point on which the vendor's paper contradicts itself, or is silent, is a field
with a default. It holds no state and no password. Invariant: frozen; the same settings, the
same agenda and the same answers give the same channel. Source: contract khaos b.10.
Called by the world, which records them; read by each part of the channel.
"""

from datetime import datetime
from typing import Literal

import msgspec

from kcjl.errors import SettingsUnusable

__all__ = ["ChannelSettings", "CloudAccess"]

Spelling = Literal["either", "table", "example"]
"""What is read: the property table's spelling, the example's, or whichever comes."""


class CloudAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person types into the channel's screen."""

    config_url: str
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"CloudAccess(config_url={self.config_url!r}, user={self.user!r})"

    def __post_init__(self) -> None:
        if not self.config_url.startswith(("http://", "https://")):
            raise SettingsUnusable(f"{self.config_url!r} is no http or https URL")
        if ":" in self.user:
            raise SettingsUnusable("a user of HTTP Basic can't hold a colon")


class ChannelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every toggle and timing of the channel."""

    channel_id: str = "21"
    order_ref_format: str = "{0}"
    """The channel's "Order Ref. Format", as `{0}SPY` or `KCC{0}`."""
    associated_ref_sent: Literal["formatted", "plain"] = "formatted"
    """What statuses name an order by, where the format changes it."""
    associated_ref_max: int = 50
    starts_from: datetime | None = None
    """The channel's start date: older orders are skipped."""
    months_back: int = 3
    """Orders placed longer ago are skipped."""
    first_contact: Literal["now", "start"] = "start"
    """The date of the first Sirion-Continuation: the channel's start (else `months_back`
    ago), or now."""
    orders_per_download_max: int = 1000
    """More in one answer are refused, all of them; 0 takes any number."""
    continuation_with_specific_ids: bool = True
    """Whether a retry of named orders carries Sirion-Continuation too."""
    specific_ids_quoted: bool = False
    """The vendor's paper shows the references in quotes."""
    retries_failed_after_minutes: int = 0
    """A person asks again for what failed, so long after; 0: only by hand."""
    config_is_file: bool = True
    """A config URL whose path does not end in .json or .xml is refused."""

    # ── its pace, in minutes of the world ──
    config_cached_minutes: int = 24 * 60
    statuses_every_minutes: int = 8
    stock_levels_every_minutes: int = 2
    stock_items_every_minutes: int = 5
    repeated_after_minutes: int = 5
    """After any answer but 200, and after none."""
    repeats: Literal["run", "post"] = "run"
    """What is sent again: the whole run that a post belongs to, or what was not taken."""

    # ── what it sends ──
    levels_per_post: int = 100
    statuses_per_post: int = 100
    items_per_post: int = 100
    posts_per_round: int = 5
    """Of stock items, while everything is pushed at the first link."""
    levels_at_first_link: bool = True
    """False: levels are sent when they change, and not before."""
    sends_empty_levels: bool = False
    """A round without changes sends no levels in a post of its own."""
    shows_shipment_from: Literal["shipment", "issue"] = "shipment"
    """From when packages show their date and consignment: Confirm Shipment, or Issue."""
    consignments_joined: str = ""
    """Between the numbers of an invoice in one package; empty: a package a box."""
    courier_by: Literal["all", "id", "code", "name"] = "all"
    """Which of ID, Code, Name a courier has in a package."""

    # ── contradictions of the vendor's paper ──
    status_field: Literal["Status", "OrderStatus"] = "Status"
    """Of a sales order status: examples, or table."""
    description_field: Literal["ShortDescription", "StockDescription"] = "ShortDescription"
    """Of a stock item: examples, or table."""
    stock_items_form: Literal["array", "object"] = "array"
    """`Items` of a stock upload: the example's array, or the table's object with `Items`."""
    deleted_form: Literal["ids", "objects"] = "ids"
    """`Deleted`: stock ids, or `DeletedItem` objects."""
    api_versions: tuple[int, ...] = (1000, 10_000)
    """What is taken: the text says 1000, the samples 10000."""
    returns_endpoint: Spelling = "either"
    """`CReturnDownload` (table of the config) or `CustomerReturnDownload` (its text)."""
    returns_form: Spelling = "either"
    """`Returns` an array, `ReturnedItems`, `SourceReference`; or an object, `ReturnItems`,
    `SourceReturnReference`."""
    bank_account_form: Literal["either", "text", "object"] = "either"

    def __post_init__(self) -> None:
        if "{0}" not in self.order_ref_format:
            raise SettingsUnusable("an order ref format needs {0}, where the reference goes")
        sizes = (
            self.levels_per_post, self.statuses_per_post, self.items_per_post,
            self.posts_per_round, self.statuses_every_minutes, self.config_cached_minutes,
            self.stock_levels_every_minutes, self.stock_items_every_minutes,
            self.repeated_after_minutes, self.months_back,
        )  # fmt: skip
        if min(sizes) < 1 or self.levels_per_post > 100:  # noqa: PLR2004 - the vendor's bound
            raise SettingsUnusable("a channel's sizes and spans are above 0, levels up to 100")
