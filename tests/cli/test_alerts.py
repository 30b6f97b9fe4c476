"""`kcjl alerts` as a user meets it: real processes, a real database, a real mail server."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import msgspec
import pytest

from kcjl.alerts.alert_settings import AlertSettings, EmailSection
from kcjl.alerts.email import EmailAccess, EmailAlerts
from kcjl.clock import SeededIds
from kcjl.commands import serve_commands
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.runner import ProjectionRunner
from kcjl.rooms import Outside, Rooms
from kcjl.vault import MemoryVault
from tests.alerts.mail_server import MailServer
from tests.architecture.tree import ROOT
from tests.audit.handmade import MERCHANT, Handmade, handmade, raised
from tests.cli.test_stock import CONFIG, SETTINGS
from tests.commanding import commands_of
from tests.outside.erp import Books, Warehouse
from tests.outside.marketplace import Shop
from tests.trade import at, gbp

pytestmark = pytest.mark.anyio

ALERTS = """
[merchants.acme.alerts]
digest_at = ""
[merchants.acme.alerts.owners]
operations = ["ops@brand.example"]
"*" = ["ops@brand.example"]
[merchants.acme.alerts.email]
host = "127.0.0.1"
port = {port}
security = "plain"
sender = "kcjl@brand.example"
timeout_s = 5
"""
Told = subprocess.CompletedProcess[str]


def told_of(server: MailServer) -> AlertSettings:
    return AlertSettings(
        owners={"operations": ("ops@brand.example",), "*": ("ops@brand.example",)},
        digest_at="",
        gather_minutes=0,
        email=EmailSection(
            host="127.0.0.1", port=server.port, security="plain", sender="kcjl@brand.example"
        ),
    )


@asynccontextmanager
async def serving(dsn: str, folder: Path, server: MailServer) -> AsyncIterator[Handmade]:
    """A desk with two exceptions, its alerts, and the rooms that carry out what is said."""
    (folder / "kcjl.toml").write_text(CONFIG.format(dsn=dsn) + ALERTS.format(port=server.port))
    settings = told_of(server)
    async with handmade(dsn) as made:
        await made.says(
            raised("posting_refused", "O1", money=gbp(2_000), deadline=at(600)),
            raised("courier_unmapped", "dpd next day", deadline=at(90)),
        )
        access = EmailAccess(
            host="127.0.0.1", port=server.port, security="plain", sender="kcjl@brand.example"
        )
        mail = EmailAlerts(access, settings.addresses(), clock=made.clock)
        books = Books()
        outside = Outside(Shop(made.clock), Warehouse(made.clock), books, books, None, [mail])
        vault = MemoryVault(MERCHANT, b"k" * 32)
        mine = msgspec.structs.replace(SETTINGS, alerts=settings)
        rooms = Rooms(mine, made.log, vault, outside, made.clock, SeededIds(1))
        for room in rooms.all():
            await room.catch_up()
        assert rooms.alerts is not None
        await rooms.alerts.jobs[0].run()
        queue = commands_of(made.database, MERCHANT)
        async with anyio.create_task_group() as group:
            group.start_soon(serve_commands, queue, rooms.handlers(), made.clock.now)
            group.start_soon(ProjectionRunner(made.log, made.store, PROJECTIONS).run)
            yield made
            group.cancel_scope.cancel()


async def kcjl(*arguments: str, cwd: Path) -> Told:
    def run() -> Told:
        return subprocess.run(
            [sys.executable, "-m", "kcjl", "alerts", *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    return await anyio.to_thread.run_sync(run)


@pytest.mark.timeout(120)
async def test_what_was_told_is_listed_and_owners_lists_are_shown_before_they_go(
    database_dsn: str, tmp_path: Path
) -> None:
    """The alert went at the service's first look; a preview sends nothing, the list goes."""
    async with MailServer.serve() as server, serving(database_dsn, tmp_path, server):
        assert 1 == len(server.mails)
        shown = await kcjl("digest", "--preview", cwd=tmp_path)
        assert (
            "── email to operations: [kcjl acme] the day's list: 2 exceptions" in shown.stdout
        )
        assert 1 == len(server.mails)
        sent = await kcjl("digest", "--owner", "operations", cwd=tmp_path)
        listed = await kcjl("list", "--json", cwd=tmp_path)
        table = await kcjl("list", "-n", "1", cwd=tmp_path)

    assert "1 sent, 0 did not get through, 0 had nothing to say\n" == sent.stdout
    assert 2 == len(server.mails)
    told = [json.loads(line)["alert"] for line in listed.stdout.splitlines()]
    assert ["digest", "alert"] == sorted({each["purpose"] for each in told}, reverse=True)
    assert {"sent"} == {each["state"] for each in told}
    assert "2 messages; shown are 1 of them" in table.stderr


async def test_trial_message_says_what_came_back(database_dsn: str, tmp_path: Path) -> None:
    """It is sent from here, needs no service, and a server that is away is exit code 3."""
    async with MailServer.serve() as server:
        text = CONFIG.format(dsn=database_dsn) + ALERTS.format(port=server.port)
        (tmp_path / "kcjl.toml").write_text(text)
        good = await kcjl("test", "--owner", "operations", "--json", cwd=tmp_path)
        nobody = await kcjl("test", "--channel", "webhook", cwd=tmp_path)
    away = await kcjl("test", cwd=tmp_path)

    (mail,) = server.mails
    said = json.loads(good.stdout)
    assert (0, "250") == (good.returncode, said["answer"])
    assert f"<{said['message_id']}@alerts.kcjl.invalid>" == mail["Message-ID"]
    assert "a trial: this is no alert" in mail["Subject"]
    assert (2, 3) == (nobody.returncode, away.returncode)
    assert "email to operations: NOT taken: the mail server 127.0.0.1:" in away.stdout
