"""The tree of errors: what to catch, when it is raised, and what comes next.

Promises: each class has a stable code, and its docstring says when it is raised.

    KcjlError                       KCJL-1000
     ├── Misuse                     KCJL-1001  ours, or the operator's: mend it, then run again
     │    ├── SettingsUnusable      KCJL-1002
     │    ├── Conflict              KCJL-1003
     │    └── ShopModelNotServed    KCJL-1004
     ├── Refused                    KCJL-2001  they said no: somebody has to decide
     │    ├── NotFound              KCJL-2004
     │    └── CredentialsRefused    KCJL-2005
     ├── Unavailable                KCJL-3001  try again later
     │    ├── RateLimited           KCJL-3002
     │    └── ProtocolSurprise      KCJL-3003  an answer that we could not understand
     ├── OutcomeUnknown             KCJL-4001  it may have happened: look before writing again
     ├── Fenced                     KCJL-5002  another process holds this merchant's log
     └── CorruptLog                 KCJL-5001  stop
"""

from typing import ClassVar

__all__ = [
    "Conflict",
    "CorruptLog",
    "CredentialsRefused",
    "Fenced",
    "KcjlError",
    "Misuse",
    "NotFound",
    "OutcomeUnknown",
    "ProtocolSurprise",
    "RateLimited",
    "Refused",
    "SettingsUnusable",
    "ShopModelNotServed",
    "Unavailable",
]


class KcjlError(Exception):
    """Root of all errors that kcjl raises on purpose."""

    code: ClassVar[str] = "KCJL-1000"
    side: str = ""
    """johnlewis or khaos, when it came of a call to it; else empty."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n")[0])

    @property
    def message(self) -> str:
        return str(self.args[0])


class Misuse(KcjlError):
    """Raised when kcjl was called, configured or set up in a way that can't work."""

    code = "KCJL-1001"


class SettingsUnusable(Misuse):
    """Raised when the configuration can't be read, or says something impossible."""

    code = "KCJL-1002"


class Conflict(Misuse):
    """Raised when a stream is not at the expected revision; nothing was written."""

    code = "KCJL-1003"

    def __init__(self, stream: str = "", expected: int = 0, actual: int = 0) -> None:
        super().__init__(
            f"stream {stream} is at revision {actual}, not {expected}: read and decide again"
        )
        self.stream = stream
        self.expected = expected
        self.actual = actual


class ShopModelNotServed(Misuse):
    """Raised when the shop's model at the marketplace is one that kcjl would book wrongly."""

    code = "KCJL-1004"


class Refused(KcjlError):
    """Raised when the other side understood and said no. Nothing was done there."""

    code = "KCJL-2001"

    def __init__(self, message: str = "", *, reason_code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.reason_code = reason_code
        self.status = status


class NotFound(Refused):
    """Raised when the other side does not know what was asked for, or has the feature off."""

    code = "KCJL-2004"


class CredentialsRefused(Refused):
    """Raised when the key, the user or its role is not accepted."""

    code = "KCJL-2005"


class Unavailable(KcjlError):
    """Raised when the other side could not be asked, and certainly did nothing. Try later."""

    code = "KCJL-3001"

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(Unavailable):
    """Raised when the other side asks us to slow down; `retry_after_s` says for how long."""

    code = "KCJL-3002"


class ProtocolSurprise(Unavailable):
    """Raised when the answer to a read could not be understood."""

    code = "KCJL-3003"


class OutcomeUnknown(KcjlError):
    """Raised when a write may or may not have happened. Look it up before writing again."""

    code = "KCJL-4001"


class CorruptLog(KcjlError):
    """Raised when the log contradicts itself. Stop, and verify."""

    code = "KCJL-5001"


class Fenced(KcjlError):
    """Raised when another process has taken this log over; nothing was written."""

    code = "KCJL-5002"
