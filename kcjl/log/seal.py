"""A seal: the head of a log, signed, to be kept where nobody who has the database can reach.

Promises: a log from which a sealed tail was cut off, or whose sealed past was written anew,
does not stand up to its seal; a seal with one letter changed does not stand up to the public
key. The key is made on first use, readable by its owner only. It keeps no seals: people do.
Invariant: the signature (Ed25519) is over format, merchant, position, hash and sealed_at, as
texts as they stand in the file, each one as its length in bytes (4 bytes, big-endian) and its
bytes in UTF-8. The public key in a seal says whose it wants to be; it is never trusted.
Called by `kcjl log seal` and `kcjl log verify`.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from kcjl.errors import CorruptLog, Misuse
from kcjl.log.chain import genesis
from kcjl.log.verify import EntryReader, Verified, verify

__all__ = [
    "Seal",
    "SealKey",
    "SealMismatch",
    "check_seals",
    "check_signature",
    "existing_seal_key",
    "hex_of",
    "pem_of",
    "public_key_of",
    "read_seal",
    "seal_head",
    "seal_key",
]

FORMAT: Literal["kcjl-seal-1"] = "kcjl-seal-1"
FILE_BYTES_MAX = 16_384
"""Of a seal or a key: what is larger is something else."""
_KEY_HEX_DIGITS = 64
_OTHERS = 0o077

SealKey = Ed25519PrivateKey


class Seal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement: at this time, the log of this merchant was here, with this hash."""

    format: Literal["kcjl-seal-1"] = FORMAT
    merchant: str
    position: int
    hash: str
    """As 64 hexadecimal digits."""
    sealed_at: str
    """By the clock of the machine that sealed, ISO 8601 in UTC."""
    public_key: str
    """As 64 hexadecimal digits: which key to look for."""
    signature: str
    """As 128 hexadecimal digits."""

    def signed(self) -> bytes:
        """The bytes that the signature is over."""
        texts = (self.format, self.merchant, str(self.position), self.hash, self.sealed_at)
        fields = [text.encode() for text in texts]
        return b"".join(len(field).to_bytes(4, "big") + field for field in fields)

    def line(self) -> bytes:
        """The file's content."""
        return msgspec.json.encode(self) + b"\n"


class SealMismatch(CorruptLog):
    """Raised when a seal is not genuine, or the log is not the one that was sealed."""

    code = "KCJL-5004"

    def __init__(self, merchant: str, position: int, finding: str) -> None:
        super().__init__(f"the log of {merchant} and its seal: {finding}")
        self.position = position
        """The first position that is not what the seal says; 0 when the seal itself is bad."""
        self.finding = finding


# ── keys ────────────────────────────────────────────────────────────────────────────────────


def seal_key(path: Path) -> SealKey:
    """The key in this file; made, readable by its owner only, when there is none."""
    if not path.exists():
        _make(path)
    return existing_seal_key(path)


def existing_seal_key(path: Path) -> SealKey:
    """The key in this file. Raises Misuse when there is none, or others can read it."""
    try:
        mode = path.stat().st_mode
        pem = _small(path, "a seal key")
    except FileNotFoundError:
        raise Misuse(f"there is no seal key at {path}: `kcjl log seal` makes one") from None
    except OSError as error:
        raise Misuse(f"the seal key {path} can't be read: {error.strerror}") from None
    if mode & _OTHERS:
        raise Misuse(f"the seal key {path} is open to others: chmod 600 {path}")
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Misuse(f"{path} is not a seal key: an Ed25519 key in PEM is expected")
    return key


def public_key_of(given: str) -> Ed25519PublicKey:
    """A public key out of 64 hexadecimal digits, or of a file that holds them, or PEM."""
    text = given.strip()
    if not _is_hex(text, _KEY_HEX_DIGITS):
        try:
            text = _small(Path(given), "a public key").decode("ascii", "replace").strip()
        except FileNotFoundError:
            raise Misuse(
                f"--public-key {given}: neither {_KEY_HEX_DIGITS} hexadecimal digits nor a file"
            ) from None
    if _is_hex(text, _KEY_HEX_DIGITS):
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise Misuse(f"{given} holds no Ed25519 public key, in PEM or as hexadecimal digits")
    return key


