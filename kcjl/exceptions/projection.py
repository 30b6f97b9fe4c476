"""The desk, the read models: one row an exception; and when what was last read."""

from datetime import datetime

import msgspec

from kcjl.dispatch.events import ShipmentsRead
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised, WritesSwitched
from kcjl.fold import Fold
from kcjl.orders.events import OrdersRead
from kcjl.projections.projection import Projection
from kcjl.settlement.events import TransactionsRead
from kcjl.stock.events import StockRead
from kcjl.vocabulary import Event

__all__ = ["EXCEPTIONS_SHOWN", "READS_SHOWN", "SWITCHES_SHOWN", "ExceptionLife", "LastRead"]


class ExceptionLife(msgspec.Struct, frozen=True, kw_only=True):
    """An exception from first sight on; raised again after it was cleared, it re-opens."""

    raised: ExceptionRaised
    first_seen_at: datetime
    last_seen_at: datetime
    seen: int
    cleared_at: datetime | None = None
    cleared_because: str = ""


class LastRead(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime


def _exception_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, ExceptionRaised | ExceptionCleared):
        return (event.exception_id,)
    return ()


def _evolve_exception(
    entry: ExceptionLife | None, event: Event, _key: str
) -> ExceptionLife | None:
    match event:
        case ExceptionRaised():
            return ExceptionLife(
                raised=event,
                first_seen_at=entry.first_seen_at if entry else event.occurred_at,
                last_seen_at=event.occurred_at,
                seen=entry.seen + 1 if entry else 1,
            )
        case ExceptionCleared() if entry is not None:
            return msgspec.structs.replace(
                entry, cleared_at=event.occurred_at, cleared_because=event.reason
            )
        case _:
            return entry


def _exception_state(entry: ExceptionLife) -> str:
    return "open" if entry.cleared_at is None else "cleared"


EXCEPTIONS_SHOWN = Projection(
    "exceptions",
    Fold(
        _exception_keys,
        _evolve_exception,
        ExceptionLife,
        hears=(ExceptionRaised, ExceptionCleared),
    ),
    _exception_state,
)


def _switch_keys(event: Event) -> tuple[str, ...]:
    return ("writes",) if isinstance(event, WritesSwitched) else ()


def _evolve_switch(
    entry: WritesSwitched | None, event: Event, _key: str
) -> WritesSwitched | None:
    return event if isinstance(event, WritesSwitched) else entry


SWITCHES_SHOWN = Projection(
    "switches",
    Fold(_switch_keys, _evolve_switch, WritesSwitched, hears=(WritesSwitched,)),
    lambda switched: "on" if switched.allowed else "off",
)

LANES: dict[type[Event], str] = {
    StockRead: "Stock",
    OrdersRead: "Orders",
    ShipmentsRead: "Dispatch",
    TransactionsRead: "Money",
}


def _read_keys(event: Event) -> tuple[str, ...]:
    lane = LANES.get(type(event))
    return () if lane is None else (lane,)


def _evolve_read(_entry: LastRead | None, event: Event, _key: str) -> LastRead | None:
    return LastRead(at=event.occurred_at)


READS_SHOWN = Projection(
    "reads", Fold(_read_keys, _evolve_read, LastRead, hears=tuple(LANES)), lambda _: "read"
)
