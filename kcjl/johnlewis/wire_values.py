"""The kinds of value that Mirakl's JSON is made of, and the bases of what is read and written.

Promises: an id may be a number or a text, a number is a decimal from the first byte on, absent
and null are both None. Invariant: what is written leaves out what is None.
Called by the `…wire.py` modules. Source: contract johnlewis b.0.
"""

from decimal import Decimal

import msgspec

__all__ = ["WireAsked", "WireId", "WireNumber", "WireRead", "WireText"]

WireId = int | str | None
WireNumber = Decimal | None
WireText = str | int | None
"""A code or a text; some tenants write codes that look like numbers as numbers."""


class WireRead(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is read."""


class WireAsked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of what is written; what is None is left out."""
