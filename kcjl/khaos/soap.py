"""One SOAP 1.1 call to the ERP's web service at a time, and what became of it.

Promises: every failure is told apart by what it means for a write. Nothing sent →
`Unavailable`; sent, and no clear answer → `OutcomeUnknown` for a write, `Unavailable` (or
`ProtocolSurprise`) for a read; a business fault → `SoapFault`, which is a `Refused`. It repeats
nothing and knows no method. Invariant: one request in flight per service (contract khaos d), so
the lock IS held over the call; each call asks for a connection of its own, for one that the
server drops while we write would turn a certain "not sent" into an unknown outcome.
Called by `kws.py`. Source: contract khaos b.0, d.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import aiohttp
from lxml import etree

from kcjl.calls.port import Side
from kcjl.calls.sync_log import Attempt, SyncLog
from kcjl.clock import Clock
from kcjl.discretion import Hidden, HiddenBuffer, Secret
from kcjl.errors import (
    CredentialsRefused,
    KcjlError,
    OutcomeUnknown,
    ProtocolSurprise,
    RateLimited,
    Refused,
    Unavailable,
)
from kcjl.khaos.answer_xml import Element, Unreadable, excerpt, local_name, parse_answer
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.long_list import ListRows
from kcjl.khaos.soap_reply import NoAnswer, Reply, content_of, fault_words, what_to_check
from kcjl.khaos.turns import Turns
from kcjl.khaos.typed_answer import Answer
from kcjl.khaos.wsdl import Argument, Kind, Operation, Wsdl, documented, place, read_wsdl

__all__ = ["CertificateChanged", "SoapFault", "SoapService"]

ANSWER_BYTES_MAX = 64 * 1024 * 1024
WSDL_BYTES_MAX = 8 * 1024 * 1024
WSDL_READ_S_MAX = 30.0
WSDL_RETRY_AFTER = timedelta(minutes=10)
"""How long the documented fallback is used before the WSDL is asked for again."""

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"

_TRANSIENT_CLASS = re.compile(r"DB|IB|Socket|Timeout|AccessViolation")
"""Class names of faults that come from below the business (contract khaos d)."""
_NO_INTERFACE = re.compile(r"EIntfCastError|interface not supported", re.IGNORECASE)


class SoapFault(Refused):
    """Raised when the ERP answered a call with a fault that is about the business."""


class CertificateChanged(Unavailable):
    """Raised when the web service shows another certificate than the pinned one."""

    code = "KCJL-3005"


class _Unsent(Exception):
    """Nothing left this machine."""


class SoapService:
    """The web service behind one URL."""

    def __init__(
        self,
        settings: KwsSettings,
        *,
        clock: Clock,
        session: aiohttp.ClientSession,
        sync_log: SyncLog | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._sync_log = sync_log or SyncLog(None, clock)
        self._settings = settings
        self._clock = clock
        self._session = session
        self._one_at_a_time = (turns or Turns()).of(settings.endpoint_url)
        self._wsdl: Wsdl | None = None
        self._wsdl_not_before: datetime | None = None
        fingerprint = bytes.fromhex(settings.certificate_sha256.replace(":", ""))
        self._ssl: aiohttp.Fingerprint | bool = (
            aiohttp.Fingerprint(fingerprint) if fingerprint else True
        )
        self._headers = {
            "Connection": "close",
            "Accept": "text/xml",
            "Accept-Encoding": "identity",  # what is packed has no bound before it is unpacked
        }
        if settings.auth == "basic":
            login = Hidden(f"{settings.user}:{settings.password}".encode())
            self._headers["Authorization"] = Secret(f"Basic {b64encode(login).decode('ascii')}")

    async def call(
        self,
        method: str,
        arguments: Sequence[Argument] = (),
        *,
        subject: str = "",
        writes: bool = False,
        judge: Callable[[Answer], object] | None = None,
        rows: ListRows | None = None,
    ) -> Answer:
        """Call one method once. See the head of this module for what it raises.

        `subject` is for the sync log: what the call is about, without the buyer. `judge` raises
        where an answer that came well says no: the sync log then has it as refused. `rows`: of
        a long list, given while the answer is read; it holds what they leave.
        """
        async with self._one_at_a_time:
            operation = await self._operation(method)
            with self._sync_log.attempt(
                Side.KHAOS, method, subject=subject, writes=writes
            ) as attempt:
                try:
                    reply = await self._post(operation, arguments, attempt)
                except _Unsent as unsent:
                    raise _not_sent(method, unsent) from None
                except NoAnswer as silence:
                    raise _lost(method, silence, writes=writes) from None
                answer = await self._answer(method, reply, rows, writes=writes)
                if judge is not None:
                    judge(answer)
                return answer

    async def _operation(self, method: str) -> Operation:
        if self._wsdl is None:
            not_before = self._wsdl_not_before
            if not_before is None or self._clock.now() >= not_before:
                with self._sync_log.attempt(
                    Side.KHAOS, "WSDL", subject=f"for {method}", writes=False
                ) as attempt:
                    try:
                        self._wsdl = await self._read_wsdl(attempt)
                        attempt.failed = self._wsdl is None
                    except _Unsent as unsent:
                        raise _not_sent(method, unsent) from None
        return documented(method) if self._wsdl is None else self._wsdl.operation(method)

    async def _read_wsdl(self, attempt: Attempt) -> Wsdl | None:
        """The WSDL; None when it can't be had or understood (the fallback takes over)."""
        self._wsdl_not_before = self._clock.now() + WSDL_RETRY_AFTER
        read_s = min(self._settings.read_timeout_s, WSDL_READ_S_MAX)
        try:
            reply = await self._exchange(
                ("GET", self._settings.wsdl_url),
                self._headers,
                None,
                attempt,
                read_s=read_s,
                bytes_max=WSDL_BYTES_MAX,
            )
            if reply.status != 200:  # noqa: PLR2004 - the one good status
                return None
            return read_wsdl(parse_answer(reply.body, reply.charset))
        except (NoAnswer, Unreadable):
            return None

    async def _post(
        self, operation: Operation, arguments: Sequence[Argument], attempt: Attempt
    ) -> Reply:
        settings = self._settings
        url = settings.endpoint_url
        if self._wsdl is not None and not settings.endpoint_is_given:
            url = self._wsdl.address_on(settings.wsdl_url) or url
        if settings.auth == "body":
            secret = Argument(
                name=settings.auth_parameter, kind=Kind.TEXT, text=settings.password
            )
            arguments = (*arguments, secret)
        headers = {
            **self._headers,
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{operation.action}"',
        }
        body = Hidden(_envelope(operation, arguments, settings))
        return await self._exchange(
            ("POST", url),
            headers,
            body,
            attempt,
            read_s=settings.read_timeout_s,
            bytes_max=ANSWER_BYTES_MAX,
        )

    async def _exchange(
        self,
        where: tuple[str, str],
        headers: dict[str, str],
        body: bytes | None,
        attempt: Attempt,
        *,
        read_s: float,
        bytes_max: int,
    ) -> Reply:
        verb, url = where
        attempt.bytes_sent = len(body or b"")
        connect_s = self._settings.connect_timeout_s
        deadlines = aiohttp.ClientTimeout(
            total=connect_s + read_s,
            connect=connect_s,
            sock_connect=connect_s,
            sock_read=read_s,
        )
        try:
            async with self._session.request(
                verb,
                url,
                data=body,
                headers=headers,
                timeout=deadlines,
                allow_redirects=False,
                raise_for_status=False,
                ssl=self._ssl,
                auto_decompress=False,
            ) as response:
                attempt.status = response.status
                return Reply(response, await _bounded(response, bytes_max, attempt))
        except aiohttp.ServerFingerprintMismatch as mismatch:
            raise CertificateChanged(
                f"{mismatch.host}:{mismatch.port} shows another certificate (SHA-256 "
                f"{mismatch.got.hex()}) than the pinned one ({mismatch.expected.hex()}): "
                "nothing was sent. If it was renewed, set certificate_sha256; if it was not, "
                "somebody is between"
            ) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise _Unsent(
                f"{_named(error)}; pin a self-signed certificate with certificate_sha256"
            ) from None
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientHttpProxyError,
            aiohttp.InvalidURL,
        ) as error:
            raise _Unsent(_named(error)) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(_named(error)) from None

    async def _answer(
        self, method: str, reply: Reply, rows: ListRows | None, *, writes: bool
    ) -> Answer:
        if reply.status in (401, 403):
            raise CredentialsRefused(
                f"Khaos Control does not let us call {method} (HTTP {reply.status}): "
                f"{what_to_check(reply.challenges)}",
                status=reply.status,
            )
        if reply.status == 429 and not writes:  # noqa: PLR2004 - Too Many Requests
            raise RateLimited(
                f"Khaos Control asks us to slow down ({method})",
                retry_after_s=reply.retry_after_s,
            )
        try:
            content = await content_of(reply, self._settings.other_text, rows)
        except NoAnswer as silence:
            raise _lost(method, silence, writes=writes) from None
        except Unreadable as surprise:
            message = f"Khaos Control's answer to {method} was not understood: {surprise}"
            raise (OutcomeUnknown(message) if writes else ProtocolSurprise(message)) from None
        if local_name(content) == "Fault":
            raise self._fault(method, content, writes=writes)
        return Answer(content)

    def _fault(self, method: str, fault: Element, *, writes: bool) -> KcjlError:
        text, class_names = fault_words(fault)
        said = f"Khaos Control answered {method} with a fault: {excerpt(text) or '(no text)'}"
        if _TRANSIENT_CLASS.search(" ".join(class_names)):
            return OutcomeUnknown(said) if writes else Unavailable(said)
        if _no_such(method, text) or _NO_INTERFACE.search(" ".join((text, *class_names))):
            self._wsdl = None
            return ProtocolSurprise(f"{said}; the method was not run")
        return SoapFault(
            excerpt(text) or said, reason_code=class_names[0] if class_names else "FAULT"
        )


