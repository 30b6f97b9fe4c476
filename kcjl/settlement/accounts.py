"""Settlement, the account map: which nominal account plays which role, and who said so.

Promises: pure; a role that nobody named has the house's account; a map that changes nothing is
no new version. Called by the settlement room, `journal.py` and the CLI. Source: law 9.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from kcjl.errors import Misuse
from kcjl.settlement.events import ROLE_OF_KIND, AccountMapSet, AccountNamed
from kcjl.settlement.state import Accounts, TermsInForce
from kcjl.settlement.terms import CommissionTerms
from kcjl.settlement.terms_events import CommissionTermsSet
from kcjl.vocabulary import Event

__all__ = ["HOUSE_ACCOUNTS", "decide_accounts", "decide_terms", "with_accounts"]

_TYPE = re.compile(r"[A-Z][A-Z0-9_]{2,79}")
HOUSE_ACCOUNTS: Mapping[str, tuple[str, str]] = {
    "bank": ("Bank Current", ""),
    "clearing": ("John Lewis Clearing", ""),
    "commission": ("Marketplace Commission", "T1"),
    "commission_vat": ("VAT Input", "T1"),
    "refunds": ("John Lewis Refunds", ""),
    "subscription": ("Marketplace Subscription", "T1"),
    "subscription_vat": ("VAT Input", "T1"),
    "documents": ("Marketplace Invoices and Credits", "T1"),
    "documents_vat": ("VAT Input", "T1"),
    "penalties": ("Marketplace Penalties", "T1"),
    "penalties_vat": ("VAT Input", "T1"),
    "fees": ("Marketplace Fees on Orders", "T1"),
    "fees_vat": ("VAT Input", "T1"),
    "remitted_tax": ("VAT Remitted by John Lewis", ""),
    "operator_shipping": ("Shipping Paid by John Lewis", ""),
    "reserve": ("John Lewis Reserve", ""),
    "due": ("John Lewis Payout Due", ""),
    "other": ("John Lewis Suspense", ""),
}
"""Role -> (nominal account, tax code): the opening map; changed by events, never in place.

`due`: what they owe us over a month's end, and a balance below nothing that is carried over.
"""


def with_accounts(known: Accounts | None, named: Mapping[str, str]) -> Accounts:
    """The map with these accounts named: the next version. Raises Misuse for no such role.

    A transaction type that has no role may be named as one of its own.
    """
    if unknown := {each for each in set(named) - set(HOUSE_ACCOUNTS) if not _is_type(each)}:
        raise Misuse(
            f"no such role in the journal: {', '.join(sorted(unknown))}; "
            f"there are {', '.join(HOUSE_ACCOUNTS)}, and transaction types as NEW_FEE"
        )
    accounts = []
    for role, (house, tax_code) in HOUSE_ACCOUNTS.items():
        before = known.named(role) if known else None
        account = named.get(role) or (before.account if before else house)
        accounts.append(AccountNamed(role=role, account=account, tax_code=tax_code))
    own = {each.role: each.account for each in known.accounts} if known else {}
    accounts.extend(
        AccountNamed(role=role, account=account, tax_code="")
        for role, account in sorted({**own, **named}.items())
        if role not in HOUSE_ACCOUNTS
    )
    version = 1 if known is None else known.version + 1
    return Accounts(accounts=tuple(accounts), version=version)


def decide_accounts(
    known: Accounts | None, named: Mapping[str, str], now: datetime
) -> tuple[Event, ...]:
    """Set nominal accounts by role; roles left out keep what they have, or the house's."""
    new = with_accounts(known, named)
    if known is not None and known.accounts == new.accounts:
        return ()
    return (AccountMapSet(accounts=new.accounts, version=new.version, occurred_at=now),)


def _is_type(role: str) -> bool:
    """Whether it is written as transaction types are, and none that has a role."""
    return bool(_TYPE.fullmatch(role)) and role not in ROLE_OF_KIND


def decide_terms(
    known: TermsInForce | None, terms: CommissionTerms, reason: str, now: datetime
) -> tuple[Event, ...]:
    """A person sets the commission terms; closed payouts keep those they were held to."""
    if known is not None and known.terms == terms:
        return ()
    version = 1 if known is None else known.version + 1
    return (CommissionTermsSet(version=version, terms=terms, reason=reason, occurred_at=now),)
