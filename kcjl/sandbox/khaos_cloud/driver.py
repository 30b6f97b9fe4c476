"""The Cloud ERP's calls over real HTTP: it does what its channel says is due.

Promises: each call with HTTP Basic, one at a time, in the channel's order; redirects are not
followed; only 200 is a yes, and a call without an answer is a no. Faults strike as planned:
lost before or after, repeated, slow, answered with an error. It decides nothing itself.
Invariant: what a call changes goes through the gate, so that a journal can play it again.
Called by the sandbox's server, and by tests. Source: contract khaos b.10.
"""

import base64
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
import msgspec

from kcjl.clock import real_sleep
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.gate import Gate
from kcjl.sandbox.khaos_cloud.channel import Call, CallKind, Channel
from kcjl.sandbox.khaos_cloud.settings import CloudAccess

__all__ = ["SIDE", "UNANSWERED", "CloudDriver"]

SIDE: Final = "khaos_cloud"
UNANSWERED: Final = "Unanswered"
"""The operation that the gate is told of a call that was no use."""
_TIMEOUT_S = 30.0
_ANSWER_BYTES_MAX = 64 * 1024 * 1024
_CALLS_A_TURN_MAX = 1000
"""Calls of one kind in one turn; what is left comes with the next."""
_OK = 200
_TYPES = {"JSON": "application/json", "XML": "application/xml"}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: a body and a continuation, or why it was no."""

    body: bytes = b""
    continuation: str | None = None
    refusal: str = ""


class CloudDriver:
    """Makes the channel's calls."""

    def __init__(
        self,
        channel: Channel,
        gate: Gate,
        access: CloudAccess,
        *,
        session: aiohttp.ClientSession,
        take_fault: Callable[[str, str], Fault | None] = lambda _side, _operation: None,
        sleep: Callable[[float], Awaitable[None]] = real_sleep,
    ) -> None:
        self._channel = channel
        self._gate = gate
        self._session = session
        self._take_fault = take_fault
        self._sleep = sleep
        both = f"{access.user}:{access.password}".encode()
        self._authorization = f"Basic {base64.b64encode(both).decode()}"
        self._is_linked = channel.view().config_url == access.config_url
        self._access = access

    async def turn(self) -> int:
        """Make the calls that are due now; returns how many were made."""
        if not self._is_linked:
            self._is_linked = True
            self._gate.change(SIDE, "change_config_url", {"url": self._access.config_url})
        made = 0
        due = self._channel.due()
        if due == ["Config"]:  # what it names may be due at once
            made = await self._calls_of("Config")
            due = self._channel.due()
        for kind in due:
            if kind != "Config":
                made += await self._calls_of(kind)
        return made

    async def _calls_of(self, kind: CallKind) -> int:
        if self._channel.looks(kind):
            self._gate.change(SIDE, "look", {"kind": kind})
        for made in range(_CALLS_A_TURN_MAX):
            call = self._channel.call(kind)
            if call is None:
                return made
            answer = await self._answer(call)
            self._gate.enter(SIDE, kind if not answer.refusal else UNANSWERED)
            if answer.refusal:
                told = {"kind": kind, "reason": answer.refusal}
                self._gate.change(SIDE, "failed", dict(told))
                return made + 1
            self._gate.change(SIDE, "answered", _told(call, answer))
            if call.body is None:
                return made + 1
        return _CALLS_A_TURN_MAX

    async def _answer(self, call: Call) -> Answer:
        """The answer, or what a fault makes of it."""
        fault = self._take_fault(SIDE, call.kind)
        if fault is None:
            return await self._send(call)
        match fault.kind:
            case "lost_before":
                return Answer(refusal="no connection")
            case "lost_after":
                await self._send(call)
                return Answer(refusal="the connection was lost")
            case "repeated":
                await self._send(call)
                return await self._send(call)
            case "slow":
                if not fault.after_effect:
                    await self._sleep(fault.seconds)
                    return await self._send(call)
                answer = await self._send(call)
                await self._sleep(fault.seconds)
                return answer
            case "status":
                if fault.after_effect:
                    await self._send(call)
                return Answer(refusal=f"answered {fault.status}")
            case _:
                return await self._send(call)

    async def _send(self, call: Call) -> Answer:
        headers = {**call.headers, "Authorization": self._authorization}
        if call.body is not None:
            headers["Content-Type"] = f"{_TYPES[call.form]}; charset=utf-8"
        else:
            headers["Accept"] = _TYPES.get(call.form, "*/*")
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        try:
            async with self._session.request(
                "GET" if call.body is None else "POST",
                call.url,
                data=None if call.body is None else call.body.encode(),
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                body = await answer.content.read(_ANSWER_BYTES_MAX + 1)
                while body and not answer.content.at_eof():
                    more = await answer.content.read(_ANSWER_BYTES_MAX + 1)
                    body += more
                    if len(body) > _ANSWER_BYTES_MAX:
                        return Answer(refusal=f"more than {_ANSWER_BYTES_MAX} bytes")
                if answer.status != _OK:
                    said = body[:300].decode("utf-8", "replace").strip()
                    return Answer(refusal=f"answered {answer.status}: {said}")
                return Answer(body=body, continuation=answer.headers.get("Sirion-Continuation"))
        except (aiohttp.ClientError, TimeoutError, ValueError) as trouble:
            return Answer(refusal=f"no answer: {type(trouble).__name__}: {trouble}")


def _told(call: Call, answer: Answer) -> dict[str, object]:
    """What the journal keeps of an answer; of a post, only that it was taken."""
    body = answer.body.decode("latin-1") if call.body is None else ""
    return {
        "kind": call.kind,
        "body": body,
        "continuation": answer.continuation,
        "refs": list(call.refs),
    }