def _envelope(
    operation: Operation, arguments: Sequence[Argument], settings: KwsSettings
) -> bytes:
    """The request, RPC/encoded."""
    spaces = {"soap": ENVELOPE, "xsi": XSI, "xsd": XSD, "k": operation.namespace}
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap=spaces)
    body = etree.SubElement(root, f"{{{ENVELOPE}}}Body")
    body.set(f"{{{ENVELOPE}}}encodingStyle", ENCODING)
    call = etree.SubElement(body, f"{{{operation.namespace}}}{operation.method}")
    for part, text in place(operation, arguments, settings.flags_as):
        own = None if part.type_namespace == XSD else {"t": part.type_namespace}
        element = etree.SubElement(call, part.name, nsmap=own)
        element.set(f"{{{XSI}}}type", f"{'t' if own else 'xsd'}:{part.type_name}")
        if text is None:
            element.set(f"{{{XSI}}}nil", "true")
        else:
            element.text = text
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


async def _bounded(
    response: aiohttp.ClientResponse, bytes_max: int, attempt: Attempt
) -> HiddenBuffer:
    body = HiddenBuffer()
    async for block in response.content.iter_any():
        body += block
        attempt.bytes_received = len(body)
        if len(body) > bytes_max:
            raise NoAnswer(f"the answer is longer than {bytes_max} bytes")
    return body


def _no_such(method: str, text: str) -> bool:
    """The fault says that the service does not know this method."""
    name = re.escape(method)
    missing = "not (?:found|supported|known|defined|implemented)"
    about_it = rf"(?:method|operation|procedure|action)\W+(?:\w+\W+){{0,2}}?{name}\b"
    return bool(
        re.search(rf"\b{name}\W+(?:is |was )?{missing}", text, re.IGNORECASE)
        or re.search(rf"{about_it}.*{missing}", text, re.IGNORECASE)
        or re.search(rf"(?:unknown|unsupported|no such) {about_it}", text, re.IGNORECASE)
    )


def _not_sent(method: str, unsent: _Unsent) -> Unavailable:
    return Unavailable(
        f"Khaos Control can't be reached for {method}, nothing was sent: {unsent}"
    )


def _lost(method: str, silence: NoAnswer, *, writes: bool) -> KcjlError:
    said = f"Khaos Control gave no answer to {method}: {silence}"
    if writes:
        return OutcomeUnknown(f"{said}; look the order up before sending it again")
    return Unavailable(said, retry_after_s=silence.retry_after_s)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__} {excerpt(str(error))}".strip()