def hex_of(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def pem_of(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _make(path: Path) -> None:
    """Whole or not at all: a key that was half written would be in the way for ever."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    half = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(half, "wb", opener=_owner_only) as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(half, path)
        except FileExistsError:
            pass  # another process was quicker: its key is the key
        finally:
            half.unlink()
    except OSError as error:
        raise Misuse(f"no seal key can be made at {path}: {error.strerror}") from None


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _small(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Misuse(f"{path} can't be read as {what}: {error.strerror}") from None
    if len(content) > FILE_BYTES_MAX:
        raise Misuse(f"{path} is not {what}: it has more than {FILE_BYTES_MAX} bytes")
    return content


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and set(text.lower()) <= set("0123456789abcdef")


# ── sealing and checking ────────────────────────────────────────────────────────────────────


async def seal_head(reader: EntryReader, key: SealKey, *, at: datetime) -> Seal:
    """Sign the head. Its last link is computed first: one that does not fit is not sealed."""
    head, _ = await reader.end()
    verified = await verify(reader, after=max(head.position - 1, 0))
    unsigned = Seal(
        merchant=reader.merchant,
        position=verified.position,
        hash=verified.hash.hex(),
        sealed_at=at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        public_key=hex_of(key.public_key()),
        signature="",
    )
    signature = key.sign(unsigned.signed()).hex()
    return msgspec.structs.replace(unsigned, signature=signature)


def read_seal(path: Path) -> Seal:
    """A seal as it stands in a file: nothing of it is checked yet but its form."""
    try:
        return msgspec.json.decode(_small(path, "a seal"), type=Seal)
    except FileNotFoundError:
        raise Misuse(f"there is no seal at {path}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Misuse(f"{path} is not a seal: {error}") from None


def check_signature(seal: Seal, key: Ed25519PublicKey, merchant: str) -> None:
    """Raises SealMismatch when this key did not sign this seal, Misuse for another merchant."""
    try:
        key.verify(bytes.fromhex(seal.signature), seal.signed())
    except (InvalidSignature, ValueError):
        finding = (
            f"the seal of position {seal.position} was not signed by the key that you gave"
        )
        if seal.public_key != hex_of(key):
            finding += f" ({hex_of(key)}); it names the key {seal.public_key}"
        else:
            finding += ": it is forged, or was changed after it was signed"
        raise SealMismatch(merchant, 0, finding) from None
    if seal.merchant != merchant:
        raise Misuse(f"the seal is of the log of {seal.merchant}, not of {merchant}")


async def check_seals(
    reader: EntryReader,
    seals: Sequence[Seal],
    verified: Verified,
    *,
    known: Mapping[int, bytes] | None = None,
) -> None:
    """Hold a log that was just verified against seals whose signatures were checked.

    `known`: hashes that the reader can't read, such as the one before an exported part. Raises
    SealMismatch for the earliest seal that the log does not stand up to.
    """
    known = {0: genesis(reader.merchant), verified.position: verified.hash, **(known or {})}
    held = 0
    for seal in sorted(seals, key=lambda seal: seal.position):
        if seal.position > verified.position:
            raise SealMismatch(
                reader.merchant,
                verified.position + 1,
                f"it ends at position {verified.position}, and was sealed at position "
                f"{seal.position} on {seal.sealed_at}: positions {verified.position + 1} to "
                f"{seal.position} were cut off",
            )
        stands = (known.get(seal.position) or await _hash_at(reader, seal.position)).hex()
        if stands != seal.hash:
            raise SealMismatch(
                reader.merchant,
                seal.position,
                f"its history was written anew after {seal.sealed_at}, somewhere from position "
                f"{held + 1} to {seal.position}: at position {seal.position} expected "
                f"{seal.hash}, found {stands}",
            )
        held = seal.position


async def _hash_at(reader: EntryReader, position: int) -> bytes:
    async with aclosing(reader.entries(position - 1, to=position)) as pages:
        async for page in pages:
            if page[0].position == position:
                return page[0].hash
    raise Misuse(
        f"the seal is of position {position}, which is not in what was verified: verify more "
        "of the log, or hold another seal against it"
    )
