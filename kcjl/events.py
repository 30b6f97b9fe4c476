"""The whole vocabulary: every event of every room, by name, and how old ones are read.

An event that changes otherwise than by an added field with a default gets a new SCHEMA. What
it was stays in its room's `events.py` as a plain struct, an Upcaster here leads from it to the
next schema, and a stored sample (tests/log/samples) shows that it does.
"""

from kcjl.alerts import events as alerts
from kcjl.dispatch import deadline_events as dispatch_deadlines
from kcjl.dispatch import events as dispatch
from kcjl.dispatch import policy_events as dispatch_policy
from kcjl.dispatch import unwanted_events as dispatch_unwanted
from kcjl.exceptions import desk_events as exceptions_desk
from kcjl.exceptions import events as exceptions
from kcjl.exceptions import service_events as exceptions_service
from kcjl.log.upcast import Upcaster
from kcjl.orders import acceptance_events as orders_acceptance
from kcjl.orders import events as orders
from kcjl.orders import events_changes as orders_changes
from kcjl.orders import events_intake as orders_intake
from kcjl.orders import personal_events as order_buyers
from kcjl.orders import posting_events as orders_posting
from kcjl.orders import reversal_events as order_reversals
from kcjl.settlement import events as settlement
from kcjl.settlement import gap_events as settlement_gaps
from kcjl.settlement import intake_events as settlement_intake
from kcjl.settlement import ledger_events as settlement_ledger
from kcjl.settlement import month_events as settlement_months
from kcjl.settlement import received_events as settlement_received
from kcjl.settlement import terms_events as settlement_terms
from kcjl.stock import events as stock
from kcjl.stock import policy_events as stock_policy
from kcjl.tenant import events as tenant
from kcjl.vocabulary import Event, Vocabulary

__all__ = ["EVENT_CLASSES", "UPCASTERS", "vocabulary"]

EVENT_CLASSES: tuple[type[Event], ...] = tuple(
    member
    for room in (
        stock,
        stock_policy,
        orders,
        orders_acceptance,
        order_reversals,
        order_buyers,
        orders_changes,
        orders_posting,
        orders_intake,
        dispatch,
        dispatch_deadlines,
        dispatch_policy,
        dispatch_unwanted,
        settlement,
        settlement_intake,
        settlement_gaps,
        settlement_ledger,
        settlement_received,
        settlement_months,
        settlement_terms,
        exceptions,
        exceptions_desk,
        exceptions_service,
        alerts,
        tenant,
    )
    for name in room.__all__
    if isinstance(member := getattr(room, name), type) and issubclass(member, Event)
)

UPCASTERS: tuple[Upcaster, ...] = ()
"""The steps from old schemas to today's: none yet, every event is of schema 1."""


def vocabulary() -> Vocabulary:
    return Vocabulary(EVENT_CLASSES, UPCASTERS)
