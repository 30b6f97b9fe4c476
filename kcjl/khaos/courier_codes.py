"""Which code each courier has, for documents that name couriers and nothing more.

Promises: the list of couriers is read when a name comes that is not in it (not more often than
each ten minutes), and every few hours; where it can't be had, parcels go without a code. It
changes no name. Invariant: names and codes are compared without case; a code is its own name,
for some builds write it in the name's place. Called by `kws_orders.py`.
Source: contract khaos b.5, b.8.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from kcjl.clock import Clock
from kcjl.errors import CredentialsRefused, Refused, Unavailable
from kcjl.khaos.stock_port import Courier

__all__ = ["CourierCodes"]

KEPT = timedelta(hours=6)
ASKED_AGAIN = timedelta(minutes=10)
"""How soon after the last time the list is asked for again, for a name that is not in it."""


class CourierCodes:
    """What is known of one ERP's couriers."""

    def __init__(
        self, clock: Clock, *, couriers: Callable[[], Awaitable[Sequence[Courier]]]
    ) -> None:
        """`couriers` asks for the list; whoever answers it hands the answer to `learn`, too."""
        self._clock = clock
        self._couriers = couriers
        self._read_at: datetime | None = None
        self.by_name: Mapping[str, str | None] = {}
        """By folded name or code; another mapping each time that the list was read."""

    def learn(self, found: Sequence[Courier]) -> None:
        """The list as it was told now."""
        self._read_at = self._clock.now()
        by_code = {c.code.casefold(): c.code for c in found if c.code}
        self.by_name = by_code | {c.name.casefold(): c.code for c in found}

    async def know(self, names: Iterable[str]) -> None:
        """Have a list in which these stand, if it can be had now."""
        named = set(names)
        age = None if self._read_at is None else self._clock.now() - self._read_at
        missing = any(name.casefold() not in self.by_name for name in named)
        if not named or (age is not None and age < ASKED_AGAIN):
            return
        if age is not None and not missing and age < KEPT:
            return
        try:
            await self._couriers()
        except (Unavailable, Refused) as error:
            if isinstance(error, CredentialsRefused):
                raise
            self._read_at = self._clock.now()  # the names alone have to do

    def of(self, name: str) -> str | None:
        return self.by_name.get(name.casefold())
