"""Calls about parcels that are there: read by order or by time, tracked, shipped.

Promises: reads give every page, chunked by 100 orders; a write is one request whose 2xx is
read parcel by parcel. ST23 overwrites, so it may be repeated; ST24 said again is refused for
what has gone, so after `OutcomeUnknown` or UNKNOWN read ST11 and count what is SHIPPED as done.
It makes no parcel; `SellerApi.create_shipment` does. Invariant: no parcel is done unless named.
Called through `ParcelPort`. Source: contract johnlewis b.4, d.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from kcjl.errors import Misuse, OutcomeUnknown, ProtocolSurprise
from kcjl.johnlewis import parcels, wire
from kcjl.johnlewis.asking import moment
from kcjl.johnlewis.http import SellerHttp
from kcjl.johnlewis.paging import PAGE_ROWS
from kcjl.johnlewis.parcel_port import OrderToShip, ShipmentOutcome
from kcjl.johnlewis.port import Shipment, Tracking
from kcjl.johnlewis.request import Call

__all__ = ["ParcelCalls"]

IDS_MAX = 100
"""Ids in one filter (contract b.0)."""

SHIPMENTS_MAX = 1_000
"""Parcels in one ST23 or ST24 (contract d.2)."""


class WireTrackingOf(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    tracking: wire.WireTrackingAsked


class WireShipmentNamed(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class ParcelCalls:
    """The parcels of one shop. Fields are set by `SellerApi`."""

    _http: SellerHttp

    async def shipments_of(self, order_ids: Sequence[str]) -> Sequence[Shipment]:
        """ST11 by order, all pages of every hundred."""
        found: list[Shipment] = []
        for chunk in _chunks(order_ids):
            told = await self._http.seek_rows(
                Call(
                    operation="ST11",
                    path="/api/shipments",
                    subject=f"of {len(chunk)} orders from {chunk[0]} on",
                    query=(*(("order_id", each) for each in chunk), ("limit", str(PAGE_ROWS))),
                ),
                parcels.shipments,
            )
            found += [shipment for shipment in told if shipment.order_id in ("", *chunk)]
        return found

    async def shipments_updated(
        self, since: datetime, until: datetime | None = None
    ) -> Sequence[Shipment]:
        """ST11 by update time."""
        query = [("last_updated_from", moment(since))]
        if until is not None:
            query.append(("last_updated_to", moment(until)))
        call = Call(
            operation="ST11",
            path="/api/shipments",
            subject=f"updated since {moment(since)}",
            query=(*query, ("limit", str(PAGE_ROWS))),
        )
        return await self._http.seek_rows(call, parcels.shipments)

    async def orders_to_ship(
        self,
        order_ids: Sequence[str] = (),
        *,
        shipping_since: datetime | None = None,
        shipping_until: datetime | None = None,
    ) -> Sequence[OrderToShip]:
        """ST12: what is still to ship, of these orders or of all; an order over several pages
        or rows is given once, with all its items.
        """
        rows: list[OrderToShip] = []
        dated = tuple(
            (name, moment(when))
            for name, when in (
                ("shipping_date_from", shipping_since),
                ("shipping_date_to", shipping_until),
            )
            if when is not None
        )
        for chunk in _chunks(order_ids) or [()]:
            call = Call(
                operation="ST12",
                path="/api/shipments/items_to_ship",
                subject=f"of {len(chunk)} orders" if chunk else "of every order",
                query=(
                    *(("order_id", each) for each in chunk),
                    *dated,
                    ("limit", str(PAGE_ROWS)),
                ),
            )
            rows += await self._http.seek_rows(call, parcels.orders_to_ship)
        return parcels.joined(rows)

    async def set_shipment_tracking(
        self, trackings: Mapping[str, Tracking]
    ) -> Sequence[ShipmentOutcome]:
        """ST23: an outcome for each parcel, in the order that they were given in."""
        asked = [
            WireTrackingOf(
                id=shipment_id,
                tracking=wire.WireTrackingAsked(
                    carrier_code=tracking.carrier_code or None,
                    carrier_name=tracking.carrier_name or None,
                    tracking_number=tracking.tracking_number or None,
                ),
            )
            for shipment_id, tracking in trackings.items()
        ]
        return await self._write_parcels(
            "ST23", "POST", "/api/shipments/tracking", list(trackings), asked
        )

    async def ship_shipments(self, shipment_ids: Sequence[str]) -> Sequence[ShipmentOutcome]:
        """ST24: an outcome for each parcel, in the order that they were given in."""
        ids = list(dict.fromkeys(shipment_ids))
        asked = [WireShipmentNamed(id=shipment_id) for shipment_id in ids]
        return await self._write_parcels("ST24", "PUT", "/api/shipments/ship", ids, asked)

    async def _write_parcels(
        self,
        operation: str,
        method: str,
        path: str,
        ids: Sequence[str],
        asked: Sequence[msgspec.Struct],
    ) -> Sequence[ShipmentOutcome]:
        if not 0 < len(ids) <= SHIPMENTS_MAX or not all(each.strip() for each in ids):
            raise Misuse(f"{operation}: {len(ids)} parcels; one call has 1 to {SHIPMENTS_MAX}")
        call = Call(
            operation=operation,
            method=method,
            path=path,
            subject=f"of {len(ids)} parcels from {ids[0]} on",
            json=msgspec.json.encode({"shipments": asked}),
        )
        answer = await self._http.send(call)
        try:
            return parcels.outcomes(answer.body, ids, operation)
        except ProtocolSurprise as surprise:
            raise OutcomeUnknown(surprise.message) from None


def _chunks(ids: Sequence[str]) -> list[tuple[str, ...]]:
    wanted = list(dict.fromkeys(ids))
    if not all(each.strip() for each in wanted):
        raise Misuse("an order id is empty")
    return [tuple(wanted[at : at + IDS_MAX]) for at in range(0, len(wanted), IDS_MAX)]
