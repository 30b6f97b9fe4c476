"""The laws of rows and checkpoints, once, for every keeper (test_laws.py names them)."""

import pytest

from kcjl.errors import Fenced
from kcjl.projections.store import RowStore

NAMES = ("orders", "stock")
ODD_KEYS = ("O1", "naïve “£” 日本語 🧦", "a/b c", "é", "'quoted' \"too\"")


def row(number: int) -> bytes:
    return b'{"state":"open","row":{"n":%d,"text":"\\u00e9 \\"quoted\\""}}' % number


class RowLaws:
    """Ask for `rows` in a subclass."""

    async def test_checkpoint_of_a_new_projection_is_nought(self, rows: RowStore) -> None:
        """Nothing has been folded yet."""
        assert 0 == await rows.position(NAMES)
        assert {} == await rows.fetch([("orders", "O1")])
        assert {} == await rows.fetch([])

    async def test_rows_are_fetched_byte_for_byte(self, rows: RowStore) -> None:
        """What was written is what is read, to the byte."""
        await rows.position(NAMES)
        wanted = {("orders", key): row(number) for number, key in enumerate(ODD_KEYS)}
        await rows.write(NAMES, wanted, before=0, after=1)

        assert wanted == await rows.fetch([*wanted, ("orders", "nobody"), ("stock", "O1")])

    async def test_rows_and_checkpoint_change_together(self, rows: RowStore) -> None:
        """Changed, added and removed, and the checkpoint with them."""
        await rows.position(NAMES)
        await rows.write(
            NAMES, {("orders", "O1"): row(1), ("orders", "O2"): row(2)}, before=0, after=5
        )
        await rows.write(
            NAMES,
            {("orders", "O1"): row(3), ("orders", "O2"): None, ("stock", "A"): row(4)},
            before=5,
            after=9,
        )

        assert 9 == await rows.position(NAMES)
        assert [("O1", row(3))] == await rows.rows("orders")
        assert [("A", row(4))] == await rows.rows("stock")

    async def test_checkpoint_moves_without_rows(self, rows: RowStore) -> None:
        """Events that touch no row are folded too."""
        await rows.position(NAMES)
        await rows.write(NAMES, {}, before=0, after=7)

        assert 7 == await rows.position(NAMES)

    async def test_write_from_another_checkpoint_is_fenced(self, rows: RowStore) -> None:
        """Two writers never fold an event twice: the second is told, and writes nothing."""
        await rows.position(NAMES)
        await rows.write(NAMES, {("orders", "O1"): row(1)}, before=0, after=5)

        with pytest.raises(Fenced):
            await rows.write(NAMES, {("orders", "O1"): row(2)}, before=0, after=6)

        assert 5 == await rows.position(NAMES)
        assert [("O1", row(1))] == await rows.rows("orders")

    async def test_write_for_projections_that_are_apart_is_fenced(self, rows: RowStore) -> None:
        """All of them are where the writer thinks, or nothing is written."""
        await rows.position(NAMES)
        await rows.write(("stock",), {}, before=0, after=5)

        with pytest.raises(Fenced):
            await rows.write(NAMES, {("orders", "O1"): row(1)}, before=0, after=6)

        assert [] == await rows.rows("orders")

    async def test_checkpoint_of_several_is_the_least(self, rows: RowStore) -> None:
        """What all of them have folded is what the least of them has."""
        await rows.position(NAMES)
        await rows.write(("stock",), {}, before=0, after=5)

        assert 0 == await rows.position(NAMES)
        assert 5 == await rows.position(("stock",))

    async def test_rows_are_listed_by_key(self, rows: RowStore) -> None:
        """In the order of their keys, whatever the machine's language."""
        await rows.position(NAMES)
        await rows.write(
            NAMES, {("orders", key): row(1) for key in ("b", "É", "a", "Z")}, before=0, after=1
        )

        assert ["Z", "a", "b", "É"] == [key for key, _ in await rows.rows("orders")]
