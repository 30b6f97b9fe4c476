"""One parcel and the marketplace: sent, looked up, settled; and whether it answers at all.

Promises: what is sent was intended before; what is not known is looked up among the
marketplace's own records, and those settle it. A call that is certainly not answered raises
`NoAnswerError`, so that nobody takes the log's own trouble for the marketplace's.
Called by `confirming.py`. Source: johnlewis b.3, b.4, d.5 (looks before a repeat).
"""

from collections.abc import Awaitable
from datetime import datetime
from typing import TypeVar

import msgspec

from kcjl.dispatch.closing import done_there
from kcjl.dispatch.events import (
    ConfirmationIntended,
    ConfirmationRefused,
    ConfirmationUnknown,
    ConfirmedLine,
    ParcelConfirmed,
    TrackingIntended,
    TrackingRefused,
    TrackingSent,
)
from kcjl.dispatch.matching import matched_lines, settle_open
from kcjl.dispatch.parcel import Parcel
from kcjl.dispatch.room import DispatchMarketplace, DispatchRoom
from kcjl.dispatch.state import Dispatch
from kcjl.errors import (
    CredentialsRefused,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unavailable,
)
from kcjl.johnlewis.parcel_port import ShipmentOutcomeKind
from kcjl.johnlewis.port import OrderState, ShipmentRequest, Tracking
from kcjl.vocabulary import Event

__all__ = ["Asking", "NoAnswerError"]

T = TypeVar("T")

SHIPPED_THERE = (
    OrderState.SHIPPED,
    OrderState.TO_COLLECT,
    OrderState.RECEIVED,
    OrderState.CLOSED,
)
LOST = "the answer was lost, and the marketplace does not have the parcel"


class NoAnswerError(Exception):
    """Raised when the marketplace did not answer, or wants to be left alone for a while."""

    def __init__(self, error: Unavailable) -> None:
        super().__init__(error.message)
        self.retry_after_s = error.retry_after_s if isinstance(error, RateLimited) else None


