"""Work that they do in their own time: asked for, looked at until it is done, then fetched.

Promises: looks come at the operation's advised period on the injected clock; what is not done
within the age limit, or can't be looked at several times running, raises `Unavailable`; what
they say has failed raises `Refused` with their code. A tracking id that was kept is gone on
with after a restart. It decodes no row. Invariant: a file is fetched with the key from the
tenant's own address only, without it from the hosts that the settings allow, from no other.
Called by the classes of calls. Source: contract johnlewis b.0, b.2, b.3, b.6, d.1.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

import msgspec
from yarl import URL

from kcjl.clock import Clock
from kcjl.errors import NotFound, ProtocolSurprise, Refused, Unavailable
from kcjl.johnlewis import wire
from kcjl.johnlewis.access import SellerApiSettings
from kcjl.johnlewis.export_port import Export, ExportMemory
from kcjl.johnlewis.http import SellerHttp
from kcjl.johnlewis.reading import holds, optional, plain_text, words_of_refusal
from kcjl.johnlewis.request import Call

__all__ = [
    "OFFERS",
    "ORDERS",
    "TRANSACTION_LINES",
    "ExportFamily",
    "Exports",
    "Follower",
    "NothingKept",
]

LOOKS_FAILED_MAX = 5
"""So many looks running may find nobody there; the next one is told."""

URLS_MAX = 10_000
"""No export has more files."""

_UNSAFE = re.compile(r"[^!-~]")
"""What stands in no address that was quoted."""

_FAILED = frozenset({"FAILED", "CANCELED", "CANCELLED"})
_DONE = frozenset({"COMPLETED", "COMPLETE"})
"""A status in neither is taken as under way: it is asked on, and has a bound."""

_Outcome = TypeVar("_Outcome")


class ExportFamily(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of export: its three operations, where they are, and how often to look."""

    asks: str
    looks: str
    fetches: str
    path: str
    period_s: float


ORDERS = ExportFamily(
    asks="OR13",
    looks="OR14",
    fetches="OR15",
    path="/api/orders/async-export",
    period_s=10,
)
OFFERS = ExportFamily(
    asks="OF52",
    looks="OF53",
    fetches="OF54",
    path="/api/offers/export/async",
    period_s=60,
)
TRANSACTION_LINES = ExportFamily(
    asks="TL03",
    looks="TL04",
    fetches="TL05",
    path="/api/sellerpayment/transactions_logs/async",
    period_s=60,
)


class NothingKept:
    """For who asks anew after a restart."""

    async def kept(self, name: str) -> Export | None:  # noqa: ARG002 - the protocol's
        return None

    async def keep(self, name: str, export: Export) -> None:
        pass

    async def forget(self, name: str) -> None:
        pass


class Follower:
    """Looks at work of theirs until it is done: imports and exports alike."""

    def __init__(self, clock: Clock, *, age_s_max: float) -> None:
        self._clock = clock
        self._age_s_max = age_s_max

    async def finished(
        self,
        what: str,
        *,
        asked_at: datetime,
        period_s: float,
        look: Callable[[], Awaitable[_Outcome | None]],
    ) -> _Outcome:
        """What `look` gives once it gives something; it raises `Refused` for what failed."""
        failed = 0
        due = asked_at + timedelta(seconds=period_s)
        while True:
            wait_s = min((due - self._clock.now()).total_seconds(), period_s)
            if wait_s > 0:
                await self._clock.sleep(wait_s)
            try:
                outcome = await look()
            except Unavailable:
                failed += 1
                if failed >= LOOKS_FAILED_MAX:
                    raise
            else:
                failed = 0
                if outcome is not None:
                    return outcome
            if self.is_too_old(asked_at):
                raise Unavailable(
                    f"{what}: not done {self._age_s_max:.0f} s after it was asked for; "
                    "ask for it again, or raise export_age_s_max"
                )
            due = self._clock.now() + timedelta(seconds=period_s)

    def is_too_old(self, asked_at: datetime) -> bool:
        return (self._clock.now() - asked_at).total_seconds() > self._age_s_max


