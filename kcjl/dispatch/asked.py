"""What people can ask of the dispatch room, by verb: the arguments as texts, told apart here.

Promises: each is decided on all that is in the log. Raises KeyError for an argument that is
missing, Misuse for one that can't be meant. Called by `rooms.py`.
"""

from collections.abc import Mapping

from kcjl.commands import Handler
from kcjl.dispatch.actor import Dispatches
from kcjl.dispatch.words import decide_as_is, decide_retry

__all__ = ["dispatch_words"]


def dispatch_words(room: Dispatches) -> Mapping[str, Handler]:
    """The carrier map, and single parcels."""

    async def map_courier(arguments: Mapping[str, str], by: str) -> str:
        courier, carrier_code = arguments["courier"], arguments["carrier_code"]
        await room.catch_up()
        reason = arguments.get("reason", "")
        return await room.couriers.map(courier, carrier_code, reason=reason, by=by)

    async def unmap_courier(arguments: Mapping[str, str], by: str) -> str:
        courier, reason = arguments["courier"], arguments.get("reason", "")
        await room.catch_up()
        return await room.couriers.withdraw(courier, reason=reason, by=by)

    async def retry(arguments: Mapping[str, str], by: str) -> str:
        order_id, parcel_key = arguments["order_id"], arguments.get("parcel_key", "")
        await room.catch_up()
        events = decide_retry(
            room.dispatches.get(order_id),
            order_id,
            parcel_key,
            reason=arguments.get("reason", ""),
            now=room.clock.now(),
        )
        await room.commit(events, by=by)
        return f"{len(events)} of order {order_id}'s parcels are tried again now"

    async def as_is(arguments: Mapping[str, str], by: str) -> str:
        order_id, parcel_key = arguments["order_id"], arguments.get("parcel_key", "")
        await room.catch_up()
        events = decide_as_is(
            room.dispatches.get(order_id),
            order_id,
            parcel_key,
            reason=arguments.get("reason", ""),
            now=room.clock.now(),
        )
        await room.commit(events, by=by)
        return f"{len(events)} of order {order_id}'s numbers are sent as they are"

    return {
        "map-courier": map_courier,
        "unmap-courier": unmap_courier,
        "dispatch-retry": retry,
        "dispatch-as-is": as_is,
    }
