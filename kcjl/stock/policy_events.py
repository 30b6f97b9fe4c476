"""What can happen to the stock policy: a document is proposed, and approved.

Stream: stock-policy, like `BufferSet`, which is still understood as a policy of one rule. Who
proposed and who approved is the log's `by`.
"""

from datetime import datetime

from kcjl.stock.policy import PolicyDocument
from kcjl.vocabulary import Event

__all__ = ["StockPolicyApproved", "StockPolicyProposed"]


class PolicyEvent(Event, frozen=True, kw_only=True):
    """Base of the events of the stock policy."""

    version: int
    document: PolicyDocument

    @property
    def stream(self) -> str:
        return "stock-policy"


class StockPolicyProposed(PolicyEvent, frozen=True, kw_only=True):
    """A person proposes a policy. It holds nothing back until it is approved."""


class StockPolicyApproved(PolicyEvent, frozen=True, kw_only=True):
    """A person has approved the policy; it is in force from `valid_from` on."""

    valid_from: datetime
    note: str = ""
