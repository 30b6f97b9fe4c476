"""The vault: sealed, bound to its reference, expiring, erasable; both keepers alike."""

import stat
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from kcjl.database import SERVICE, Database
from kcjl.errors import Misuse, NotFound, SettingsUnusable
from kcjl.vault import MemoryVault, PostgresVault, Vault
from kcjl.vaultkey import KEY_BYTES, VaultSettings, vault_keys
from tests.trade import at

pytestmark = pytest.mark.anyio

KEY, OTHER_KEY = b"k" * KEY_BYTES, b"x" * KEY_BYTES
BUYER = b'{"surname":"Featherstonehaugh","street":"17 Larkspur Crescent"}'
UNTIL = at(24 * 60)


class VaultLaws:
    """Ask for `vault` in a subclass."""

    async def test_sealed_is_opened_as_it_was(self, vault: Vault) -> None:
        """What was sealed comes back, byte for byte."""
        await vault.seal("buyer-1", BUYER, at=at(), until=UNTIL)
        await vault.seal("buyer-2", b"", at=at(), until=UNTIL)

        assert BUYER == await vault.open("buyer-1")
        assert b"" == await vault.open("buyer-2")

    async def test_sealed_again_replaces_it(self, vault: Vault) -> None:
        """A newer address takes the older one's place."""
        await vault.seal("buyer-1", b"old", at=at(), until=UNTIL)
        await vault.seal("buyer-1", BUYER, at=at(1), until=UNTIL)

        assert BUYER == await vault.open("buyer-1")

    async def test_what_was_never_sealed_is_not_found(self, vault: Vault) -> None:
        """A reference without content is said to be just that."""
        with pytest.raises(NotFound, match="buyer-9 is not there"):
            await vault.open("buyer-9")

    async def test_erased_is_gone_and_erasing_again_is_harmless(self, vault: Vault) -> None:
        """The right to be forgotten: gone is gone, the others stay."""
        await vault.seal("buyer-1", BUYER, at=at(), until=UNTIL)
        await vault.seal("buyer-2", BUYER, at=at(), until=UNTIL)
        for _ in range(2):
            await vault.erase("buyer-1")

        with pytest.raises(NotFound):
            await vault.open("buyer-1")
        assert BUYER == await vault.open("buyer-2")

    async def test_expired_is_named_and_still_there_until_it_is_erased(
        self, vault: Vault
    ) -> None:
        """After its time it is said to be due; whoever erases it looks first who needs it."""
        await vault.seal("buyer-1", BUYER, at=at(), until=at(10))
        await vault.seal("buyer-2", BUYER, at=at(), until=at(11))

        assert [] == [*await vault.expired(at(9))]
        assert ["buyer-1"] == [*await vault.expired(at(10))]
        assert BUYER == await vault.open("buyer-1")
        await vault.erase("buyer-1")
        assert [] == [*await vault.expired(at(10))]
        assert ["buyer-2"] == [*await vault.expired(at(11))]


class TestMemory(VaultLaws):
    """The twin."""

    @pytest.fixture
    def vault(self) -> MemoryVault:
        return MemoryVault("acme", KEY)

    async def test_sealed_bytes_hold_no_plain_text(self) -> None:
        """Whoever reads the memory of the vault reads nothing."""
        vault = MemoryVault("acme", KEY)
        await vault.seal("buyer-1", BUYER, at=at(), until=UNTIL)

        sealed, _ = vault._sealed["buyer-1"]
        assert b"Feather" not in sealed
        assert len(sealed) > len(BUYER)


