"""What a reading of the tenant says about conditions: our shop, where it is not open.

Promises: pure; a holiday that was announced is no trouble, and a shop that is closed without
one is raised once, however many offers can't be bought for it. A01 is read once a day, so
both are known by the next reading. Called by `decide.py`. Source: contract johnlewis b.1 (A01).
"""

from datetime import datetime

from kcjl.exceptions.conditions import Condition, Raise, clear
from kcjl.tenant.events import TenantRead
from kcjl.vocabulary import Event

__all__ = ["conditions"]

SHOP = "shop"
OPEN = "OPEN"


def conditions(event: Event) -> tuple[Condition, ...]:
    """Of the shop as a whole."""
    if not isinstance(event, TenantRead):
        return ()
    if event.shop_state == OPEN:
        return (clear(SHOP, "shop_closed", "it is open"),)
    if event.shop_state == "CLOSE" and _is_holiday(event):
        until = f" until {event.closed_until:%Y-%m-%d %H:%M} UTC" if event.closed_until else ""
        return (clear(SHOP, "shop_closed", f"a holiday that was announced{until}"),)
    return (Raise(kind="shop_closed", subject=SHOP, message=_message(event)),)


def _is_holiday(event: TenantRead) -> bool:
    began, ends = event.closed_from, event.closed_until
    if began is None and ends is None:
        return False
    return (began is None or began <= event.occurred_at) and (
        ends is None or event.occurred_at < ends
    )


def _message(event: TenantRead) -> str:
    kind = f" ({event.suspension})" if event.suspension else ""
    holiday = (
        f"the holiday of {_day(event.closed_from)} to {_day(event.closed_until)} is not now"
        if event.closed_from or event.closed_until
        else "no holiday is announced"
    )
    why = f", and {holiday}" if event.shop_state == "CLOSE" else ""
    return (
        f"the marketplace shows shop {event.shop_id} ({event.shop_name}) as "
        f"{event.shop_state}{kind}{why}: nobody can buy"
    )


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "—"
