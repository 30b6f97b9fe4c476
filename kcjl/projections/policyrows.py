"""The rows of the list of policies, and what was said of each: from events, nothing else.

Promises: pure. A document is one row for each of its versions that counts, and one for each of
its rules; a map is one row for each courier, or role. A row's key tells its kind.
Called by `policyview.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from kcjl.dispatch.carriers_state import Carriers
from kcjl.dispatch.events import CarrierMapped
from kcjl.dispatch.policy_events import CarrierMapWithdrawn
from kcjl.exceptions.desk_events import RoutingRulesSet
from kcjl.exceptions.routing import RoutingRule, written_rules
from kcjl.log.port import Recorded
from kcjl.orders.acceptance_events import AcceptancePolicySet
from kcjl.orders.acceptance_policy import HoldRule, written_policy
from kcjl.projections.dispatchreading import courier_rows
from kcjl.readmodels_policy import PolicyKind, PolicyRow, PolicyVersion
from kcjl.settlement.accounts import HOUSE_ACCOUNTS
from kcjl.settlement.events import AccountMapSet
from kcjl.settlement.terms import CommissionRate, written_terms
from kcjl.settlement.terms_events import CommissionTermsSet
from kcjl.stock.events import BufferSet
from kcjl.stock.policy import TERMS, PolicyDocument, Rule, is_open, london_day, written
from kcjl.stock.policy_book import PolicyBook, buffer_policy
from kcjl.stock.policy_events import StockPolicyApproved, StockPolicyProposed

__all__ = [
    "STREAMS",
    "account_rows",
    "carrier_rows",
    "document_rows",
    "kind_of",
    "stock_rows",
    "told_of",
]

STREAMS = {
    PolicyKind.STOCK: "stock-policy",
    PolicyKind.CARRIER: "dispatch-policy",
    PolicyKind.ACCOUNT: "settlement-policy",
    PolicyKind.TERMS: "settlement-terms",
    PolicyKind.ROUTING: "exception-rules",
    PolicyKind.ACCEPTANCE: "acceptance-policy",
}
"""Where each kind stands in the log."""


def kind_of(key: str) -> PolicyKind:
    return PolicyKind(key.partition(":")[0])


# ── stock ───────────────────────────────────────────────────────────────────────────────────


def stock_rows(
    said: Sequence[Recorded], book: PolicyBook, now: datetime
) -> Iterator[PolicyRow]:
    """What waits for approval, what is in force or to come, and the rules in force."""
    by = {}
    for each in said:
        if isinstance(each.event, BufferSet | StockPolicyApproved | StockPolicyProposed):
            by[each.event.version] = each
    if book.proposed is not None:
        version = book.proposed_version
        yield _stock_document(version, book.proposed, "proposed", by.get(version), None)
    current = book.in_force(now)
    for approved in book.approved:
        coming = approved.valid_from > now
        if coming or approved is current:
            yield _stock_document(
                approved.version,
                approved.document,
                "to come" if coming else "in force",
                by.get(approved.version),
                approved.valid_from,
            )
    if current is None:
        return
    set_by = by.get(current.version)
    for rule in current.document.rules:
        yield PolicyRow(
            key=f"stock:rule:{rule.name}",
            kind=PolicyKind.STOCK,
            name=rule.name,
            says=_rule_says(rule),
            state="in force" if is_open(rule, london_day(now)) else "not today",
            version=current.version,
            since=current.valid_from,
            by=set_by.by if set_by else "",
        )


def _stock_document(
    version: int,
    document: PolicyDocument,
    state: str,
    said: Recorded | None,
    since: datetime | None,
) -> PolicyRow:
    note = f": {document.note}" if document.note else ""
    return PolicyRow(
        key=f"stock:version:{version}",
        kind=PolicyKind.STOCK,
        name="",
        says=f"{_count(len(document.rules), 'rule')}{note}",
        state=state,
        version=version,
        since=since or (said.event.occurred_at if said else None),
        by=said.by if said else "",
    )


def _rule_says(rule: Rule) -> str:
    terms = ", ".join(
        f"{term.replace('_', ' ')} {_value(getattr(rule, term))}"
        for term in TERMS
        if getattr(rule, term) is not None
    )
    named = ", ".join((*rule.skus, *rule.categories))
    what = "SKUs" if rule.skus else "categories"
    scope = f" for {what} {named}" if named else " for everything"
    first = f" from {rule.begins}" if rule.begins else ""
    last = f" until {rule.ends}" if rule.ends else ""
    return f"{terms}{scope}{first}{last}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "none"
    return str(value)


# ── maps ────────────────────────────────────────────────────────────────────────────────────


def carrier_rows(
    said: Sequence[Recorded], carriers: Carriers, waiting: frozenset[str]
) -> Iterator[PolicyRow]:
    """One a courier, those for which parcels wait first."""
    carriers = msgspec.structs.replace(
        carriers,
        unmapped=tuple(sorted({*carriers.unmapped, *(e for e in waiting if "/" not in e)})),
    )
    newest = {
        each.event.courier.casefold(): each
        for each in said
        if isinstance(each.event, CarrierMapped | CarrierMapWithdrawn)
    }
    rows = courier_rows(carriers)
    rows.sort(key=lambda row: row.state not in {"waiting", "gone"})
    for row in rows:
        told = newest.get(row.courier.casefold()) or newest.get(row.code.casefold() or "\0")
        event = told.event if told else None
        version = event.version if isinstance(event, CarrierMapped | CarrierMapWithdrawn) else 0
        name = f" ({row.carrier})" if row.carrier else ""
        yield PolicyRow(
            key=f"carrier:{row.courier.casefold()}",
            kind=PolicyKind.CARRIER,
            name=row.courier,
            says=f"{row.carrier_code}{name}" if row.carrier_code else "no carrier",
            state=row.state.replace("_", " "),
            version=version,
            since=event.occurred_at if event else None,
            by=told.by if told else "",
            value=row.carrier_code,
            nearest=row.nearest,
        )


def account_rows(said: Sequence[Recorded]) -> Iterator[PolicyRow]:
    """One a role: the house's own account until somebody names another."""
    accounts = {role: (account, tax) for role, (account, tax) in HOUSE_ACCOUNTS.items()}
    changed: dict[str, Recorded] = {}
    for each in said:
        if isinstance(each.event, AccountMapSet):
            for named in each.event.accounts:
                if accounts.get(named.role) != (named.account, named.tax_code):
                    changed[named.role] = each
                accounts[named.role] = (named.account, named.tax_code)
    for role, (account, tax) in accounts.items():
        told = changed.get(role)
        event = told.event if told else None
        yield PolicyRow(
            key=f"account:{role}",
            kind=PolicyKind.ACCOUNT,
            name=role,
            says=f"{account}, tax code {tax}" if tax else account,
            state="in force",
            version=event.version if isinstance(event, AccountMapSet) else 0,
            since=event.occurred_at if event else None,
            by=told.by if told else "",
            value=account,
        )


