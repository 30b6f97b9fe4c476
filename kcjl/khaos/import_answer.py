"""What `ImportOrders` says that it did with the one order that it was sent.

Promises: a record for a plain yes, `Refused` for a plain no (it was skipped, and nothing was
imported); anything else is `OutcomeUnknown`, to be looked up before it is sent again.
Invariant: an answer about another reference is no answer. Called by `kws_orders.py`.
Source: contract khaos b.3, d.
"""

from collections.abc import Mapping, Sequence

from kcjl.errors import OutcomeUnknown, Refused
from kcjl.khaos.order_port import CreatedOrder, CreateOutcome

__all__ = ["created_order"]

Fields = Mapping[str, str]
"""A structure of the answer: field in lower case → text."""


def created_order(
    external_ref: str,
    *,
    count: int,
    imported: Sequence[Fields],
    skipped: Sequence[Fields],
    shown: str,
) -> CreatedOrder:
    """`count` is ImportedCount; `shown` is the beginning of the answer, for an error."""
    for fields in imported:
        reference = fields.get("associatedref") or external_ref
        code = fields["salesordercode"]
        if count > 0 and code and reference.casefold() == external_ref.casefold():
            return CreatedOrder(
                outcome=CreateOutcome.CREATED,
                erp_order_code=code,
                customer_code=fields.get("urn") or None,
                message=fields.get("msg", ""),
            )
    if count == 0 and skipped and not any(fields["salesordercode"] for fields in imported):
        reason = skipped[0].get("skipreason") or "it gave no reason"
        raise Refused(f"order {external_ref} was skipped: {reason}", reason_code="SKIPPED")
    raise OutcomeUnknown(
        f"order {external_ref}: Khaos Control neither imported nor skipped it "
        f"({shown}); look it up before sending it again"
    )
