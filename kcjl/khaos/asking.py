"""How the ERP's web service is asked for many things at once: arguments, chunks, and nothing.

Promises: keys go out in comma-separated lists of a bounded size, each once whatever its case; a
key with a comma goes by itself; what no key can be (blank, with blanks round it, with signs
that can't be written) is not sent and so is absent. A fault that plainly says "nothing found"
is an empty answer for one key; for several it may be about one of them, so they are asked for
in halves. Invariant: any other fault is never taken for "not there". Called by the areas of the
SOAP adapter. Source: contract khaos b.0, b.4, h 5.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence

from kcjl.khaos.soap import SoapFault
from kcjl.khaos.wsdl import Argument, Kind

__all__ = [
    "askable",
    "chunked",
    "flag",
    "look_up",
    "moment",
    "says_nothing_found",
    "text",
    "whole",
]

NEVER_IN_A_STOCK_CODE = "#"
"""Not supported in the ERP's stock codes (contract khaos b.7), so there is nothing to ask."""

_THING = (
    r"(?:sales )?(?:orders?|stock|items?|records?|rows?|results?|entr(?:y|ies)|codes?"
    r"|refs?|references?|data|match(?:es)?)"
)
_NOTHING_FOUND = re.compile(
    rf"\bnothing (?:was )?found\b"
    rf"|\bno (?:\w+ ){{0,3}}?{_THING}\b"
    r"(?:.{0,60}\b(?:found|match\w*|exists?|returned)\b|\W*\Z)"
    rf"|\b{_THING}\b.{{0,80}}\b(?:not (?:be )?found|(?:does|do) not exist|is unknown)\b"
    r"|\b(?:unknown|no such|(?:can ?not|can't|could not|unable to) find)\b"
    rf".{{0,40}}\b{_THING}\b"
    r"|\A\W*not found\W*\Z",
    re.IGNORECASE | re.DOTALL,
)
_SOMETHING_ELSE = re.compile(
    r"\b(?:access|class|column|company|connection|database|deadlock|denied|file|interface"
    r"|licen[cs]e|lock(?:ed)?|login|mapping|memory|method|module|parameter|path|permission"
    r"|server|session|sites?|tables?|time(?:d )?out|transaction|user)\b",
    re.IGNORECASE,
)
"""Words of faults that are about the system, whatever else they say was not found."""


async def look_up(
    chunks: Iterable[Sequence[str]], ask: Callable[[Sequence[str]], Awaitable[None]]
) -> None:
    """Ask for chunk after chunk; see the head of this module for "nothing found"."""
    for each in chunks:
        waiting = [each]
        while waiting:
            chunk = waiting.pop(0)
            try:
                await ask(chunk)
            except SoapFault as fault:
                if not says_nothing_found(fault):
                    raise
                if len(chunk) > 1:
                    middle = len(chunk) // 2
                    waiting[:0] = [chunk[:middle], chunk[middle:]]


def chunked(keys: Sequence[str], size: int) -> list[Sequence[str]]:
    """Lists of at most so many keys; one with a comma is a list by itself, at the end."""
    together = [key for key in keys if "," not in key]
    alone = [[key] for key in keys if "," in key]
    return [*(together[at : at + size] for at in range(0, len(together), size)), *alone]


def askable(keys: Iterable[str], *, never: str = "") -> list[str]:
    """Keys that can be asked for, each once whatever its case; none with a `never` sign."""
    unique: dict[str, str] = {}
    for key in keys:
        possible = key.strip(" ,") and key == key.strip() and key.isprintable()
        if possible and not set(key) & set(never):
            unique.setdefault(key.casefold(), key)
    return list(unique.values())


def says_nothing_found(fault: SoapFault) -> bool:
    """Plainly: it speaks of orders, items or the like, and of nothing below the business."""
    said = fault.message
    return bool(_NOTHING_FOUND.search(said)) and not _SOMETHING_ELSE.search(said)


def text(name: str, value: str) -> Argument:
    return Argument(name=name, kind=Kind.TEXT, text=value)


def whole(name: str, number: str) -> Argument:
    return Argument(name=name, kind=Kind.WHOLE, text=number)


def flag(name: str, *, on: bool) -> Argument:
    return Argument(name=name, kind=Kind.FLAG, text="-1" if on else "0")


def moment(name: str, wall: str) -> Argument:
    """A London wall time; '' for none."""
    return Argument(name=name, kind=Kind.MOMENT, text=wall)
