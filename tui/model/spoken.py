"""What the service answered, as a sentence: some answers are records for programs.

Promises: a record's own words come first, then its figures; what is no record stays as it is.
Called when an outcome is shown.
"""

import msgspec

__all__ = ["spoken"]

_WORDS = "done"
_COUNTED = "exceptions"


def spoken(answer: str) -> str:
    """One sentence of it.

    >>> spoken('{"exceptions":2,"money":[],"done":"noted"}')
    'noted (2 exceptions)'
    >>> spoken("posted again")
    'posted again'
    """
    try:
        told = msgspec.json.decode(answer, type=dict[str, object])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return answer
    words = str(told.get(_WORDS) or "done")
    count = told.get(_COUNTED)
    if isinstance(count, int):
        return f"{words} ({count:,} exception{'' if count == 1 else 's'})"
    figures = ", ".join(
        f"{name} {value}"
        for name, value in told.items()
        if name != _WORDS and isinstance(value, str | int)
    )
    return f"{words} ({figures})" if figures else words
