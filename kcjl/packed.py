"""An entry of a fold that nobody has asked for in a while, made small.

Promises: what is packed is read again as it was. It knows no fold and no trade.
Invariant: entries of one kind are alike, so each is written by its difference from the first
one: a sales order of 2,600 bytes of JSON, as structs as much, takes some 200.
Called by `fold.py`; written to a snapshot as JSON by `snapshots.py`.
"""

import zlib
from typing import final

__all__ = ["Packed", "Packer"]

LEVEL = 3
WINDOW_BITS = -13
"""Without header and sum: an entry does not leave the process so."""
MEMORY_LEVEL = 5


@final
class Packed:
    """One entry as compressed JSON."""

    __slots__ = ("_bytes", "_like")

    def __init__(self, packed: bytes, like: bytes) -> None:
        self._bytes = packed
        self._like = like

    def json(self) -> bytes:
        return zlib.decompressobj(WINDOW_BITS, zdict=self._like).decompress(self._bytes)


class Packer:
    """Packs the entries of one table."""

    def __init__(self) -> None:
        self._like = b""

    def pack(self, json: bytes) -> Packed:
        self._like = self._like or json
        packer = zlib.compressobj(
            LEVEL, zlib.DEFLATED, WINDOW_BITS, MEMORY_LEVEL, zdict=self._like
        )
        return Packed(packer.compress(json) + packer.flush(), self._like)
