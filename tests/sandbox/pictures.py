"""Pictures of worlds, compared byte for byte without a report of their megabytes."""

import msgspec

from kcjl.sandbox.world import World

__all__ = ["first_difference", "picture"]


def picture(world: World) -> bytes:
    """All that a checker can see of a world."""
    seen = [world.truth(), world.order_truths(), world.buying.oversold]
    return msgspec.json.encode(seen) + world.marketplace.picture()


def first_difference(one: bytes, other: bytes) -> str:
    """Where two pictures part, in few words; empty where they are the same."""
    if one == other:
        return ""
    pairs = enumerate(zip(one, other, strict=False))
    at = next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
    return f"byte {at}: {one[at - 90 : at + 90]!r} against {other[at - 90 : at + 90]!r}"
