"""What people ask of the service in a run: which commands, and when.

Promises: an `Asks` without arguments asks for nothing; every kind can be switched off by itself
(`without`), so that a failure can be made smaller. Hours count from the run's beginning, and
whoever stops writes allows them again. It issues nothing: `operators.py` does.
Called by the scenario and the operators.
"""

from random import Random

import msgspec

from kcjl.command import Command
from kcjl.orders.reversal_plan import CANCELATION, REFUND

__all__ = [
    "WHAT_WAITS",
    "Asks",
    "BufferChange",
    "GivesBack",
    "PolicyChange",
    "WritesOff",
    "draw_asks",
    "draw_gives_back",
    "planned",
]


WHAT_WAITS = ""
"""For the version of what waits for approval: whoever asks looks it up then."""
APPROVED_AFTER_H = 0.5
SILENT = 0.3
"""In so many runs nobody asks for anything."""
KEPT_BACK = 0.5
IN_TRADE = 0.7
"""Of the stops: so many come while orders come in."""


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of these records."""


class WritesOff(Ask, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody stops all writes to the outside, and allows them again."""

    from_h: float
    for_h: float


class BufferChange(Ask, frozen=True, kw_only=True, forbid_unknown_fields=True):
    at_h: float
    units: int


class PolicyChange(Ask, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody proposes a stock policy, and somebody approves it half an hour later."""

    at_h: float
    document: str


class GivesBack(Ask, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody looks at what a refund or a cancelation would be, and says yes to it."""

    at_h: float
    kind: str
    """refund or cancelation."""
    part: str = "order"
    """The whole order, one line, one unit of it, or an amount: a pound, goods only."""
    lot: float = 0.0
    """Which order: the share of those that fit that came in before it."""
    not_to_ship: bool = False
    """The goods stay; of a whole order only, for nobody here takes units off a sales order."""
    twice: bool = False
    """The yes is said a second time."""


class Asks(Ask, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is asked in a run."""

    writes_off: tuple[WritesOff, ...] = ()
    buffer_changes: tuple[BufferChange, ...] = ()
    policy_changes: tuple[PolicyChange, ...] = ()
    account_changes_h: tuple[float, ...] = ()
    """The nominal account of commission is another one from then on."""
    nonsense_h: tuple[float, ...] = ()
    """Commands that nobody can carry out: no such verb or carrier, a word for a number."""
    couriers_mapped_after_h: float = 0.0
    """A courier that nobody has mapped is mapped after so long; 0: never."""
    posted_again_after_h: float = 0.0
    """A sales order that the ERP has lost is posted again after so long; 0: never."""
    aliased_after_h: float = 0.0
    """A SKU that the ERP spells otherwise is made an alias after so long; 0: never."""
    gives_back: tuple[GivesBack, ...] = ()
    withdrawn_after_h: float = 0.0
    """A reversal that is unclear or refused is ended by a person after so long; 0: never."""
    terms: str = ""
    """The commission terms that are set at the beginning, as TOML; empty: none."""
    payouts_accepted_after_h: float = 0.0
    """What holds a payout is accepted as it is after so long; 0: never."""
    payouts_reversed_after_h: float = 0.0
    """A payout's journals are made anew so long after a line came late; 0: never."""

    def without(self, *kinds: str) -> "Asks":
        """The same with these kinds switched off, by their field names."""
        silent = Asks()
        return msgspec.structs.replace(self, **{kind: getattr(silent, kind) for kind in kinds})

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are switched on."""
        names, silent = self.__struct_fields__, Asks()
        return tuple(name for name in names if getattr(self, name) != getattr(silent, name))


def draw_asks(luck: Random, until_h: float, *, busy_h: float) -> Asks:
    """Some of each, all of it over by `until_h`.

    Writes are most often stopped within `busy_h`, where there is something to write.
    """
    if luck.random() < SILENT:
        return Asks()
    off: list[WritesOff] = []
    for _ in range(luck.choice((0, 1, 1, 2))):
        last_h = until_h * 0.9
        from_h = luck.uniform(0.0, min(busy_h, last_h) if luck.random() < IN_TRADE else last_h)
        for_h = min(luck.choice((0.2, 1.0, 4.0)), until_h - from_h)
        if all(from_h > each.from_h + each.for_h for each in off):
            off.append(WritesOff(from_h=from_h, for_h=for_h))
    buffers = [
        BufferChange(at_h=luck.uniform(0.0, until_h), units=luck.choice((0, 1, 2, 5)))
        for _ in range(luck.choice((0, 0, 1, 3)))
    ]
    policies = [
        PolicyChange(at_h=luck.uniform(0.0, until_h * 0.9), document=_document(luck))
        for _ in range(luck.choice((0, 0, 1, 2)))
    ]
    return Asks(
        writes_off=tuple(off),
        buffer_changes=tuple(buffers),
        policy_changes=tuple(policies),
        account_changes_h=_hours(luck, until_h, (0, 0, 1, 2)),
        nonsense_h=_hours(luck, until_h, (0, 0, 0, 1)),
        couriers_mapped_after_h=luck.choice((0.0, 0.5, 2.0)),
        posted_again_after_h=luck.choice((0.0, 1.0, 6.0)),
        aliased_after_h=luck.choice((0.0, 0.5, 2.0)),
        payouts_accepted_after_h=luck.choice((0.0, 1.0, 4.0)),
        payouts_reversed_after_h=luck.choice((0.0, 0.5, 2.0)),
    )


def draw_gives_back(luck: Random, until_h: float) -> dict[str, object]:
    """Refunds and cancelations by us: more of the former, for most orders are soon paid."""
    count = luck.choice((0, 0, 1, 2, 4, 8))
    given = [
        GivesBack(
            at_h=luck.uniform(until_h * 0.15, until_h),
            kind=luck.choice((REFUND, REFUND, REFUND, CANCELATION)),
            part=luck.choice(("order", "line", "unit", "unit", "amount")),
            lot=luck.random(),
            not_to_ship=luck.random() < KEPT_BACK,
            twice=luck.random() < 0.3,
        )
        for _ in range(count)
    ]
    return {
        "gives_back": tuple(sorted(given, key=lambda each: each.at_h)),
        "withdrawn_after_h": luck.choice((0.0, 0.5, 3.0)) if count else 0.0,
    }


def planned(asks: Asks) -> list[tuple[float, Command]]:
    """What is asked at an hour of its own, the earliest first."""
    rows: list[tuple[float, Command]] = []
    for off in asks.writes_off:
        for hour, switch in ((off.from_h, "off"), (off.from_h + off.for_h, "on")):
            said = {"switch": switch, "reason": "somebody is at the warehouse's database"}
            rows.append((hour, Command(verb="switch-writes", arguments=said)))
    for change in asks.buffer_changes:
        said = {"units": str(change.units)}
        rows.append((change.at_h, Command(verb="set-buffer", arguments=said)))
    for written in asks.policy_changes:
        said = {"document": written.document}
        rows.append((written.at_h, Command(verb="stock-policy-propose", arguments=said)))
        said = {"version": WHAT_WAITS, "note": "agreed"}
        later = written.at_h + APPROVED_AFTER_H
        rows.append((later, Command(verb="stock-policy-approve", arguments=said)))
    if asks.terms:
        said = {"document": asks.terms, "reason": "as agreed"}
        rows.append((0.0, Command(verb="commission-terms-set", arguments=said)))
    for number, hour in enumerate(asks.account_changes_h):
        said = {"commission": f"71{number:02}"}
        rows.append((hour, Command(verb="set-accounts", arguments=said)))
    for hour in asks.nonsense_h:
        for verb, said in (
            ("turn-around", {}),
            ("set-buffer", {"units": "many"}),
            ("map-courier", {"courier": "DPD24", "carrier_code": "NO SUCH"}),
        ):
            rows.append((hour, Command(verb=verb, arguments=said)))
    return sorted(rows, key=lambda row: row[0])


def _hours(luck: Random, until_h: float, counts: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(luck.uniform(0.0, until_h) for _ in range(luck.choice(counts)))


def _document(luck: Random) -> str:
    """A stock policy: a rule for all, and one that is stronger for some or for a time."""
    lines = [
        f'note = "number {luck.randint(1, 99)}"',
        "[[rules]]",
        'name = "everything"',
        f"buffer = {luck.choice((0, 1, 2))}",
        f"percent = {luck.choice((0, 5, 12.5))}",
        f"speed = {luck.choice(('false', '0.99', '0.999'))}",
        "fast_mover_units_a_day = 5",
        "[[rules]]",
        'name = "some"',
        luck.choice(('categories = ["GIFTS"]', 'from = "01-01"\nuntil = "12-31"', "cap = 40")),
        f"buffer = {luck.choice((1, 3))}",
    ]
    return "\n".join(lines) + "\n"
