"""What figures are worked out under, for tests: a buffer, a policy, a lag, a grade."""

from datetime import date

from kcjl.stock.available import Staleness
from kcjl.stock.conditions import Conditions
from kcjl.stock.policy import PolicyDocument, Rule
from kcjl.stock.policy_book import buffer_policy
from kcjl.stock.policy_rules import Rules

__all__ = ["DAY", "under"]

DAY = date(2026, 10, 1)


def under(
    *rules: Rule,
    buffer: int = 0,
    version: int = 1,
    day: date = DAY,
    lag_s: float = 600.0,
    staleness: Staleness = Staleness.FRESH,
    stale_lag_s: float = 0.0,
) -> Conditions:
    """Under these rules, or under a buffer and nothing else."""
    document = PolicyDocument(rules=rules) if rules else buffer_policy(buffer)
    return Conditions(
        Rules(document, version),
        day=day,
        lag_s=lag_s,
        staleness=staleness,
        stale_lag_s=stale_lag_s,
    )
