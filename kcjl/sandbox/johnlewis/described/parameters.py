"""Query parameters of the seller API, as the description names them.

Promises: what is described is what the face reads; lists are repeated or comma-separated as
the contract has each (b.0), at most 100 values. It reads no request.
Called by the table of described operations.
"""

from collections.abc import Iterable

import msgspec

__all__ = [
    "Parameter",
    "flag",
    "listed",
    "moment",
    "offset_pages",
    "repeated",
    "seek_pages",
    "text",
    "whole",
]

LIST_MAX = 100


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter of the query."""

    name: str
    schema: dict[str, object]
    description: str = ""
    explode: bool = True
    """Off: one parameter with commas. The face takes both."""


def text(name: str, among: Iterable[str] = (), description: str = "") -> Parameter:
    schema: dict[str, object] = {"type": "string"}
    if values := list(among):
        schema["enum"] = sorted(values)
    return Parameter(name=name, schema=schema, description=description)


def moment(name: str) -> Parameter:
    return Parameter(name=name, schema={"type": "string", "format": "date-time"})


def flag(name: str) -> Parameter:
    return Parameter(name=name, schema={"type": "boolean"})


def whole(
    name: str, *, least: int, most: int | None = None, description: str = ""
) -> Parameter:
    schema: dict[str, object] = {"type": "integer", "minimum": least}
    if most is not None:
        schema["maximum"] = most
    return Parameter(name=name, schema=schema, description=description)


def repeated(name: str, among: Iterable[str] = ()) -> Parameter:
    """A list by repeating the parameter (ST, RT, TL, SBC, DR)."""
    return Parameter(name=name, schema=_list(among))


def listed(name: str, among: Iterable[str] = ()) -> Parameter:
    """A list with commas (OR11 and its like)."""
    return Parameter(name=name, schema=_list(among), explode=False)


def _list(among: Iterable[str]) -> dict[str, object]:
    items: dict[str, object] = {"type": "string", "minLength": 1}
    if values := list(among):
        items = {"type": "string", "enum": sorted(values)}
    return {"type": "array", "items": items, "maxItems": LIST_MAX}


def offset_pages(*sorts: str) -> tuple[Parameter, ...]:
    """OR11, OF21, IV01."""
    return (
        whole("offset", least=0, description="rows to leave out"),
        whole("max", least=1, most=100, description="rows of a page; 10 unless said"),
        flag("paginate"),
        text("sort", sorts),
        text("order", ("asc", "desc")),
    )


def seek_pages(most: int, *fields: str) -> tuple[Parameter, ...]:
    """ST11, TL02, SBC11 and their like."""
    sorts = [f"{field},{direction}" for field in fields for direction in ("ASC", "DESC")]
    return (
        whole("limit", least=1, most=most, description="rows of a page; 10 unless said"),
        text("page_token", description="next_page_token of the page before"),
        text("sort", sorts),
    )
