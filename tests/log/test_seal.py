"""What a chain alone can't show, a seal that was kept elsewhere does."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from kcjl.database import Database
from kcjl.errors import Misuse
from kcjl.log.seal import (
    Seal,
    SealMismatch,
    check_seals,
    check_signature,
    existing_seal_key,
    hex_of,
    pem_of,
    public_key_of,
    read_seal,
    seal_head,
    seal_key,
)
from kcjl.log.verify import BrokenChain, Verified, verify
from tests.log.intruder import cut_off_after, flip_a_bit, write_anew
from tests.log.keepers import MERCHANT, Admin, MemoryKeeper, PostgresKeeper, counted

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


@pytest.fixture
async def keeper(database_dsn: str, database: Database) -> PostgresKeeper:
    keeper = PostgresKeeper(database_dsn, database)
    await _append(keeper, 6)
    return keeper


async def _append(keeper: PostgresKeeper | MemoryKeeper, count: int) -> None:
    async with keeper.writer() as log:
        await log.append([counted("A", number) for number in range(count)])


async def _hold(
    keeper: PostgresKeeper | MemoryKeeper, *seals: Seal, key: Ed25519PublicKey | None = None
) -> Verified:
    """As `kcjl log verify --seal` does."""
    reader = keeper.reader()
    for seal in seals:
        check_signature(seal, key or KEY.public_key(), MERCHANT)
    verified = await verify(reader)
    await check_seals(reader, seals, verified)
    return verified


async def test_log_that_grew_stands_up_to_its_seals(keeper: PostgresKeeper) -> None:
    """A seal holds for ever, however much is appended after it; so do older ones."""
    first = await seal_head(keeper.reader(), KEY, at=NOON)
    await _append(keeper, 3)
    second = await seal_head(keeper.reader(), KEY, at=NOON)
    await _append(keeper, 1)

    verified = await _hold(keeper, second, first)

    assert (6, 9, 10) == (first.position, second.position, verified.position)


async def test_cut_off_tail_is_found_with_a_seal_and_not_without(
    admin: Admin, keeper: PostgresKeeper
) -> None:
    """A tail that is cut off with its head leaves a whole chain; the seal knows better."""
    seal = await seal_head(keeper.reader(), KEY, at=NOON)
    await cut_off_after(admin, 4)

    assert 4 == (await _hold(keeper)).position
    with pytest.raises(SealMismatch, match="positions 5 to 6 were cut off") as caught:
        await _hold(keeper, seal)
    assert 5 == caught.value.position


async def test_history_written_anew_is_found_with_a_seal_and_not_without(
    admin: Admin, keeper: PostgresKeeper
) -> None:
    """Every link computed again is a whole chain: another one than was sealed."""
    early = await seal_head(keeper.reader(), KEY, at=NOON)
    await _append(keeper, 4)
    late = await seal_head(keeper.reader(), KEY, at=NOON)
    await write_anew(admin, 8, old='"units":1', new='"units":9')

    assert 10 == (await _hold(keeper)).position
    assert 10 == (await _hold(keeper, early)).position
    with pytest.raises(SealMismatch, match="somewhere from position 7 to 10") as caught:
        await _hold(keeper, late, early)
    assert 10 == caught.value.position
    assert late.hash in caught.value.message


async def test_edit_before_a_seal_is_named_where_it_is(
    admin: Admin, keeper: PostgresKeeper
) -> None:
    """The chain says where; the seal is only asked of a chain that is whole."""
    seal = await seal_head(keeper.reader(), KEY, at=NOON)
    await flip_a_bit(admin, "data", 3)

    with pytest.raises(BrokenChain) as caught:
        await _hold(keeper, seal)

    assert 3 == caught.value.position


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("merchant", "acmf"),
        ("position", 5),
        ("hash", "0" * 64),
        ("sealed_at", "2026-10-02T12:00:00Z"),
        ("signature", "0" * 128),
        ("signature", ""),
        ("signature", "not hexadecimal"),
    ],
)
async def test_seal_that_was_changed_is_forged(field: str, value: object) -> None:
    """No word of a seal can be changed without the key."""
    keeper = MemoryKeeper()
    await _append(keeper, 6)
    seal = await seal_head(keeper.reader(), KEY, at=NOON)
    fields = {name: getattr(seal, name) for name in Seal.__struct_fields__}
    forged = Seal(**(fields | {field: value}))

    assert 6 == (await _hold(keeper, seal)).position
    with pytest.raises(SealMismatch, match="forged"):
        await _hold(keeper, forged)


async def test_seal_by_another_key_is_forged_whatever_key_it_names() -> None:
    """The key that a seal names is never trusted: only the one that the auditor holds."""
    keeper = MemoryKeeper()
    await _append(keeper, 2)
    seal = await seal_head(keeper.reader(), OTHER, at=NOON)
    posing = msgspec.structs.replace(seal, public_key=hex_of(KEY.public_key()))

    with pytest.raises(SealMismatch, match=f"it names the key {hex_of(OTHER.public_key())}"):
        await _hold(keeper, seal)
    with pytest.raises(SealMismatch, match="forged"):
        await _hold(keeper, posing)


async def test_seal_of_another_merchant_is_told_apart() -> None:
    """A genuine seal of another log is a mistake, not a finding."""
    keeper = MemoryKeeper()
    async with keeper.writer(merchant="other") as log:
        await log.append([counted("A", 1)])
    seal = await seal_head(keeper.reader("other"), KEY, at=NOON)

    with pytest.raises(Misuse, match="of the log of other, not of acme"):
        check_signature(seal, KEY.public_key(), MERCHANT)


async def test_seal_of_an_empty_log_is_its_genesis() -> None:
    """Also that nothing was there yet can be sealed, and later shown."""
    keeper = MemoryKeeper()
    seal = await seal_head(keeper.reader(), KEY, at=NOON)
    await _append(keeper, 2)

    assert 0 == seal.position
    assert 2 == (await _hold(keeper, seal)).position


async def test_head_that_does_not_fit_is_not_sealed(
    admin: Admin, keeper: PostgresKeeper
) -> None:
    """Nobody signs an end that is visibly broken."""
    await flip_a_bit(admin, "data", 6)

    with pytest.raises(BrokenChain):
        await seal_head(keeper.reader(), KEY, at=NOON)


async def test_seal_is_read_as_it_was_written(tmp_path: Path) -> None:
    """The file holds all that is needed, in one line of JSON."""
    keeper = MemoryKeeper()
    await _append(keeper, 1)
    seal = await seal_head(keeper.reader(), KEY, at=NOON)
    path = tmp_path / "acme.seal"
    path.write_bytes(seal.line())

    assert seal == read_seal(path)
    assert "2026-10-01T12:00:00Z" == seal.sealed_at
    assert 1 == path.read_bytes().count(b"\n")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"format":"kcjl-seal-2"}'])
def test_seal_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    """A file that is something else is a mistake, with its path."""
    path = tmp_path / "odd.seal"
    path.write_bytes(content)

    with pytest.raises(Misuse, match=r"odd\.seal is not a seal"):
        read_seal(path)
    with pytest.raises(Misuse, match=r"there is no seal at .*gone"):
        read_seal(tmp_path / "gone")


# ── keys ────────────────────────────────────────────────────────────────────────────────────


def test_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    """The first use makes it; nobody else reads it; the second use finds it."""
    path = tmp_path / "new" / "seal.key"
    with pytest.raises(Misuse, match="there is no seal key"):
        existing_seal_key(path)
    made = seal_key(path)

    assert hex_of(made.public_key()) == hex_of(seal_key(path).public_key())
    assert 0o600 == path.stat().st_mode & 0o777
    assert ["seal.key"] == [each.name for each in path.parent.iterdir()]


def test_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A key that was open to others may be anybody's."""
    path = tmp_path / "seal.key"
    seal_key(path)
    path.chmod(0o640)

    with pytest.raises(Misuse, match="open to others: chmod 600"):
        seal_key(path)


@pytest.mark.parametrize("content", [b"", b"k" * 32, b"-----BEGIN PRIVATE KEY-----\n"])
def test_key_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    """What is no key is never overwritten by a new one."""
    path = tmp_path / "seal.key"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(Misuse, match="is not a seal key"):
        seal_key(path)
    assert content == path.read_bytes()


def test_public_key_is_taken_as_digits_and_from_files(tmp_path: Path) -> None:
    """An auditor may hold it on paper, or in a file of either form."""
    key = KEY.public_key()
    digits = hex_of(key)
    (tmp_path / "hex").write_text(digits + "\n")
    (tmp_path / "pem").write_text(pem_of(key))
    (tmp_path / "odd").write_text("key")
    given = [digits, digits.upper(), str(tmp_path / "hex"), str(tmp_path / "pem")]

    assert [digits] * 4 == [hex_of(public_key_of(each)) for each in given]
    with pytest.raises(Misuse, match="neither 64 hexadecimal digits nor a file"):
        public_key_of("abc")
    with pytest.raises(Misuse, match="holds no Ed25519 public key"):
        public_key_of(str(tmp_path / "odd"))
