"""What people ask of the service in a run: commands, put into its queue as the CLI puts them.

Promises: each is issued at its hour, whether a process lives or not, and is answered by
whoever serves the queue then. Who looks at the desk looks every half hour, and does something
about what has stood there for long enough. It decides nothing and touches no room.
Invariant: what people see is what the log says; all of it is drawn before the run.
Called by `run.py`; drawn by the scenario.
"""

from collections.abc import Callable
from datetime import timedelta

from kcjl.clock import SeededIds
from kcjl.command import Command
from kcjl.exceptions.decide import OPEN
from kcjl.exceptions.events import ExceptionRaised
from kcjl.fold import Table
from kcjl.log.memory import MemoryLogReader
from kcjl.orders.reversals import REVERSALS
from kcjl.stock.policy_book import POLICY_BOOK, PolicyBook
from kcjl.stock.publishing_state import PUBLISHING
from tests.simulation.asks import WHAT_WAITS, Asks, planned
from tests.simulation.premises import MERCHANT, Premises

__all__ = ["BY", "Operators"]

BY = "operations"
CARRIER_OF_THE_REST = "YODEL"
"""What a courier that has no carrier of its own is mapped to."""
LOOKS_EVERY_S = 1_800.0
BALANCE_WAITED_FOR_H = 8.0
"""Then whoever looks gives a refund up that the shop's balance does not cover: after a second
try, and so that a run comes to rest."""


class Operators:
    """The people around one merchant's service."""

    def __init__(
        self,
        premises: Premises,
        asks: Asks,
        seed: int,
        *,
        code_of: Callable[[str], str | None],
    ) -> None:
        """`code_of`: under which code the ERP has the goods of a SKU, as people can see."""
        self._premises = premises
        self._code_of = code_of
        self._asks = asks
        self._ids = SeededIds(seed + 1)
        self._desk = Table(OPEN)
        self._policies = Table(POLICY_BOOK)
        self._publishing = Table(PUBLISHING)
        self._reversals = Table(REVERSALS, group=lambda each: each.order_id)
        self._read_to = 0
        self._answering: dict[str, str] = {}
        """The last command about an exception, by its id."""

    async def act(self) -> None:
        """Everything that is asked, each at its hour; returns after the last one."""
        for hour, command in planned(self._asks):
            await self._until(hour)
            if command.arguments.get("version") == WHAT_WAITS:
                await self._read()
                self._issue(self._approval(command))
            else:
                self._issue(command)

    async def look(self) -> None:
        """Look at the desk, for ever."""
        while True:
            await self._premises.clock.sleep(LOOKS_EVERY_S)
            await self._see()

    async def unanswered(self) -> list[str]:
        """Commands that nobody has answered: as they were issued."""
        return [each.body for each in await self._premises.commands.waiting()]

    # ── the desk ──

    async def _read(self) -> None:
        reader = MemoryLogReader(self._premises.store, MERCHANT)
        async for page in reader.read(self._read_to):
            for recorded in page:
                for table in (self._desk, self._policies, self._publishing, self._reversals):
                    table.apply(recorded.event)
                self._read_to = recorded.position

    def _approval(self, command: Command) -> Command:
        """Of what waits by now; where something newer took its place, of that."""
        book = self._policies.get("policy") or PolicyBook()
        version = book.proposed_version or book.version
        return Command(
            verb=command.verb, arguments={**command.arguments, "version": str(version)}
        )

    async def _see(self) -> None:
        await self._read()
        for exception_id, entry in self._desk.items():
            command = self._answer_to(entry.raised)
            if command is not None and not self._is_asked(exception_id):
                self._answering[exception_id] = self._issue(command)

    def _answer_to(self, raised: ExceptionRaised) -> Command | None:
        """What somebody does about it now; None: nothing, or not yet."""
        asks, stood = self._asks, self._premises.clock.now() - raised.occurred_at
        match raised.kind:
            case "courier_unmapped":
                after_h = asks.couriers_mapped_after_h
                said = {"courier": raised.subject, "carrier_code": CARRIER_OF_THE_REST}
                command = Command(verb="map-courier", arguments=said)
            case "sales_order_vanished":
                after_h = asks.posted_again_after_h
                said = {"order_id": raised.subject, "reason": "it is not in the ERP"}
                command = Command(verb="post-again", arguments=said)
            case "sku_unmatched":
                after_h, code = asks.aliased_after_h, self._code_of(raised.subject)
                if code is None:
                    return None
                said = {"sku": raised.subject, "code": code}
                command = Command(verb="stock-alias", arguments=said)
            case "reversal_unclear" | "reversal_refused":
                after_h = asks.withdrawn_after_h
                command = self._withdrawal(raised.subject)
            case "reversal_waits":
                after_h, command = BALANCE_WAITED_FOR_H, self._withdrawal(raised.subject)
            case "payout_open":
                after_h = asks.payouts_accepted_after_h
                said = {"cycle_id": raised.subject, "reason": "agreed with the operator"}
                command = Command(verb="payout-accept", arguments=said)
            case "late_line":
                after_h = asks.payouts_reversed_after_h
                said = {"cycle_id": raised.subject, "reason": "lines came late"}
                command = Command(verb="payout-reverse", arguments=said)
            case "publish_held":
                return self._release()
            case _:
                return None
        return command if after_h and stood >= timedelta(hours=after_h) else None

    def _release(self) -> Command | None:
        """Whoever looks knows that the outside is right: what is held may go."""
        publishing = self._publishing.get("publishing")
        hold = publishing.hold if publishing else None
        if hold is None or hold.released:
            return None
        return Command(verb="release-publish", arguments={"hold_id": hold.hold_id})

    def _withdrawal(self, order_id: str) -> Command:
        """Of the order's newest: whoever looks at the desk ends it, and asks anew or not."""
        newest = self._reversals.grouped(order_id)[-1]
        said = {"reversal_id": newest.reversal_id, "reason": "looked at"}
        return Command(verb="withdraw-reversal", arguments=said)

    def _is_asked(self, exception_id: str) -> bool:
        """The service has been asked, and has not said no."""
        command_id = self._answering.get(exception_id)
        if command_id is None:
            return False
        outcome = self._premises.commands.outcomes.get(command_id)
        return outcome is None or outcome.ok

    def _issue(self, command: Command) -> str:
        self._premises.trace.happened(f"{BY} asks: {command.verb} {command.arguments}")
        return self._premises.commands.issue(command, by=BY, ids=self._ids)

    async def _until(self, hour: float) -> None:
        clock = self._premises.clock
        left = clock.began + timedelta(hours=hour) - clock.now()
        await clock.sleep(max(left.total_seconds(), 0.0))
