"""What comes after a sale, as the marketplace's door has it: cancelling, complaints, returns.

Promises: each method takes plain values, and does all it says or raises `ApiError` and does
nothing; calls of several items answer per item. It holds no rule: the rooms do.
Invariant: the marketplace makes the rooms before anything is called.
Called as a part of the marketplace, through its gate.
"""

from collections.abc import Mapping, Sequence

import msgspec

from kcjl.money import Money
from kcjl.sandbox.marketplace.additional_fields import AdditionalFields, FieldError
from kcjl.sandbox.marketplace.cancelations import Cancelations
from kcjl.sandbox.marketplace.counter import Counter
from kcjl.sandbox.marketplace.customers import CANCELLED_BY_CUSTOMER
from kcjl.sandbox.marketplace.documents import DocumentError, Documents
from kcjl.sandbox.marketplace.incidents import Incidents
from kcjl.sandbox.marketplace.records import Cancelation, Refund, ShipmentOutcome
from kcjl.sandbox.marketplace.refunds import Refunds
from kcjl.sandbox.marketplace.return_records import Return, ReturnOutcome
from kcjl.sandbox.marketplace.returns import Returns
from kcjl.sandbox.marketplace.shipment_changes import ShipmentChanges

__all__ = ["AfterSales"]


class AfterSales:
    """A part of the marketplace's door."""

    counter: Counter
    refunds: Refunds
    cancelations: Cancelations
    incidents: Incidents
    returns: Returns
    shipment_changes: ShipmentChanges
    documents: Documents
    additional_fields: AdditionalFields

    # ── customers and the operator ─────────────────────────────────────────────────────────

    def operator_refunds(
        self,
        order_line_id: str,
        amount: Money,
        shipping_amount: Money | None = None,
        *,
        quantity: int = 0,
        reason_code: str = "19",
    ) -> Refund:
        """The operator gives the customer money back, whatever the shop says."""
        given = msgspec.convert(amount, Money)
        nothing = Money(0, given.currency)
        shipping = nothing if shipping_amount is None else shipping_amount
        return self.refunds.operator_refunds(
            order_line_id,
            amount=given,
            shipping_amount=msgspec.convert(shipping, Money),
            quantity=quantity,
            reason_code=reason_code,
        )

    def customer_cancels(self, order_id: str) -> None:
        """The customer cancels an order that has not been shipped."""
        self.counter.operator_cancels(order_id, *CANCELLED_BY_CUSTOMER)

    def open_incident(self, order_line_id: str, reason_code: str = "1") -> None:
        """The customer complains about a line that was sent."""
        self.incidents.open(order_line_id, reason_code)

    def close_incident(self, order_line_id: str, reason_code: str = "23") -> None:
        """The operator ends an incident."""
        self.incidents.operator_closes(order_line_id, reason_code)

    def open_return(
        self, order_line_id: str, quantity: int = 1, reason_code: str = "RETURN_CHANGED_MIND"
    ) -> Return:
        """The customer sends units back; that moves no money (`customer_returns` does)."""
        return self.returns.open(order_line_id, quantity, reason_code)

    # ── the shop's calls ───────────────────────────────────────────────────────────────────

    def cancel_lines(
        self, cancelations: Sequence[Mapping[str, object]], order_tax_mode: str | None = None
    ) -> list[Cancelation]:
        """OR30; the contract's field names, amounts written out as decimal numbers."""
        return self.cancelations.cancel(cancelations, order_tax_mode)

    def resolve_incident(self, order_id: str, order_line_id: str, reason_code: str) -> None:
        """OR64."""
        self.incidents.resolve(order_id, order_line_id, reason_code)

    def write_additional_fields(
        self,
        order_id: str,
        order_fields: Sequence[Mapping[str, str | None]],
        line_fields: Mapping[str, Sequence[Mapping[str, str | None]]],
    ) -> list[FieldError]:
        """OR31; a field is {"code": …, "value": …}, lines are by their id."""
        return self.additional_fields.write(order_id, order_fields, line_fields)

    def upload_documents(
        self, order_id: str, documents: Sequence[Mapping[str, str | None]]
    ) -> list[DocumentError | None]:
        """OR74; {"file_name": …, "type_code": …, "content": base64}."""
        return self.documents.upload(order_id, documents)

    def delete_document(self, document_id: int) -> None:
        """OR76."""
        self.documents.delete(document_id)

    def delete_shipments(self, shipment_ids: Sequence[str]) -> list[ShipmentOutcome]:
        """ST06."""
        return self.shipment_changes.delete(shipment_ids)

    def ready_shipments(self, shipment_ids: Sequence[str]) -> list[ShipmentOutcome]:
        """ST26."""
        return self.shipment_changes.ready_for_pick_up(shipment_ids)

    def describe_shipments(
        self, shipments: Sequence[Mapping[str, object]]
    ) -> list[tuple[str, list[dict[str, str]]]]:
        """ST31; the contract's field names."""
        return self.shipment_changes.describe(shipments)

    def create_returns(self, returns: Sequence[Mapping[str, object]]) -> list[ReturnOutcome]:
        """RT01; the contract's field names, as in the others."""
        return self.returns.create(returns)

    def decide_returns(self, returns: Sequence[Mapping[str, object]]) -> list[ReturnOutcome]:
        """RT21."""
        return self.returns.decide(returns)

    def receive_returns(self, return_ids: Sequence[str]) -> list[ReturnOutcome]:
        """RT25."""
        return self.returns.receive(return_ids)

    def judge_returns(self, returns: Sequence[Mapping[str, object]]) -> list[ReturnOutcome]:
        """RT26."""
        return self.returns.judge(returns)

    def close_returns(self, return_ids: Sequence[str]) -> list[ReturnOutcome]:
        """RT27."""
        return self.returns.close(return_ids)

    def cancel_returns(self, return_ids: Sequence[str]) -> list[ReturnOutcome]:
        """RT29."""
        return self.returns.cancel(return_ids)

    def update_returns(self, returns: Sequence[Mapping[str, object]]) -> list[ReturnOutcome]:
        """RT04."""
        return self.returns.update(returns)
