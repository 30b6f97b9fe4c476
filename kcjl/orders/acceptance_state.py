"""Acceptance, the folds: the policy in force, and what was said of single orders.

Promises: pure; an order of which nothing was said has no entry, and an entry goes when the
order is closed, cancelled or refused. It decides nothing.
Called by `acceptance.py`, `words.py` and the orders room.
"""

import msgspec

from kcjl.fold import Fold
from kcjl.orders.acceptance_events import (
    AcceptanceDecided,
    AcceptancePolicySet,
    AcceptanceTimePassed,
    OrderLetThrough,
)
from kcjl.orders.acceptance_policy import AcceptancePolicy
from kcjl.orders.events import OrderChanged
from kcjl.vocabulary import Event

__all__ = ["POLICIES", "POLICY_KEY", "WORDS", "PolicyInForce", "Words"]

POLICY_KEY = "policy"
FORGOTTEN = frozenset({"REFUSED", "CANCELED", "CLOSED"})


class PolicyInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The acceptance policy, and which one it is."""

    version: int
    policy: AcceptancePolicy


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of one order."""

    let_through: bool = False
    """A person has overruled the policy."""
    decided: AcceptanceDecided | None = None
    """What to answer the marketplace; kept after the answer, too."""
    percent_said: int = 0
    """Of the time for accepting, the last share that was said to have gone."""


def _policy_keys(event: Event) -> tuple[str, ...]:
    return (POLICY_KEY,) if isinstance(event, AcceptancePolicySet) else ()


def _evolve_policy(
    entry: PolicyInForce | None, event: Event, _key: str
) -> PolicyInForce | None:
    if not isinstance(event, AcceptancePolicySet):
        return entry
    return PolicyInForce(version=event.version, policy=event.policy)


POLICIES: Fold[PolicyInForce] = Fold(
    _policy_keys, _evolve_policy, PolicyInForce, hears=(AcceptancePolicySet,)
)


SAID = (OrderLetThrough, AcceptanceDecided, AcceptanceTimePassed)


def _word_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, OrderLetThrough | AcceptanceDecided | AcceptanceTimePassed):
        return (event.order_id,)
    if isinstance(event, OrderChanged) and event.state in FORGOTTEN:
        return (event.order_id,)
    return ()


def _evolve_words(entry: Words | None, event: Event, _key: str) -> Words | None:
    replace = msgspec.structs.replace
    words = entry or Words()
    match event:
        case OrderLetThrough():
            return replace(words, let_through=True)
        case AcceptanceDecided():
            through = words.let_through or not event.at_the_end
            return replace(words, decided=event, let_through=through)
        case AcceptanceTimePassed():
            return replace(words, percent_said=event.percent)
        case OrderChanged() if event.state in FORGOTTEN:
            return None
        case _:
            return entry


WORDS: Fold[Words] = Fold(_word_keys, _evolve_words, Words, hears=(*SAID, OrderChanged))
