"""Acceptance, the rules: what passes the policy, what is held by it, and the time that runs.

Promises: pure; an order is held by the first thing that speaks against it: its codes, a rule of
the policy, then stock that is not there; each says its name and the policy's version (law 9). A
person's word stands above the policy, never above codes or amounts that can't be posted.
Invariant: where stock is not known yet, nothing is accepted and nothing is held: it waits.
Called by `accepting.py`. Source: design 7.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from kcjl.orders.acceptance_events import AcceptanceDecided, AcceptanceTimePassed
from kcjl.orders.acceptance_policy import AcceptancePolicy, HoldRule
from kcjl.orders.acceptance_state import PolicyInForce, Words
from kcjl.orders.amounts import why_not_to_the_penny
from kcjl.orders.decide import (
    AMOUNTS_DIFFER,
    BY_PERSON,
    ENDED_UNSOLD,
    NOT_AVAILABLE,
    POLICY,
    decide_hold,
    hold_of,
    live_lines,
)
from kcjl.orders.events import LineOrdered, OrderHeld, SkuSuggestion
from kcjl.orders.shelf import Shelves, Short
from kcjl.orders.state import Acceptance, Catalogued, OrderEntry
from kcjl.stock.events import stock_key
from kcjl.vocabulary import Event

__all__ = [
    "RAISE_PERCENT",
    "WARN_PERCENT",
    "Circumstances",
    "Judged",
    "decide_standing",
    "decide_time",
    "judged",
    "next_look_at",
    "wants_decision",
]

WARN_PERCENT = 50
RAISE_PERCENT = 80
"""Of the time for accepting: a warning, and a person has to look."""
WAITING = "WAITING_ACCEPTANCE"
MANUAL = "manual"
"""The rule that holds every order without a person's word."""
AVAILABLE = "known_and_available"


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What an order is judged by, at one moment."""

    known: dict[str, Catalogued | None]
    """By stock key of each of its lines."""
    words: Words | None
    in_force: PolicyInForce
    shelves: Shelves
    automatic: bool
    """The marketplace accepts by itself: what is held there is held before it is posted."""
    now: datetime


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy says of an order."""

    verdict: Literal["passes", "held", "waits"]
    held: OrderHeld | None = None


def judged(entry: OrderEntry, now: Circumstances) -> Judged:
    """The policy on an order whose codes are all known."""
    policy, words = now.in_force.policy, now.words
    if entry.state == "SHIPPING" and (why := why_not_to_the_penny(entry)):
        held = hold_of(entry, AMOUNTS_DIFFER, why, now.now)
        return Judged(verdict="held", held=held)
    if words is not None and words.let_through:
        return Judged(verdict="passes")
    asked = entry.state == WAITING and entry.acceptance == Acceptance.NONE
    before_posting = entry.state == "SHIPPING" and now.automatic and not _is_ours(entry)
    late = entry.state == "SHIPPING" and entry.country_told_late
    rules = policy.holds if asked or before_posting else ()
    if late and not rules:
        rules = tuple(each for each in policy.holds if _names_a_country(each))
    rule = next((each for each in rules if _holds(each, entry)), None)
    if rule is not None:
        return _held(entry, now, POLICY, rule.name, _because(rule, entry))
    if not asked and not before_posting:
        return Judged(verdict="passes")
    if policy.accept == MANUAL:
        why = "the policy leaves every order to a person's word"
        return _held(entry, now, POLICY, MANUAL, why)
    if policy.accept != AVAILABLE:
        return Judged(verdict="passes")
    short = now.shelves.short_of(entry.order_id, live_lines(entry))
    if short is None:
        return Judged(verdict="waits")
    return _not_there(entry, now, short) if short else Judged(verdict="passes")


def _is_ours(entry: OrderEntry) -> bool:
    """We have accepted it, so it was judged then."""
    return entry.acceptance == Acceptance.CONFIRMED


