"""Policy for the monitor, out of PostgreSQL: what is in force, by whom, what it was before."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from decimal import Decimal

import pytest

from kcjl.database import AUDITOR, Database
from kcjl.dispatch.events import CarrierMapped, CarriersRead
from kcjl.dispatch.policy_events import CarrierMapWithdrawn, CouriersListed
from kcjl.exceptions.desk_events import RoutingRulesSet
from kcjl.exceptions.routing import RoutingRule, RoutingRules
from kcjl.orders.acceptance_events import AcceptancePolicySet
from kcjl.orders.acceptance_policy import AcceptancePolicy, HoldRule
from kcjl.projections.reading import PostgresReadModels
from kcjl.readmodels_policy import PolicyKind, PolicyReading, PolicyRow
from kcjl.settlement.events import AccountMapSet, AccountNamed
from kcjl.settlement.terms import CommissionRate, CommissionTerms
from kcjl.settlement.terms_events import CommissionTermsSet
from kcjl.stock.events import BufferSet
from kcjl.stock.policy import PolicyDocument, Rule
from kcjl.stock.policy_events import StockPolicyApproved, StockPolicyProposed
from tests.audit.handmade import MERCHANT, Handmade, handmade, raised
from tests.trade import at, confirmed, gbp, level, listed

pytestmark = pytest.mark.anyio

HOUSE = PolicyDocument(
    rules=(
        Rule(name="house", buffer=2),
        Rule(name="yule", skus=("A-1",), begins="12-01", ends="12-24", cap=5),
    )
)
TIGHT = PolicyDocument(note="for the sale", rules=(Rule(name="house", buffer=9),))


@pytest.fixture
async def made(anyio_backend: str, database_dsn: str) -> AsyncIterator[Handmade]:
    async with handmade(database_dsn) as made:
        yield made


@pytest.fixture
async def policy(made: Handmade, database_dsn: str) -> AsyncIterator[PolicyReading]:
    async with Database(database_dsn, role=AUDITOR) as database:
        yield PostgresReadModels(database, MERCHANT, made.clock).policy


def of_kind(
    rows: Sequence[PolicyRow], kind: PolicyKind
) -> list[tuple[str, str, str, int, str]]:
    return [(e.name, e.says, e.state, e.version, e.by) for e in rows if e.kind is kind]


async def test_stock_policy_is_told_by_version_and_by_rule(
    made: Handmade, policy: PolicyReading
) -> None:
    """What waits, what is in force, its rules, whether they hold today; all that was said."""
    await made.says(BufferSet(units=1, version=1, occurred_at=at(0)), by="the settings")
    await made.says(StockPolicyProposed(version=2, document=HOUSE, occurred_at=at(1)), by="jo")
    approved = StockPolicyApproved(
        version=2, document=HOUSE, valid_from=at(2), note="agreed", occurred_at=at(2)
    )
    await made.says(approved, by="ann")
    await made.says(StockPolicyProposed(version=3, document=TIGHT, occurred_at=at(3)), by="jo")
    made.clock.tick(600)
    cut = await policy.policies()
    story = await policy.versions("stock:rule:house")

    assert [
        ("", "1 rule: for the sale", "proposed", 3, "jo"),
        ("", "2 rules", "in force", 2, "ann"),
        ("house", "buffer 2 for everything", "in force", 2, "ann"),
        ("yule", "cap 5 for SKUs A-1 from 12-01 until 12-24", "not today", 2, "ann"),
    ] == of_kind(cut.rows, PolicyKind.STOCK)
    assert [(3, "proposed", "jo"), (2, "approved", "ann"), (2, "proposed", "jo")] == [
        (each.version, each.what, each.by) for each in story.versions[:3]
    ]
    assert ("agreed", 4) == (story.versions[1].reason, story.total)
    assert "buffer = 9" in story.versions[0].text
    assert cut.total == len(cut.rows)


async def test_couriers_that_parcels_wait_for_stand_first_in_the_map(
    made: Handmade, policy: PolicyReading
) -> None:
    """Mapped by whom and since when; taken out again; near to what; waiting says the desk."""
    await made.says(
        CarriersRead(
            carriers=(("DPD", "DPD"), ("RM", "Royal Mail")),
            multi_shipment=True,
            occurred_at=at(0),
        ),
        CouriersListed(couriers=(("DPD Local", "D1"), ("Van", "")), occurred_at=at(0)),
        by="dispatch",
    )
    await made.says(
        CarrierMapped(
            courier="DPD Local", carrier_code="DPD", version=1, reason="same", occurred_at=at(1)
        ),
        CarrierMapped(courier="Van", carrier_code="RM", version=2, occurred_at=at(2)),
        CarrierMapWithdrawn(courier="Van", carrier_code="RM", version=3, occurred_at=at(3)),
        by="jo",
    )
    await made.says(raised("courier_unmapped", "royal post"))
    cut = await policy.policies()
    story = await policy.versions("carrier:van")

    first, *others = of_kind(cut.rows, PolicyKind.CARRIER)
    assert ("royal post", "no carrier", "waiting", 0, "") == first
    assert [
        ("DPD Local", "DPD (DPD)", "mapped", 1, "jo"),
        ("Van", "no carrier", "none", 3, "jo"),
    ] == others
    assert [("withdrawn", "Van is RM no more"), ("mapped", "Van = RM")] == [
        (each.what, each.text) for each in story.versions
    ]


async def test_accounts_are_the_houses_until_somebody_names_others(
    made: Handmade, policy: PolicyReading
) -> None:
    """A role says who changed it, and only those versions in which it did."""
    named = (
        AccountNamed(role="bank", account="1200", tax_code=""),
        AccountNamed(role="clearing", account="John Lewis Clearing", tax_code=""),
    )
    again = (AccountNamed(role="bank", account="1210", tax_code=""), *named[1:])
    await made.says(AccountMapSet(accounts=named, version=1, occurred_at=at(1)), by="fin")
    await made.says(AccountMapSet(accounts=again, version=2, occurred_at=at(2)), by="jo")
    rows = of_kind((await policy.policies()).rows, PolicyKind.ACCOUNT)
    bank = await policy.versions("account:bank")
    clearing = await policy.versions("account:clearing")

    assert ("bank", "1210", "in force", 2, "jo") in rows
    assert ("clearing", "John Lewis Clearing", "in force", 0, "") in rows
    assert ("commission", "Marketplace Commission, tax code T1", "in force", 0, "") in rows
    assert ["1210", "1200"] == [each.text for each in bank.versions]
    assert ["John Lewis Clearing"] == [each.text for each in clearing.versions]


async def test_documents_are_told_with_each_of_their_rules(
    made: Handmade, policy: PolicyReading
) -> None:
    """Commission terms, routing rules, the acceptance policy: the whole, then rule by rule."""
    terms = CommissionTerms(
        rates=(
            CommissionRate(category="sofas", percent=Decimal(18), valid_from=date(2026, 1, 1)),
        )
    )
    rules = RoutingRules(rules=(RoutingRule(name="money", owner="fin", lanes=("Money",)),))
    holds = AcceptancePolicy(holds=(HoldRule(name="dear", above=gbp(100_000)),))
    await made.says(
        CommissionTermsSet(version=1, terms=terms, reason="signed", occurred_at=at(1)),
        RoutingRulesSet(version=4, rules=rules, reason="", occurred_at=at(1)),
        AcceptancePolicySet(version=2, policy=holds, occurred_at=at(1)),
        by="jo",
    )
    rows = (await policy.policies()).rows
    story = await policy.versions("terms:document")

    assert [
        ("", "VAT 20 %; 1 rate", "in force", 1, "jo"),
        ("1 sofas", "18 %, shipping too from 2026-01-01", "in force", 1, "jo"),
    ] == of_kind(rows, PolicyKind.TERMS)
    assert ("money", "fin has Money", "in force", 4, "jo") in of_kind(rows, PolicyKind.ROUTING)
    assert (
        "dear",
        "holds orders above 1,000.00 GBP",
        "in force",
        2,
        "jo",
    ) in of_kind(rows, PolicyKind.ACCEPTANCE)
    assert "signed" == story.versions[0].reason
    assert 'category = "sofas"' in story.versions[0].text


async def test_proposal_is_worked_out_over_all_products_and_changes_nothing(
    made: Handmade, policy: PolicyReading
) -> None:
    """So many units fewer of so many products; a version that does not wait has none."""
    await made.says(BufferSet(units=2, version=1, occurred_at=at(0)))
    await made.says(
        listed("A-1"), confirmed("A-1"), level(20, "A-1"), listed("B-2"), by="stock"
    )
    await made.says(StockPolicyProposed(version=2, document=TIGHT, occurred_at=at(3)), by="jo")
    found = await policy.what_if(2)
    none = await policy.what_if(1)

    assert none is None
    assert found is not None
    assert (1, 18, 11) == (found.changes, found.units_now, found.units_then)
    assert ("A-1", 18, 11) == found.largest[0][:3]
