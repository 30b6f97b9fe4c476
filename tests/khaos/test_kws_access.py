"""Who may be talked to, and how: certificates that are pinned, settings that are refused."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from kcjl.errors import CredentialsRefused, SettingsUnusable, Unavailable
from kcjl.khaos.kws import KwsSettings
from kcjl.khaos.soap import CertificateChanged
from tests.certificates import fingerprint_of, own_certificate, serving
from tests.khaos.conftest import MakeAdapter, settings_for
from tests.khaos.samples import order
from tests.khaos.server import ScriptedErp, http, string

pytestmark = pytest.mark.anyio

# ── certificates ──


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[ScriptedErp, str]]:
    """A web service with a self-signed certificate, and its fingerprint."""
    pem = own_certificate(tmp_path / "erp.pem")
    scripted = ScriptedErp()
    listening = await scripted.start(serving(pem))
    yield scripted, fingerprint_of(pem)
    scripted.stop()
    listening.close()
    await listening.wait_closed()


async def test_service_pinned_certificate_is_accepted(
    secure: tuple[ScriptedErp, str], make: MakeAdapter
) -> None:
    """A self-signed certificate is pinned by its fingerprint, and then trusted."""
    erp, fingerprint = secure
    erp.will_say("GetVersion", string("", "9"))

    assert "9" == await make(url=erp.url, certificate_sha256=fingerprint.upper()).ping()


@pytest.mark.parametrize(
    ("pin", "said"),
    [("", "pin a self-signed certificate"), ("00" * 32, "another certificate")],
    ids=["no pin", "another pin"],
)
async def test_service_other_certificate_gets_nothing(
    secure: tuple[ScriptedErp, str], make: MakeAdapter, pin: str, said: str
) -> None:
    """Verification is never waved through: nothing is sent, so it is no unknown outcome."""
    erp, _ = secure

    with pytest.raises(Unavailable, match="nothing was sent") as caught:
        await make(url=erp.url, certificate_sha256=pin).create_order(order())
    assert said in caught.value.message
    assert [] == [*erp.calls, *erp.wsdl_asked]


async def test_service_changed_certificate_says_so_with_both_fingerprints(
    secure: tuple[ScriptedErp, str], make: MakeAdapter
) -> None:
    """Renewed, or somebody between: a person has to say which, and sees what to compare."""
    erp, fingerprint = secure

    with pytest.raises(CertificateChanged, match=f"{fingerprint}.*{'ab' * 32}"):
        await make(url=erp.url, certificate_sha256="ab" * 32).ping()


async def test_service_plain_http_behind_an_https_url_gets_nothing(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """A server that can't speak TLS is told nothing, password included."""
    access = {"auth": "basic", "user": "kc", "password": "hunter2"}
    url = erp.url.replace("http:", "https:")

    with pytest.raises(Unavailable, match="nothing was sent"):
        await make(url=url, **access).ping()
    assert [] == erp.calls


# ── who is asked for what ──


@pytest.mark.parametrize(
    ("challenge", "said"),
    [
        ("NTLM", "does not support"),
        ("Negotiate", "does not support"),
        ('Basic realm="erp"', "check user, password and allow-list"),
        ("", "check user, password and allow-list"),
    ],
)
async def test_service_that_wants_windows_authentication_is_told_apart(
    erp: ScriptedErp, make: MakeAdapter, challenge: str, said: str
) -> None:
    """NTLM is not supported, and the operator reads so, and what to do instead."""
    asking = http(401, "", WWW_Authenticate=challenge) if challenge else http(401, "")
    erp.will_say("GetVersion", asking)

    with pytest.raises(CredentialsRefused, match=said):
        await make().ping()


# ── settings ──


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://erp.example/Live"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "127.0.0.1"},
        {"url": "http://[::1"},
        {"url": "http://127.0.0.1:port/"},
        {"url": "https://kc:pw@erp.example/"},
        {"url": "https://erp.example/", "certificate_sha256": "abc"},
        {"certificate_sha256": "00" * 32},
        {"auth": "basic"},
        {"auth": "basic", "user": "a:b"},
        {"auth": "body", "auth_parameter": "two words"},
        {"company_code": "ELEVENCHARS"},
        {"company_code": " "},
        {"company_class": ""},
        {"company_name": "N" * 51},
        {"clearing_account": ""},
        {"card_word": ""},
        {"stock_codes_per_call": 0},
        {"max_external_ref": 0},
        {"read_timeout_s": 0},
    ],
    ids=str,
)
def test_settings_impossible_are_refused(changes: dict[str, object]) -> None:
    """A setting that can't work is told at the start, not at the first order."""
    url = str(changes.get("url", "http://127.0.0.1/Live"))

    with pytest.raises(SettingsUnusable):
        settings_for(url, **{key: value for key, value in changes.items() if key != "url"})


@pytest.mark.parametrize(
    "url",
    ["http://localhost/", "http://[::1]:8080/x", "http://127.9.9.9/", "https://erp.example"],
)
def test_settings_safe_url_is_taken(url: str) -> None:
    """Plain http to this machine, https to any."""
    assert url == settings_for(url).url


def test_settings_plain_http_is_taken_by_permission() -> None:
    """Who has a tunnel says so."""
    assert settings_for("http://erp.example/", allow_plain_http=True).allow_plain_http


def test_settings_shown_hide_the_password() -> None:
    """A password never shows, and unknown keys are refused."""
    settings = settings_for("http://127.0.0.1/", auth="basic", user="kc", password="hunter2")

    assert "hunter2" not in repr(settings)
    with pytest.raises(msgspec.ValidationError, match="unknown"):
        msgspec.convert({"url": "http://127.0.0.1/", "unknown": 1}, KwsSettings)