class TestPostgres(VaultLaws):
    """The real one."""

    @pytest.fixture
    async def database(self, database_dsn: str) -> AsyncIterator[Database]:
        async with Database(database_dsn, role=SERVICE) as database:
            yield database

    @pytest.fixture
    def vault(self, database: Database) -> PostgresVault:
        return PostgresVault(database, "acme", KEY)

    async def test_sealed_bytes_hold_no_plain_text(
        self, vault: Vault, database: Database
    ) -> None:
        """Whoever reads the table reads nothing of the buyer."""
        await vault.seal("buyer-1", BUYER, at=at(), until=UNTIL)

        sealed = await database.fetchval("select sealed from vault where ref = 'buyer-1'")
        assert b"Feather" not in sealed
        assert b"Larkspur" not in sealed

    async def test_same_content_is_sealed_differently_each_time(
        self, vault: Vault, database: Database
    ) -> None:
        """A fresh nonce each time: equal addresses do not look equal."""
        await vault.seal("buyer-1", BUYER, at=at(), until=UNTIL)
        await vault.seal("buyer-2", BUYER, at=at(), until=UNTIL)

        rows = await database.fetch("select sealed from vault")
        assert 2 == len({row["sealed"] for row in rows})

    async def test_another_key_opens_nothing(self, vault: Vault, database: Database) -> None:
        """The wrong key is said to be the wrong key."""
        await vault.seal("buyer-1", BUYER, at=at(), until=UNTIL)

        with pytest.raises(Misuse, match="it was sealed with another key"):
            await PostgresVault(database, "acme", OTHER_KEY).open("buyer-1")

    async def test_sealed_bytes_are_bound_to_their_reference(
        self, vault: Vault, database: Database
    ) -> None:
        """Moved under another reference they open no more: no address for another's order."""
        await vault.seal("buyer-1", BUYER, at=at(), until=UNTIL)
        await database.execute("update vault set ref = 'buyer-2'")

        with pytest.raises(Misuse):
            await vault.open("buyer-2")

    async def test_sealed_bytes_are_bound_to_their_merchant(
        self, vault: Vault, database: Database
    ) -> None:
        """Nor under another merchant; and merchants do not see each other's entries."""
        await vault.seal("buyer-1", BUYER, at=at(), until=UNTIL)
        other = PostgresVault(database, "other", KEY)
        with pytest.raises(NotFound):
            await other.open("buyer-1")
        await database.execute("update vault set merchant = 'other'")

        with pytest.raises(Misuse):
            await other.open("buyer-1")

    async def test_changed_bytes_are_noticed(self, vault: Vault, database: Database) -> None:
        """One byte changed, and it opens no more."""
        await vault.seal("buyer-1", BUYER, at=at(), until=UNTIL)
        await database.execute("update vault set sealed = set_byte(sealed, 20, 0)")
        await database.execute("update vault set sealed = set_byte(sealed, 21, 0)")

        with pytest.raises(Misuse):
            await vault.open("buyer-1")


async def test_memory_vault_with_another_key_or_reference_opens_nothing() -> None:
    """The twin binds what it seals as the real one does."""
    vault = MemoryVault("acme", KEY)
    await vault.seal("buyer-1", BUYER, at=at(), until=at() + timedelta(days=1))
    for thief in (MemoryVault("acme", OTHER_KEY), MemoryVault("other", KEY)):
        thief._sealed = dict(vault._sealed)
        with pytest.raises(Misuse):
            await thief.open("buyer-1")
    vault._sealed["buyer-2"] = vault._sealed["buyer-1"]

    with pytest.raises(Misuse):
        await vault.open("buyer-2")


@pytest.mark.parametrize("keeper", ["memory", "postgres"])
async def test_changed_key_opens_what_the_former_sealed_and_seals_it_anew(
    database_dsn: str, keeper: str
) -> None:
    """Rotation: with the former key named all opens; sealed anew, it is needed no more."""
    async with Database(database_dsn, role=SERVICE) as database:
        if keeper == "memory":
            held = MemoryVault("acme", KEY)

            def vault(key: bytes, *former: bytes) -> Vault:
                made = MemoryVault("acme", key, former=former)
                made._sealed = held._sealed
                return made
        else:

            def vault(key: bytes, *former: bytes) -> Vault:
                return PostgresVault(database, "acme", key, former)

        await vault(KEY).seal("buyer-1", BUYER, at=at(), until=UNTIL)
        both = vault(OTHER_KEY, KEY)
        await both.seal("buyer-2", BUYER, at=at(), until=UNTIL)

        assert [BUYER, BUYER] == [await both.open(f"buyer-{n}") for n in (1, 2)]
        with pytest.raises(Misuse, match="former_key_files"):
            await vault(OTHER_KEY).open("buyer-1")
        assert 1 == await both.seal_anew()
        assert 0 == await both.seal_anew()
        assert BUYER == await vault(OTHER_KEY).open("buyer-1")


