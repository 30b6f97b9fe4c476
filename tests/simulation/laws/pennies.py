"""Law 5: every penny. Bank amount = sum of the statement lines = sum of the journal.

Promises: what was paid is the marketplace's own account, what is booked is what the ledger
holds; the log's figures are held against both. Called by `laws/__init__.py`.
Wide, and why: an order of which a line was refused or taken out has no total of the customer's
to hold its sales order against; law 6 holds it against what was intended.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from kcjl.ledger.port import Journal
from kcjl.money import Money
from kcjl.orders.events import OrderPassedOver
from kcjl.sandbox.marketplace import TransactionLine
from kcjl.settlement.events import (
    PAYMENT,
    ROLE_OF_KIND,
    AccountMapSet,
    JournalIntended,
    LateLineFound,
    PayoutAccepted,
    PayoutClosed,
    PayoutHeld,
    SettlementLineSeen,
)
from kcjl.settlement.gap_events import PayoutReconciled
from tests.simulation.laws.evidence import Checker, Evidence
from tests.simulation.laws.standing import open_subjects

__all__ = ["CHECKERS"]


def closed_with_every_penny(evidence: Evidence) -> Iterator[str]:
    """A payout is closed with the bank's amount, and that is the sum of its lines there.

    Of lines as they were then: what came, left or changed since is told as a late line.
    """
    cycles, late = evidence.world.marketplace.cycles, _late(evidence)
    lines = _lines_by_cycle(evidence)
    sums = {event.cycle_id: event for _, event in evidence.said(PayoutReconciled)}
    words = {(event.cycle_id, event.residue) for _, event in evidence.said(PayoutAccepted)}
    for _, closed in evidence.said(PayoutClosed):
        cycle_id = closed.cycle_id
        cycle, there = cycles.get(cycle_id), lines[cycle_id]
        if cycle is None:
            yield f"payout {cycle_id} was closed, and the marketplace has none such"
            continue
        since = [event for _, event in late[cycle_id]]
        nothing = Money(0, closed.stated.currency)
        total = sum((line.amount for line in there), nothing)
        total -= sum((event.amount for event in since), nothing)
        residue = cycle.amount_to_seller - total
        if closed.residue != residue or (residue and (cycle_id, residue) not in words):
            yield f"payout {cycle_id} was closed with a residue of {closed.residue}"
        if (closed.stated, closed.lines_total) != (cycle.amount_to_seller, total):
            yield (
                f"payout {cycle_id}: the bank has {cycle.amount_to_seller}, its lines "
                f"are {total}; closed with {closed.stated}, lines {closed.lines_total}"
            )
        whole = sums.get(cycle_id)
        if whole is None or (whole.transferred, whole.residue) != (
            closed.stated,
            closed.residue,
        ):
            yield f"payout {cycle_id} was closed, and its named sum says otherwise"
        ids = {line.line_id for line in there}
        came = len({event.line_id for event in since} & ids)
        gone = {event.line_id for event in since} - ids
        left = sum(1 for line_id in gone if not _came_and_left(line_id, since))
        if closed.lines != len(there) - came + left:
            yield f"payout {cycle_id} has {len(there)} lines, closed on {closed.lines}"


def _came_and_left(line_id: str, since: Sequence[LateLineFound]) -> bool:
    """It was not there when the payout was closed, and is not there now (seed 62)."""
    told = [event.amount.amount_minor for event in since if event.line_id == line_id]
    return len(told) > 1 and not sum(told)


def closed_with_every_line_tied(evidence: Evidence) -> Iterator[str]:
    """A payout is closed only when the ERP had a sales order for each line of an order."""
    orders, lines = evidence.world.marketplace.orders, _lines_by_cycle(evidence)
    passed_over = {event.order_id for _, event in evidence.said(OrderPassedOver)}
    late = {event.line_id for _, event in evidence.said(LateLineFound)}
    for recorded, closed in evidence.said(PayoutClosed):
        untied = []
        for line in lines[closed.cycle_id]:
            if line.order_id is None or line.order_id in passed_over or line.line_id in late:
                continue
            if line.kind.startswith("SELLER_"):
                continue  # a fee or a penalty is for the order, sold or not
            reference = orders[line.order_id].customer_order_number
            taken = evidence.witness.taken.get(reference, ())
            if not any(at <= recorded.recorded_at for at in taken):
                untied.append(line)
        if len(untied) > closed.excepted:
            yield (
                f"payout {closed.cycle_id} was closed with {closed.excepted} lines excepted, "
                f"{len(untied)} are of orders that the ERP did not have: {untied[0].order_id}"
            )


def booked_with_every_penny(evidence: Evidence) -> Iterator[str]:
    """The ledger's journals of a payout balance, and book each kind of line to its account.

    Late lines are booked by a correction, against suspense; so is a residue that was accepted.
    """
    accounts = {event.version: event for _, event in evidence.said(AccountMapSet)}
    lines, late = _lines_by_cycle(evidence), _late(evidence)
    of_payout: defaultdict[str, list[JournalIntended]] = defaultdict(list)
    corrected_at: dict[str, int] = {}
    for recorded, intended in evidence.said(JournalIntended):
        of_payout[intended.cycle_id].append(intended)
        if intended.kind == "correction":
            corrected_at[intended.cycle_id] = recorded.position
    for cycle_id, journals in of_payout.items():
        there = [evidence.journals.get(each.reference) for each in journals]
        policy = accounts.get(journals[-1].policy_version)
        if policy is None or None in there:
            continue  # judged by law 3, payouts, and law 9, accounts
        named = {each.role: (each.account, each.tax_code) for each in policy.accounts}
        wanted: defaultdict[tuple[str, str], int] = defaultdict(int)
        parts = [(line.kind, line.amount.amount_minor) for line in lines[cycle_id]]
        parts += [
            (event.kind, -event.amount.amount_minor)
            for position, event in late[cycle_id]
            if position > corrected_at.get(cycle_id, 0)
        ]
        stated = evidence.world.marketplace.cycles[cycle_id].amount_to_seller.amount_minor
        for kind, pence in parts:
            wanted[named[ROLE_OF_KIND.get(kind, "other")]] += pence
        wanted[named["other"]] += stated - sum(pence for _, pence in parts)
        wanted[named["bank"]] -= stated
        booked: defaultdict[tuple[str, str], int] = defaultdict(int)
        for journal in filter(None, there):
            yield from _book(journal, booked)
        if _not_zero(wanted) != _not_zero(booked):
            yield (
                f"the journals of payout {cycle_id} book {_not_zero(booked)}, "
                f"the payout's lines are {_not_zero(wanted)}"
            )


def _book(journal: Journal, booked: defaultdict[tuple[str, str], int]) -> Iterator[str]:
    """Add a journal to what is booked; by how much it does not balance."""
    off = 0
    for entry in journal.entries:
        amount = entry.credit.amount_minor - entry.debit.amount_minor
        booked[entry.account, entry.tax_code] += amount
        off += amount
    if off:
        yield f"journal {journal.reference} does not balance: by {off}"


def _not_zero(sums: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {key: amount for key, amount in sums.items() if amount}


def lines_are_as_they_came(evidence: Evidence) -> Iterator[str]:
    """An amount in the log is the marketplace's, sign and all."""
    there = evidence.world.marketplace.transactions
    for _, seen in evidence.said(SettlementLineSeen):
        line = there.get(seen.line_id)
        if line is None:
            yield f"transaction line {seen.line_id} is not the marketplace's"
        elif (line.kind, line.amount) != (seen.kind, seen.amount):
            yield (
                f"transaction line {seen.line_id} is {line.kind} {line.amount} there, "
                f"{seen.kind} {seen.amount} to us"
            )


