"""kcjl.toml: read once, refused with one clear line."""

from pathlib import Path

import pytest

from kcjl.adaptersettings import seller_api_settings
from kcjl.errors import SettingsUnusable
from kcjl.settings import JohnLewisSettings, OrderSettings, Settings, read_settings, secret

WHOLE = """
[merchants.acme.johnlewis]
base_url = "https://marketplace.example"

[merchants.acme.khaos]
base_url = "https://erp.example/KhaosKSD.exe"

[merchants.acme.khaos.invoice_address]
line1 = "1 High Street"
town = "Leeds"
postcode = "LS1 1AA"
"""


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "kcjl.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(SettingsUnusable) as refused:
        read(tmp_path, text)
    return refused.value.message


def test_settings_have_defaults_for_all_that_is_not_the_tenants(tmp_path: Path) -> None:
    """What the tenant alone knows must be said; the rest has a default."""
    settings = read(tmp_path, WHOLE)

    assert "embedded" == settings.database
    assert not settings.live
    assert OrderSettings() == settings.merchants["acme"].orders
    assert "https://marketplace.example" == settings.merchants["acme"].johnlewis.base_url


@pytest.mark.parametrize(
    ("where", "key"),
    [
        ("", "databse"),
        ("[clock]", "wolrd"),
        ("[merchants.acme.stock]", "bufer"),
        ("[merchants.acme.orders]", "start"),
        ("[merchants.acme.opening_policy]", "buffer"),
    ],
)
def test_unknown_key_is_refused_by_name(tmp_path: Path, where: str, key: str) -> None:
    """A slip of the pen is not a default: it is named, in one line."""
    text = f"{where}\n{key} = 1\n"
    message = refusal(tmp_path, text + WHOLE if not where else WHOLE + text)

    assert f"`{key}`" in message
    assert "\n" not in message
    assert "kcjl.toml" in message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (WHOLE.replace('base_url = "https://marketplace.example"', ""), "base_url"),
        (WHOLE + "[merchants.acme.stock]\npoll_s = 'often'\n", "poll_s"),
        (WHOLE + "[merchants.acme.settlement]\nclose_on = 'never'\n", "close_on"),
    ],
    ids=["missing", "wrong type", "not one of them"],
)
def test_impossible_value_is_refused_with_its_place(
    tmp_path: Path, text: str, named: str
) -> None:
    """What is missing or wrong is named, in one line."""
    message = refusal(tmp_path, text)

    assert named in message
    assert "\n" not in message


def test_settings_without_a_merchant_are_refused(tmp_path: Path) -> None:
    """Nobody to work for: said."""
    assert "no merchant is configured" in refusal(tmp_path, "[merchants]\n")


def test_settings_that_are_not_there_are_named(tmp_path: Path) -> None:
    """No file: where it was looked for, and what to do."""
    path = tmp_path / "kcjl.toml"

    with pytest.raises(SettingsUnusable, match=r"there is no configuration at .*kcjl\.toml"):
        read_settings(path)


def test_settings_that_can_not_be_read_are_named(tmp_path: Path) -> None:
    """A folder is no file."""
    with pytest.raises(SettingsUnusable, match="can't be read"):
        read_settings(tmp_path)


@pytest.mark.parametrize("text", [b"[merchants", b"\xff\xfe\x00"], ids=["torn", "not text"])
def test_settings_that_are_not_toml_are_refused(tmp_path: Path, text: bytes) -> None:
    """What is not TOML is said to be not TOML."""
    path = tmp_path / "kcjl.toml"
    path.write_bytes(text)

    with pytest.raises(SettingsUnusable, match="is not TOML"):
        read_settings(path)


def test_secret_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file goes before the environment; blanks at the end are the editor's."""
    path = tmp_path / "key"
    path.write_text("from-the-file\n", encoding="utf-8")
    monkeypatch.setenv("KCJL_TEST_KEY", "from-the-environment")

    assert "from-the-file" == secret(env="KCJL_TEST_KEY", file=str(path), what="key")
    assert "from-the-environment" == secret(env="KCJL_TEST_KEY", what="key")


