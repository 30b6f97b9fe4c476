"""Buyers, the shell: shows who one is to whoever has a reason, and erases what is over.

Promises: that somebody asked is in the log before anything is shown; what is shown travels
sealed for the asker alone, so no queue and no table ever holds it open; what is said to be
erased is erased, at the latest by the next day's job. It holds no rule.
Called by the orders room. Source: design 2 (law 7), 7.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from kcjl.clock import Clock
from kcjl.errors import NotFound, Refused
from kcjl.fold import Table
from kcjl.khaos.port import OrderPort
from kcjl.log.port import Recorded
from kcjl.orders.personal import BUYERS, Sealed, why_not_erase, why_not_shown
from kcjl.orders.personal_events import BuyerErased, BuyerShown
from kcjl.orders.state import OrderEntry
from kcjl.sealedanswer import seal_for
from kcjl.vault import Vault
from kcjl.vocabulary import Event

__all__ = ["BUYERS", "ERASE_EVERY", "Buyers"]

ERASE_EVERY = timedelta(days=1)
PREFIX = "buyer-"
"""Of references of ours in the vault; others are the Cloud feed's."""


class BuyersRoom(Protocol):
    """What showing and erasing need of their room."""

    clock: Clock
    orders: Table[OrderEntry]
    buyers: Table[Sealed]

    async def commit(
        self, events: Sequence[Event], *, by: str | None = None
    ) -> Sequence[Recorded]: ...


class Buyers:
    """Who bought, for those who have to know; and for nobody any more."""

    def __init__(self, room: BuyersRoom, vault: Vault, erp: OrderPort) -> None:
        self._room = room
        self._vault = vault
        self._erp = erp

    async def show(self, order_id: str, *, reason: str, asker_key: str, by: str) -> str:
        """The buyer, sealed for the asker's key. Raises Refused where there is nothing."""
        self._known(order_id)
        if not reason.strip():
            raise Refused("who wants to see a buyer says why: --reason TEXT")
        sealed = self._room.buyers.get(order_id)
        if refusal := why_not_shown(order_id, sealed):
            raise Refused(refusal)
        if sealed is None:
            raise Refused(f"nothing is sealed for order {order_id}")
        content = await self._vault.open(sealed.vault_ref)
        answer = seal_for(asker_key, content)
        shown = BuyerShown(
            order_id=order_id,
            vault_ref=sealed.vault_ref,
            reason=reason,
            occurred_at=self._room.clock.now(),
        )
        await self._room.commit((shown,), by=by)
        return answer

    async def differs(self, entry: OrderEntry, buyer: bytes) -> bool:
        """Another buyer is told now than was sealed; looked at where the order waits for it."""
        if not entry.unsendable:
            return False
        try:
            return await self._vault.open(entry.vault_ref) != buyer
        except NotFound:
            return False  # erased: it is told anew when it is needed

    async def erase(self, order_id: str, *, reason: str, by: str) -> str:
        """A person wants the buyer forgotten. Raises Refused while the order needs it."""
        entry = self._known(order_id)
        if not reason.strip():
            raise Refused("who has a buyer erased says why: --reason TEXT")
        if refusal := why_not_erase(entry):
            raise Refused(refusal)
        sealed = self._room.buyers.get(order_id)
        if sealed is None:
            return f"nothing was kept of the buyer of order {order_id}"
        if not sealed.erased:
            await self._room.commit((self._erased(sealed, "asked", reason),), by=by)
        await self._forget(entry, sealed.vault_ref)
        return f"the buyer of order {order_id} is erased; its history stays whole"

    async def erase_expired(self) -> None:
        """What has been kept for its time goes, but where an order still needs it.

        Before that, what a former key has sealed is sealed with today's.
        """
        await self._vault.seal_anew()
        now = self._room.clock.now()
        for ref in await self._vault.expired(now):
            if not ref.startswith(PREFIX):
                await self._vault.erase(ref)
                continue
            entry = self._room.orders.get(ref.removeprefix(PREFIX))
            if entry is None:
                await self._vault.erase(ref)
                continue
            if why_not_erase(entry):
                continue
            sealed = self._room.buyers.get(entry.order_id)
            if sealed is not None and not sealed.erased:
                said = self._erased(sealed, "retention", "kept for as long as is set")
                await self._room.commit((said,))
            await self._forget(entry, ref)

    async def _forget(self, entry: OrderEntry, vault_ref: str) -> None:
        await self._vault.erase(vault_ref)
        await self._erp.forget_buyer(entry.reference)

    def _erased(self, sealed: Sealed, cause: str, reason: str) -> BuyerErased:
        return BuyerErased(
            order_id=sealed.order_id,
            vault_ref=sealed.vault_ref,
            cause=cause,
            reason=reason,
            occurred_at=self._room.clock.now(),
        )

    def _known(self, order_id: str) -> OrderEntry:
        entry = self._room.orders.get(order_id)
        if entry is None:
            raise Refused(f"there is no order {order_id}: see `kcjl orders list`")
        return entry
