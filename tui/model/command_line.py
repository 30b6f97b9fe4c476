"""The command line: what was typed after the colon, and what it could become.

    orders   order 700123456-A   sku 85123A   payout 2026-07-10   exceptions owner:me
    at 14:03   at #120345   live   #120345   pause   quit

Promises: a screen's name takes a filter, and its singular the thing itself; every action of the
registry that can be done here has a word. What is not understood names the nearest words.
It runs nothing. Called by the app and the command bar.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import msgspec

from tui.places import PLACES, Place

__all__ = ["Go", "Intent", "Run", "Travel", "Unknown", "completions", "understood"]

COMPLETIONS_MAX = 8
_SUBJECTS = {
    "sku": "stock",
    "order": "orders",
    "parcel": "dispatch",
    "payout": "money",
    "exception": "exceptions",
    "event": "log",
}
"""Words that name one thing, and the screen that has it."""


class Go(msgspec.Struct, frozen=True, kw_only=True):
    """To a screen; with a filter, or to one thing on it."""

    place: str
    filter: str = ""
    subject: str = ""


class Travel(msgspec.Struct, frozen=True, kw_only=True):
    """To a time or a position, as written; empty: back to live."""

    when: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """An action of the registry, by its id."""

    action_id: str


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """Not understood: why, and what was perhaps meant."""

    message: str


Intent = Go | Travel | Run | Unknown


def understood(typed: str, actions: Mapping[str, str]) -> Intent:
    """What a line asks for. `actions`: word to action id, of those that can be done now."""
    line = typed.strip().removeprefix(":").strip()
    word, _, rest = line.partition(" ")
    word, rest = word.lower(), rest.strip()
    if not word:
        return Unknown(message="nothing was typed: a screen, a thing, or at 14:03")
    if word.startswith("#"):
        return Go(place="log", subject=word.removeprefix("#"))
    if word == "at":
        return Travel(when=rest) if rest else Unknown(message="at when? at 14:03, at #120345")
    if word == "live":
        return Travel()
    if rest and word in _SUBJECTS:
        return Go(place=_SUBJECTS[word], subject=rest)
    place = _places().get(word)
    if place is not None:
        return Go(place=place.name, filter=rest)
    if line.lower() in actions:
        return Run(action_id=actions[line.lower()])
    near = get_close_matches(word, _words(actions), n=3, cutoff=0.5)
    perhaps = f"; perhaps {', '.join(near)}?" if near else ": tab shows what there is"
    return Unknown(message=f"«{word}» is no command here{perhaps}")


def completions(typed: str, actions: Mapping[str, str]) -> tuple[str, ...]:
    """Words that begin with what was typed, screens first; the first is the likeliest."""
    start = typed.lstrip(": ").lower()
    found = [word for word in _words(actions) if word.startswith(start) and word != start]
    return tuple(found[:COMPLETIONS_MAX])


def _words(actions: Mapping[str, str]) -> Sequence[str]:
    places = [place.name for place in PLACES]
    others = [name for place in PLACES for name in place.names]
    return list(dict.fromkeys((*places, "at", "live", *_SUBJECTS, *others, *sorted(actions))))


def _places() -> dict[str, Place]:
    return {name: place for place in PLACES for name in (place.name, *place.names)}
