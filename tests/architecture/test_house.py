"""The rules of the house, checked on the source itself: sizes, names, imports, time and chance.

Each test says in its message which file broke which rule, and where the rule can be kept.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, head, imported, modules, name_of, parsed

LINES_MAX = 400
LINES_WITH_REASON_MAX = 600
FUNCTION_LINES_MAX = 60
HEAD_LINES_MAX = 15
WORDLESS_NAMES = {"utils", "util", "helpers", "helper", "manager", "data", "info", "common"}

CLOCK = "kcjl/clock.py"
TIME_AND_CHANCE = (
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.sleep",
    "time.localtime",
    "time.gmtime",
    "uuid",
    "asyncio.sleep",
    "anyio.sleep",
    "anyio.sleep_until",
    "anyio.current_time",
    "random",
)
ROOMS = ("stock", "orders", "dispatch", "settlement", "exceptions", "alerts")
WITH_TENANT = (*ROOMS, "tenant")
"""The tenant is no concern of its own: it is read for the others."""
PURE_FILES = (
    "acceptance.py",
    "acceptance_conditions.py",
    "acceptance_events.py",
    "acceptance_policy.py",
    "acceptance_state.py",
    "accounts.py",
    "amounts.py",
    "answers.py",
    "available.py",
    "bundles.py",
    "business_time.py",
    "carrier_map.py",
    "carriers_state.py",
    "changes.py",
    "changes_state.py",
    "closing.py",
    "commission.py",
    "conditions.py",
    "consignments.py",
    "corrections.py",
    "count.py",
    "deadline_conditions.py",
    "deadline_events.py",
    "deadlines.py",
    "decide.py",
    "decide_posting.py",
    "desk_events.py",
    "dispatch_conditions.py",
    "dispatch_kinds.py",
    "drift.py",
    "events.py",
    "events_changes.py",
    "events_intake.py",
    "entering.py",
    "expectation.py",
    "folding.py",
    "freshness.py",
    "gap_events.py",
    "gaps_since.py",
    "guards.py",
    "intake.py",
    "intake_events.py",
    "ledger_events.py",
    "interruptions.py",
    "journal.py",
    "kind.py",
    "matching.py",
    "metrics.py",
    "minutes.py",
    "money_kinds.py",
    "month_events.py",
    "order_conditions.py",
    "order_kinds.py",
    "outage.py",
    "parcel.py",
    "personal.py",
    "plan.py",
    "personal_events.py",
    "policy.py",
    "policy_book.py",
    "policy_events.py",
    "policy_rules.py",
    "posting_conditions.py",
    "posting_events.py",
    "publishing_state.py",
    "reads.py",
    "received.py",
    "received_events.py",
    "reversal_conditions.py",
    "reversal_events.py",
    "reversals.py",
    "routing.py",
    "routing_book.py",
    "selling.py",
    "sending.py",
    "sending_on.py",
    "service_conditions.py",
    "service_events.py",
    "service_kinds.py",
    "service_state.py",
    "settlement_conditions.py",
    "shelf.py",
    "shown.py",
    "skus.py",
    "sold.py",
    "standing.py",
    "state.py",
    "stock_conditions.py",
    "stock_kinds.py",
    "storms.py",
    "sweeps.py",
    "tenant_conditions.py",
    "terms.py",
    "terms_events.py",
    "timekeeping.py",
    "timing.py",
    "tracking_forms.py",
    "unwanted_events.py",
    "vanished.py",
    "whose.py",
    "words.py",
)
PURE_OWN = (
    "kcjl.money",
    "kcjl.errors",
    "kcjl.fold",
    "kcjl.in_flight",
    "kcjl.toml",
    "kcjl.vocabulary",
)
IMPURE_STANDARD = {
    "asyncio",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}


# ── sizes and heads ─────────────────────────────────────────────────────────────────────────


def test_modules_above_the_size_say_why_and_none_is_endless() -> None:
    """A module fits a head: 400 lines, or 600 with the reason at its own."""
    broken = []
    for path in modules("kcjl", "tui"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LINES_WITH_REASON_MAX:
            broken.append(f"{name_of(path)}: {lines} lines, never above 600")
        elif lines > LINES_MAX and "lines" not in head(path):
            broken.append(f"{name_of(path)}: {lines} lines, and its head gives no reason")

    assert not broken, "\n".join(broken)


def test_functions_are_read_on_one_screen() -> None:
    """A function of more than 60 lines does more than one thing."""
    broken = [
        f"{name_of(path)}:{node.lineno} {node.name}: {_length(node)} lines"
        for path in modules("kcjl", "tui")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _length(node) > FUNCTION_LINES_MAX
    ]

    assert not broken, "\n".join(broken)


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body: a signature that is long by its options is no long function."""
    return (node.body[-1].end_lineno or node.lineno) - node.body[0].lineno + 1


def test_modules_have_a_head() -> None:
    """Who opens a file learns in its first lines what it is for, and what it is not."""
    broken = [
        name_of(path)
        for path in modules("kcjl", "tui", "tests")
        if parsed(path).body and not head(path)
    ]

    assert not broken, "\n".join(broken)