async def test_sealing_anew_with_a_key_missing_says_which_entry(database_dsn: str) -> None:
    """Nothing is lost in silence: what no key opens is named, and stays."""
    async with Database(database_dsn, role=SERVICE) as database:
        await PostgresVault(database, "acme", b"z" * KEY_BYTES).seal(
            "buyer-1", BUYER, at=at(), until=UNTIL
        )
        wrong = PostgresVault(database, "acme", KEY, (OTHER_KEY,))

        with pytest.raises(Misuse, match="vault entry buyer-1 does not open"):
            await wrong.seal_anew()
        with pytest.raises(SettingsUnusable, match="sealed with another key"):
            await wrong.check()
        await PostgresVault(database, "acme", b"z" * KEY_BYTES).check()
        await PostgresVault(database, "other", KEY).check()


async def test_expired_references_are_told_oldest_first_and_stay(database_dsn: str) -> None:
    """Who erases them says so first."""
    async with Database(database_dsn, role=SERVICE) as database:
        for vault in (MemoryVault("acme", KEY), PostgresVault(database, "acme", KEY)):
            await vault.seal("buyer-2", BUYER, at=at(), until=at(10))
            await vault.seal("buyer-1", BUYER, at=at(), until=at(11))
            await vault.seal("buyer-3", BUYER, at=at(), until=at(30))

            assert ["buyer-2", "buyer-1"] == await vault.expired(at(11))
            assert BUYER == await vault.open("buyer-2")


# ── where the key comes from ────────────────────────────────────────────────────────────────


async def test_vault_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """The first start makes the key; every later one reads the same."""
    folder = tmp_path / "secret"

    keys = await vault_keys(VaultSettings(), folder)

    assert KEY_BYTES == len(keys.current)
    assert keys == await vault_keys(VaultSettings(), folder)
    assert 0o600 == stat.S_IMODE((folder / "vault.key").stat().st_mode)
    assert "VaultKeys(current=<32 bytes>, former=())" == repr(keys)


async def test_merchants_that_start_side_by_side_have_one_key(tmp_path: Path) -> None:
    """Found by hand: the second of two that found no key could not make it, and nothing ran."""
    keys: list[bytes] = []

    async def ask(folder: Path) -> None:
        keys.append((await vault_keys(VaultSettings(), folder)).current)

    for number in range(20):
        keys.clear()
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(ask, tmp_path / str(number))
        assert 1 == len(set(keys))
        assert ["vault.key"] == [each.name for each in (tmp_path / str(number)).iterdir()]


@pytest.mark.parametrize("written", [KEY, KEY.hex().encode() + b"\n", b64encode(KEY) + b"\n"])
async def test_vault_key_is_read_from_a_file_or_the_environment_in_each_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bytes
) -> None:
    """As bytes, as hexadecimal digits, as base64; a former one likewise."""
    path = tmp_path / "a.key"
    path.write_bytes(written)
    named = VaultSettings(key_file=str(path), former_key_files=(str(path),))
    monkeypatch.setenv("KCJL_VAULT", written.decode().strip())

    keys = await vault_keys(named, tmp_path)
    by_environment = await vault_keys(VaultSettings(key_env="KCJL_VAULT"), tmp_path)

    assert (KEY, (KEY,)) == (keys.current, keys.former)
    assert KEY == by_environment.current
    assert not (tmp_path / "vault.key").exists()


@pytest.mark.parametrize(
    ("settings", "because"),
    [
        (VaultSettings(key_env="KCJL_NOT_THERE"), "KCJL_NOT_THERE is not set"),
        (VaultSettings(key_file="nowhere.key"), "nowhere.key can't be read"),
        (VaultSettings(former_key_files=("nowhere.key",)), "nowhere.key can't be read"),
    ],
)
async def test_vault_key_that_is_not_there_is_refused_and_none_is_made(
    tmp_path: Path, settings: VaultSettings, because: str
) -> None:
    """A place that was named is meant: another key would open nothing."""
    with pytest.raises(SettingsUnusable, match=because):
        await vault_keys(settings, tmp_path / "new" if settings.key_env else tmp_path)

    assert not (tmp_path / "new").exists()


async def test_vault_key_of_another_length_is_refused(tmp_path: Path) -> None:
    """A file that is no key is never taken for one."""
    (tmp_path / "vault.key").write_bytes(b"short")

    with pytest.raises(SettingsUnusable, match="is not a vault key"):
        await vault_keys(VaultSettings(), tmp_path)


def test_vault_key_in_two_places_is_refused() -> None:
    """Nobody has to guess which one counts."""
    with pytest.raises(ValueError, match="in one place"):
        VaultSettings(key_env="A", key_file="b")
