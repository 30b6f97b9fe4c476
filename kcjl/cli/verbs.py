"""The verbs by name, each imported when it is called.

A start costs what its own verb imports, and no more: people wait for it, and scripts call it
in loops. `kcjl --help` imports them all, to say what each is for.
Called by `main.py`.
"""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["VERBS", "Verbs"]

VERBS = {
    "demo": ("kcjl.cli.demo", "demo"),
    "init": ("kcjl.cli.init", "init"),
    "run": ("kcjl.cli.service", "run"),
    "sandbox": ("kcjl.cli.world", "sandbox"),
    "service": ("kcjl.cli.unit", "app"),
    "merchants": ("kcjl.cli.merchants", "app"),
    "check": ("kcjl.cli.check", "check"),
    "manual": ("kcjl.cli.manual", "manual"),
    "tui": ("kcjl.cli.monitor", "tui"),
    "writes": ("kcjl.cli.policy", "writes"),
    "replay": ("kcjl.cli.replay", "replay"),
    "log": ("kcjl.cli.log", "app"),
    "capsule": ("kcjl.cli.capsule", "app"),
    "explain": ("kcjl.cli.explain", "explain"),
    "sample": ("kcjl.cli.sample", "sample"),
    "what-if": ("kcjl.cli.what_if", "what_if"),
    "shadow": ("kcjl.cli.shadow", "shadow"),
    "calls": ("kcjl.cli.calls", "app"),
    "orders": ("kcjl.cli.orders", "app"),
    "stock": ("kcjl.cli.stock", "app"),
    "dispatch": ("kcjl.cli.dispatch", "app"),
    "payouts": ("kcjl.cli.payouts", "app"),
    "exceptions": ("kcjl.cli.exceptions", "app"),
    "alerts": ("kcjl.cli.alerts", "app"),
    "settlement": ("kcjl.cli.settlement_policy", "app"),
    "close": ("kcjl.cli.close", "close"),
}
"""Name to (module, what it has: a command, or a group of them), as `--help` lists them."""


class Verbs(TyperGroup):
    """The group of all verbs."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Imported(self.commands)


class _Imported(MutableMapping[str, Any]):
    """What is there already, and `VERBS`, imported once one is asked for."""

    def __init__(self, there: MutableMapping[str, Any]) -> None:
        self._there = dict(there)

    def __getitem__(self, name: str) -> Any:
        if name not in self._there:
            module, attribute = VERBS[name]
            found = getattr(import_module(module), attribute)
            around = typer.Typer(add_completion=False, rich_markup_mode=None)
            around.callback()(_nothing)  # a group, though of one
            if isinstance(found, typer.Typer):
                around.add_typer(found, name=name)
            else:
                around.command(name)(found)
            self._there[name] = typer.main.get_group(around).commands[name]
        return self._there[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._there[name] = command

    def __delitem__(self, name: str) -> None:
        del self._there[name]

    def __iter__(self) -> Iterator[str]:
        yield from VERBS
        yield from (name for name in self._there if name not in VERBS)

    def __len__(self) -> int:
        return len({*VERBS, *self._there})


def _nothing() -> None:
    """What belongs to all verbs alike."""
