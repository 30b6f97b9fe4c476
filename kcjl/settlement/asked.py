"""What people ask of settlement, by verb: each is decided on all that is in the log.

Called by `rooms.py`.
"""

from collections.abc import Mapping

import msgspec

from kcjl.commands import Handler
from kcjl.errors import Misuse, NotFound
from kcjl.ledger.bank_lines import Place, day_of
from kcjl.money import Money
from kcjl.settlement.actor import Settlement
from kcjl.settlement.closing import MonthClosing
from kcjl.settlement.received import Receipt

__all__ = ["settlement_words"]


def settlement_words(settlement: Settlement) -> Mapping[str, Handler]:
    """The handlers, by verb."""

    async def set_accounts(arguments: Mapping[str, str], by: str) -> None:
        await settlement.catch_up()
        await settlement.set_accounts(arguments, by=by)

    async def set_terms(arguments: Mapping[str, str], by: str) -> str:
        document, reason = arguments["document"], arguments["reason"]
        await settlement.catch_up()
        return await settlement.set_terms(document, reason, by=by)

    async def accept(arguments: Mapping[str, str], by: str) -> str:
        cycle_id, reason = arguments["cycle_id"], arguments["reason"]
        await settlement.catch_up()
        return await settlement.accept(cycle_id, reason, by=by)

    async def reverse(arguments: Mapping[str, str], by: str) -> str:
        cycle_id, reason = arguments["cycle_id"], arguments["reason"]
        await settlement.catch_up()
        return await settlement.reverse(cycle_id, reason, by=by)

    async def acknowledge(arguments: Mapping[str, str], by: str) -> str:
        reference, number = arguments["reference"], arguments["ledger_number"]
        await settlement.catch_up()
        return await settlement.acknowledge(reference, number, by=by)

    async def received(arguments: Mapping[str, str], by: str) -> str:
        told = msgspec.json.decode(arguments["receipts"], type=tuple[Receipt, ...])
        await settlement.catch_up()
        return await settlement.receiving.receive(told, by=by)

    async def withdraw(arguments: Mapping[str, str], by: str) -> str:
        cycle_id, reason = arguments["cycle_id"], arguments["reason"]
        receipt = int(arguments["receipt"]) if arguments["receipt"] else None
        await settlement.catch_up()
        return await settlement.receiving.withdraw(cycle_id, receipt, reason, by=by)

    async def close_month(arguments: Mapping[str, str], by: str) -> str:
        try:
            asked = msgspec.json.decode(arguments["closing"], type=MonthClosing)
        except msgspec.MsgspecError as error:
            raise Misuse(f"closing a month: what is asked can't be read: {error}") from None
        await settlement.catch_up()
        return await settlement.close_month(asked, by=by)

    return {
        "month-close": close_month,
        "set-accounts": set_accounts,
        "commission-terms-set": set_terms,
        "payout-accept": accept,
        "payout-reverse": reverse,
        "payout-ack": acknowledge,
        "payout-received": received,
        "payout-received-by-hand": _received_by_hand(settlement),
        "payout-received-withdraw": withdraw,
    }


def _received_by_hand(settlement: Settlement) -> Handler:
    """As a person types it: an amount in the payout's currency, and the bank's day."""

    async def received(arguments: Mapping[str, str], by: str) -> str:
        cycle_id = arguments["cycle_id"]
        await settlement.catch_up()
        cycle = settlement.cycles.get(cycle_id)
        if cycle is None:
            raise NotFound(f"there is no payout {cycle_id!r}: `kcjl payouts list` names them")
        amount = arguments["amount"].replace(",", "")
        told = Receipt(
            cycle_id=cycle_id,
            amount=Money.parse(amount, cycle.seen.currency),
            received_on=day_of(arguments["on"], _Typed("the day")),
            reference=arguments.get("reference", ""),
        )
        return await settlement.receiving.receive((told,), by=by)

    return received


class _Typed(Place):
    """Typed by a person: there is no file of which anything could be taken."""

    def wrong(self, what: str, next_step: str) -> Misuse:
        return Misuse(f"{self.file}: {what}. {next_step}")
