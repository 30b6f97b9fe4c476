"""What the events of time and of the shop's metrics say about conditions.

Promises: pure; an order that is late is not at risk beside it, and one that is confirmed or
ended is neither. Called by `decide.py`. Source: design 8, 10.
"""

from decimal import Decimal

from kcjl.dispatch import deadline_events as deadlines
from kcjl.dispatch import events as dispatch
from kcjl.exceptions.conditions import Clear, Condition, Raise, clear
from kcjl.orders import events as orders
from kcjl.vocabulary import Event

__all__ = ["ALL_ORDERS", "also", "conditions"]

ALL_ORDERS = "dispatch"
"""The subject under which those are counted that are not named."""
NEAR, CROSSED = "seller_metric_near", "seller_metric_crossed"
METRIC_KINDS = (NEAR, CROSSED)
STAGES = {
    "accepting": "not accepted yet",
    "held": "held",
    "posting": "not in the ERP yet",
    "to_pick": "in the ERP, and not printed yet",
    "held_in_erp": "held in the ERP",
    "picking": "being picked and packed",
    "untracked": "shipped, its number or contents unclear",
    "unmapped": "shipped, its courier not mapped",
    "confirming": "shipped, not confirmed yet",
    "given_up": "shipped, and the marketplace does not take it",
}
DONE_THERE = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED", "REFUSED", "CANCELED"})
HOUR_S = 3_600


def conditions(event: Event) -> tuple[Condition, ...]:
    """Of deadlines and metrics."""
    match event:
        case deadlines.DispatchAtRisk():
            return (_at_risk(event),)
        case deadlines.DispatchLate():
            return (
                clear(event.order_id, deadlines.AT_RISK, "it is late now"),
                _late(event),
            )
        case deadlines.DeadlineEased():
            return (_over(event.order_id, event.reason),)
        case deadlines.DeadlinesCounted() if event.orders:
            return (_counted(event),)
        case deadlines.DeadlinesCounted():
            return (clear(ALL_ORDERS, event.kind, "each of them is named again, or done"),)
        case deadlines.SellerMetricJudged():
            return _metric(event)
        case _:
            return ()


def also(event: Event) -> tuple[Condition, ...]:
    """What an event of the other tables means to an order's deadlines: they are over."""
    match event:
        case dispatch.DispatchClosed() | orders.SalesOrderForgone():
            return (_over(event.order_id, event.reason),)
        case orders.OrderPassedOver():
            return (_over(event.order_id, "it is not ours to send"),)
        case orders.OrderChanged() if event.state in DONE_THERE:
            return (_over(event.order_id, f"the marketplace shows it as {event.state}"),)
        case _:
            return ()


def _over(order_id: str, reason: str) -> Clear:
    return Clear(subject=order_id, kinds=deadlines.DEADLINE_KINDS, reason=reason)


def _at_risk(event: deadlines.DispatchAtRisk) -> Raise:
    own = event.own_deadline
    passed = own is not None and own <= event.occurred_at
    due = (
        f"it should have gone by {own:%Y-%m-%d %H:%M} UTC"
        if own is not None and passed
        else "its deadline is near"
    )
    return Raise(
        kind=deadlines.AT_RISK,
        subject=event.order_id,
        message=f"{due}: it is {_stage(event.stage)} ({_whose(event.whose)}); "
        f"so far {_spent(event.spent)}",
        money=event.money,
        deadline=event.deadline or own,
    )


def _late(event: deadlines.DispatchLate) -> Raise:
    return Raise(
        kind=deadlines.LATE,
        subject=event.order_id,
        message=f"the deadline has passed: it is {_stage(event.stage)} "
        f"({_whose(event.whose)}); until then {_spent(event.spent)}",
        money=event.money,
        deadline=event.deadline,
    )


def _counted(event: deadlines.DeadlinesCounted) -> Raise:
    what = "late" if event.kind == deadlines.LATE else "at risk"
    flag = what.replace(" ", "-")
    examples = ", ".join(event.examples)
    return Raise(
        kind=event.kind,
        subject=ALL_ORDERS,
        message=f"{event.orders} orders are {what}, {event.unnamed} of them not named one by "
        f"one, such as {examples}: kcjl dispatch list --{flag}",
        money=event.money,
        deadline=event.soonest,
    )


def _stage(stage: str) -> str:
    return STAGES.get(stage, stage)


def _whose(whose: str) -> str:
    return _IN_WORDS.get(whose, f"the {whose}'s")


_IN_WORDS = {
    "us": "kcjl's",
    "person": "waits for a person",
    "outage": "the marketplace does not answer",
}


def _spent(spent: tuple[deadlines.TimeSpent, ...]) -> str:
    told = (f"{each.whose} {each.business_s / HOUR_S:.1f} h" for each in spent)
    return ", ".join(told) + " of working time" if spent else "no time has passed"


def _metric(event: deadlines.SellerMetricJudged) -> tuple[Condition, ...]:
    subject = f"{event.metric}/{event.period}"
    if event.standing == "fine":
        return (Clear(subject=subject, kinds=METRIC_KINDS, reason="it is fine again"),)
    kind, other = (NEAR, CROSSED) if event.standing == "near" else (CROSSED, NEAR)
    raised = Raise(
        kind=kind,
        subject=subject,
        message=f"ours {_percent(event.ours)} (of {event.counted}), the marketplace's "
        f"{_percent(event.theirs)}; the threshold is {_percent(event.threshold)}",
    )
    return (clear(subject, other, f"it is {event.standing} now"), raised)


def _percent(rate: Decimal | None) -> str:
    return "not measured" if rate is None else f"{rate * 100:.1f} %"
