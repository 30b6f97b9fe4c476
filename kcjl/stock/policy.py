"""A stock policy: the document that people write, and which of its rules holds where and when.

Promises: pure. A document is TOML; what it can't mean is refused with the name of the rule. For
each term the most specific rule that speaks of it wins: SKU before category before everything,
with a window before without, later in the file before earlier. Days are London's.
It does not: know versions or who approved (`policy_book.py`), or work out figures.
Called by `policy_book.py`, `available.py`, the stock actor and the CLI. Source: design 6.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from kcjl.errors import Misuse
from kcjl.toml import read_toml

__all__ = [
    "LONDON",
    "RULES_MAX",
    "TERMS",
    "PolicyDocument",
    "Rule",
    "checked",
    "is_open",
    "london_day",
    "read_document",
    "written",
]

RULES_MAX = 10_000
"""Rules of one document: above it, it is a table of figures and no policy."""
LONDON = ZoneInfo("Europe/London")
SERVICE_MIN, SERVICE_MAX = Decimal("0.5"), Decimal("0.9999")
ANY_LEAP_YEAR = 2024
TERMS = ("buffer", "percent", "speed", "cap", "multiple", "offer", "fast_mover_units_a_day")


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One rule. A term that is None is not spoken of. As read; `checked` says if it can be."""

    name: str
    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    """Category codes of the marketplace. Neither SKUs nor categories: everything."""
    begins: str = msgspec.field(default="", name="from")
    ends: str = msgspec.field(default="", name="until")
    """First and last London day, `YYYY-MM-DD`, or `MM-DD` for each year."""
    buffer: int | None = None
    """Units held back."""
    percent: Decimal | None = None
    """Share of what is free that is held back, rounded up."""
    speed: Decimal | bool | None = None
    """Service level of the speed buffer; false: none."""
    cap: int | bool | None = None
    """Most units shown; false: no cap of the policy's."""
    multiple: int | None = None
    offer: bool | None = None
    """false: not offered at all."""
    fast_mover_units_a_day: Decimal | None = None
    """From this speed on, a SKU goes to 0 when the stock feed is stale past the hard limit."""


class PolicyDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole policy, as a person wrote it."""

    note: str = ""
    valid_from: datetime | None = None
    """None: from its approval."""
    rules: tuple[Rule, ...] = ()


class _RuleFile(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule in a file: a key that nobody knows is a slip of the pen."""


def london_day(at: datetime) -> date:
    """The day on London's calendar at a moment; it changes at London's midnight."""
    return at.astimezone(LONDON).date()


# ── reading ─────────────────────────────────────────────────────────────────────────────────


def read_document(text: str) -> PolicyDocument:
    """A document from its TOML. Raises Misuse that says which rule, and what to mend."""
    try:
        told = read_toml(text, parse_float=Decimal)
    except ValueError as error:  # no TOML, odd numbers
        raise _unusable(f"it is no TOML: {error}") from None
    unknown = sorted(set(told) - {"note", "valid_from", "rules"})
    if unknown:
        raise _unusable(f"unknown key {unknown[0]!r}; there are note, valid_from, [[rules]]")
    rules = told.get("rules", [])
    if not isinstance(rules, list):
        raise _unusable("rules are written as [[rules]] tables")
    note = told.get("note", "")
    if not isinstance(note, str):
        raise _unusable("note is a text")
    return checked(
        PolicyDocument(
            note=note,
            valid_from=_read_moment(told.get("valid_from")),
            rules=tuple(_read_rule(rule, number) for number, rule in enumerate(rules, 1)),
        )
    )


def _read_moment(told: object) -> datetime | None:
    """A date, or a time without a zone, is what a person in London means by it."""
    if told is None:
        return None
    if not isinstance(told, date):
        raise _unusable("valid_from is a date or a time, without quotes")
    moment = told if isinstance(told, datetime) else datetime.combine(told, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=LONDON)).astimezone(UTC)


def _read_rule(told: object, number: int) -> Rule:
    name = told.get("name") if isinstance(told, dict) else None
    which = f"rule {name!r}" if isinstance(name, str) and name else f"rule number {number}"
    if not isinstance(told, dict):
        raise _unusable(f"{which} is no table: write [[rules]]")
    days = {
        key: value.isoformat() if type(value) is date else value for key, value in told.items()
    }
    try:
        read = msgspec.convert(days, _RuleFile)
    except msgspec.ValidationError as error:
        raise _unusable(f"{which}: {error}") from None
    return Rule(**{each: getattr(read, each) for each in Rule.__struct_fields__})


def _unusable(why: str) -> Misuse:
    return Misuse(f"the stock policy can't be used: {why}. Mend the file and propose it again")