def _held(
    entry: OrderEntry,
    now: Circumstances,
    reason: str,
    rule: str,
    message: str,
    skus: tuple[SkuSuggestion, ...] = (),
) -> Judged:
    version = now.in_force.version
    said = f"{message} (acceptance policy {version}, rule {rule!r})"
    held = hold_of(entry, reason, said, now.now, skus=skus, rule=rule, policy_version=version)
    return Judged(verdict="held", held=held)


def _not_there(entry: OrderEntry, now: Circumstances, short: Sequence[Short]) -> Judged:
    said = "not in stock: " + "; ".join(map(str, short))
    skus = tuple(SkuSuggestion(sku=each.sku, nearest=()) for each in short)
    return _held(entry, now, NOT_AVAILABLE, AVAILABLE, said, skus)


def _names_a_country(rule: HoldRule) -> bool:
    return bool(rule.countries or rule.countries_other_than)


def _holds(rule: HoldRule, entry: OrderEntry) -> bool:
    """Everything that the rule names is so; of a country that is not told, nothing is."""
    total = entry.total_price
    if rule.above is not None and (
        rule.above.currency != total.currency or total <= rule.above
    ):
        return False
    if rule.skus and not _sold(rule, entry):
        return False
    if not _names_a_country(rule):
        return True
    if not entry.country or (rule.countries and entry.country not in rule.countries):
        return False
    return entry.country not in rule.countries_other_than


def _sold(rule: HoldRule, entry: OrderEntry) -> list[str]:
    named = {stock_key(sku) for sku in rule.skus}
    return [line.sku for line in live_lines(entry) if stock_key(line.sku) in named]


def _because(rule: HoldRule, entry: OrderEntry) -> str:
    said = []
    if rule.above is not None:
        said.append(f"its total {entry.total_price} is above {rule.above}")
    if rule.skus:
        said.append("it has " + ", ".join(sorted(set(_sold(rule, entry)))))
    if _names_a_country(rule):
        said.append(f"it goes to {entry.country}")
    return "; ".join(said)


def decide_standing(entry: OrderEntry, now: Circumstances) -> tuple[Event, ...]:
    """Hold an order, release it, or neither."""
    if entry.acceptance == Acceptance.OPEN and entry.state == WAITING:
        return ()  # the answer is on its way: nothing can be held back
    decided = now.words is not None and now.words.decided is not None
    if decided and entry.state == WAITING:
        return ()
    verdict = judged(entry, now)
    by_policy = entry.held is not None and entry.held.reason in (POLICY, NOT_AVAILABLE)
    if verdict.verdict == "waits" and by_policy:
        return ()
    return decide_hold(entry, now.known, now.now, otherwise=lambda: verdict.held)


def wants_decision(entry: OrderEntry, now: Circumstances) -> AcceptanceDecided | None:
    """What to answer the marketplace now; None while nothing is to be answered."""
    ended = bool(entry.passed_over) or entry.state in ENDED_UNSOLD
    if ended or entry.state != WAITING or entry.acceptance != Acceptance.NONE:
        return None
    if entry.held is not None and entry.held.reason == BY_PERSON:
        return None
    if now.words is not None and now.words.decided is not None:
        return now.words.decided
    lines = live_lines(entry)
    if entry.held is not None or not lines or not _all_known(lines, now.known):
        return None
    if judged(entry, now).verdict != "passes":
        return None
    return AcceptanceDecided(
        order_id=entry.order_id,
        accepted=tuple(line.line_id for line in lines),
        refused=(),
        reason="",
        policy_version=now.in_force.version,
        occurred_at=now.now,
    )


def _all_known(lines: Sequence[LineOrdered], known: dict[str, Catalogued | None]) -> bool:
    found = [known.get(stock_key(line.sku)) for line in lines]
    return all(each and each.stock_code and not each.discontinued for each in found)


# ── the time that runs ──────────────────────────────────────────────────────────────────────


def _is_timed(entry: OrderEntry) -> bool:
    return (
        entry.state == WAITING
        and not entry.passed_over
        and entry.accept_by is not None
        and entry.acceptance in (Acceptance.NONE, Acceptance.REFUSED)
    )


def _steps(policy: AcceptancePolicy) -> tuple[int, int, int]:
    return (WARN_PERCENT, RAISE_PERCENT, policy.end_percent)


