"""The monitor's one port: what can be asked, what can be done, and what time is shown.

Promises: whoever gives a `Source` decides whether the monitor shows live, as-of or made-up
figures; the monitor asks one thing at a time and never while an answer is outstanding. What an
operator wants done goes out as a command and comes back with its outcome; where `may_act` is
false nothing goes out, and the database would refuse it too.
Invariant: `now()` is aware UTC of the world's clock, the same one that stamps the answers; of
an earlier time it is the time at which that position was recorded.
Called by the app; implemented by `LiveSource` and `PastSource` here, by the tests and the demo.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kcjl.clock import Clock
from kcjl.command import Command, Outcome
from kcjl.errors import Misuse, Refused
from kcjl.readmodels import Cut, EventRow, ExceptionStory, Overview, ReadModels
from kcjl.readmodels_dispatch import DispatchReading
from kcjl.readmodels_health import HealthModels
from kcjl.readmodels_money import MoneyModels
from kcjl.readmodels_orders import OrdersReading
from kcjl.readmodels_policy import PolicyReading
from kcjl.readmodels_stock import StockReading
from tui.model.header import Then

__all__ = ["Doer", "LiveSource", "PastSource", "Source", "TimeMachine"]


class Source(ReadModels, Protocol):
    """Read models, the world's time, other times, and a way to have things done."""

    @property
    def may_act(self) -> bool: ...

    @property
    def as_of(self) -> Then | None:
        """The time that the answers are of; None: now."""
        ...

    def now(self) -> datetime: ...

    async def then(self, when: int | datetime) -> "Source":
        """The same as of a position or a moment. Raises Misuse where there is none."""
        ...

    async def do(self, command: Command) -> Outcome:
        """Have the service do it. Raises Unavailable while it does not answer."""
        ...


class Doer(Protocol):
    """Puts a command into the service's queue, under the operator's name, and waits."""

    async def do(self, command: Command) -> Outcome: ...


class TimeMachine(Protocol):
    """Gives the read models as of another time."""

    async def at(self, when: int | datetime) -> tuple[Then, ReadModels]: ...


class _Asked:
    """Read models passed on, one by one."""

    def __init__(self, read_models: ReadModels) -> None:
        self._read_models = read_models

    @property
    def money(self) -> MoneyModels:
        return self._read_models.money

    @property
    def health(self) -> HealthModels:
        return self._read_models.health

    @property
    def orders(self) -> OrdersReading:
        return self._read_models.orders

    @property
    def dispatch(self) -> DispatchReading:
        return self._read_models.dispatch

    @property
    def stock(self) -> StockReading:
        return self._read_models.stock

    @property
    def policy(self) -> PolicyReading:
        return self._read_models.policy

    async def overview(self) -> Overview:
        return await self._read_models.overview()

    async def exceptions(self, *, state: str = "open", kind: str = "", limit: int = 500) -> Cut:
        return await self._read_models.exceptions(state=state, kind=kind, limit=limit)

    async def exception(self, exception_id: str) -> ExceptionStory | None:
        return await self._read_models.exception(exception_id)

    async def events(
        self, *, after: int | None = None, before: int | None = None, limit: int = 200
    ) -> Sequence[EventRow]:
        return await self._read_models.events(after=after, before=before, limit=limit)

    async def next_event(self, types: Sequence[str], *, after: int) -> int | None:
        return await self._read_models.next_event(types, after=after)


class LiveSource(_Asked):
    """The read models of a running service, by its clock."""

    def __init__(
        self,
        read_models: ReadModels,
        clock: Clock,
        *,
        doer: Doer | None = None,
        machine: TimeMachine | None = None,
    ) -> None:
        """Without `doer` it can only be looked at; without `machine` only as it is now."""
        super().__init__(read_models)
        self._clock = clock
        self._doer = doer
        self._machine = machine

    @property
    def may_act(self) -> bool:
        return self._doer is not None

    @property
    def as_of(self) -> Then | None:
        return None

    def now(self) -> datetime:
        return self._clock.now()

    async def then(self, when: int | datetime) -> Source:
        if self._machine is None:
            raise Misuse("this monitor was opened without the log's past: only now can be seen")
        then, read_models = await self._machine.at(when)
        return PastSource(read_models, then)

    async def do(self, command: Command) -> Outcome:
        if self._doer is None:
            raise Refused("you may look and not act: ask for the operator's role")
        return await self._doer.do(command)


class PastSource(_Asked):
    """The read models as of a position: its time stands still, and nothing can be done."""

    def __init__(self, read_models: ReadModels, then: Then) -> None:
        super().__init__(read_models)
        self._then = then

    @property
    def may_act(self) -> bool:
        return False

    @property
    def as_of(self) -> Then | None:
        return self._then

    def now(self) -> datetime:
        return self._then.at

    async def then(self, when: int | datetime) -> Source:
        raise Misuse(f"{when}: another time is asked of the present, not of the past")

    async def do(self, command: Command) -> Outcome:
        raise Refused(f"{command.verb}: the past can't be changed; esc goes back to live")
