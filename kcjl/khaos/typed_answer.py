"""The typed results of RPC/encoded answers, read by the names of their fields.

Promises: structs and arrays are found wherever the service puts them (nested, flat, or by
`href` to another part of the body), and a string result gives its text or its document. It
knows no method of the ERP. Invariant: an element that points in a circle is walked once.
Called by `soap.py` (the envelope) and `kws.py` (the results). Source: contract khaos b.0, b.1.
"""

from collections.abc import Iterator
from typing import cast

from kcjl.errors import ProtocolSurprise
from kcjl.khaos.answer_xml import (
    Element,
    Unreadable,
    excerpt,
    local_name,
    parse_document,
    without_namespaces,
)
from kcjl.khaos.long_list import field_name, points

__all__ = ["Answer", "read_envelope"]


class Answer:
    """What one method answered."""

    def __init__(self, response: Element) -> None:
        self._response = response
        body = response.getparent()
        self._by_id = (
            {}
            if body is None
            else {
                node.get("id", ""): node
                for node in cast("list[Element]", body.xpath(".//*[@id]"))
            }
        )

    def text(self) -> str:
        """A string result; '' when there is none.

        Raises ProtocolSurprise when it is no string.
        """
        result = self._result()
        if result is None:
            return ""
        if len(result):
            raise ProtocolSurprise(f"Khaos Control sent {local_name(result)} as a structure")
        return (result.text or "").strip()

    def document(self) -> Element | None:
        """The XML document in a string result (or put there as it is); None when empty."""
        result = self._result()
        if result is None:
            return None
        if len(result):
            return without_namespaces(result[0])
        return parse_document(result.text or "")

    def structs(self, *having: str) -> list[dict[str, str]]:
        """Each structure that has one of these fields, as field (lower case) → text."""
        return list(self.rows(*having))

    def rows(self, *having: str) -> Iterator[dict[str, str]]:
        """The same, one by one: a long list is never held as structures, too."""
        wanted = {name.casefold() for name in having}
        for node in self._walk(self._root()):
            fields = {
                field_name(str(child.tag)): (real.text or "").strip()
                for child in node
                if not len(real := self._real(child))
            }
            if not wanted.isdisjoint(fields):
                yield fields

    def value(self, field: str) -> str | None:
        """The text of the first field of that name, anywhere; None when there is none."""
        for node in self._walk(self._root()):
            if local_name(node).casefold() == field.casefold():
                return (node.text or "").strip()
            for child in node:
                if local_name(child).casefold() == field.casefold():
                    return (self._real(child).text or "").strip()
        return None

    def shown(self) -> str:
        """The beginning of the answer, for an error."""
        return excerpt(" ".join(str(text) for text in self._response.itertext()))

    def _result(self) -> Element | None:
        """The result among the response's parts."""
        for child in self._response:
            name = local_name(child).casefold()
            if name == "return" or name.endswith("result"):
                return self._real(child)
        return self._real(self._response[0]) if len(self._response) else None

    def _root(self) -> Element:
        """Where to look for structures: the response, or the document in its string."""
        result = self._result()
        if result is not None and not len(result) and (result.text or "").lstrip()[:1] == "<":
            inner = parse_document(result.text or "")
            if inner is not None:
                return inner
        return self._response

    def _real(self, element: Element) -> Element:
        """The element itself, or the one that its `href` points to."""
        if not element.attrib:
            return element
        seen: set[Element] = set()
        while (href := element.get("href") or element.get("ref") or "").startswith("#"):
            target = self._by_id.get(href[1:])
            if target is None or target in seen:
                raise ProtocolSurprise(
                    f"Khaos Control's answer points to {href}: nothing there"
                )
            seen.add(target)
            element = target
        return element

    def _walk(self, top: Element) -> Iterator[Element]:
        """The element and what it holds or points to, in document order, each once.

        Leaves are left to the element that holds them. Only what can be pointed to is
        remembered: a long list would be remembered whole.
        """
        waiting, walked = [top], set[Element]()  # holding them keeps their identity
        while waiting:
            node = self._real(waiting.pop())
            if node.get("id"):
                if node in walked:
                    continue
                walked.add(node)
            yield node
            waiting.extend(child for child in reversed(node) if len(child) or points(child))


def read_envelope(root: Element) -> Element:
    """The response, or the Fault, of a SOAP envelope. Raises Unreadable when it is none."""
    if local_name(root) != "Envelope":
        raise Unreadable(f"<{local_name(root)}> is no SOAP envelope")
    body = next((child for child in root if local_name(child) == "Body"), None)
    if body is None or not len(body):
        raise Unreadable("the SOAP envelope has no content")
    for child in body:
        if local_name(child) == "Fault" or local_name(child).endswith("Response"):
            return child
    return body[0]
