"""The desk's settings, and the bounds at which the service has a trouble of its own.

Promises: what can't be meant is refused. Called by `settings/file.py`.
"""

import msgspec

from kcjl.exceptions.storms import WINDOW_MINUTES_MAX

__all__ = ["ExceptionSettings"]

STORM_EXCEPTIONS_MIN = 5


class ExceptionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom exceptions belong to is no setting: routing rules are events."""

    storm_exceptions: int = 50
    """So many of one kind, raised within `storm_minutes`, are shown as one."""
    storm_minutes: int = 15
    feed_stale_minutes: float = 180
    """Orders, shipments or transactions that were not read for so long."""
    projection_behind_minutes: float = 5
    disk_free_mb_min: int = 1_024
    clock_skew_s_max: float = 60
    certificate_days: float = 21
    """Before the end of a certificate, when a person is told."""
    chain_events_an_hour: int = 50_000
    """Of the log, how much is verified again each hour, round and round; 0: none."""

    def __post_init__(self) -> None:
        if self.storm_exceptions < STORM_EXCEPTIONS_MIN:
            raise ValueError(f"storm_exceptions is {STORM_EXCEPTIONS_MIN} or more")
        if not 0 < self.storm_minutes <= WINDOW_MINUTES_MAX:
            raise ValueError(f"storm_minutes is 1 to {WINDOW_MINUTES_MAX}")
        spans = (
            self.feed_stale_minutes,
            self.projection_behind_minutes,
            self.clock_skew_s_max,
            self.certificate_days,
        )
        if not all(span > 0 for span in spans):
            raise ValueError("minutes, seconds and days of exceptions have to be above 0")
        if min(self.disk_free_mb_min, self.chain_events_an_hour) < 0:
            raise ValueError("disk_free_mb_min and chain_events_an_hour can't be below 0")