class Asking:
    """The calls about parcels, and what came of them."""

    def __init__(self, room: DispatchRoom, marketplace: DispatchMarketplace) -> None:
        self._room = room
        self._marketplace = marketplace
        self.unanswered = 0
        """Tries in a row that were not answered."""
        self.answers = 0
        """Writes that were answered, with yes or no."""
        self.answered_at: datetime | None = None
        self.last_silence = ""

    def now(self, order_id: str, parcel_key: str) -> tuple[Dispatch, Parcel]:
        entry = self._room.dispatches[order_id]
        parcel = entry.parcel(parcel_key)
        if parcel is None:
            raise LookupError(f"parcel {parcel_key} of order {order_id} is gone")
        return entry, parcel

    async def send(self, intended: ConfirmationIntended) -> None:
        """ST01, or OR23 and OR24; and what came of it."""
        order_id, parcel_key = intended.order_id, intended.parcel_key
        entry, _ = self.now(order_id, parcel_key)
        try:
            shipment_id = await self._heard(self._confirm(intended))
        except OutcomeUnknown as lost:
            unknown = ConfirmationUnknown(
                order_id=order_id,
                parcel_key=parcel_key,
                message=lost.message,
                attempt=intended.attempt,
                deadline=entry.deadline,
                occurred_at=self._room.clock.now(),
            )
            await self._room.record(unknown)
            if not await self.settle(order_id, parcel_key):
                self._was_not_answered(lost.message)
        except Refused as refusal:
            await self.settle(order_id, parcel_key, refusal.message)
        else:
            self._was_answered()
            await self._record_confirmed(order_id, parcel_key, shipment_id, already=False)

    async def _confirm(self, intended: ConfirmationIntended) -> str:
        order_id = intended.order_id
        tracking: Tracking | None = None
        if number := intended.tracking_number:
            tracking = Tracking(carrier_code=intended.carrier_code, tracking_number=number)
        if intended.by_shipment:
            shipment = await self._marketplace.create_shipment(
                ShipmentRequest(
                    order_id=order_id,
                    lines=tuple((each.line_id, each.quantity) for each in intended.lines),
                    tracking=tracking,
                    package_reference=intended.parcel_key,
                )
            )
            return shipment.shipment_id
        if tracking is not None:
            await self._marketplace.set_tracking(order_id, tracking)
        await self._marketplace.ship(order_id)
        return ""

    async def send_number(self, intended: TrackingIntended) -> None:
        """ST23, or OR23: said twice it is as said once, so nothing is looked up."""
        tracking = Tracking(
            carrier_code=intended.carrier_code, tracking_number=intended.tracking_number
        )
        try:
            await self._heard(self._tell_number(intended, tracking))
        except CredentialsRefused:
            raise
        except OutcomeUnknown as lost:
            self._was_not_answered(lost.message)
            await self._record_untold(intended, lost.message, answered=False)
        except Refused as refusal:
            self._was_answered()
            await self._record_untold(intended, refusal.message, answered=True)
        else:
            self._was_answered()
            sent = TrackingSent(
                order_id=intended.order_id,
                parcel_key=intended.parcel_key,
                tracking_number=intended.tracking_number,
                occurred_at=self._room.clock.now(),
            )
            await self._room.record(sent)

    async def _tell_number(self, intended: TrackingIntended, tracking: Tracking) -> None:
        if not intended.shipment_id:
            await self._marketplace.set_tracking(intended.order_id, tracking)
            return
        outcomes = await self._marketplace.set_shipment_tracking(
            {intended.shipment_id: tracking}
        )
        for outcome in outcomes:
            if outcome.kind is ShipmentOutcomeKind.REFUSED:
                raise Refused(outcome.message, reason_code=outcome.reason_code)
            if outcome.kind is ShipmentOutcomeKind.UNKNOWN:
                raise OutcomeUnknown(outcome.message)

    async def number_is_there(self, order_id: str, parcel_key: str) -> bool:
        """Whether the marketplace has the number: an attempt may have arrived unanswered."""
        _, parcel = self.now(order_id, parcel_key)
        if parcel.tracking_number not in await self._numbers_there(
            order_id, parcel.shipment_id
        ):
            return False
        sent = TrackingSent(
            order_id=order_id,
            parcel_key=parcel_key,
            tracking_number=parcel.tracking_number,
            occurred_at=self._room.clock.now(),
        )
        await self._room.record(sent)
        return True

    async def _numbers_there(self, order_id: str, shipment_id: str) -> set[str | None]:
        """What is shown for the shipment, or, where OR23 told it, for the whole order."""
        if not shipment_id:
            orders = await self._heard(self._marketplace.orders_by_id([order_id]))
            return {each.tracking.tracking_number for each in orders if each.tracking}
        try:
            shipments = await self._heard(self._marketplace.shipments(order_id))
        except NotFound:
            return set()
        return {each.tracking_number for each in shipments if each.shipment_id == shipment_id}

    async def _record_untold(
        self, intended: TrackingIntended, message: str, *, answered: bool
    ) -> None:
        refused = TrackingRefused(
            order_id=intended.order_id,
            parcel_key=intended.parcel_key,
            tracking_number=intended.tracking_number,
            message=message,
            attempt=intended.attempt,
            answered=answered,
            occurred_at=self._room.clock.now(),
        )
        await self._room.record(refused)

    async def settle(self, order_id: str, parcel_key: str, refused: str = "") -> bool:
        """The marketplace's own records settle a confirmation whose outcome is open.

        True: the parcel is there.
        """
        if await self.is_there(order_id, parcel_key):
            return True
        entry, parcel = self.now(order_id, parcel_key)
        if refused:
            self._was_answered()
        await self._room.record(
            ConfirmationRefused(
                order_id=order_id,
                parcel_key=parcel_key,
                message=refused or LOST,
                attempt=parcel.attempts,
                deadline=entry.deadline,
                answered=bool(refused),
                occurred_at=self._room.clock.now(),
            ),
        )
        return False

    async def is_there(
        self, order_id: str, parcel_key: str, lines: tuple[ConfirmedLine, ...] | None = None
    ) -> bool:
        """`lines`: what would be sent now, where it is not what was sent last."""
        found = await self._shipment_there(order_id, parcel_key, lines)
        if found is not None:
            await self._room.record(found)
            return True
        orders = await self._heard(self._marketplace.orders_by_id([order_id]))
        if any(order.state in SHIPPED_THERE for order in orders):
            await self._record_confirmed(order_id, parcel_key, "", already=True, lines=lines)
            return True
        return False

    async def find_there(self, order_id: str, parcel_key: str) -> None:
        """The order is shipped there: by the shipment that we had sent, or by others."""
        entry, parcel = self.now(order_id, parcel_key)
        lines = parcel.lines or matched_lines(entry, parcel) or ()
        found = await self._shipment_there(order_id, parcel_key, lines)
        entry, parcel = self.now(order_id, parcel_key)
        now = self._room.clock.now()
        await self._room.record(*((found,) if found else done_there(entry, parcel, now)))

    async def _shipment_there(
        self, order_id: str, parcel_key: str, lines: tuple[ConfirmedLine, ...] | None
    ) -> Event | None:
        """That the parcel is among the marketplace's shipments."""
        try:
            shipments = await self._heard(self._marketplace.shipments(order_id))
        except NotFound:  # multi-shipment is off: the order's state tells
            shipments = ()
        entry, parcel = self.now(order_id, parcel_key)
        if lines is not None:
            parcel = msgspec.structs.replace(parcel, lines=lines)
        return settle_open(
            entry,
            parcel,
            [
                (each.shipment_id, each.tracking_number or "", each.lines)
                for each in shipments
                if each.status not in ("SHIPPING", "CANCELED")
            ],
            now=self._room.clock.now(),
        )

    async def _record_confirmed(
        self,
        order_id: str,
        parcel_key: str,
        shipment_id: str,
        *,
        already: bool,
        lines: tuple[ConfirmedLine, ...] | None = None,
    ) -> None:
        _, parcel = self.now(order_id, parcel_key)
        await self._room.record(
            ParcelConfirmed(
                order_id=order_id,
                parcel_key=parcel_key,
                lines=parcel.lines if lines is None else lines,
                shipment_id=shipment_id,
                already=already,
                occurred_at=self._room.clock.now(),
            ),
        )

    # ── whether it answers ──────────────────────────────────────────────────────────────────

    async def _heard(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except Unavailable as error:
            if not isinstance(error, RateLimited):
                self._was_not_answered(error.message)
            self.last_silence = error.message
            raise NoAnswerError(error) from error

    def _was_answered(self) -> None:
        self.unanswered = 0
        self.answers += 1
        self.answered_at = self._room.clock.now()

    def _was_not_answered(self, message: str) -> None:
        self.unanswered += 1
        self.last_silence = message
