"""Who gives money back in a run: looks at the preview of an order, and says yes to it.

Promises: what is asked was drawn before the run; which order it is, the log says then. Whoever
finds none that fits looks again each half hour, for as long as things may go wrong. A no is
taken; a yes may be said twice. It touches no room: commands go into the queue, as the CLI's do.
Called by `run.py`; drawn by the scenario (`asks.py`).
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec

from kcjl.clock import SeededIds
from kcjl.command import Command, Outcome
from kcjl.fold import Table
from kcjl.johnlewis.order_port import OrderState
from kcjl.log.memory import MemoryLogReader
from kcjl.orders.reversal_amounts import Asked
from kcjl.orders.reversal_plan import CANCELATION, REFUND, ReversalPlan
from kcjl.orders.state import ORDERS, OrderEntry
from tests.simulation.asks import GivesBack
from tests.simulation.premises import MERCHANT, Premises

__all__ = ["CASHIER", "Cashiers"]

CASHIER = "customer service"
CODES = {REFUND: "17", CANCELATION: "34"}
"""Reasons that the sandbox's tenant has, and that a shop may give."""
PAID = frozenset(
    {OrderState.SHIPPING, OrderState.SHIPPED, OrderState.TO_COLLECT, OrderState.RECEIVED}
)
UNPAID = frozenset(
    {OrderState.WAITING_DEBIT, OrderState.WAITING_DEBIT_PAYMENT, OrderState.SHIPPING}
)
LOOKS_AGAIN_S, ANSWER_S, HESITATES_S = 1_800.0, 30.0, 240.0
A_POUND = Decimal("1.00")


class Cashiers:
    """The people who may give money back."""

    def __init__(self, premises: Premises, given: Sequence[GivesBack], seed: int) -> None:
        self._premises = premises
        self._given = given
        self._ids = SeededIds(seed + 2)
        self._orders = Table(ORDERS)
        self._read_to = 0

    async def act(self, until_h: float) -> None:
        """Everything that is asked, one after the other; nothing is begun after `until_h`."""
        for each in self._given:
            entry = await self._order_for(each, until_h)
            if entry is not None:
                await self._give(each, entry)

    async def _order_for(self, each: GivesBack, until_h: float) -> OrderEntry | None:
        """From its hour on, as soon as there is one that fits."""
        clock = self._premises.clock
        until = clock.began + timedelta(hours=until_h)
        due = clock.began + timedelta(hours=each.at_h)
        await clock.sleep(max((due - clock.now()).total_seconds(), 0.0))
        while clock.now() <= until:
            await self._read()
            states = PAID if each.kind == REFUND else UNPAID
            fit = [entry for entry in self._orders.values() if entry.state in states]
            if fit:
                return fit[int(each.lot * len(fit))]
            await clock.sleep(LOOKS_AGAIN_S)
        return None

    async def _give(self, each: GivesBack, entry: OrderEntry) -> None:
        said = {
            "order_id": entry.order_id,
            "kind": each.kind,
            "asked": msgspec.json.encode(_asked(each, entry)).decode(),
        }
        shown = await self._answered(Command(verb="preview-reversal", arguments=said))
        if not shown.ok:
            return
        plan = msgspec.json.decode(shown.message, type=ReversalPlan)
        await self._premises.clock.sleep(HESITATES_S)
        yes = {**said, "plan_id": plan.plan_id, "reason": "the customer asked"}
        for _ in range(2 if each.twice else 1):
            await self._answered(Command(verb="order-reversal", arguments=yes))

    async def _answered(self, command: Command) -> Outcome:
        premises = self._premises
        premises.trace.happened(f"{CASHIER} asks: {command.verb} {command.arguments}")
        command_id = premises.commands.issue(command, by=CASHIER, ids=self._ids)
        while (outcome := premises.commands.outcomes.get(command_id)) is None:
            await premises.clock.sleep(ANSWER_S)
        return outcome

    async def _read(self) -> None:
        reader = MemoryLogReader(self._premises.store, MERCHANT)
        async for page in reader.read(self._read_to):
            for recorded in page:
                self._orders.apply(recorded.event)
                self._read_to = recorded.position


def _asked(each: GivesBack, entry: OrderEntry) -> Asked:
    code = CODES[each.kind]
    if each.part == "order":
        kept_back = each.not_to_ship and each.kind == REFUND
        return Asked(reason_code=code, not_to_ship=kept_back)
    line = Asked(reason_code=code, line_ids=(entry.lines[0].line_id,))
    if each.part == "unit":
        return msgspec.structs.replace(line, units=1)
    if each.part == "amount":
        return msgspec.structs.replace(line, amount=A_POUND)
    return line