# ── documents ───────────────────────────────────────────────────────────────────────────────


def document_rows(kind: PolicyKind, said: Sequence[Recorded]) -> Iterator[PolicyRow]:
    """The document in force, and each of its rules."""
    newest = next((each for each in reversed(said) if _version(each) is not None), None)
    if newest is None:
        return
    told = _version(newest)
    if told is None:
        return
    rules = list(_rules_of(newest))
    counted = _count(len(rules), "rate" if kind is PolicyKind.TERMS else "rule")
    row = PolicyRow(
        key=f"{kind}:document",
        kind=kind,
        name="",
        says="; ".join(each for each in (*_heads_of(newest), counted) if each),
        state="in force",
        version=told.version,
        since=told.occurred_at,
        by=told.by,
    )
    yield row
    for name, says in rules:
        yield msgspec.structs.replace(row, key=f"{kind}:rule:{name}", name=name, says=says)


def _heads_of(said: Recorded) -> Iterable[str]:
    match said.event:
        case CommissionTermsSet(terms=terms):
            return (f"VAT {terms.vat_percent} %", terms.note)
        case RoutingRulesSet(rules=rules):
            return (rules.note,)
        case AcceptancePolicySet(policy=policy):
            return (
                f"accepts {policy.accept.replace('_', ' ')}",
                f"at {policy.end_percent} % of the time: {policy.at_the_end.replace('_', ' ')}",
                policy.note,
            )
        case _:
            return ()


