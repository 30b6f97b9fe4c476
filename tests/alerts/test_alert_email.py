"""Alerts by e-mail, against a real SMTP server."""

import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import msgspec
import pytest
from anyio.abc import ByteStream, SocketAttribute

from kcjl.adaptersettings import email_access
from kcjl.alerts.alert_settings import EmailSection
from kcjl.alerts.asked import alert_words
from kcjl.alerts.email import EmailAccess, EmailAlerts
from kcjl.alerts.events import AlertUnknown
from kcjl.alerts.port import Message
from kcjl.calls.memory import MemoryCalls
from kcjl.calls.port import Asked, CallOutcome, Side
from kcjl.calls.sync_log import SyncLog
from kcjl.clock import SeededIds
from kcjl.command import Command
from kcjl.commands import MemoryCommands, serve_commands
from kcjl.discretion import Secret
from kcjl.errors import (
    CredentialsRefused,
    KcjlError,
    OutcomeUnknown,
    Refused,
    SettingsUnusable,
    Unavailable,
)
from tests.alerts.mail_server import PASSWORD, USER, MailServer
from tests.alerts.room import SETTINGS, alerting, look
from tests.alerts.words import raised
from tests.certificates import own_certificate
from tests.clockwork import MORNING, Clockwork
from tests.rooms import Premises

pytestmark = pytest.mark.anyio

replace = msgspec.structs.replace
ADDRESSES = {"operations": ("ops@brand.example", "night@brand.example")}
MESSAGE = Message(
    message_id="a1b2",
    title="[kcjl acme] a £5 sofa",
    text="x" * 2_000 + "\n",
    written_at=MORNING,
)


def access(server: MailServer, security: str = "plain") -> EmailAccess:
    return EmailAccess(
        host="127.0.0.1",
        port=server.port,
        security=security,
        sender="kcjl@brand.example",
        timeout_s=5,
    )


def channel(access: EmailAccess, sync_log: SyncLog | None = None) -> EmailAlerts:
    return EmailAlerts(access, ADDRESSES, clock=Clockwork(), sync_log=sync_log)


async def test_message_goes_to_all_addresses_of_the_owner_under_its_id() -> None:
    """As it was written: subject, text in lines that a server takes, and a date of its own."""
    async with MailServer.serve() as server:
        said = await channel(access(server)).send(MESSAGE, "operations")

    (mail,) = server.mails
    assert [list(ADDRESSES["operations"])] == server.to
    assert "<a1b2@alerts.kcjl.invalid>" == mail["Message-ID"]
    assert "[kcjl acme] a £5 sofa" == mail["Subject"]
    assert "Thu, 01 Oct 2026 08:00:00 +0000" == mail["Date"]
    assert "auto-generated" == mail["Auto-Submitted"]
    assert "x" * 2_000 == "".join(mail.get_content().split())
    assert (2, 0, "250") == (said.addresses, said.not_reached, said.answer)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_tls_is_verified_and_the_password_goes_only_over_it(
    tmp_path: Path, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that is not trusted gets nothing; with its file it gets login and mail."""
    pem = own_certificate(tmp_path / "mail.pem")
    monkeypatch.setenv("KCJL_ALERT_EMAIL_PASSWORD", PASSWORD)
    login = security == "starttls"  # aiosmtpd takes no login over the other kind
    async with MailServer.serve(pem=pem, security=security, login=login) as server:
        section = EmailSection(
            host="127.0.0.1",
            port=server.port,
            security="starttls" if login else "tls",
            sender="kcjl@brand.example",
            user=USER if login else "",
        )
        with pytest.raises(Unavailable, match="could not be asked"):
            await channel(email_access(section)).send(MESSAGE, "operations")
        assert ([], []) == (server.mails, server.logins)
        trusted = replace(section, ca_file=str(pem))
        await channel(email_access(trusted)).send(MESSAGE, "operations")

    assert [True] == server.was_tls
    assert ([USER] if login else []) == server.logins


async def test_server_that_offers_no_tls_gets_no_message() -> None:
    """It is not sent in the clear instead."""
    async with MailServer.serve() as server:
        with pytest.raises(Unavailable):
            await channel(access(server, "starttls")).send(MESSAGE, "operations")

    assert [] == server.mails


async def test_wrong_password_is_refused_and_in_no_message(tmp_path: Path) -> None:
    """Who reads the log learns that it is wrong, and not what it was."""
    pem = own_certificate(tmp_path / "mail.pem")
    async with MailServer.serve(pem=pem, security="starttls", login=True) as server:
        section = EmailSection(
            host="127.0.0.1", port=server.port, sender="kcjl@brand.example", ca_file=str(pem)
        )
        wrong = replace(email_access(section), user=USER, password=Secret("sesame"))
        with pytest.raises(CredentialsRefused, match=r"\(535\)") as caught:
            await channel(wrong).send(MESSAGE, "operations")

    assert "sesame" not in caught.value.message + repr(wrong)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (("550 no such user", "550 no such user"), Refused),
        (("450 busy", "550 no such user"), Unavailable),
        (("450 busy", "451 busy"), Unavailable),
    ],
)
async def test_message_that_no_address_takes_did_not_go(
    answers: tuple[str, str], error: type[KcjlError]
) -> None:
    """Refused for good when all are; tried later when one of them may take it then."""
    async with MailServer.serve() as server:
        server.refuses = dict(zip(ADDRESSES["operations"], answers, strict=True))
        with pytest.raises(error) as caught:
            await channel(access(server)).send(MESSAGE, "operations")

    assert "brand.example" not in caught.value.message
    assert [] == server.mails


async def test_address_that_is_refused_keeps_it_from_no_other() -> None:
    """The one gets it, and the other is counted."""
    async with MailServer.serve() as server:
        server.refuses = {"night@brand.example": "550 no such user"}
        said = await channel(access(server)).send(MESSAGE, "operations")

    assert [["ops@brand.example"]] == server.to
    assert (1, 1) == (said.addresses, said.not_reached)


@pytest.mark.parametrize(
    ("answer", "error", "outcome"),
    [
        ("554 spam, says jo@brand.example", Refused, CallOutcome.REFUSED),
        ("451 later", Unavailable, CallOutcome.UNAVAILABLE),
        ("", OutcomeUnknown, CallOutcome.UNKNOWN),
    ],
)
async def test_answer_to_the_message_says_whether_it_went(
    answer: str, error: type[KcjlError], outcome: CallOutcome
) -> None:
    """No, not now, or none at all: then nobody knows. Each is noted in the sync log."""
    calls, clock = MemoryCalls(), Clockwork()
    async with MailServer.serve() as server:
        server.answer = answer
        noted = SyncLog(calls, clock)
        with pytest.raises(error) as caught:
            await channel(access(server), noted).send(MESSAGE, "operations")
        await noted.flush()

    (kept,) = await calls.newest(Asked(), 10)
    assert (Side.EMAIL, outcome, "a1b2 to operations") == (
        kept.call.side,
        kept.call.outcome,
        kept.call.subject,
    )
    assert "jo@" not in caught.value.message


async def test_server_that_is_not_there_got_nothing() -> None:
    """It certainly did not go."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = MailServer()
        server.port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match="could not be asked"):
            await channel(access(server)).send(MESSAGE, "operations")


