"""How long a property may take: as long as it needs. No test of ours measures time.

Called by every test of a law: `@unhurried` above `@given(…)`.
"""

from hypothesis import HealthCheck, settings

__all__ = ["unhurried"]

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