def _rules_of(said: Recorded) -> Iterable[tuple[str, str]]:
    match said.event:
        case CommissionTermsSet(terms=terms):
            return [_rate_says(rate, place) for place, rate in enumerate(terms.rates, 1)]
        case RoutingRulesSet(rules=rules):
            return [(rule.name, _routing_says(rule)) for rule in rules.rules]
        case AcceptancePolicySet(policy=policy):
            return [(rule.name, _hold_says(rule)) for rule in policy.holds]
        case _:
            return []


def _rate_says(rate: CommissionRate, place: int) -> tuple[str, str]:
    shipping = ", shipping too" if rate.on_shipping else ", not on shipping"
    first = f" from {rate.valid_from}" if rate.valid_from else ""
    last = f" until {rate.valid_until}" if rate.valid_until else ""
    return (
        f"{place} {rate.category or 'all others'}",
        f"{rate.percent} %{shipping}{first}{last}",
    )


def _routing_says(rule: RoutingRule) -> str:
    named = ", ".join((*rule.kinds, *rule.lanes, *rule.skus)) or "everything"
    above = f" above {rule.above}" if rule.above else ""
    return f"{rule.owner} has {named}{above}"


def _hold_says(rule: HoldRule) -> str:
    said = [
        f"above {rule.above}" if rule.above else "",
        f"SKUs {', '.join(rule.skus)}" if rule.skus else "",
        f"to {', '.join(rule.countries)}" if rule.countries else "",
        f"not to {', '.join(rule.countries_other_than)}" if rule.countries_other_than else "",
    ]
    return f"holds orders {' and '.join(each for each in said if each)}"


def _count(number: int, of: str) -> str:
    return f"{number:,} {of}{'' if number == 1 else 's'}"


# ── what was said ───────────────────────────────────────────────────────────────────────────


def told_of(key: str, said: Sequence[Recorded]) -> list[PolicyVersion]:
    """All that was said of a row, oldest first."""
    kind, name = kind_of(key), key.partition(":")[2]
    told: list[PolicyVersion] = []
    before: str | None = None
    for each in said:
        event = each.event
        if kind is PolicyKind.CARRIER and _courier(each) != name:
            continue
        version = _version(each)
        if version is None:
            continue
        if kind is PolicyKind.ACCOUNT and isinstance(event, AccountMapSet):
            accounts = {e.role: (e.account, e.tax_code) for e in event.accounts}
            line = " · ".join(filter(None, accounts.get(name, ())))
            if line == before or not line:
                continue
            before, version = line, msgspec.structs.replace(version, text=line)
        told.append(version)
    return told


def _courier(said: Recorded) -> str:
    event = said.event
    if isinstance(event, CarrierMapped | CarrierMapWithdrawn):
        return event.courier.casefold()
    return ""


def _version(said: Recorded) -> PolicyVersion | None:
    """What an event says of a policy; None: nothing."""
    event = said.event
    match event:
        case BufferSet():
            return _told(said, event.version, "approved", written(buffer_policy(event.units)))
        case StockPolicyProposed():
            return _told(said, event.version, "proposed", written(event.document))
        case StockPolicyApproved():
            told = _told(said, event.version, "approved", written(event.document), event.note)
            later = event.valid_from if event.valid_from != event.occurred_at else None
            return msgspec.structs.replace(told, valid_from=later)
        case CarrierMapped():
            text = f"{event.courier} = {event.carrier_code}"
            return _told(said, event.version, "mapped", text, event.reason)
        case CarrierMapWithdrawn():
            text = f"{event.courier} is {event.carrier_code} no more"
            return _told(said, event.version, "withdrawn", text, event.reason)
        case AccountMapSet():
            return _told(said, event.version, "set", "")
        case CommissionTermsSet():
            return _told(said, event.version, "set", written_terms(event.terms), event.reason)
        case RoutingRulesSet():
            return _told(said, event.version, "set", written_rules(event.rules), event.reason)
        case AcceptancePolicySet():
            return _told(said, event.version, "set", written_policy(event.policy), event.reason)
        case _:
            return None


def _told(
    said: Recorded, version: int, what: str, text: str, reason: str = ""
) -> PolicyVersion:
    return PolicyVersion(
        version=version,
        what=what,
        text=text,
        reason=reason,
        by=said.by,
        position=said.position,
        occurred_at=said.occurred_at,
        recorded_at=said.recorded_at,
    )
