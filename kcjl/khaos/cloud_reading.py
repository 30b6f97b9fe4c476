"""A body that the Cloud ERP sends, JSON or XML, as one tree that is asked for by name.

Promises: names are found in any case and spelling that is asked for; null, an empty element
and a field that is not there are the same; a value of the wrong form is `BadBody` with its
path; what was never asked for can be listed. XML is read without entities, DTD or network.
Invariant: whatever the bytes are, the outcome is a Part or `BadBody`; depth is bounded.
Called by `cloud_inbound.py` and `cloud_server.py`. Source: contract khaos b.10.
"""

from collections.abc import Container, Iterator, Sequence
from decimal import Decimal, InvalidOperation

import msgspec

from kcjl.khaos.answer_xml import Element, Unreadable, local_name, parse_answer

__all__ = ["BadBody", "Part", "parse_body"]

DEPTH_MAX = 32
"""The contract's deepest document has eight."""
FIGURE_DIGITS_MAX = 15
QUOTED_CHARS_MAX = 40
KEY_CHARS_MAX = 200
"""The ERP's codes and references have at most 50."""

_YES = frozenset({"true", "1", "-1", "yes", "y"})
_NO = frozenset({"false", "0", "no", "n"})
_NAMING = ("name", "code", "id")
"""A DataItem where a plain text was due: what may name it, the best first."""


class BadBody(Exception):
    """Raised when a body can't be read; the message is for the ERP's log."""


class Part:
    """One value of a body: a text, or named fields, or both (XML)."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._text: str | None = None
        self._fields: dict[str, list[Part]] = {}
        self._names: dict[str, str] = {}
        self._asked: set[str] = set()

    # ── asking ──────────────────────────────────────────────────────────────────────────────

    def text(self, *names: str) -> str:
        """The text of the first of these fields that has one; '' when none has."""
        for part in self._found(names):
            if said := part.own_text():
                return said
        return ""

    def key(self, *names: str) -> str:
        """A text by which something is known: bounded. '' when none is there."""
        said = self.text(*names)
        if len(said) > KEY_CHARS_MAX:
            raise BadBody(f"{self.path}/{names[0]} has more than {KEY_CHARS_MAX} characters")
        return said

    def own_text(self) -> str:
        """Its text; of a DataItem, what names it."""
        if self._text:
            return self._text
        for name in _NAMING:
            for part in self._fields.get(name, ()):
                if part._text:  # noqa: SLF001 - of its own kind
                    return part._text  # noqa: SLF001
        if self._fields and not self._fields.keys() & set(_NAMING):
            raise BadBody(f"{self.path} is a structure, and a text was due")
        return ""

    def figure(self, *names: str) -> Decimal | None:
        """A plain decimal; None when it is not there. Raises BadBody when it is no number."""
        said = self.text(*names)
        if not said:
            return None
        try:
            figure = Decimal(said)
        except InvalidOperation:
            figure = Decimal("NaN")
        if not figure.is_finite() or abs(figure.adjusted()) > FIGURE_DIGITS_MAX:
            raise BadBody(f"{self.path}/{names[0]} is {_quoted(said)}, which is no figure")
        return figure

    def flag(self, *names: str, default: bool) -> bool:
        said = self.text(*names).casefold()
        if not said:
            return default
        if said in _YES or said in _NO:
            return said in _YES
        raise BadBody(f"{self.path}/{names[0]} is {_quoted(said)}, which is no yes or no")

    def part(self, *names: str) -> "Part | None":
        """The first of these fields that holds a structure; None when none does."""
        return next((part for part in self._found(names) if part._fields), None)

    def parts(self, *names: str, having: Sequence[str]) -> "list[Part]":
        """The things in a list: an array, a single object, or XML's element around them.

        A thing has at least one of the fields `having`, or only a text.
        """
        wanted = {name.casefold() for name in having}
        things: list[Part] = []
        for part in self._found(names):
            if part._fields.keys() & wanted or (part._text and not part._fields):  # noqa: SLF001
                things.append(part)
            else:
                things.extend(part._within())  # noqa: SLF001
        return things

    def texts(self, *names: str) -> list[str]:
        """The texts of all of these fields, without empty ones."""
        return [said for part in self._found(names) if (said := part.own_text())]

    def has(self, *names: str) -> bool:
        """One of these fields is there, be it empty."""
        return any(True for _ in self._found(names))

    def unasked(self, known: Container[str]) -> Iterator[str]:
        """Paths, by names only, of fields that nobody asked for and that are not `known`."""
        for key, parts in self._fields.items():
            if key in known:
                continue
            if key not in self._asked:
                yield _bare(parts[0].path)
            else:
                for part in parts:
                    yield from part.unasked(known)

    def _found(self, names: Sequence[str]) -> "Iterator[Part]":
        keys = [name.casefold() for name in names]
        self._asked.update(keys)
        for key in keys:
            yield from self._fields.get(key, ())

    def _within(self) -> "Iterator[Part]":
        """What stands in an element that only wraps a list."""
        for key, parts in self._fields.items():
            self._asked.add(key)
            for part in parts:
                if part._fields or part._text:  # noqa: SLF001 - of its own kind
                    yield part

    # ── building ────────────────────────────────────────────────────────────────────────────

    def put(self, name: str, part: "Part") -> None:
        self._fields.setdefault(name.casefold(), []).append(part)

    def say(self, text: str) -> None:
        self._text = text.replace("\0", "").strip()  # no keeper can hold a NUL


def parse_body(body: bytes, charset: str | None) -> Part:
    """The body's root. Raises BadBody when it is neither JSON nor XML."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _from_xml(body, charset)
    try:
        tree: object = _JSON.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBody(f"the body is no JSON: {error}") from None
    root = Part("")
    if isinstance(tree, list):
        raise BadBody("the body is an array, and an object was due")
    if not isinstance(tree, dict):
        raise BadBody("the body is no object")
    _fill(root, tree, 0)
    return root


