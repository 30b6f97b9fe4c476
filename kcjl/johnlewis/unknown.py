"""Finds what an answer holds that neither we nor the contract know, now and then.

Promises: fields we do not know and words we do not know are ignored by the reading, and counted
here. Fields are looked for in the first answer of an operation and in one of each hundred, in
the first rows of each list: reading gets no slower that one could notice. It repeats no value.
Invariant: whatever it meets, it raises nothing; without a listener it does nothing.
Called by `wire.py` and `records.py`, wherever an answer is read; `http.py` says who listens.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache

import msgspec
from msgspec import inspect

from kcjl.calls.surprises import UNREADABLE, Surprises
from kcjl.johnlewis.contract_fields import CONTRACT_FIELDS

__all__ = ["Listener", "compare_now_and_then", "unknown_word"]

ONE_IN = 100
"""Answers of an operation: of 10,000 orders, one page is compared."""
ROWS_COMPARED_MAX = 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OPERATION = re.compile(r"[A-Z]{1,3}[0-9]{2}")


class _Shape:
    """The fields of an object by name, and what is inside each; None: we do not look there."""

    def __init__(self, fields: "Mapping[str, _Shape | None]") -> None:
        self.fields = fields


class Listener:
    """One adapter's: how many answers of each operation there were, and what was odd."""

    def __init__(self, surprises: Surprises) -> None:
        self._surprises = surprises
        self._answers: dict[tuple[str, object], int] = {}

    def listen(self) -> None:
        """What this task reads from now on is heard by this one."""
        _LISTENING.set(self)

    def is_due(self, operation: str, kind: object) -> bool:
        number = self._answers.get((operation, kind), 0)
        self._answers[operation, kind] = number + 1
        return number % ONE_IN == 0

    def compare(self, operation: str, told: object, shape: _Shape) -> None:
        for path in sorted(_odd_paths(told, shape, "")):
            self._surprises.field(operation, path)

    def word(self, operation: str, path: str) -> None:
        self._surprises.word(operation, path)


_LISTENING: ContextVar[Listener | None] = ContextVar("kcjl_johnlewis_unknown", default=None)


def compare_now_and_then(what: str, body: bytes, kind: object) -> None:
    """Compare an answer that could be read as `kind` with the fields of it."""
    listener = _LISTENING.get()
    operation = _OPERATION.match(what)
    if listener is None or operation is None or not listener.is_due(operation[0], kind):
        return
    try:
        shape = _shape_of(kind)
        if shape is not None:
            told = msgspec.json.decode(body.removeprefix(_BYTE_ORDER_MARK))
            listener.compare(operation[0], told, shape)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        listener.word(operation[0], UNREADABLE)  # in what the reading had passed over


def unknown_word(operation: str, path: str) -> None:
    """A field that we do know held a word that we do not."""
    listener = _LISTENING.get()
    if listener is not None:
        listener.word(operation, path)


def _odd_paths(told: object, shape: _Shape, path: str) -> set[str]:
    """Paths of fields that stand in neither the shape nor the contract, each once."""
    if isinstance(told, list):
        paths = (_odd_paths(each, shape, path) for each in told[:ROWS_COMPARED_MAX])
        return set().union(*paths)
    odd: set[str] = set()
    if isinstance(told, dict):
        for name, inner in told.items():
            place = f"{path}.{name}" if path else str(name)
            if name not in shape.fields:
                if name not in CONTRACT_FIELDS:
                    odd.add(place)
            elif (below := shape.fields[name]) is not None:
                odd |= _odd_paths(
                    inner, below, f"{place}[]" if isinstance(inner, list) else place
                )
    return odd


@cache
def _shape_of(kind: object) -> _Shape | None:
    return _shape(inspect.type_info(kind))


def _shape(kind: inspect.Type) -> _Shape | None:
    match kind:
        case inspect.StructType(fields=fields):
            return _Shape({field.encode_name: _shape(field.type) for field in fields})
        case inspect.ListType(item_type=inner) | inspect.VarTupleType(item_type=inner):
            return _shape(inner)
        case inspect.UnionType(types=several):
            shapes = [shape for each in several if (shape := _shape(each)) is not None]
            return shapes[0] if len(shapes) == 1 else None
        case _:
            return None