def checked(document: PolicyDocument) -> PolicyDocument:
    """The same document, if it can be a policy. Raises Misuse that names the rule."""
    if len(document.rules) > RULES_MAX:
        raise _unusable(f"it has {len(document.rules)} rules, and at most {RULES_MAX} are kept")
    if document.valid_from is not None and document.valid_from.tzinfo is None:
        raise _unusable("valid_from has no time zone")
    names: set[str] = set()
    for rule in document.rules:
        if not rule.name.strip():
            raise _unusable("a rule has no name; decisions name the rule that they rest on")
        if rule.name in names:
            raise _unusable(f"two rules are called {rule.name!r}")
        names.add(rule.name)
        fault = _scope_fault(rule) or _window_fault(rule) or _term_fault(rule)
        if fault:
            raise _unusable(f"rule {rule.name!r}: {fault}")
    return document


def _scope_fault(rule: Rule) -> str:
    if rule.skus and rule.categories:
        return "it names both skus and categories; make two rules of it"
    if not all(each.strip() for each in rule.skus + rule.categories):
        return "an empty code is no SKU and no category"
    if all(getattr(rule, term) is None for term in TERMS):
        return f"it says nothing; it may say {', '.join(TERMS)}"
    return ""


def _window_fault(rule: Rule) -> str:
    if not rule.begins and not rule.ends:
        return ""
    days = [_day(each) for each in (rule.begins, rule.ends) if each]
    if any(day is None for day in days):
        return "from and until are days: YYYY-MM-DD, or MM-DD for each year"
    if len({day[0] == 0 for day in days if day}) > 1:
        return "from and until have both a year, or both none"
    yearly = any(day is not None and day[0] == 0 for day in days)
    if yearly and len(days) == 1:
        return "a window of each year needs both from and until"
    if not yearly and len(days) == 2 and rule.begins > rule.ends:  # noqa: PLR2004 - both ends
        return "it ends before it begins"
    return ""


def _term_fault(rule: Rule) -> str:
    if rule.buffer is not None and rule.buffer < 0:
        return f"buffer is {rule.buffer}; units held back are 0 or more"
    if rule.percent is not None and not 0 <= rule.percent <= 100:  # noqa: PLR2004 - percent
        return f"percent is {rule.percent}; it is 0 to 100"
    if rule.cap is True or (rule.cap is not False and rule.cap is not None and rule.cap < 1):
        return f"cap is {rule.cap}; it is 1 or more, or false (to show nothing: offer = false)"
    if rule.multiple is not None and rule.multiple < 1:
        return f"multiple is {rule.multiple}; it is 1 or more"
    if rule.speed is True or (
        isinstance(rule.speed, Decimal) and not SERVICE_MIN <= rule.speed <= SERVICE_MAX
    ):
        return f"speed is {rule.speed}; it is {SERVICE_MIN} to {SERVICE_MAX}, or false"
    fast = rule.fast_mover_units_a_day
    if fast is not None and not fast > 0:
        return f"fast_mover_units_a_day is {fast}; it is above 0"
    return ""


# ── windows ─────────────────────────────────────────────────────────────────────────────────


def is_open(rule: Rule, day: date) -> bool:
    """Whether the rule holds on a London day; its first and last day belong to it.

    >>> is_open(Rule(name="yule", begins="12-20", ends="01-05", buffer=1), date(2027, 1, 5))
    True
    """
    begins, ends = _day(rule.begins), _day(rule.ends)
    if (begins or ends or (1,))[0] != 0:
        today = day.isoformat()
        return (not rule.begins or rule.begins <= today) and (
            not rule.ends or today <= rule.ends
        )
    if begins is None or ends is None:
        return False
    of_year = (0, day.month, day.day)
    if begins <= ends:
        return begins <= of_year <= ends
    return of_year >= begins or of_year <= ends


def _day(text: str) -> tuple[int, int, int] | None:
    """(year, or 0 for each year; month; day); None where it is none."""
    yearly = len(text) == len("MM-DD")
    try:
        day = date.fromisoformat(f"{ANY_LEAP_YEAR}-{text}" if yearly else text)
    except ValueError:
        return None
    if not yearly and text != day.isoformat():
        return None
    return (0 if yearly else day.year, day.month, day.day)


# ── writing ─────────────────────────────────────────────────────────────────────────────────


def written(document: PolicyDocument) -> str:
    """The document as TOML that reads back as the same document."""
    lines: list[str] = []
    if document.note:
        lines.append(f"note = {_toml(document.note)}")
    if document.valid_from is not None:
        lines.append(f"valid_from = {document.valid_from.isoformat()}")
    for rule in document.rules:
        lines += ["", "[[rules]]"]
        for field, key in zip(
            Rule.__struct_fields__, Rule.__struct_encode_fields__, strict=True
        ):
            value = getattr(rule, field)
            if value is not None and value not in ("", ()):
                lines.append(f"{key} = {_toml(value)}")
    return "\n".join(lines).lstrip("\n") + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(_toml(each) for each in value)}]"
    # A JSON string is a TOML basic string, but for the one sign that TOML wants escaped too.
    return msgspec.json.encode(str(value)).decode().replace("\x7f", "\\u007f")
