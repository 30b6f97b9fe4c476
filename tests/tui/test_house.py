"""The monitor's house rules: what it may import, how long it may be, how it starts and ends."""

import importlib.resources
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

import tui
from kcjl.clock import RealClock
from tests.tui.made_up import NOON, FakeSource, an_event
from tui.app import MonitorApp
from tui.source import LiveSource
from tui.theme import MONO_THEME, THEMES

_HOUSE = Path(tui.__file__).parent
_FORBIDDEN = (
    "asyncpg",
    "aiohttp",
    "lxml",
    "kcjl.service",
    "kcjl.sandbox",
    "kcjl.khaos",
    "kcjl.johnlewis",
    "kcjl.ledger",
)

_PROGRAM = """
import asyncio, sys
from tests.tui.made_up import FakeSource, some_events, some_exceptions
from tui.app import run_monitor
source = FakeSource(exceptions=some_exceptions(9), events=some_events(9))
sys.exit(asyncio.run(run_monitor(source)))
"""
_COLOUR = re.compile(
    rb"\x1b\[[0-9;]*?(?<![0-9])(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?![0-9])[0-9;]*m"
)


def test_monitor_knows_no_adapter_and_no_driver() -> None:
    """Its only window on the data is the source that it is given."""
    program = (
        f"import sys, tui.app; print([name for name in {_FORBIDDEN!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_view_models_know_no_terminal() -> None:
    """They can be tested, and shown elsewhere, without one."""
    program = (
        "import sys, pkgutil, importlib, tui.model\n"
        "for found in pkgutil.iter_modules(tui.model.__path__):\n"
        "    importlib.import_module(f'tui.model.{found.name}')\n"
        "print([name for name in ('textual', 'rich') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_app_composes_and_routes_in_less_than_three_hundred_lines() -> None:
    """Screens own behaviour; an app that grows is the warning of others."""
    assert len((_HOUSE / "app.py").read_text().splitlines()) < 300


def test_style_sheet_lies_in_the_package() -> None:
    """A wheel without its style sheet starts nowhere."""
    assert importlib.resources.files("tui").joinpath("app.tcss").is_file()


def test_style_sheet_names_no_colour() -> None:
    """Only the themes know colours, so that each theme is whole."""
    sheet = (_HOUSE / "app.tcss").read_text()

    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*\s*[{,:>])", sheet) == []
    assert {
        frozenset(theme.variables) >= frozenset(THEMES[0].variables) for theme in THEMES
    } == {True}


@pytest.mark.parametrize(
    "theme", [theme for theme in THEMES if not theme.ansi], ids=lambda theme: theme.name
)
def test_themes_in_colour_can_be_read(theme: object) -> None:
    """Text stands out from its ground by 4.5 to 1 at least (WCAG AA)."""
    names = theme.variables  # type: ignore[attr-defined]
    ground = theme.background  # type: ignore[attr-defined]
    tones = [
        names[f"tone-{tone}"] for tone in ("plain", "muted", "good", "warn", "bad", "accent")
    ]

    assert min(_contrast(tone, ground) for tone in tones) >= 4.5
    modes = [names[f"{mode}-bg"] for mode in ("live", "paused", "lost", "reading", "cursor")]
    assert min(_contrast(names["mode-fg"], mode) for mode in modes) >= 4.5
    assert _contrast(names["tone-stale"], ground) >= 4.0


def test_no_color_is_honoured_as_the_mono_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR set: two colours; set to nothing, or not set: ours."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert MonitorApp(FakeSource(), title="kcjl").theme == MONO_THEME
    monkeypatch.setenv("NO_COLOR", "")
    assert MonitorApp(FakeSource(), title="kcjl").theme == THEMES[0].name


def test_monitor_on_a_real_terminal_paints_in_colour_and_quits() -> None:
    """The whole program on a pseudo-terminal: it shows the figures and q ends it with 0."""
    sent, code = _on_a_terminal(no_color=False)

    assert b"Northern Lights" in sent
    assert b"DispatchConfirmed" in sent
    assert _COLOUR.search(sent)
    assert code == 0


def test_monitor_on_a_real_terminal_with_no_color_sends_no_colour() -> None:
    """NO_COLOR: the same figures, and not one colour code."""
    sent, code = _on_a_terminal(no_color=True)

    assert b"Northern Lights" in sent
    assert _COLOUR.search(sent) is None
    assert code == 0


@pytest.mark.anyio
async def test_live_source_passes_on_and_tells_the_clocks_time() -> None:
    """Live figures and the service's clock, nothing in between."""
    behind = FakeSource(events=[an_event(1), an_event(2)])
    clock = RealClock()
    before = clock.now()
    source = LiveSource(behind, clock)

    assert before <= source.now() <= clock.now()
    assert (await source.overview()).fresh.now == NOON
    assert (await source.exceptions(limit=3)).total == 0
    assert [event.position for event in await source.events(after=1, limit=5)] == [2]
    assert behind.asked == [
        "overview",
        "exceptions state=open kind= limit=3",
        "events after=1 before=None limit=5",
    ]


def _on_a_terminal(*, no_color: bool) -> tuple[bytes, int]:
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment |= {"PYTHONPATH": str(_HOUSE.parent)} | ({"NO_COLOR": "1"} if no_color else {})
    mine, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        close_fds=True,
    )
    os.close(theirs)
    sent, asked = b"", False
    try:
        while select.select([mine], [], [], 30)[0]:
            try:
                sent += os.read(mine, 65536)
            except OSError:
                break  # the other end has closed: it is over
            if b"DispatchConfirmed" in sent and not asked:
                os.write(mine, b"q")
                asked = True
        return sent, running.wait(timeout=10)
    finally:
        running.kill()
        running.wait()
        os.close(mine)


def _contrast(one: str, other: str) -> float:
    lights = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    lines = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * lines[0] + 0.7152 * lines[1] + 0.0722 * lines[2]
