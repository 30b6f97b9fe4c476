"""`kcjl init` as a person meets it, at a real terminal, against both systems over real HTTP."""

import asyncio
import hashlib
import re
import ssl
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from kcjl.sandbox.server import Sandbox, SandboxSettings
from kcjl.settings import Settings, read_settings
from tests.architecture.tree import ROOT
from tests.cli.terminal import INTERRUPT, Ended, at_terminal
from tests.cli.typed import typed
from tests.cloud.channel import write_certificate
from tests.service.running import quiet_world

pytestmark = pytest.mark.anyio

KEY = "johnlewis-sandbox-key"
PASSWORD = "a password with spaces"


@asynccontextmanager
async def both_systems(**warehouse: str) -> AsyncIterator[Sandbox]:
    world = quiet_world()
    world = replace(world, warehouse=replace(world.warehouse, **warehouse))
    settings = SandboxSettings(world=world, port=0, khaos_port=0, speed=1.0)
    async with Sandbox.serve(settings) as sandbox:
        yield sandbox


def rest(**said: str) -> list[tuple[str, str]]:
    """What is asked after Khaos Control has answered; Enter where nothing else is said."""
    prompts = (
        "Site that orders",
        "Account of all",
        "Sales source",
        "Clearing account",
        "Courier of these",
        "First line",
        "Town",
        "Postcode",
        "Database",
        "Folder of data",
        "First order",
        "Live",
    )
    answers = {"First line": "1 Example Road", "Town": "London", "Postcode": "ZZ1 1ZZ"}
    answers |= {key.replace("_", " "): value for key, value in said.items()}
    return [(prompt, answers.get(prompt, "")) for prompt in prompts]


