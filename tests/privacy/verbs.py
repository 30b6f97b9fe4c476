"""Every verb of the command line that only reads, each with and without `--json`.

Promises: a verb is either in `READING` or in `ACTING`, which a test compares with the command
line itself, so a new one can't be forgotten; what one says is all of its stdout and stderr.
Invariant: no service runs in this process meanwhile, for the verbs are run within it.
Called by `test_search.py`.
"""

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import TypeAlias
from unittest.mock import patch

import typer
from typer.core import TyperGroup

from kcjl.cli import main

__all__ = ["ACTING", "READING", "said_by_reading", "verbs"]

Verb: TypeAlias = str

READING: Mapping[Verb, Sequence[str]] = {
    "alerts list": ("",),
    "calls": ("-n 10000",),
    "calls summary": ("",),
    "calls surprises": ("",),
    "dispatch list": ("-n 1000", "--late", "--waiting"),
    "dispatch map list": ("",),
    "dispatch map suggest": ("",),
    "dispatch metrics": ("",),
    "dispatch report": ("",),
    "dispatch show": ("{order}",),
    "exceptions list": ("--state all -n 10000",),
    "exceptions rules show": ("",),
    "exceptions show": ("posting_refused:{order}",),
    "log show": ("{position}",),
    "log state": ("{projection}",),
    "log tail": ("-n 10000",),
    "log verify": ("",),
    "merchants list": ("",),
    "merchants workers": ("",),
    "orders list": ("--all -n 10000", "--held", "--late"),
    "orders policy show": ("--history",),
    "orders show": ("{order}",),
    "payouts explain": ("{payout} -n 10000",),
    "payouts journal": ("{payout}",),
    "payouts list": ("",),
    "payouts month": ("{month}",),
    "payouts show": ("{payout}",),
    "replay": ("", "--check"),
    "settlement terms show": ("--history",),
    "explain": (
        "order {order} --tree",
        "sku {sku}",
        "payout {payout}",
        "penny {payout}",
        "exception posting_refused:{order}",
    ),
    "sample": ("--seed s -n 1000 --json",),
    "shadow": ("",),
    "stock explain": ("{sku}",),
    "stock list": ("-n 1000",),
    "stock policy history": ("",),
    "stock policy show": ("",),
    "stock show": ("{sku}",),
    "what-if": ("--read-every 600",),
}
"""By verb, what it is run with; each name in braces once for everything there is of it."""

ACTING = frozenset(
    {
        "alerts digest",
        "alerts test",
        "capsule make",
        "capsule replay",
        "capsule show",
        "check",
        "close",
        "demo",
        "dispatch map remove",
        "dispatch map set",
        "dispatch retry",
        "exceptions accept",
        "exceptions assign",
        "exceptions note",
        "exceptions park",
        "exceptions retry",
        "exceptions rules preview",
        "exceptions rules set",
        "init",
        "log export",
        "log rebuild",
        "log seal",
        "manual",
        "merchants move",
        "merchants pause",
        "merchants resume",
        "merchants weigh",
        "orders accept",
        "orders buyer",
        "orders cancel",
        "orders count",
        "orders done",
        "orders erase",
        "orders hold",
        "orders look",
        "orders policy set",
        "orders post-again",
        "orders refund",
        "orders refuse",
        "orders release",
        "orders retry",
        "orders withdraw",
        "payouts accept",
        "payouts ack",
        "payouts bank",
        "payouts bankfile",
        "payouts received",
        "payouts reverse",
        "run",
        "service unit",
        "sandbox",
        "settlement account",
        "settlement terms set",
        "stock alias",
        "stock buffer",
        "stock codes",
        "stock policy approve",
        "stock policy preview",
        "stock policy propose",
        "stock publishing",
        "stock release",
        "stock retry",
        "tui",
        "version",
        "writes",
    }
)
"""Those that change something, write a file, ask the service or the two systems, or run until
they are stopped."""


def verbs() -> set[Verb]:
    """All that the command line has."""
    return set(_verbs(typer.main.get_command(main.app), ()))


def _verbs(command: object, path: tuple[str, ...]) -> Iterator[Verb]:
    if not isinstance(command, TyperGroup):
        yield " ".join(path)
        return
    if command.invoke_without_command:
        yield " ".join(path)
    for name, each in command.commands.items():
        yield from _verbs(each, (*path, name))


def said_by_reading(config: str, there_is: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """By command line, what it said, a no included; AssertionError where one was not meant."""
    said = {}
    for verb, forms in READING.items():
        for form in forms:
            for arguments in _filled(form, there_is):
                for as_json in ((), ("--json",)):
                    line = [*verb.split(), *arguments.split(), *as_json]
                    said[" ".join(line)] = _said(line, config)
    return said


def _filled(form: str, there_is: Mapping[str, Sequence[str]]) -> Iterator[str]:
    name = form[form.find("{") + 1 : form.find("}")]
    if "{" not in form:
        yield form
        return
    assert there_is[name], f"there is no {name} to read"
    for each in there_is[name]:
        yield form.format(**{name: each})


def _said(line: Sequence[str], config: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["kcjl", *line, "-c", config]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main.run()
        except SystemExit as ended:
            code = ended.code
    assert code in (0, 1, 3), f"{' '.join(line)} ended with {code}: {err.getvalue()}"
    return out.getvalue() + err.getvalue()
