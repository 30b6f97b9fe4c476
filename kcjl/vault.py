"""Personal data: sealed, expiring, erasable; the log holds references only (law 7).

Promises: what is sealed can be read only with the key file; what is erased is gone, and
breaks no hash and no replay. It knows nothing of what it seals.
Invariant: AES-256-GCM, a fresh nonce each time, the merchant and the reference bound to it.
Called by the orders room. Keepers: PostgreSQL and a memory twin.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import anyio.to_thread
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kcjl.database import Database
from kcjl.errors import Misuse, NotFound

__all__ = ["MemoryVault", "PostgresVault", "Vault", "vault_key"]

NONCE_BYTES = 12
KEY_BYTES = 32


class Vault(Protocol):
    async def seal(self, ref: str, content: bytes, *, at: datetime, until: datetime) -> None:
        """Keep it until then; sealing a reference again replaces what was there."""
        ...

    async def open(self, ref: str) -> bytes:
        """Raises NotFound when it was never sealed, has been erased, or has expired."""
        ...

    async def erase(self, ref: str) -> None: ...

    async def expired(self, now: datetime) -> Sequence[str]:
        """References whose time is over, the oldest first; they are still there."""
        ...

    async def expire(self, now: datetime) -> int:
        """Erase what has expired; returns how much that was."""
        ...


async def vault_key(path: Path) -> bytes:
    """The key in this file; made, readable by its owner only, when there is none."""

    def read() -> bytes:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "xb", opener=_owner_only) as file:
                file.write(AESGCM.generate_key(bit_length=8 * KEY_BYTES))
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise Misuse(f"{path} is not a vault key: {KEY_BYTES} bytes expected")
        return key

    return await anyio.to_thread.run_sync(read)


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _Sealer:
    def __init__(
        self, merchant: str, key: bytes, chance: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._aead = AESGCM(key)
        self._merchant = merchant
        self._chance = chance

    def _bound(self, ref: str) -> bytes:
        return f"{self._merchant}\x00{ref}".encode()

    def close(self, ref: str, content: bytes) -> bytes:
        nonce = self._chance(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, content, self._bound(ref))

    def open(self, ref: str, sealed: bytes) -> bytes:
        try:
            return self._aead.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound(ref)
            )
        except InvalidTag:
            raise Misuse(f"vault entry {ref} was not sealed with this vault key") from None


class PostgresVault:
    """The vault beside the log, in a table of its own."""

    def __init__(self, database: Database, merchant: str, key: bytes) -> None:
        self._database = database
        self._merchant = merchant
        self._sealer = _Sealer(merchant, key)

    async def seal(self, ref: str, content: bytes, *, at: datetime, until: datetime) -> None:
        await self._database.execute(
            """
            insert into vault (merchant, ref, sealed, sealed_at, expires_at)
            values ($1, $2, $3, $4, $5)
            on conflict (merchant, ref) do update
            set sealed = excluded.sealed, sealed_at = excluded.sealed_at,
                expires_at = excluded.expires_at
            """,
            self._merchant,
            ref,
            self._sealer.close(ref, content),
            at,
            until,
        )

    async def open(self, ref: str) -> bytes:
        row = await self._database.fetchrow(
            "select sealed from vault where merchant = $1 and ref = $2", self._merchant, ref
        )
        if row is None:
            raise NotFound(f"vault entry {ref} is not there: it was erased, or has expired")
        return self._sealer.open(ref, row["sealed"])

    async def erase(self, ref: str) -> None:
        await self._database.execute(
            "delete from vault where merchant = $1 and ref = $2", self._merchant, ref
        )

    async def expired(self, now: datetime) -> Sequence[str]:
        rows = await self._database.fetch(
            "select ref from vault where merchant = $1 and expires_at <= $2 "
            "order by expires_at, ref",
            self._merchant,
            now,
        )
        return [row["ref"] for row in rows]

    async def expire(self, now: datetime) -> int:
        rows = await self._database.fetch(
            "delete from vault where merchant = $1 and expires_at <= $2 returning ref",
            self._merchant,
            now,
        )
        return len(rows)


class MemoryVault:
    """The memory twin. `chance` gives so many bytes for a nonce."""

    def __init__(
        self, merchant: str, key: bytes, chance: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._sealer = _Sealer(merchant, key, chance)
        self._sealed: dict[str, tuple[bytes, datetime]] = {}

    async def seal(self, ref: str, content: bytes, *, at: datetime, until: datetime) -> None:
        self._sealed[ref] = (self._sealer.close(ref, content), max(at, until))

    async def open(self, ref: str) -> bytes:
        if ref not in self._sealed:
            raise NotFound(f"vault entry {ref} is not there: it was erased, or has expired")
        return self._sealer.open(ref, self._sealed[ref][0])

    async def erase(self, ref: str) -> None:
        self._sealed.pop(ref, None)

    async def expired(self, now: datetime) -> Sequence[str]:
        due = [(until, ref) for ref, (_, until) in self._sealed.items() if until <= now]
        return [ref for _, ref in sorted(due)]

    async def expire(self, now: datetime) -> int:
        gone = [ref for ref, (_, until) in self._sealed.items() if until <= now]
        for ref in gone:
            del self._sealed[ref]
        return len(gone)
