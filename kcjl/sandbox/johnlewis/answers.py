"""How the John Lewis face answers: JSON, dates and amounts as the contract writes them.

Promises: amounts are JSON numbers made from exact decimals; dates are UTC with Z, to the second
or to the millisecond as each field has it (contract b.0); offset pages carry `Link`. A 204 has
no body. It reads no request. Called by every operation of the face.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar

import msgspec
from aiohttp import web
from yarl import URL

from kcjl.money import Money
from kcjl.sandbox.johnlewis.asking import Asked, OffsetPage
from kcjl.sandbox.marketplace import ApiError

__all__ = [
    "Json",
    "amount",
    "answer",
    "encoded",
    "instant",
    "nothing",
    "page_of",
    "refusal",
    "second",
]

T = TypeVar("T")
Json: TypeAlias = dict[str, object]

_encoder = msgspec.json.Encoder(decimal_format="number")


def encoded(body: object) -> bytes:
    return _encoder.encode(body)


def answer(
    body: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    return web.Response(
        body=encoded(body),
        status=status,
        headers=headers,
        content_type="application/json",
        charset="UTF-8",
    )


def nothing() -> web.Response:
    """Done, and no more to say."""
    return web.Response(status=204)


def refusal(refused: ApiError) -> web.Response:
    return answer(refused.body, status=refused.status)


def amount(money: Money) -> object:
    """An amount as a JSON number."""
    return money.decimal()


def second(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")[:19] + "Z"


def instant(moment: datetime | None) -> str | None:
    """To the millisecond."""
    return None if moment is None else moment.isoformat(timespec="milliseconds")[:23] + "Z"


def page_of(asked: Asked, rows: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
    """The rows of the page that was asked, and its headers."""
    total = len(rows)
    page = asked.offset_page(total)
    first = page.offset
    if asked.settings.duplicated_page_rows and first > 0:
        first -= 1
    links = []
    if page.offset + page.rows < total:
        links.append(_link(asked, page, page.offset + page.rows, "next"))
    if page.offset > 0:
        links.append(_link(asked, page, max(0, page.offset - page.rows), "previous"))
    headers = {"Link": ", ".join(links)} if links else {}
    return rows[first : page.offset + page.rows], headers


def _link(asked: Asked, page: OffsetPage, offset: int, relation: str) -> str:
    url = URL(asked.url).update_query({"offset": str(offset), "max": str(page.rows)})
    return f'<{url}>; rel="{relation}"'
