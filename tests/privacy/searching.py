"""A search of all that the program has written for whoever bought something.

Promises: every column of every table but the vault is read as text, what is packed is unpacked
first; every file is read; each of a buyer's words is looked for as it is, and as JSON and as a
traceback would write it. Names are looked for as words, since some are in other words too.
It knows nothing of what the program writes. Called by `test_search.py`.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import asyncpg

from kcjl.sandbox.marketplace import Order

__all__ = ["database_texts", "file_texts", "personal_words", "search"]

NEVER_SEARCHED = frozenset({"vault"})
"""Sealed: it is what holds the buyers."""
TRADE_WORDS = frozenset({"London", "Green", "Reading", "Young"})
"""Words of buyers that are also a town of the settings, a colour, an event and a wish; each is
looked for in every other form that a buyer has it in."""


def personal_words(orders: Iterable[Order]) -> set[str]:
    """Every word by which the buyer of one of these orders could be known."""
    words: set[str] = set()
    for order in orders:
        buyer = order.customer
        for address in (buyer.delivery, buyer.billing or buyer.delivery):
            words |= {
                f"{address.first_name} {address.last_name}",
                address.first_name,
                address.last_name,
                address.company or "",
                address.street_1,
                address.street_2 or "",
                address.city,
                address.postcode,
                address.postcode.replace(" ", ""),
                address.phone or "",
                (address.phone or "").replace(" ", ""),
                address.additional or "",
            }
        words |= {
            f"{buyer.first_name} {buyer.last_name}",
            buyer.first_name,
            buyer.last_name,
            buyer.customer_id,
            order.notification_email,
        }
    return {word for word in words if word and word not in TRADE_WORDS}


def search(places: Mapping[str, str], words: Iterable[str]) -> list[str]:
    """Where which word was found: «place: word»."""
    forms = {form: word for word in words for form in _forms(word)}
    longest_first = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    whole = re.compile(rf"(?<!\w)(?:{longest_first})(?!\w)")
    return sorted(
        {
            f"{place}: {forms[found.group()]}"
            for place, text in places.items()
            for found in whole.finditer(text)
        }
    )


def _forms(word: str) -> set[str]:
    """As it is, and as JSON, XML and a repr may have written it."""
    xml = word.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {
        word,
        json.dumps(word)[1:-1],
        json.dumps(word, ensure_ascii=False)[1:-1],
        repr(word)[1:-1],
        xml,
    }


async def database_texts(dsn: str) -> dict[str, str]:
    """Every table but the vault, each row as PostgreSQL writes it and unpacked."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = [
            row["relname"]
            for row in await connection.fetch(
                "select relname from pg_class join pg_namespace n on n.oid = relnamespace "
                "where relkind in ('r', 'p', 'm') and nspname = 'public' order by relname"
            )
        ]
        texts = {}
        for table in sorted(set(tables) - NEVER_SEARCHED):
            rows = await connection.fetch(f'select t.*, t::text as "row" from "{table}" t')
            texts[f"table {table}"] = "\n".join(
                part
                for row in rows
                for part in (row["row"], *(_read(v) for v in row.values() if _is_packed(v)))
            )
    finally:
        await connection.close()
    return texts


def _is_packed(value: object) -> bool:
    return isinstance(value, bytes)


def file_texts(folder: Path, *, but: Iterable[str] = ()) -> dict[str, str]:
    """Every file below a folder, unpacked where it is packed."""
    left_out = set(but)
    return {
        f"file {path.relative_to(folder)}": _read(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in left_out
    }


def _read(content: bytes) -> str:
    if content.startswith(b"\x1f\x8b\x08"):
        with suppress(gzip.BadGzipFile, EOFError, zlib.error):  # a hash may begin like this
            content = gzip.decompress(content)
    return "\n".join(_unpacked(content))


def _unpacked(content: bytes) -> Iterator[str]:
    """The bytes as text, and whatever is deflated in them."""
    yield content.decode("utf-8", "replace")
    at = 0
    while (at := content.find(b"\x78", at)) >= 0:
        inflating = zlib.decompressobj()
        try:
            inner = inflating.decompress(content[at:])
        except zlib.error:
            at += 1
            continue
        if not inflating.eof:
            at += 1
            continue
        yield inner.decode("utf-8", "replace")
        at = len(content) - len(inflating.unused_data)
