"""The gate between an HTTP face of the sandbox and the world behind it.

Promises: each request enters once, before it reads or changes anything, so that the world is
at its clock's now; each change goes through `change` by the name of a model method and plain
values, so that whoever keeps the gate can journal it and play it again. It does no I/O itself.
Invariant: a face never calls a changing method of a model other than through its gate.
Called by both faces (John Lewis, Khaos); the server hands in its own, tests use `DirectGate`.
"""

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

from kcjl.errors import Misuse
from kcjl.sandbox.agenda import Agenda

__all__ = ["DirectGate", "Gate", "Side"]

Side: TypeAlias = Literal["johnlewis", "khaos", "khaos_cloud", "xero"]
"""Which outside system is meant: the marketplace, the ERP's web service, its Cloud, Xero."""


class Gate(Protocol):
    """What a face asks of the server that holds the world."""

    def enter(self, side: str, operation: str) -> None:
        """Say that a request has come in; the world moves on to its clock's now."""
        ...

    def change(self, side: str, operation: str, arguments: dict[str, object]) -> object:
        """Apply the model's method of that name, by keyword. What it raises passes through."""
        ...


class DirectGate:
    """A gate without journal or clock: the world stands where its agenda was left."""

    def __init__(self, agenda: Agenda, sides: Mapping[str, object]) -> None:
        self.agenda = agenda
        self.sides = dict(sides)
        self.entered: list[tuple[str, str]] = []
        """(side, operation) of each request."""
        self.changes: list[tuple[str, str, dict[str, object]]] = []
        """(side, operation, arguments) of each change that was asked for."""

    def enter(self, side: str, operation: str) -> None:
        self.entered.append((side, operation))
        self.agenda.advance(self.agenda.now)

    def change(self, side: str, operation: str, arguments: dict[str, object]) -> object:
        self.changes.append((side, operation, arguments))
        method = getattr(self.sides[side], operation, None)
        if operation.startswith("_") or not callable(method):
            raise Misuse(f"the {side} model has no operation {operation!r}")
        return method(**arguments)