def test_secret_that_is_not_there_is_said_without_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing is named: the variable, or the file."""
    monkeypatch.delenv("KCJL_TEST_KEY", raising=False)

    with pytest.raises(SettingsUnusable, match="api key: set the environment variable KCJL"):
        secret(env="KCJL_TEST_KEY", what="api key")
    with pytest.raises(SettingsUnusable, match=r"api key: .*absent can't be read"):
        secret(env="KCJL_TEST_KEY", file=str(tmp_path / "absent"), what="api key")


@pytest.mark.parametrize(
    ("section", "line", "words"),
    [
        ("stock", "poll_s = 0", "poll_s"),
        ("orders", "acceptance_hours = -1", "acceptance_hours"),
        ("orders", "start_at = 2026-11-01T00:00:00", "time zone"),
        ("dispatch", "tracking_wait_hours = -0.5", "tracking_wait_hours"),
        ("settlement", "cycles_read_at = []", "cycles_read_at"),
        ("settlement", 'cycles_read_at = ["25:00"]', "25:00"),
        ("opening_policy", "buffer_units = -2", "buffer_units"),
    ],
)
def test_impossible_setting_is_refused_by_name(
    section: str, line: str, words: str, tmp_path: Path
) -> None:
    """A value that can't work is refused at the start, not met in the night."""
    said = refusal(tmp_path, f"{WHOLE}\n[merchants.acme.{section}]\n{line}\n")

    assert words in said


def test_secret_file_that_is_empty_is_refused(tmp_path: Path) -> None:
    """An empty secret is no secret."""
    (tmp_path / "key").write_text("\n")

    with pytest.raises(SettingsUnusable, match="empty"):
        secret(env="NONE", file=str(tmp_path / "key"), what="johnlewis api key")


def test_erp_of_kind_cloud_needs_no_address_but_a_user(tmp_path: Path) -> None:
    """The ERP calls us: what it is let in by must be said."""
    cloud = WHOLE.replace('base_url = "https://erp.example/KhaosKSD.exe"', 'kind = "cloud"')
    settings = read(tmp_path, cloud + '[merchants.acme.khaos.cloud]\nuser = "khaos"\n')

    assert "cloud" == settings.merchants["acme"].khaos.kind
    assert "cloud.user is missing" in refusal(tmp_path, cloud)


def test_erp_of_kind_kws_needs_an_address(tmp_path: Path) -> None:
    """We call it: where, nobody can guess."""
    text = WHOLE.replace('base_url = "https://erp.example/KhaosKSD.exe"', "")

    assert "base_url is missing" in refusal(tmp_path, text)


def test_every_setting_of_the_marketplace_reaches_the_adapter(tmp_path: Path) -> None:
    """A key that is read and then forgotten would be worse than none."""
    key_file = tmp_path / "key"
    key_file.write_text("k")
    told = JohnLewisSettings(
        base_url="https://tenant.example",
        api_key_file=str(key_file),
        shop_id=7,
        allow_plain_http=True,
        external_partner=True,
        export_hosts=("files.example",),
        export_age_s_max=1,
        authorization="bearer",
        currency_default="EUR",
        rates_are_percent=True,
        offers_a_call_max=2,
        retry_after_default_s=3,
    )
    handed = seller_api_settings(told, stock_lines_max=4)

    names = set(JohnLewisSettings.__struct_fields__) - {"api_key_env", "api_key_file"}
    assert {name: getattr(told, name) for name in names} == {
        name: getattr(handed, name) for name in names
    }
    assert ("k", 4) == (handed.api_key, handed.stock_lines_max)
    defaults = JohnLewisSettings(base_url="https://tenant.example")
    for name in names - {"base_url"}:
        assert getattr(told, name) != getattr(defaults, name), name