def residue_has_a_name(evidence: Evidence) -> Iterator[str]:
    """A payout that was held is closed by now, or its residue stands on the desk.

    So do lines that came late, until a correction has them.
    """
    told = open_subjects(evidence)
    closed = {event.cycle_id for _, event in evidence.said(PayoutClosed)}
    for _, held in evidence.said(PayoutHeld):
        if held.stated - held.lines_total != held.residue:
            yield f"payout {held.cycle_id}: {held.residue} is not {held.stated} less its lines"
        if evidence.at_rest and held.cycle_id not in closed and held.cycle_id not in told:
            yield f"payout {held.cycle_id} is held, and nobody told"
    if not evidence.at_rest:
        return
    corrected = {
        event.cycle_id: recorded.position
        for recorded, event in evidence.said(JournalIntended)
        if event.kind == "correction"
    }
    for cycle_id, found in _late(evidence).items():
        waits = found[-1][0] > corrected.get(cycle_id, 0)
        if waits and cycle_id not in told:
            yield f"payout {cycle_id} has late lines that are not booked, and nobody told"


def posted_with_every_penny(evidence: Evidence) -> Iterator[str]:
    """A sales order of an order that nobody touched has the total that the customer pays."""
    for order in evidence.world.marketplace.orders.values():
        if any(
            line.not_to_ship or line.state in ("REFUSED", "REFUNDED") for line in order.lines
        ):
            continue
        truth = evidence.world.order_truth(order)
        for sale in truth.sales_orders:
            if sale.gross_total != truth.total:
                yield (
                    f"sales order {sale.code} of order {order.order_id} is "
                    f"{sale.gross_total}, the customer pays {truth.total}"
                )


def _late(evidence: Evidence) -> defaultdict[str, list[tuple[int, LateLineFound]]]:
    """What was told of lines after their payout was closed, by payout, with its position."""
    late: defaultdict[str, list[tuple[int, LateLineFound]]] = defaultdict(list)
    for recorded, event in evidence.said(LateLineFound):
        late[event.cycle_id].append((recorded.position, event))
    return late


def _lines_by_cycle(evidence: Evidence) -> defaultdict[str, list[TransactionLine]]:
    """What the marketplace paid with each payout; the payment itself is no part of it."""
    lines: defaultdict[str, list[TransactionLine]] = defaultdict(list)
    for line in evidence.world.marketplace.transactions.values():
        if line.cycle_id is not None and line.kind != PAYMENT:
            lines[line.cycle_id].append(line)
    return lines


CHECKERS = (
    Checker(5, "payouts", closed_with_every_penny),
    Checker(5, "ties", closed_with_every_line_tied),
    Checker(5, "journals", booked_with_every_penny),
    Checker(5, "lines", lines_are_as_they_came),
    Checker(5, "sales orders", posted_with_every_penny),
    Checker(5, "residues", residue_has_a_name),
)