_JSON = msgspec.json.Decoder(float_hook=Decimal)


def _fill(part: Part, value: object, depth: int) -> None:
    """Put a JSON value into a part. Nulls leave nothing behind."""
    if depth > DEPTH_MAX:
        raise BadBody("the body is nested too deeply")
    if isinstance(value, dict):
        for name, inner in value.items():
            for each in _flat(inner, depth):
                below = Part(f"{part.path}/{name}")
                _fill(below, each, depth + 1)
                part.put(str(name), below)
    elif isinstance(value, bool):
        part.say("true" if value else "false")
    elif value is not None:
        part.say(str(value))


def _flat(value: object, depth: int) -> Iterator[object]:
    if depth > DEPTH_MAX:
        raise BadBody("the body is nested too deeply")
    if isinstance(value, list):
        for each in value:
            yield from _flat(each, depth + 1)
    else:
        yield value


def _from_xml(body: bytes, charset: str | None) -> Part:
    try:
        element = parse_answer(body, charset)
    except Unreadable as error:
        raise BadBody(f"the body is no XML: {error}") from None
    root = Part("")
    _fill_from_xml(root, element, 0)
    return root


def _fill_from_xml(part: Part, element: Element, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise BadBody("the body is nested too deeply")
    part.say(element.text or "")
    for name, value in element.attrib.items():
        bare = str(name)
        if not bare.startswith("{"):  # xsi:nil and its like
            below = Part(f"{part.path}/{bare}")
            below.say(str(value))
            part.put(bare, below)
    for child in element:
        name = local_name(child)
        below = Part(f"{part.path}/{name}")
        _fill_from_xml(below, child, depth + 1)
        part.put(name, below)


def _bare(path: str) -> str:
    return path.strip("/").replace("/", ".")


def _quoted(said: str) -> str:
    return repr(said[:QUOTED_CHARS_MAX])
