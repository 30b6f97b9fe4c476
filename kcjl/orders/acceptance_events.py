"""What can happen about an order's acceptance, and what people say of an order.

Promises: no personal data: a country is the most that is said of the buyer. Streams: the
order's own, and acceptance-policy. Who said it is the log's `by`.
"""

from datetime import datetime

from kcjl.money import Money
from kcjl.orders.acceptance_policy import AcceptancePolicy
from kcjl.vocabulary import Event

__all__ = [
    "AcceptanceDecided",
    "AcceptancePolicySet",
    "AcceptanceRetried",
    "AcceptanceTimePassed",
    "OrderLetThrough",
    "PostingRetried",
]


class AcceptancePolicySet(Event, frozen=True, kw_only=True):
    """A person has said which orders are accepted by themselves; in force from now on."""

    version: int
    policy: AcceptancePolicy
    reason: str = ""

    @property
    def stream(self) -> str:
        return "acceptance-policy"


class WordEvent(Event, frozen=True, kw_only=True):
    """Base of what is said of one order."""

    order_id: str

    @property
    def stream(self) -> str:
        return f"order-{self.order_id}"


class OrderLetThrough(WordEvent, frozen=True, kw_only=True):
    """A person lets an order pass that the acceptance policy holds."""

    reason: str
    rule: str
    """What held it."""
    policy_version: int


class AcceptanceDecided(WordEvent, frozen=True, kw_only=True):
    """Which lines are to be accepted and which refused: by a person, or at the time's end."""

    accepted: tuple[str, ...]
    refused: tuple[str, ...]
    reason: str
    at_the_end: bool = False
    """The policy said so, because the time for accepting was nearly over."""
    policy_version: int = 0


class AcceptanceRetried(WordEvent, frozen=True, kw_only=True):
    """A person wants an acceptance sent again that the marketplace had refused."""

    reason: str


class AcceptanceTimePassed(WordEvent, frozen=True, kw_only=True):
    """So much of the time for accepting has gone, and the order still waits."""

    percent: int
    """50: a warning; 80: a person has to look; more: the policy's end."""
    accept_by: datetime
    message: str
    """What it waits for, and what happens at the end."""
    money: Money
    policy_version: int


class PostingRetried(WordEvent, frozen=True, kw_only=True):
    """A person wants a refused posting started again; it is looked up once more before."""

    reference: str
    reason: str
