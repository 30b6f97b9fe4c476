"""Law 9: policy is history. Each decision names the policy version that it used.

Promises: a version named is one that was in force when it was decided: recorded before, and not
replaced before it; and the decision is what that policy gives. Called by `laws/__init__.py`.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from kcjl.dispatch.carriers_state import CARRIERS, Carriers
from kcjl.dispatch.events import CarrierMapped, ConfirmationIntended, ParcelShipped
from kcjl.dispatch.policy_events import CarrierMapWithdrawn
from kcjl.fold import Table
from kcjl.log.port import Recorded
from kcjl.orders.acceptance_events import AcceptanceDecided, AcceptancePolicySet
from kcjl.orders.events import AcceptanceIntended, OrderHeld
from kcjl.settlement.events import AccountMapSet, JournalIntended
from kcjl.stock.events import BufferSet, Figure, StockImportIntended
from kcjl.stock.policy_events import StockPolicyApproved, StockPolicyProposed
from tests.simulation.laws.evidence import Checker, Evidence
from tests.simulation.laws.stock_policy import Policy, day_of, in_force, policies, said_of

__all__ = ["CHECKERS"]

Versioned = (
    BufferSet
    | StockPolicyProposed
    | StockPolicyApproved
    | AccountMapSet
    | CarrierMapped
    | CarrierMapWithdrawn
    | AcceptancePolicySet
)


def versions_count_up(evidence: Evidence) -> Iterator[str]:
    """Versions of a policy are 1, 2, 3, … and each says who set it."""
    kinds: Sequence[Sequence[tuple[Recorded, Versioned]]] = (
        _stock_versions(evidence),
        evidence.said(AccountMapSet),
        _carrier_versions(evidence),
        evidence.said(AcceptancePolicySet),
    )
    for said in kinds:
        for number, (recorded, event) in enumerate(said, start=1):
            if event.version != number:
                yield f"{recorded.type} number {number} calls itself version {event.version}"
            if not recorded.by:
                yield f"{recorded.type} version {event.version} was set by nobody"
    proposed = {event.version for _, event in evidence.said(StockPolicyProposed)}
    for recorded, event in evidence.said(StockPolicyApproved):
        if event.version not in proposed and recorded.by != "opening policy":
            yield f"stock policy {event.version} was approved and never proposed"


def acceptances_in_force(evidence: Evidence) -> Iterator[str]:
    """What the policy accepts or holds names the version that was in force, and its rule."""
    versions = evidence.said(AcceptancePolicySet)
    for recorded, event in evidence.said(OrderHeld):
        if event.reason in ("policy", "not_available"):
            named = _in_force(versions, event.policy_version, recorded, event.occurred_at)
            if isinstance(named, str):
                yield f"hold of {event.order_id}: policy {event.policy_version} {named}"
            if not event.rule:
                yield f"hold of {event.order_id} names no rule"
    decided = {event.order_id for _, event in evidence.said(AcceptanceDecided)}
    for recorded, answer in evidence.said(AcceptanceIntended):
        if answer.order_id in decided:
            continue  # a person's word names no policy
        named = _in_force(versions, answer.policy_version, recorded, answer.occurred_at)
        if isinstance(named, str):
            yield f"acceptance of {answer.order_id}: policy {answer.policy_version} {named}"


def _carrier_versions(evidence: Evidence) -> list[tuple[Recorded, Versioned]]:
    """A courier that is mapped, and one that is mapped no more, count as one policy."""
    return [
        (recorded, recorded.event)
        for recorded in evidence.log
        if isinstance(recorded.event, CarrierMapped | CarrierMapWithdrawn)
    ]


def _stock_versions(evidence: Evidence) -> list[tuple[Recorded, Versioned]]:
    """What gives a version: an approval only where nothing was proposed, at the opening."""
    found: list[tuple[Recorded, Versioned]] = []
    for recorded in evidence.log:
        event = recorded.event
        if isinstance(event, BufferSet | StockPolicyProposed) or (
            isinstance(event, StockPolicyApproved) and recorded.by == "opening policy"
        ):
            found.append((recorded, event))
    return found


def buffers_in_force(evidence: Evidence) -> Iterator[str]:
    """Each publish names the stock policy that was in force, and holds back as it says."""
    known = policies(evidence)
    for recorded, event in evidence.said(StockImportIntended):
        named = [each for each in known if each.version == event.policy_version]
        current = in_force(known, event.occurred_at, recorded.position)
        # One that was approved while the figures were being judged is the next ones'.
        before = in_force(known, event.occurred_at, recorded.position - 1)
        if not named or named[0] not in (current, before):
            yield (
                f"stock import {event.publish_id}: policy {event.policy_version}, in force was "
                f"{current.version if current else 'none'}"
            )
            continue
        for figure in event.figures:
            if wrong := _held_wrongly(evidence, figure, named[0], event.occurred_at):
                yield f"{figure.sku} was published with {wrong}"
                break


def _held_wrongly(evidence: Evidence, figure: Figure, policy: Policy, at: datetime) -> str:
    """What the figure holds back against the document; empty: it is right."""
    offer = evidence.world.marketplace.offers.get(figure.sku)
    if offer is None:
        return ""

    def said(term: str) -> Decimal:
        category, day = offer.category_code, day_of(at)
        return Decimal(str(said_of(policy.document, term, figure.sku, category, day) or 0))

    free = max(0, math.floor(figure.level) - figure.in_flight)
    fixed = min(int(said("buffer")), free)
    percent = min(math.ceil(free * said("percent") / 100), free - fixed)
    held = figure.held
    if (held.fixed, held.percent) != (fixed, percent):
        return f"buffers of {held.fixed} and {held.percent}, not {fixed} and {percent}"
    if held.speed and not said("speed"):
        return f"a speed buffer of {held.speed} that no rule asks for"
    if figure.quantity > max(0, free - figure.buffer):
        return f"{figure.quantity} of {free} less {figure.buffer}"
    return ""


def accounts_in_force(evidence: Evidence) -> Iterator[str]:
    """Each journal names the account map that was in force, and uses its accounts only.

    A reversal has those of the journal that it undoes: law 6 holds the two against each other.
    """
    versions = evidence.said(AccountMapSet)
    for recorded, event in evidence.said(JournalIntended):
        if event.kind == "reversal":
            continue
        named = _in_force(versions, event.policy_version, recorded, event.occurred_at)
        if not isinstance(named, AccountMapSet):
            yield f"journal {event.reference}: account map {event.policy_version} {named}"
            continue
        accounts = {each.account for each in named.accounts}
        for line in event.lines:
            if line.account not in accounts:
                yield f"journal {event.reference} books to {line.account}, which is not mapped"


def carriers_in_force(evidence: Evidence) -> Iterator[str]:
    """Each parcel goes out under the carrier that the map in force gives its courier."""
    table = Table(CARRIERS)
    before: Carriers | None = None
    shipped: dict[tuple[str, str], ParcelShipped] = {}
    for recorded in evidence.log:
        event = recorded.event
        if isinstance(event, ParcelShipped):
            shipped[event.order_id, event.parcel_key] = event
        elif isinstance(event, ConfirmationIntended):
            parcel = shipped.get((event.order_id, event.parcel_key))
            now = table.get("carriers")
            wanted = {_carrier(each, parcel) for each in (before, now) if parcel is not None}
            if event.carrier_code not in wanted:
                yield (
                    f"parcel {event.parcel_key} of order {event.order_id} went out as "
                    f"{event.carrier_code!r}, mapped is {', '.join(sorted(wanted))!r}"
                )
        elif isinstance(event, CARRIERS.hears):
            before = table.get("carriers")
            table.apply(event)


def _carrier(carriers: Carriers | None, parcel: ParcelShipped | None) -> str:
    """By map, by code or by name, as the policy has it; code before name."""
    if carriers is None or parcel is None:
        return ""
    mapped = dict(carriers.mapped)
    couriers = [each for each in (parcel.courier_code, parcel.courier_name) if each]
    for courier in couriers:
        if courier.casefold() in mapped:
            return mapped[courier.casefold()]
    for courier in couriers:
        for code, label in carriers.codes:
            if courier.casefold() in (code.casefold(), label.casefold()):
                return code
    return ""


def _in_force(
    versions: Sequence[tuple[Recorded, Versioned]],
    version: int,
    decided: Recorded,
    at: datetime,
) -> Versioned | str:
    """The policy of that version, or why it was not in force."""
    for place, (recorded, event) in enumerate(versions):
        if event.version != version:
            continue
        if recorded.position > decided.position:
            return "was set only later"
        if place + 1 < len(versions):
            later, _ = versions[place + 1]
            if later.position < decided.position and later.recorded_at < at:
                return "had been replaced"
        return event
    return "was never set"


CHECKERS = (
    Checker(9, "versions", versions_count_up),
    Checker(9, "buffers", buffers_in_force),
    Checker(9, "accounts", accounts_in_force),
    Checker(9, "carriers", carriers_in_force),
    Checker(9, "acceptances", acceptances_in_force),
)
