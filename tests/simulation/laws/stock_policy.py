"""The stock policy as people wrote it: what a document says of a SKU on a day.

Promises: worked out from the documents in the log by the words of docs/stock.md, and not by
kcjl's own reading of them: SKU before category before everything, a window before none, the
later in the file before the earlier. It knows no speed and no lag. Called by `offered.py` and
`policies.py`.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from kcjl.log.port import Recorded
from kcjl.stock.events import BufferSet
from kcjl.stock.policy import PolicyDocument, Rule
from kcjl.stock.policy_events import StockPolicyApproved
from tests.simulation.laws.evidence import Evidence

__all__ = ["Policy", "day_of", "in_force", "policies", "said_of"]

T = TypeVar("T")


class Policy(NamedTuple):
    """One version, from when it may be in force."""

    recorded: Recorded
    version: int
    document: PolicyDocument
    valid_from: datetime


def policies(evidence: Evidence) -> list[Policy]:
    """All that were approved, in the order in which they were."""
    found = []
    for recorded in evidence.log:
        event = recorded.event
        if isinstance(event, BufferSet):
            document = PolicyDocument(rules=(Rule(name="buffer", buffer=event.units),))
            found.append(Policy(recorded, event.version, document, event.occurred_at))
        elif isinstance(event, StockPolicyApproved):
            found.append(Policy(recorded, event.version, event.document, event.valid_from))
    return found


def in_force(known: Sequence[Policy], at: datetime, position: int) -> Policy | None:
    """Of those that were known by then, the one that has begun last."""
    begun = [
        each for each in known if each.valid_from <= at and each.recorded.position < position
    ]
    return max(begun, key=lambda each: (each.valid_from, each.version), default=None)


def day_of(at: datetime) -> date:
    return at.astimezone(ZoneInfo("Europe/London")).date()


def said_of(document: PolicyDocument, term: str, sku: str, category: str, day: date) -> object:
    """What the strongest rule says of the term; None: no rule speaks of it."""
    strength: dict[tuple[int, bool, int], object] = {}
    for number, rule in enumerate(document.rules):
        value = getattr(rule, term)
        if value is None or not _is_open(rule, day):
            continue
        if rule.skus:
            scope = 2 if sku.casefold() in {each.casefold() for each in rule.skus} else 0
        elif rule.categories:
            scope = 1 if category in rule.categories else 0
        else:
            scope = -1
        if scope:
            strength[scope, bool(rule.begins), number] = value
    return strength[max(strength)] if strength else None


def _is_open(rule: Rule, day: date) -> bool:
    if not rule.begins and not rule.ends:
        return True
    yearly = len(rule.begins or rule.ends) == len("MM-DD")
    today = f"{day:%m-%d}" if yearly else day.isoformat()
    begins, ends = rule.begins or "0", rule.ends or "9"
    if begins <= ends:
        return begins <= today <= ends
    return today >= begins or today <= ends
