"""Tables for people: columns as wide as what stands in them, numbers to the right.

Promises: every cell is shown whole and on its line, with what would not be seen spelt out; a
heading that begins with `>` sets its column to the right. Called by the verbs that list.
"""

from collections.abc import Sequence

from kcjl.unseen import spelt_out

__all__ = ["table"]

GAP = "  "


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table; none where there is no row.

    >>> table(("sku", ">units"), [("A-1", "12"), ("B", "3")])
    ['sku  units', 'A-1     12', 'B        3']
    """
    if not rows:
        return []
    right = [heading.startswith(">") for heading in headings]
    lines = [
        [heading.removeprefix(">") for heading in headings],
        *(list(map(spelt_out, row)) for row in rows),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return [
        GAP.join(
            _set(cell, width, right=to_right)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]


def _set(cell: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - len(cell))
    return blanks + cell if right else cell + blanks
