"""An alert or a digest as people read it.

Promises: of one intention always the same words. They are codes, order numbers, SKUs, amounts,
what to type and the page of the manual: what an exception says in words of its own is left on
the desk, where it came from is not always known. What is not named is counted.
Called by `actor.py` and by `kcjl alerts`.
"""

import shlex
from collections import Counter
from datetime import datetime

from kcjl.alerts.events import AlertIntended, Named
from kcjl.alerts.port import Message
from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.kind import SEVERITIES, commands_of
from kcjl.money import total_by_currency
from kcjl.unseen import spelt_out

__all__ = ["message_of", "trial_message"]


def message_of(meant: AlertIntended, merchant: str) -> Message:
    """What stands in the intention, and nothing else."""
    whose = "whoever has no other" if meant.owner == "*" else meant.owner
    if meant.purpose == "digest":
        head = f"On the desk for {whose}: {_count(meant)}."
    else:
        head = f"For {whose}: {_count(meant)}."
    blocks = [spelt_out(head), _totals(meant)]
    blocks += ["\n".join(_lines(each)) for each in meant.named]
    if meant.others:
        counted = ", ".join(f"{each.exceptions:,} {each.kind}" for each in meant.others)
        blocks.append(f"And, not named here: {counted}.")
    blocks.append(
        "The desk has all of it: kcjl exceptions list. An exception that is open is told once, "
        "and again when its deadline is near."
    )
    return Message(
        message_id=meant.alert_id,
        title=spelt_out(f"[kcjl {merchant}] {_title(meant)}"),
        text="\n\n".join(filter(None, blocks)) + "\n",
        written_at=meant.written_at,
    )


def trial_message(merchant: str, message_id: str, written_at: datetime) -> Message:
    """One that only shows that a channel works."""
    return Message(
        message_id=message_id,
        title=f"[kcjl {merchant}] a trial: this is no alert",
        text=f"By kcjl alerts test, at {written_at:%Y-%m-%d %H:%M} UTC. Nothing is wrong.\n",
        written_at=written_at,
    )


def _count(meant: AlertIntended) -> str:
    number = sum(each.exceptions for each in meant.named)
    number += sum(each.exceptions for each in meant.others)
    return f"{number:,} {'exception' if number == 1 else 'exceptions'}"


def _title(meant: AlertIntended) -> str:
    if meant.purpose == "digest":
        return f"the day's list: {_count(meant)}"
    first = meant.named[0]
    if len(meant.named) == 1 and not meant.others:
        near = "deadline near: " if first.step else ""
        return f"{near}{first.severity}: {first.kind} {_subject(first)}"
    worst = Counter(each.severity for each in meant.named)
    found = ", ".join(f"{worst[each]} {each}" for each in SEVERITIES if worst[each])
    return f"{_count(meant)} ({found}{' and others' if meant.others else ''})"


def _totals(meant: AlertIntended) -> str:
    """The money of what is named; what is only counted has none here."""
    money = total_by_currency(each for named in meant.named for each in named.money_at_risk)
    return f"At risk in what is named: {', '.join(map(str, money))}." if money else ""


def _lines(named: Named) -> list[str]:
    kind = KINDS.get(named.kind)
    facts = [f"severity {named.severity}", f"with {named.owner}"]
    if named.money_at_risk:
        facts.append(f"{', '.join(map(str, named.money_at_risk))} at risk")
    if named.deadline is not None:
        facts.append(f"until {named.deadline:%Y-%m-%d %H:%M} UTC")
    lines = [f"{named.kind}  {_subject(named)}", ", ".join(facts)]
    if named.step:
        lines[0] = f"DEADLINE NEAR  {lines[0]}"
    if kind is not None:
        lines.append(f"what to do: {kind.next_step}")
        commands = () if named.exceptions > 1 else commands_of(kind, named.subject)
        lines += [f"type: {command}" for command in commands]
        lines.append(f"manual page: {kind.page}")
    lines.append(f"type: {_look(named)}")
    return [spelt_out(line) for line in lines]


def _subject(named: Named) -> str:
    if named.exceptions == 1 and named.subject:
        return named.subject
    return f"a storm: {named.exceptions:,} of them"


def _look(named: Named) -> str:
    if not named.subject:
        return f"kcjl exceptions list --kind {named.kind}"
    return f"kcjl exceptions show {shlex.quote(f'{named.kind}:{named.subject}')}"
