"""The verbs of `kcjl dispatch` that only read: `list`, `show`, `report`, `metrics`.

Called by `kcjl/cli/policy.py`, which has the group.
"""

import typer

from kcjl.cli.dispatch_measured import metrics, report
from kcjl.cli.dispatch_shown import list_dispatches, show

__all__ = ["add_reading"]


def add_reading(group: typer.Typer) -> None:
    """Put them into the group."""
    group.command("list")(list_dispatches)
    group.command("show")(show)
    group.command("report")(report)
    group.command("metrics")(metrics)
