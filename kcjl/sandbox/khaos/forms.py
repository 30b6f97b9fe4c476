"""In which form the face writes a date, and by which clock: contract khaos b.0, h, switches.

Promises: a moment is shown as the clock on the ERP's wall has it, London's unless switched, so
many seconds wrong as the settings say; in the doubled hour of autumn and around the missing
one of spring, times are compared as they stand on the wall, as a database without zones does.
It holds no moment. Invariant: what is read by a clock is shown by the same clock.
Called by the operations and the documents of the sandbox's ERP.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from kcjl.clock import LONDON
from kcjl.sandbox.warehouse.settings import WarehouseSettings

__all__ = ["Forms"]

T = TypeVar("T")
_ZERO = date(1899, 12, 30)
"""Delphi's: no date."""


class Forms:
    """The forms of one answer."""

    def __init__(self, settings: WarehouseSettings) -> None:
        self._settings = settings
        self._zone = LONDON if settings.wall_clock == "london" else UTC
        self._error = timedelta(seconds=settings.clock_error_s)
        self.unknown_tags = settings.unknown_tags
        empty = settings.no_date == "empty"
        self._no_time = "" if empty else self._decorated("1899-12-30T00:00:00", None)

    # ── moments ──

    def wall(self, moment: datetime) -> datetime:
        """The moment as the clock on the wall shows it, without a zone."""
        return (moment + self._error).astimezone(self._zone).replace(tzinfo=None)

    def day(self, moment: datetime | None) -> date | None:
        return None if moment is None else self.wall(moment).date()

    def earliest(self, wall: datetime) -> datetime:
        """The first moment at which the clock could have shown it, or later than it."""
        return min(self._readings(wall)) - self._error

    def since(
        self, wall: datetime, found: Iterable[tuple[T, datetime]], *, inclusive: bool
    ) -> list[tuple[T, datetime]]:
        """Of what changed since the earliest moment, what did by the wall's time."""
        first, second = self._readings(wall)
        if first == second:  # the order of the wall is the order of time
            cut = first - self._error
            return [(one, when) for one, when in found if inclusive or when > cut]
        return [
            (one, when)
            for one, when in found
            if self.wall(when) > wall or (inclusive and self.wall(when) == wall)
        ]

    def latest(self, wall: datetime) -> datetime:
        """The last moment at which the clock could have shown it."""
        return max(self._readings(wall)) - self._error

    def _readings(self, wall: datetime) -> tuple[datetime, datetime]:
        """The same but in the hour that comes twice, and in the one that never comes."""
        here = wall.replace(tzinfo=self._zone)
        return here.astimezone(UTC), here.replace(fold=1).astimezone(UTC)

    # ── as text ──

    def typed(self, moment: datetime | None) -> str:
        """A dateTime of a typed answer."""
        if moment is None:
            return self._no_time
        spec = "milliseconds"
        if self._settings.typed_dates in {"z", "plain"}:
            spec = "seconds"
        return self._decorated(self.wall(moment).isoformat(timespec=spec), moment)

    def _decorated(self, text: str, moment: datetime | None) -> str:
        match self._settings.typed_dates:
            case "plain":
                return text
            case "z":
                return text + "Z"
            case "offset" if moment is not None:
                zoned = (moment + self._error).astimezone(self._zone)
                return text + zoned.isoformat(timespec="seconds")[-6:]
            case "offset":
                return text + "+00:00"
            case _:
                return text + ("Z" if "." in text else ".000Z")

    def status_day(self, day: date | None) -> str:
        """A date of the order status: DD/MM/YYYY; empty where there is none."""
        if day is None:
            day = _ZERO if self._settings.no_date == "1899" else None
        british = self._settings.document_dates != "iso"
        return "" if day is None else _written(day, british=british)

    def stock_day(self, day: date | None) -> str:
        """A date of a stock document: ISO; 1899-12-30 where there is none."""
        if day is None:
            day = None if self._settings.no_date == "empty" else _ZERO
        british = self._settings.document_dates == "british"
        return "" if day is None else _written(day, british=british)

    # ── what nobody expects ──

    def unknown(self) -> str:
        """Elements that a newer build would send; none unless they are switched on."""
        if not self.unknown_tags:
            return ""
        return '<NEW_IN_BUILD VERSION="9"><PART>1</PART><PART/></NEW_IN_BUILD>'

    def unknown_attribute(self) -> str:
        return ' NEW_FLAG="-1"' if self.unknown_tags else ""


def _written(day: date, *, british: bool) -> str:
    return f"{day:%d/%m}/{day.year:04d}" if british else day.isoformat()