def test_heads_are_short() -> None:
    """A head of more than 15 lines, drawings apart, is a document, and belongs into docs/."""
    broken = [
        f"{name_of(path)}: {len(prose)} lines"
        for path in modules("kcjl", "tui")
        if len(prose := [line for line in head(path).splitlines() if line[:1] != " "])
        > HEAD_LINES_MAX
    ]

    assert not broken, "\n".join(broken)


def test_modules_have_names_of_the_trade() -> None:
    """A module called `utils` says nothing, and so collects everything."""
    broken = [
        name_of(path)
        for path in modules("kcjl", "tui", "tests")
        if {path.stem, path.parent.name} & WORDLESS_NAMES
    ]

    assert not broken, "\n".join(broken)


# ── time and chance ─────────────────────────────────────────────────────────────────────────


def test_time_and_chance_come_from_the_clock_only() -> None:
    """Who asks the machine's time or chance by himself can't be simulated or replayed."""
    broken = [
        f"{name_of(path)}:{line} {what}"
        for path in modules("kcjl")
        if name_of(path) != CLOCK
        for line, what in _time_and_chance(path)
    ]

    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now()",
        "import datetime as d\nd.datetime.utcnow()",
        "import time\ntime.monotonic()",
        "from time import monotonic\nmonotonic()",
        "import uuid\nuuid.uuid4()",
        "from uuid import uuid4\nuuid4()",
        "import anyio\nanyio.sleep(1)",
        "import asyncio as a\na.sleep(1)",
        "import random\nrandom.Random(1)",
        "from datetime import datetime\nmake(default=datetime.now)",
    ],
)
def test_time_and_chance_are_found_under_any_name(tmp_path: Path, source: str) -> None:
    """The search itself works: an alias, a bare name and a reference are no way round."""
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")

    assert list(_time_and_chance(path)) != []


@pytest.mark.parametrize(
    "source",
    [
        "import anyio\nanyio.sleep_forever()",
        "from datetime import datetime\ndatetime.fromisoformat('2026-01-01')",
        "from datetime import time\ntime.fromisoformat('06:30')",
        "import random\ndef draw(chance: random.Random) -> None: ...",
        "from kcjl.clock import real_sleep\nreal_sleep(1)",
    ],
)
def test_time_and_chance_that_are_handed_in_are_fine(tmp_path: Path, source: str) -> None:
    """What is harmless is not found: waiting for ever, reading a text, naming a type."""
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")

    assert list(_time_and_chance(path)) == []


def _time_and_chance(path: Path) -> Iterator[tuple[int, str]]:
    """(line, what) for each use of the machine's own time, ids or chance."""
    tree = parsed(path)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                names[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute) or id(node) in inner:
            continue
        what = _dotted(node, names)
        if what == "random.Random" and id(node) not in called:
            continue  # the type of a generator that was handed in
        if any(what == each or what.startswith(f"{each}.") for each in TIME_AND_CHANCE):
            yield node.lineno, what


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`d.datetime.now` by the names that were imported, as datetime.datetime.now; or empty."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value, names)
        return f"{before}.{node.attr}" if before else ""
    return ""


# ── the direction of imports ────────────────────────────────────────────────────────────────


def test_deciders_import_nothing_that_acts() -> None:
    """Rules, states and vocabularies know their own room, other rooms' events, and no I/O."""
    broken = []
    for room in WITH_TENANT:
        for path in modules(f"kcjl/{room}"):
            if path.name not in PURE_FILES:
                continue
            for module, name in imported(path):
                if not (_pure(room, module) or _pure(room, f"{module}.{name}")):
                    broken.append(f"{name_of(path)} imports {module} {name}".rstrip())

    assert not broken, "\n".join(broken)


def _pure(room: str, module: str) -> bool:
    first = module.partition(".")[0]
    if first == "msgspec":
        return True
    if first != "kcjl":
        return first in sys.stdlib_module_names and first not in IMPURE_STANDARD
    if module in PURE_OWN:
        return True
    own = {f"kcjl.{room}.{Path(each).stem}" for each in (*PURE_FILES, "catalogue.py")}
    vocabularies = [Path(each).stem for each in PURE_FILES if "events" in each]
    others = {f"kcjl.{each}.{name}" for each in WITH_TENANT for name in vocabularies}
    return module in own | others


def test_sandbox_is_built_on_three_modules_of_ours_only() -> None:
    """What is tried and what it is tried on must not be able to agree by sharing a mistake."""
    shared = {"kcjl.clock", "kcjl.errors", "kcjl.money"}
    broken = [
        f"{name_of(path)} imports {module}"
        for path in modules("kcjl/sandbox")
        for module, _ in imported(path)
        if module.partition(".")[0] in ("kcjl", "tui")
        and module not in shared
        and not module.startswith("kcjl.sandbox")
    ]

    assert not broken, "\n".join(broken)


def test_every_room_has_its_rooms() -> None:
    """A newcomer who knows one concern finds the way in all five."""
    missing = [
        f"kcjl/{room}/{name}"
        for room in ROOMS
        for name in ("events.py", "decide.py", "actor.py", "projection.py")
        if not (ROOT / "kcjl" / room / name).is_file()
    ]

    assert not missing, "\n".join(missing)


@pytest.mark.timeout(120)
def test_import_contracts_are_kept() -> None:
    """The direction of imports that docs/architecture.md draws is the one that there is."""
    checked = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
