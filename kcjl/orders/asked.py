"""What people can ask of the orders room, by verb: the arguments as texts, told apart here.

Promises: each is decided on all that is in the log. Raises KeyError for an argument that is
missing, Misuse for one that can't be meant. Called by `rooms.py`.
"""

from collections.abc import Mapping

import msgspec

from kcjl.commands import Handler
from kcjl.orders.actor import Orders

__all__ = ["order_words"]

LINE_SEPARATOR = "\n"
"""Between the line ids of one command."""


def order_words(room: Orders) -> Mapping[str, Handler]:
    """Single orders, the acceptance policy, the count and corrections."""

    async def hold(arguments: Mapping[str, str], by: str) -> str:
        order_id, reason = arguments["order_id"], arguments["reason"]
        return await room.accepting.hold(order_id, reason=reason, by=by)

    async def release(arguments: Mapping[str, str], by: str) -> str:
        order_id, reason = arguments["order_id"], arguments["reason"]
        return await room.accepting.release(order_id, reason=reason, by=by)

    async def retry(arguments: Mapping[str, str], by: str) -> str:
        order_id, reason = arguments["order_id"], arguments["reason"]
        return await room.accepting.retry(order_id, reason=reason, by=by)

    async def answer(arguments: Mapping[str, str], by: str, *, refuse: bool) -> str:
        lines = [each for each in arguments["lines"].split(LINE_SEPARATOR) if each]
        return await room.accepting.answer(
            arguments["order_id"], lines, refuse=refuse, reason=arguments["reason"], by=by
        )

    async def accept(arguments: Mapping[str, str], by: str) -> str:
        return await answer(arguments, by, refuse=False)

    async def refuse(arguments: Mapping[str, str], by: str) -> str:
        return await answer(arguments, by, refuse=True)

    async def set_policy(arguments: Mapping[str, str], by: str) -> str:
        await room.catch_up()
        return await room.accepting.set_policy(
            arguments["document"], reason=arguments["reason"], by=by
        )

    return {
        **_erp_words(room),
        "order-hold": hold,
        "order-release": release,
        "order-retry": retry,
        "order-accept": accept,
        "order-refuse": refuse,
        "acceptance-policy-set": set_policy,
    }


def _erp_words(room: Orders) -> Mapping[str, Handler]:
    """What the ERP has lost, what the two sides lack, and what was put right there."""

    async def post_again(arguments: Mapping[str, str], by: str) -> None:
        order_id, reason = arguments["order_id"], arguments["reason"]
        await room.catch_up()
        await room.post_again(order_id, reason=reason, by=by)

    async def look_for_order(arguments: Mapping[str, str], _by: str) -> None:
        await room.catch_up()
        room.look_now(arguments["order_id"])

    async def count_orders(_arguments: Mapping[str, str], by: str) -> str:
        """The figures as JSON: whoever asked shows them."""
        return msgspec.json.encode(await room.counting.count(by=by)).decode()

    async def correction_done(arguments: Mapping[str, str], by: str) -> str:
        order_id, task, note = arguments["order_id"], arguments["task"], arguments["note"]
        return await room.work_after_intake.say_done(order_id, task, note=note, by=by)

    return {
        "post-again": post_again,
        "look-for-order": look_for_order,
        "count-orders": count_orders,
        "correction-done": correction_done,
    }
