"""Why an exception is whose it is: the rule, the kind, what holds, and what clears it.

Promises: pure; the owner's rule is named from the rules of the version that routed it. Where a
rule looks at SKUs, which the exception does not carry, those that may have done it are named.
Called by `explain_reading.py`.
"""

from collections.abc import Iterator

from kcjl.audit.explain import clock
from kcjl.exceptions.catalogue import KINDS, lane_of
from kcjl.exceptions.desk_events import RoutingRulesSet
from kcjl.exceptions.kind import commands_of
from kcjl.exceptions.projection import EXCEPTIONS_SHOWN, ExceptionLife
from kcjl.exceptions.routing import RoutingRule
from kcjl.log.port import Recorded

__all__ = ["exception_answer"]


def exception_answer(life: ExceptionLife, rules: Recorded | None) -> tuple[str, ...]:
    """`rules`: the event that set the version which routed it; None: there was none."""
    return tuple(_told(life, rules))


def _told(life: ExceptionLife, rules: Recorded | None) -> Iterator[str]:
    raised = life.raised
    kind = KINDS.get(raised.kind)
    yield f"{raised.exception_id} is with {life.owner}: {_whose(life, rules)}."
    yield (
        f"It is {EXCEPTIONS_SHOWN.state_of(life)}, {raised.severity}, of lane "
        f"{lane_of(raised.kind)}. What holds: {raised.message}"
    )
    if raised.deadline is not None:
        yield f"Its deadline is {clock(raised.deadline)}."
    if raised.money_at_risk is not None:
        yield f"{raised.money_at_risk} is at risk."
    yield f"To do: {raised.next_step}"
    if kind is not None:
        yield f"It clears by itself when {kind.clears}."
        for command in commands_of(kind, raised.subject):
            yield f"Type: {command}"
        if kind.stays:
            yield f"It can't be accepted: {kind.stays}."
        yield f"Read: kcjl manual {kind.page}"
    if life.cleared_at is not None:
        yield f"It was cleared {clock(life.cleared_at)}: {life.cleared_because}."
    yield (
        f"First seen {clock(life.first_seen_at)}, last {clock(life.last_seen_at)}: "
        f"said {life.seen:,}, opened {life.opened:,}, tried again {life.attempts:,} times."
    )


def _whose(life: ExceptionLife, rules: Recorded | None) -> str:
    raised = life.raised
    if life.assigned:
        given = next((w for w in reversed(life.words) if w.said.startswith("given to")), None)
        return f"{given.by} gave it at {clock(given.at)}" if given else "a person gave it"
    if not raised.rules_version or rules is None:
        return "no routing rule names another owner, so it is with the owner of its kind"
    event = rules.event
    there = event.rules.rules if isinstance(event, RoutingRulesSet) else ()
    named = [rule.name for rule in there if rule.owner == raised.owner and _may(rule, life)]
    version, when = raised.rules_version, clock(rules.occurred_at)
    said = f"routing rules version {version}, set by {rules.by} at {when}"
    return f"{said}, rule {' or '.join(map(repr, named))}" if named else said


def _may(rule: RoutingRule, life: ExceptionLife) -> bool:
    """All that the exception carries fits the rule; its SKUs are not looked at."""
    raised = life.raised
    money = raised.money_at_risk
    return (
        (not rule.kinds or raised.kind in rule.kinds)
        and (not rule.lanes or lane_of(raised.kind) in rule.lanes)
        and (
            rule.above is None
            or (
                money is not None
                and money.currency == rule.above.currency
                and money.amount_minor > rule.above.amount_minor
            )
        )
    )
