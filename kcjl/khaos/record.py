"""The base of what crosses the ERP's port: frozen records, by name only.

Promises: nothing but the form. Invariant: a record is never changed after it is made. Called
by the modules of records behind `port.py`.
"""

import msgspec

__all__ = ["Record"]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the records that cross this port."""
