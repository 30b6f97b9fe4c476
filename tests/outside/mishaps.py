"""What goes wrong with an outside system, call by call, as a test plans it.

An answer can be lost after the work was done, or before; a call can be refused; and the process
can be killed in the middle of one. What was done is done, and can be looked up.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from kcjl.errors import OutcomeUnknown


class Killed(BaseException):
    """The process is gone, at this very point."""


LOST = OutcomeUnknown("no answer came")


class Mishaps:
    """What goes wrong, call by call, in the order in which it was planned."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._before: dict[str, list[BaseException]] = defaultdict(list)
        self._after: dict[str, list[BaseException]] = defaultdict(list)

    def before(self, call: str, *errors: BaseException) -> None:
        """The next calls fail, and nothing is done."""
        self._before[call].extend(errors)

    def after(self, call: str, *errors: BaseException) -> None:
        """The next calls do their work, and fail then."""
        self._after[call].extend(errors)

    def mended(self, call: str) -> None:
        """Nothing that was planned for this call goes wrong any more."""
        self._before[call].clear()
        self._after[call].clear()

    @contextmanager
    def at(self, call: str) -> Iterator[None]:
        self.calls.append(call)
        if self._before[call]:
            raise self._before[call].pop(0)
        yield
        if self._after[call]:
            raise self._after[call].pop(0)

    def times(self, call: str) -> int:
        return self.calls.count(call)
