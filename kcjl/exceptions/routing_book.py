"""Which routing rules are in force: the last that a person has set.

Promises: pure. Called by the desk and by whoever shows the rules.
"""

from kcjl.exceptions.desk_events import RoutingRulesSet
from kcjl.fold import Fold
from kcjl.vocabulary import Event

__all__ = ["RULES"]


def _keys(event: Event) -> tuple[str, ...]:
    return ("rules",) if isinstance(event, RoutingRulesSet) else ()


def _evolve(entry: RoutingRulesSet | None, event: Event, _key: str) -> RoutingRulesSet | None:
    return event if isinstance(event, RoutingRulesSet) else entry


RULES: Fold[RoutingRulesSet] = Fold(_keys, _evolve, RoutingRulesSet, hears=(RoutingRulesSet,))
