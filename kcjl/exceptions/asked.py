"""What people can ask of the desk, by verb: the arguments as texts, told apart here.

Promises: each is decided on all that is in the log; with `preview` nothing is changed, and the
answer says what would be. A retry is carried out by the room that it is of, under the same
name. Raises KeyError for an argument that is missing, Misuse for one that can't be meant.
Called by `rooms.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from kcjl.commands import Handler
from kcjl.exceptions.actor import Desk
from kcjl.exceptions.decide import OpenException
from kcjl.exceptions.words import (
    Wanted,
    chosen,
    decide_accept,
    decide_assign,
    decide_note,
    decide_park,
    retriable,
)
from kcjl.money import Money, total_by_currency
from kcjl.vocabulary import Event

__all__ = ["Meant", "desk_words"]

SHOWN_MAX = 20
"""Of those that a word is about; the rest is counted."""


class Meant(msgspec.Struct, frozen=True, kw_only=True):
    """Which exceptions a word is about, for whoever asked."""

    exceptions: int
    money: tuple[Money, ...]
    ids: tuple[str, ...]
    """The first of them."""
    done: str
    """What was done; empty: nothing, it was a preview."""


def desk_words(desk: Desk, rooms: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """The handlers, by verb. `rooms`: those of the other rooms, which try again."""

    async def assign(arguments: Mapping[str, str], by: str) -> str:
        to = arguments["to"]
        return await _act(
            desk,
            arguments,
            lambda meant, now: decide_assign(meant, to, by=by, now=now),
            f"given to {to.strip()}",
            by,
        )

    async def note(arguments: Mapping[str, str], by: str) -> str:
        text = arguments["note"]
        return await _act(
            desk,
            arguments,
            lambda meant, now: decide_note(meant, text, by=by, now=now),
            "noted",
            by,
        )

    async def park(arguments: Mapping[str, str], by: str) -> str:
        until, reason = datetime.fromisoformat(arguments["until"]), arguments["reason"]
        return await _act(
            desk,
            arguments,
            lambda meant, now: decide_park(meant, until, reason, by=by, now=now),
            f"parked until {until:%Y-%m-%d %H:%M} UTC",
            by,
        )

    async def accept(arguments: Mapping[str, str], by: str) -> str:
        reason = arguments["reason"]
        return await _act(
            desk,
            arguments,
            lambda meant, now: decide_accept(meant, reason, by=by, now=now),
            "accepted: off the desk until something new is said of it",
            by,
        )

    async def retry(arguments: Mapping[str, str], by: str) -> str:
        await desk.catch_up()
        meant = retriable(_meant(desk, arguments))
        if _is_preview(arguments):
            return _answer(meant, "")
        return _answer(meant, await desk.retry(meant, rooms, arguments["reason"], by=by))

    return {
        "exceptions-assign": assign,
        "exceptions-note": note,
        "exceptions-park": park,
        "exceptions-accept": accept,
        "exceptions-retry": retry,
        **_rules_words(desk),
    }


async def _act(
    desk: Desk,
    arguments: Mapping[str, str],
    decide: Callable[[Sequence[OpenException], datetime], Sequence[Event]],
    said: str,
    by: str,
) -> str:
    """Decide on those that are meant, and say it; a preview is decided, and not said."""
    await desk.catch_up()
    meant = _meant(desk, arguments)
    events = decide(meant, desk.clock.now())
    if _is_preview(arguments):
        return _answer(meant, "")
    await desk.say(events, by=by)
    return _answer(meant, said)


def _rules_words(desk: Desk) -> Mapping[str, Handler]:
    """Routing rules."""

    async def set_rules(arguments: Mapping[str, str], by: str) -> str:
        await desk.catch_up()
        return await desk.set_rules(arguments["document"], reason=arguments["reason"], by=by)

    async def preview_rules(arguments: Mapping[str, str], _by: str) -> str:
        await desk.catch_up()
        return msgspec.json.encode(desk.preview_rules(arguments["document"])).decode()

    return {"exception-rules-set": set_rules, "exception-rules-preview": preview_rules}


def _is_preview(arguments: Mapping[str, str]) -> bool:
    return arguments.get("preview", "") == "yes"


def _meant(desk: Desk, arguments: Mapping[str, str]) -> list[OpenException]:
    try:
        wanted = msgspec.json.decode(arguments["wanted"], type=Wanted)
    except msgspec.MsgspecError as error:
        raise ValueError(f"which exceptions are meant can't be read: {error}") from None
    return chosen(desk.open.values(), wanted)


def _answer(meant: Sequence[OpenException], done: str) -> str:
    money = [each.raised.money_at_risk for each in meant]
    answer = Meant(
        exceptions=len(meant),
        money=total_by_currency(each for each in money if each is not None),
        ids=tuple(each.raised.exception_id for each in meant[:SHOWN_MAX]),
        done=done,
    )
    return msgspec.json.encode(answer).decode()
