"""What people ask of the orders room about money and buyers: paid back, shown, erased.

Promises: a command's arguments are read here, and nothing else is decided here; a preview is
answered as JSON, a buyer sealed for the asker alone.
What they say of an order's acceptance and posting stands in `asked.py`.
Called by `kcjl/rooms.py`, which has the table of all commands.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from kcjl.commands import Handler
from kcjl.errors import Misuse
from kcjl.orders.reversal_amounts import Asked
from kcjl.orders.reversal_plan import CANCELATION, REFUND

if TYPE_CHECKING:
    from kcjl.orders.actor import Orders

__all__ = ["order_handlers"]


def order_handlers(orders: "Orders") -> Mapping[str, Handler]:
    """By verb. Each is decided on all that is in the log."""

    async def preview(arguments: Mapping[str, str], _by: str) -> str:
        order_id, kind, asked = _asked(arguments)
        await orders.catch_up()
        plan = await orders.reversing.preview(order_id, kind, asked)
        return msgspec.json.encode(plan).decode()

    async def order(arguments: Mapping[str, str], by: str) -> str:
        order_id, kind, asked = _asked(arguments)
        plan_id, reason = arguments["plan_id"], _reason(arguments)
        await orders.catch_up()
        return await orders.reversing.order(
            order_id, kind, asked, plan_id=plan_id, reason=reason, by=by
        )

    async def withdraw(arguments: Mapping[str, str], by: str) -> str:
        reversal_id, reason = arguments["reversal_id"], _reason(arguments)
        await orders.catch_up()
        return await orders.reversing.withdraw(reversal_id, reason=reason, by=by)

    async def show_buyer(arguments: Mapping[str, str], by: str) -> str:
        order_id, asker_key = arguments["order_id"], arguments["asker_key"]
        await orders.catch_up()
        return await orders.people.show(
            order_id, reason=_reason(arguments), asker_key=asker_key, by=by
        )

    async def erase_buyer(arguments: Mapping[str, str], by: str) -> str:
        order_id, reason = arguments["order_id"], _reason(arguments)
        await orders.catch_up()
        return await orders.people.erase(order_id, reason=reason, by=by)

    return {
        "preview-reversal": preview,
        "order-reversal": order,
        "withdraw-reversal": withdraw,
        "show-buyer": show_buyer,
        "erase-buyer": erase_buyer,
    }


def _asked(arguments: Mapping[str, str]) -> tuple[str, str, Asked]:
    order_id, kind = arguments["order_id"], arguments["kind"]
    if kind not in (REFUND, CANCELATION):
        raise Misuse(f"a reversal is a {REFUND} or a {CANCELATION}, not {kind!r}")
    return order_id, kind, msgspec.json.decode(arguments["asked"], type=Asked)


def _reason(arguments: Mapping[str, str]) -> str:
    reason = arguments["reason"].strip()
    if not reason:
        raise Misuse("say why: --reason TEXT")
    return reason