def answers_of(sandbox: Sandbox, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [
        ("Name of the merchant", "acme"),
        ("Address of the marketplace", sandbox.johnlewis_url),
        ("Key of the", KEY),
        ("Its shop", ""),
        ("Kind of Khaos", ""),
        ("Address of Khaos", sandbox.khaos_url),
        ("How it lets us in", ""),
        *(more or rest()),
    ]


async def asked(sandbox: Sandbox, folder: Path, *more: tuple[str, str]) -> Ended:
    return await at_terminal("init", cwd=folder, answers=answers_of(sandbox, *more))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def written_in(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def left_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def test_person_is_asked_and_what_is_written_is_a_configuration_that_works(
    tmp_path: Path,
) -> None:
    """Secrets are unseen and readable by their owner only; nothing is live; check agrees."""
    async with both_systems() as sandbox:
        ended = await asked(sandbox, tmp_path)
        assert 0 == ended.code, ended.screen
        settings, left = read_settings(tmp_path / "kcjl.toml"), left_in(tmp_path)
        checked = await typed("check", "--quick", "--json", cwd=tmp_path)

    mine = settings.merchants["acme"]
    secrets = tmp_path / "kcjl-secrets"
    assert (False, "embedded") == (settings.live, settings.database)
    assert ("Main Site", ("1",)) == (mine.khaos.site_name, mine.stock.sites)
    assert mine.orders.start_at is not None
    assert KEY not in ended.screen
    assert KEY not in (tmp_path / "kcjl.toml").read_text()
    assert [0o600, 0o600, 0o700] == [
        mode(each) for each in (secrets / "johnlewis.key", secrets / "vault.key", secrets)
    ]
    assert ["kcjl-secrets", "kcjl.toml"] == left
    assert "kcjl check" in ended.screen
    assert '"severity_name":"failure"' not in checked.stdout.replace(" ", "").casefold()


async def test_answer_that_does_not_work_says_why_and_is_asked_again(tmp_path: Path) -> None:
    """A name, an address, a key, a courier and a database, each wrong at first."""
    async with both_systems() as sandbox:
        nowhere = "http://127.0.0.1:9"
        answers = [
            ("Name of the merchant", "Ac me"),
            ("Name of the merchant", "acme"),
            ("Address of the marketplace", nowhere),
            ("Address of the marketplace", "http://shop.example"),
            ("Address of the marketplace", sandbox.johnlewis_url),
            ("Key of the", "not the key"),
            ("Key of the", KEY),
            ("Its shop", ""),
            ("Kind of Khaos", "new"),
            ("Kind of Khaos", ""),
            ("Address of Khaos", f"{nowhere}/KhaosKSD.exe"),
            ("Address of Khaos", f"{sandbox.johnlewis_url}/KhaosKSD.exe"),
            ("How it lets us in", ""),
            ("Address of Khaos", sandbox.khaos_url),
            ("How it lets us in", ""),
            *rest(Courier_of_these="NONE")[:5],
            ("Courier of these", "DPD24"),
            *rest()[5:8],
            ("Database", "postgresql://me:secret@127.0.0.1:9/kcjl"),
            ("Database", "postgresql://me@127.0.0.1:9/kcjl"),
            *rest()[8:],
        ]
        ended = await at_terminal("init", cwd=tmp_path, answers=answers)

    assert 0 == ended.code, ended.screen
    for why in (
        "small letters",
        "does not answer",
        "unencrypted",
        "is none of kws, cloud",
        "once more from its address on",
        "is none of DPD24",
        "a password does not stand in kcjl.toml",
    ):
        assert why in ended.screen, why
    settings = read_settings(tmp_path / "kcjl.toml")
    assert "DPD24" == settings.merchants["acme"].khaos.courier_code
    assert KEY == (tmp_path / "kcjl-secrets" / "johnlewis.key").read_text()


async def test_interrupted_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    """Neither half a configuration nor a key, whatever had been typed by then."""
    async with both_systems() as sandbox:
        ended = await asked(sandbox, tmp_path, *rest()[:4], ("Courier of these", INTERRUPT))

    assert 130 == ended.code, ended.screen
    assert [] == left_in(tmp_path)


async def test_what_is_there_is_not_overwritten_and_kept_when_it_is(tmp_path: Path) -> None:
    """Without --force nothing is asked; with it the former file and key are kept, and the
    vault's key stays what it is: with another one no address could be read.
    """
    (tmp_path / "kcjl.toml").write_text("# mine\n")
    refused = await at_terminal("init", cwd=tmp_path, answers=[])
    async with both_systems() as sandbox:
        forced = answers_of(sandbox)
        first = await at_terminal("init", "--force", cwd=tmp_path, answers=forced)
        vault = (tmp_path / "kcjl-secrets" / "vault.key").read_bytes()
        again = await at_terminal("init", "--force", cwd=tmp_path, answers=forced)

    assert (2, True) == (refused.code, "--force" in refused.screen)
    assert (0, 0) == (first.code, again.code), again.screen
    assert vault == (tmp_path / "kcjl-secrets" / "vault.key").read_bytes()
    assert "kcjl.toml.bak" in left_in(tmp_path)
    assert ["johnlewis.key", "vault.key"] == left_in(tmp_path / "kcjl-secrets")


@asynccontextmanager
async def encrypted(port: int, folder: Path) -> AsyncIterator[tuple[int, str]]:
    """(port, fingerprint): TLS with a certificate that signs itself, before a plain port."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    write_certificate(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    shown = ssl.PEM_cert_to_DER_cert(certificate.read_text())

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while some := await reader.read(65_536):
                writer.write(some)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, onward = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, onward), carry(inside, writer))

    server = await asyncio.start_server(through, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], hashlib.sha256(shown).hexdigest()
    finally:
        server.close()


async def test_certificate_that_nobody_vouches_for_is_pinned_by_a_person_only(
    tmp_path: Path,
) -> None:
    """The fingerprint is shown and asked for; another one is refused. The password goes into
    a file of its own; the marketplace's certificate can't be pinned.
    """
    folder = tmp_path / "new"
    folder.mkdir()
    async with both_systems(user="web", password=PASSWORD) as sandbox:
        plain = urlsplit(sandbox.khaos_url)
        async with encrypted(plain.port or 0, tmp_path) as (port, fingerprint):
            secure = f"https://127.0.0.1:{port}{plain.path}"
            answers = [
                ("Name of the merchant", "acme"),
                ("Address of the marketplace", f"https://127.0.0.1:{port}"),
                ("Address of the marketplace", sandbox.johnlewis_url),
                ("Key of the", KEY),
                ("Its shop", ""),
                ("Kind of Khaos", ""),
                ("Address of Khaos", secure),
                ("The fingerprint", "ab" * 32),
                ("The fingerprint", fingerprint.upper()),
                ("How it lets us in", "basic"),
                ("Its user", "web"),
                ("Its password", "wrong"),
                ("Address of Khaos", ""),
                ("The fingerprint", fingerprint),
                ("How it lets us in", "basic"),
                ("Its user", "web"),
                ("Its password", PASSWORD),
                *rest(),
            ]
            ended = await at_terminal("init", cwd=folder, answers=answers)

    assert 0 == ended.code, ended.screen
    mine = read_settings(folder / "kcjl.toml").merchants["acme"].khaos
    assert (fingerprint, "basic", "web") == (mine.certificate_sha256, mine.auth, mine.user)
    assert PASSWORD == written_in(mine.password_file)
    assert 0o600 == mode(Path(mine.password_file))
    assert "is not trusted" in ended.screen
    assert fingerprint in ended.screen
    assert PASSWORD not in ended.screen


# ── without anybody ─────────────────────────────────────────────────────────────────────────

ANSWERS = """\
merchant = "acme"
johnlewis_url = "{johnlewis}"
johnlewis_key_file = "{key}"
khaos_url = "{khaos}"
address_line1 = "1 Example Road"
address_town = "London"
address_postcode = "ZZ1 1ZZ"
start_at = 2026-11-01T00:00:00Z
"""


async def _told(sandbox: Sandbox, folder: Path, more: str = "", key: str = KEY) -> str:
    file = folder / "key"
    file.write_text(key)
    file.chmod(0o600)
    text = ANSWERS.format(johnlewis=sandbox.johnlewis_url, khaos=sandbox.khaos_url, key=file)
    (folder / "answers.toml").write_text(text + more)
    return str(file)


def _written(folder: Path) -> Settings:
    return read_settings(folder / "kcjl.toml")


async def test_file_of_answers_is_tried_like_a_persons(tmp_path: Path) -> None:
    """What it does not say is as by Enter; a key stays where it is."""
    async with both_systems() as sandbox:
        file = await _told(sandbox, tmp_path)
        ended = await typed("init", "--answers", "answers.toml", cwd=tmp_path)

    assert 0 == ended.returncode, ended.stderr
    assert file == _written(tmp_path).merchants["acme"].johnlewis.api_key_file
    assert "" == ended.stdout


async def test_erp_that_calls_us_is_made_ready_with_what_its_channel_needs(
    tmp_path: Path,
) -> None:
    """It can't be tried; a certificate that can't be used is told."""
    channel = 'khaos_kind = "cloud"\ncloud_user = "channel"\ncloud_password_file = "{}"\n'
    async with both_systems() as sandbox:
        file = await _told(sandbox, tmp_path)
        answers = tmp_path / "answers.toml"
        kept = [
            each
            for each in answers.read_text().splitlines()
            if not each.startswith("khaos_url")
        ]
        text = "\n".join(kept) + "\n" + channel.format(file)
        answers.write_text(f'{text}cloud_certificate_file = "no.pem"\n')
        unusable = await typed("init", "--answers", "answers.toml", cwd=tmp_path)
        answers.write_text(text)
        ended = await typed("init", "--answers", "answers.toml", cwd=tmp_path)

    mine = _written(tmp_path).merchants["acme"].khaos
    assert (2, True) == (unusable.returncode, "certificate" in unusable.stderr)
    assert 0 == ended.returncode, ended.stderr
    assert ("cloud", "channel", 8443) == (mine.kind, mine.cloud.user, mine.cloud.port)
    assert file == mine.cloud.password_file


@pytest.mark.parametrize(
    ("more", "key", "says"),
    [
        ("", "not the key", "johnlewis_key"),
        ('couriers = "DPD"\n', KEY, "nobody asks for couriers"),
        ('courier = "NONE"\n', KEY, "is none of"),
        ('live = "perhaps"\n', KEY, "is none of false, true"),
        ('site = "Moon"\n', KEY, "is none of Main Site"),
    ],
)
async def test_answer_of_a_file_that_does_not_work_ends_it_with_its_name(
    tmp_path: Path, more: str, key: str, says: str
) -> None:
    """Nobody is there to be asked again, and nothing is written."""
    async with both_systems() as sandbox:
        await _told(sandbox, tmp_path, more, key)
        ended = await typed("init", "--answers", "answers.toml", cwd=tmp_path)

    assert (2, True) == (ended.returncode, says in ended.stderr), ended.stderr
    assert ["answers.toml", "key"] == left_in(tmp_path)


async def test_nobody_at_a_terminal_and_no_answers_is_one_clear_line(tmp_path: Path) -> None:
    """A script that forgot them does not hang."""
    ended = await typed("init", cwd=tmp_path)
    open_key = tmp_path / "open.key"
    open_key.write_text(KEY)
    open_key.chmod(0o644)
    async with both_systems() as sandbox:
        await _told(sandbox, tmp_path)
        text = (tmp_path / "answers.toml").read_text()
        changed = text.replace(f"{tmp_path}/key", str(open_key))
        (tmp_path / "answers.toml").write_text(changed)
        seen = await typed("init", "--answers", "answers.toml", cwd=tmp_path)

    assert (2, True) == (ended.returncode, "--answers" in ended.stderr)
    assert (2, True) == (seen.returncode, "can be read by others" in seen.stderr)


def test_every_answer_is_in_the_docs_and_no_other() -> None:
    """Who writes a file of answers finds all of them in one table."""
    sources = (ROOT / "kcjl" / "cli").glob("init*.py")
    asked_for = {
        key
        for source in sources
        for key in re.findall(r'\bkey="([a-z_0-9]+)"', source.read_text(encoding="utf-8"))
    }
    page = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    table = page.partition("| Answer |")[2].partition("\n\n")[0]

    assert asked_for == set(re.findall(r"^\| `([a-z_0-9]+)`", table, re.MULTILINE))