class Exports:
    """The exports of one shop."""

    def __init__(self, settings: SellerApiSettings, *, clock: Clock, http: SellerHttp) -> None:
        self._settings = settings
        self._clock = clock
        self._http = http
        self._follower = Follower(clock, age_s_max=settings.export_age_s_max)

    async def ask(self, family: ExportFamily, asked: bytes, subject: str) -> Export:
        """Ask for an export. Asking changes nothing there, so it may be asked again."""
        call = Call(
            operation=family.asks,
            method="POST",
            path=family.path,
            subject=subject,
            json=asked,
            changes=False,
        )
        answer = await self._http.send(call)
        told = wire.decoded(answer.body, WireExport, family.asks).tracking_id
        if not (tracking_id := optional(told)):
            raise ProtocolSurprise(f"{call}: the answer does not say the tracking id")
        return Export(
            operation=family.asks, tracking_id=tracking_id, asked_at=self._clock.now()
        )

    async def files(self, family: ExportFamily, export: Export) -> tuple[str, ...]:
        """Where the finished export's files are. Raises `Refused` when it failed."""
        what = f"{family.looks} of export {export.tracking_id}"
        call = Call(
            operation=family.looks,
            path=f"{family.path}/status/{quote(export.tracking_id, safe='')}",
            subject=f"of export {export.tracking_id}",
        )

        async def look() -> tuple[str, ...] | None:
            body = (await self._http.send(call)).body
            told = wire.decoded(body, WireExportStatus, family.looks)
            status = (told.status or "").upper()
            if status in _FAILED:
                message, code = words_of_refusal(holds(told.error) or b"")
                raise Refused(
                    plain_text(f"{what}: {status}: {message or 'no reason given'}"),
                    reason_code=code or status,
                    status=200,
                )
            if status not in _DONE:
                return None
            urls = told.urls or []
            if len(urls) > URLS_MAX:
                raise Refused(f"{what}: {len(urls)} files; nothing was taken", status=200)
            return tuple(dict.fromkeys(urls))

        return await self._follower.finished(
            what, asked_at=export.asked_at, period_s=family.period_s, look=look
        )

    async def finished(
        self,
        family: ExportFamily,
        asked: bytes,
        subject: str,
        *,
        memory: ExportMemory,
        name: str,
    ) -> tuple[str, ...]:
        """The files of the export that is kept under this name, else of one asked for now."""
        kept = await memory.kept(name)
        if kept is not None and not self._follower.is_too_old(kept.asked_at):
            try:
                return await self.files(family, kept)
            except NotFound:
                pass  # they have thrown it away: ask anew
            except Refused:
                await memory.forget(name)
                raise
        export = await self.ask(family, asked, subject)
        await memory.keep(name, export)
        try:
            return await self.files(family, export)
        except (Refused, Unavailable) as error:
            if isinstance(error, Refused) or self._follower.is_too_old(export.asked_at):
                await memory.forget(name)
            raise

    def pieces(
        self, family: ExportFamily, url: str, *, accept: str = "application/json"
    ) -> AsyncGenerator[bytes, None]:
        """A file as it arrives. Raises `Refused` for a host that is not allowed."""
        target, with_key = self._target(family, url)
        call = Call(
            operation=family.fetches,
            path="",
            subject=f"from {target.host}",
            accept=accept,
        )
        return self._http.pieces(call, target, with_key=with_key)

    def _target(self, family: ExportFamily, url: str) -> tuple[URL, bool]:
        root = URL(self._settings.root)
        try:
            # An address that is signed is sent as it came, to the letter.
            target = root.join(URL(url, encoded=url.isascii() and not _UNSAFE.search(url)))
            host = target.host or ""
            is_theirs = target.origin() == root.origin()
        except ValueError:
            raise Refused(f"{family.fetches}: {plain_text(url, 60)!r} is no address") from None
        if target.user is not None or target.password is not None:
            raise Refused(f"{family.fetches}: an address of a file names a user")
        if is_theirs:
            return target, True
        is_plain = target.scheme == "http" and self._settings.may_be_plain(host)
        if target.scheme != "https" and not is_plain:
            raise Refused(f"{family.fetches}: a file at {host} is not offered over https")
        if not self._settings.allows_files_of(host):
            raise Refused(
                f"{family.fetches}: a file is at {host}, which is not the tenant's host: "
                "export_hosts has to name it before it is fetched"
            )
        return target, False


class WireExport(msgspec.Struct, frozen=True, kw_only=True):
    tracking_id: str | int | None = None


class WireExportStatus(msgspec.Struct, frozen=True, kw_only=True):
    status: str | None = None
    urls: list[str] | None = None
    error: msgspec.Raw = msgspec.Raw(b"")