async def test_server_that_was_away_gets_what_waited_as_one_mail() -> None:
    """The room, the adapter and the server together: down, back, and one message."""
    place = Premises()
    async with MailServer.serve() as server:
        port = server.port
    mail = EmailAlerts(access(server), SETTINGS.addresses(), clock=place.clock)
    async with alerting(place, mail) as alerts:
        await alerts.record(raised("O1"))
        await look(place, alerts)
        await look(place, alerts, minutes=1)
        await alerts.record(raised("O2", place.clock.now()))
        await look(place, alerts, minutes=1)
        async with MailServer.serve(port=port) as server:
            await look(place, alerts, minutes=2)
            await look(place, alerts, minutes=2)

    (sent,) = server.mails
    assert "[kcjl acme] 2 exceptions (2 high)" == sent["Subject"]


async def test_look_at_the_server_logs_in_and_sends_nothing(tmp_path: Path) -> None:
    """A check before going live: a wrong password is found, and nobody gets a mail."""
    pem = own_certificate(tmp_path / "mail.pem")
    async with MailServer.serve(pem=pem, security="starttls", login=True) as server:
        there = access(server, "starttls")
        tls = ssl.create_default_context(cafile=str(pem))
        known = replace(there, tls=tls, user=USER, password=Secret(PASSWORD))
        assert "answers, and takes kcjl's login" in await channel(known).look()
        with pytest.raises(CredentialsRefused, match="refuses our user or its password"):
            await channel(replace(known, password=Secret("guess"))).look()
    with pytest.raises(Unavailable, match="could not be asked"):
        await channel(known).look()

    assert ([], {"kcjl"}) == (server.mails, set(server.logins))


async def test_list_that_a_person_asks_for_holds_nobody_up_when_mail_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server takes the line and says nothing: the next person's command is carried out."""
    monkeypatch.setattr("kcjl.alerts.actor.ANSWER_S", 0.2)
    place, queue, ids = Premises(), MemoryCommands(), SeededIds(1)
    place.clock = _Impatient()
    async with _silent() as port, anyio.create_task_group() as group:
        silent = EmailAccess(
            host="127.0.0.1", port=port, security="plain", sender="k@b.example"
        )
        mail = EmailAlerts(silent, SETTINGS.addresses(), clock=place.clock)
        async with alerting(place, mail) as alerts:
            await alerts.record(raised("O1"), raised("O2", owner="finance"))
            handlers = {**alert_words(alerts), "next": _nothing}
            lists = queue.issue(Command(verb="alerts-digest", arguments={}), by="jo", ids=ids)
            after = queue.issue(Command(verb="next", arguments={}), by="ann", ids=ids)
            group.start_soon(serve_commands, queue, handlers, place.clock.now)
            with anyio.fail_after(10):
                while after not in queue.outcomes:
                    await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()

    assert queue.outcomes[after].ok
    assert not queue.outcomes[lists].ok
    assert "0 sent, 1 did not get through, 0 had nothing to say, 1 not begun" in (
        queue.outcomes[lists].message
    )
    (unknown,) = await place.said(AlertUnknown)
    assert "no answer came within" in unknown.message


class _Impatient(Clockwork):
    """Its deadlines are real ones."""

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        with anyio.fail_after(seconds):
            yield


async def _nothing(_arguments: Mapping[str, str], _by: str) -> str:
    return "done"


@asynccontextmanager
async def _silent() -> AsyncIterator[int]:
    """A server that accepts, and never says a word; its port."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, _listen)
        yield listener.extra(SocketAttribute.local_port)
        group.cancel_scope.cancel()


async def _listen(stream: ByteStream) -> None:
    async with stream:
        async for _ in stream:
            pass


def test_file_of_trusted_certificates_that_is_none_is_told(tmp_path: Path) -> None:
    """At the start, not at the first alert."""
    section = EmailSection(host="127.0.0.1", sender="a@b.example", ca_file=str(tmp_path / "x"))
    with pytest.raises(SettingsUnusable, match="ca_file"):
        email_access(section)