def _moment(entry: OrderEntry, percent: int) -> datetime:
    """When so much of the time for accepting has gone."""
    until = entry.accept_by or entry.created_at
    return entry.created_at + (until - entry.created_at) * percent / 100


def next_look_at(
    entry: OrderEntry, words: Words | None, policy: AcceptancePolicy
) -> datetime | None:
    """When its time has the next thing to say; None where it has nothing more."""
    if not _is_timed(entry):
        return None
    said = words.percent_said if words else 0
    return next((_moment(entry, each) for each in _steps(policy) if each > said), None)


def decide_time(entry: OrderEntry, now: Circumstances) -> tuple[Event, ...]:
    """What its time says: a warning, a raise, the end; and at the end the policy's answer."""
    if not _is_timed(entry) or entry.accept_by is None:
        return ()
    policy = now.in_force.policy
    said = now.words.percent_said if now.words else 0
    reached = [each for each in _steps(policy) if now.now >= _moment(entry, each)]
    if not reached or reached[-1] <= said:
        return ()
    percent = reached[-1]
    answer = _answer(entry, now) if percent >= policy.end_percent else None
    passed = AcceptanceTimePassed(
        order_id=entry.order_id,
        percent=percent,
        accept_by=entry.accept_by,
        message=f"{percent} % of the time for accepting has gone: {_waits_for(entry, now)}; "
        + _at_the_end(policy, percent, answer),
        money=entry.total_price,
        policy_version=now.in_force.version,
        occurred_at=now.now,
    )
    return (passed,) if answer is None else (passed, answer)


def _waits_for(entry: OrderEntry, now: Circumstances) -> str:
    if entry.held is not None:
        return entry.held.message
    if entry.acceptance == Acceptance.REFUSED:
        return "the marketplace refused the acceptance"
    if now.words is not None and now.words.decided is not None:
        return "it is decided, and the marketplace has not been told yet"
    if judged(entry, now).verdict == "waits":
        return "the ERP has not said yet whether it is there"
    return "it is about to be accepted"


def _at_the_end(
    policy: AcceptancePolicy, percent: int, answer: AcceptanceDecided | None
) -> str:
    if percent < policy.end_percent:
        will = {
            "leave": "it is left to a person",
            "accept": "what is known and there is accepted, the rest refused",
            "refuse": "it is refused",
        }
        return f"at {policy.end_percent} % {will[policy.at_the_end]}"
    if answer is None:
        return "it is left to a person, and the marketplace ends it when the time is over"
    return f"{len(answer.accepted)} lines are accepted, {len(answer.refused)} refused"


def _answer(entry: OrderEntry, now: Circumstances) -> AcceptanceDecided | None:
    """The policy's answer at the end; None: it is a person's."""
    policy, words = now.in_force.policy, now.words
    by_person = entry.held is not None and entry.held.reason == BY_PERSON
    decided = words is not None and words.decided is not None
    free = entry.acceptance == Acceptance.NONE and not by_person and not decided
    if policy.at_the_end == "leave" or not free:
        return None
    lines = live_lines(entry)
    there: set[str] = set()
    if policy.at_the_end == "accept":
        there = _known_and_there(entry, lines, now)
    return AcceptanceDecided(
        order_id=entry.order_id,
        accepted=tuple(line.line_id for line in lines if line.line_id in there),
        refused=tuple(line.line_id for line in lines if line.line_id not in there),
        reason=f"the policy says so when {policy.end_percent} % of the time has gone",
        at_the_end=True,
        policy_version=now.in_force.version,
        occurred_at=now.now,
    )


def _known_and_there(
    entry: OrderEntry, lines: Sequence[LineOrdered], now: Circumstances
) -> set[str]:
    """Line by line, the first lines first: what is left of a SKU is for the next one."""
    there: list[LineOrdered] = []
    for line in lines:
        if not _all_known((line,), now.known):
            continue
        if now.shelves.short_of(entry.order_id, (*there, line)) == ():
            there.append(line)
    return {line.line_id for line in there}
