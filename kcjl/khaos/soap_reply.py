"""An HTTP answer of the ERP's web service: what it holds, and what it means that it doesn't.

Promises: the response or fault element of a SOAP answer; `NoAnswer` for one that says nothing
(a server's error page, half an envelope, a packed body), `Unreadable` for one that says what we
can't read. It sends nothing. Invariant: a long answer is parsed beside the event loop, so that
the rest of the service goes on meanwhile. Called by `soap.py`. Source: contract khaos b.0, d.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus

import aiohttp
import anyio.to_thread

from kcjl.discretion import HiddenBuffer
from kcjl.khaos.answer_xml import (
    Element,
    OtherText,
    Unreadable,
    excerpt,
    local_name,
    parse_answer,
)
from kcjl.khaos.long_list import ListRows
from kcjl.khaos.typed_answer import read_envelope

__all__ = ["NoAnswer", "Reply", "content_of", "fault_words", "what_to_check"]

PARSED_IN_PLACE_BYTES_MAX = 256 * 1024
RETRY_AFTER_S_MAX = 3600.0


class NoAnswer(Exception):
    """It was sent, and no whole answer came."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Reply:
    """An HTTP answer, whole."""

    def __init__(self, response: aiohttp.ClientResponse, body: HiddenBuffer) -> None:
        self.status = response.status
        self.charset = response.charset
        self.packed = response.headers.get("Content-Encoding", "identity").strip().casefold()
        self.challenges = response.headers.getall("WWW-Authenticate", [])
        self.retry_after_s = _retry_after(response.headers.get("Retry-After"))
        self.body = body


async def content_of(
    reply: Reply, other_text: OtherText, rows: ListRows | None = None
) -> Element:
    """Its content, less the `rows`; a long one is parsed beside the event loop."""
    if len(reply.body) < PARSED_IN_PLACE_BYTES_MAX:
        return _content(reply, other_text, rows)
    return await anyio.to_thread.run_sync(_content, reply, other_text, rows)


def _content(reply: Reply, other_text: OtherText, rows: ListRows | None) -> Element:
    """The response or fault element of a SOAP answer.

    A fault counts with status 500 too (that is SOAP 1.1's own), or 400; other 5xx do not.
    """
    status = reply.status
    if reply.packed not in ("", "identity"):
        raise NoAnswer(f"HTTP {status}, packed as {reply.packed}, which was not asked for")
    gone = status > HTTPStatus.INTERNAL_SERVER_ERROR
    try:
        root = (
            None
            if gone
            else parse_answer(reply.body, reply.charset, other_text=other_text, rows=rows)
        )
        content = None if root is None else read_envelope(root)
    except Unreadable as unreadable:
        if unreadable.truncated and status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NoAnswer(f"a half-written answer ({len(reply.body)} bytes)") from None
        content = None
        reason = str(unreadable)
    else:
        reason = "no SOAP envelope"
    is_fault = content is not None and local_name(content) == "Fault"
    if content is not None and (is_fault or status < HTTPStatus.MULTIPLE_CHOICES):
        return content
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or _is_html(reply.body):
        kind = "a web page instead of an answer" if _is_html(reply.body) else "no answer"
        raise NoAnswer(f"HTTP {status}, {kind}", retry_after_s=reply.retry_after_s)
    raise Unreadable(f"HTTP {status}, {reason}: {excerpt(reply.body)}")


def fault_words(fault: Element) -> tuple[str, list[str]]:
    """What the fault says, and the class names that it gives."""
    text = ""
    names: list[str] = []
    for node in fault.iter():
        name, words = local_name(node), (node.text or "").strip()
        if name in ("faultstring", "Text") and words:
            text = text or words
        elif name in ("ExceptionClassName", "ExceptionInheritance", "faultactor") and words:
            names.extend(word for word in re.split(r"[\s,;>]+", words) if "/" not in word)
    detail = next((node for node in fault if local_name(node) in ("detail", "Detail")), None)
    if detail is not None:
        names.extend(local_name(child) for child in detail)
    return text, names


def what_to_check(challenges: Sequence[str]) -> str:
    """The next step, by what the server asks for."""
    asked = {name for each in challenges if (name := each.split(" ")[0].casefold())}
    if asked and asked <= {"ntlm", "negotiate"}:
        return (
            "it asks for Windows authentication (NTLM), which kcjl does not support: let IIS "
            "take Basic over https for this application, or allow kcjl's address"
        )
    return "check user, password and allow-list"


def _is_html(body: bytes | bytearray) -> bool:
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html")) or b"<html" in start


def _retry_after(text: str | None) -> float | None:
    if text is None or not text.strip().isdecimal():
        return None
    return min(float(text), RETRY_AFTER_S_MAX)
