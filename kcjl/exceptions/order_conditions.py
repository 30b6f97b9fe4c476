"""What the events after intake say about conditions: gaps, corrections, incidents, returns.

Promises: pure; a gap and a correction are cleared by the event that ends them; a gap of an
order also by its posting. Called by `decide.py`. Source: design 7, 10.
"""

from kcjl.exceptions.conditions import Clear, Condition, Raise, clear
from kcjl.orders import events as orders
from kcjl.orders import events_changes as changes
from kcjl.orders import events_intake as intake
from kcjl.vocabulary import Event

__all__ = ["also", "conditions"]


def conditions(event: Event) -> tuple[Condition, ...]:
    """Of what happened to orders after intake; of the rest `decide.py` has the table."""
    match event:
        case intake.OrderGapFound():
            return (
                Raise(
                    kind=event.kind,
                    subject=event.subject,
                    message=event.message,
                    money=event.money,
                    deadline=event.deadline,
                ),
            )
        case intake.OrderNotRead():
            return (
                Raise(
                    kind="order_unreadable",
                    subject=event.order_id,
                    message=f"the marketplace's order can't be read, so it is not taken: "
                    f"{event.message}; of what it holds ({', '.join(event.skus)}) nothing is "
                    "offered anew meanwhile",
                ),
            )
        case intake.OrderReadAgain():
            return (clear(event.order_id, "order_unreadable", "it can be read again"),)
        case intake.OrderGapClosed():
            return (clear(event.subject, event.kind, event.reason),)
        case changes.CorrectionDue():
            return (
                Raise(
                    kind=event.kind,
                    subject=f"{event.order_id}/{event.task}",
                    message=event.steps,
                    money=event.money,
                ),
            )
        case changes.CorrectionDone():
            return (clear(f"{event.order_id}/{event.task}", event.kind, event.seen),)
        case changes.IncidentOpened():
            reason = f", reason {event.reason_code}" if event.reason_code else ""
            return (
                Raise(
                    kind="incident_open",
                    subject=f"{event.order_id}/{event.line_id}",
                    message=f"an incident is open about {event.sku}{reason}",
                    money=event.money,
                ),
            )
        case changes.IncidentClosed():
            reason = f"the line is {event.state}"
            return (clear(f"{event.order_id}/{event.line_id}", "incident_open", reason),)
        case _:
            return _returns(event)


def _returns(event: Event) -> tuple[Condition, ...]:
    match event:
        case changes.ReturnOpened():
            units = sum(line.quantity for line in event.lines)
            named = ", ".join(f"{line.quantity} of {line.sku}" for line in event.lines)
            return (
                Raise(
                    kind="return_expected",
                    subject=f"{event.order_id}/{event.return_id}",
                    message=f"{units} units are to come back ({named}), RMA "
                    f"{event.rma or 'none'}; the marketplace shows it as {event.state}",
                    money=event.money,
                ),
            )
        case changes.ReturnHandedOver():
            return (
                Raise(
                    kind="return_to_book",
                    subject=f"{event.order_id}/{event.task}",
                    message=f"return {event.return_ref} of sales order {event.erp_order_code} "
                    f"waits for Khaos Control's channel, reason {event.reason!r}: process it "
                    "there when it has been fetched; nothing is told back",
                    money=event.money,
                ),
            )
        case changes.ReturnReceived():
            subject = f"{event.order_id}/{event.return_id}"
            back = clear(event.order_id, "unwanted_units_sent", "the goods are back")
            return (clear(subject, "return_expected", "the goods are back"), back)
        case changes.ReturnClosed():
            subject = f"{event.order_id}/{event.return_id}"
            return (clear(subject, "return_expected", f"the return is {event.state}"),)
        case _:
            return ()


def also(event: Event) -> tuple[Condition, ...]:
    """What an event of the other tables means to a gap: the order has its sales order."""
    match event:
        case orders.SalesOrderPosted() | orders.SalesOrderFoundAgain():
            kinds = (intake.NO_SALES_ORDER, intake.UNACCOUNTED)
            return (Clear(subject=event.order_id, kinds=kinds, reason="the ERP has it"),)
        case _:
            return ()
