"""Personal data: sealed, expiring, erasable; the log holds references only (law 7).

Promises: what is sealed can be read only with the key file; what is erased is gone, and
breaks no hash and no replay. It knows nothing of what it seals.
Invariant: AES-256-GCM, a fresh nonce each time, the merchant and the reference bound to it.
A key that has changed opens nothing old by itself: the former ones are named until all is
sealed anew.
Called by the orders room. Keepers: PostgreSQL and a memory twin.
"""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kcjl.database import Database
from kcjl.discretion import Hidden
from kcjl.errors import Misuse, NotFound, SettingsUnusable

__all__ = ["MemoryVault", "PostgresVault", "Vault"]

NONCE_BYTES = 12
SEALED_ANEW_PAGE = 500
"""Entries that are read at once when a key has changed."""


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

    async def seal_anew(self) -> int:
        """Seal with today's key what a former one has sealed; returns how much that was.

        Raises Misuse when something opens with none of them. When it returns, the former keys
        are needed no more.
        """
        ...


class _Sealer:
    def __init__(
        self,
        merchant: str,
        key: bytes,
        former: Sequence[bytes],
        chance: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._current = AESGCM(key)
        self._former = tuple(AESGCM(each) for each in former)
        self._merchant = merchant
        self._chance = chance

    @property
    def has_former(self) -> bool:
        return bool(self._former)

    def _bound(self, ref: str) -> bytes:
        return f"{self._merchant}\x00{ref}".encode()

    def close(self, ref: str, content: bytes) -> bytes:
        nonce = self._chance(NONCE_BYTES)
        return nonce + self._current.encrypt(nonce, content, self._bound(ref))

    def open(self, ref: str, sealed: bytes) -> bytes:
        return self.opened(ref, sealed)[0]

    def opened(self, ref: str, sealed: bytes) -> tuple[Hidden, bool]:
        """The content, and whether the key of today has sealed it."""
        for aead in (self._current, *self._former):
            with suppress(InvalidTag):
                content = aead.decrypt(
                    sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound(ref)
                )
                return Hidden(content), aead is self._current
        raise Misuse(
            f"vault entry {ref} does not open: it was sealed with another key, or has been "
            "changed. If the key is new, name the one before it under [vault] "
            "former_key_files; without that, erase the entry: it is sealed anew where an order "
            "still needs it"
        )


class PostgresVault:
    """The vault beside the log, in a table of its own."""

    def __init__(
        self, database: Database, merchant: str, key: bytes, former: Sequence[bytes] = ()
    ) -> None:
        """`former`: keys that open what they sealed, and seal nothing any more."""
        self._database = database
        self._merchant = merchant
        self._sealer = _Sealer(merchant, key, former)

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

    async def seal_anew(self) -> int:
        if not self._sealer.has_former:
            return 0
        anew, after = 0, ""
        while rows := await self._database.fetch(
            "select ref, sealed from vault where merchant = $1 and ref > $2 "
            "order by ref limit $3",
            self._merchant,
            after,
            SEALED_ANEW_PAGE,
        ):
            after = rows[-1]["ref"]
            for row in rows:
                content, is_todays = self._sealer.opened(row["ref"], row["sealed"])
                if is_todays:
                    continue
                await self._database.execute(
                    "update vault set sealed = $3 "
                    "where merchant = $1 and ref = $2 and sealed = $4",
                    self._merchant,
                    row["ref"],
                    self._sealer.close(row["ref"], content),
                    row["sealed"],
                )
                anew += 1
        return anew

    async def check(self) -> None:
        """Raise SettingsUnusable when the newest entry opens with none of the keys."""
        row = await self._database.fetchrow(
            "select ref, sealed from vault where merchant = $1 "
            "order by sealed_at desc, ref limit 1",
            self._merchant,
        )
        if row is None:
            return
        try:
            self._sealer.open(row["ref"], row["sealed"])
        except Misuse as misuse:
            raise SettingsUnusable(misuse.message) from None


class MemoryVault:
    """The memory twin. `chance` gives so many bytes for a nonce."""

    def __init__(
        self,
        merchant: str,
        key: bytes,
        chance: Callable[[int], bytes] = secrets.token_bytes,
        *,
        former: Sequence[bytes] = (),
    ) -> None:
        self._sealer = _Sealer(merchant, key, former, chance)
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

    async def seal_anew(self) -> int:
        anew = 0
        for ref, (sealed, until) in self._sealed.items():
            content, is_todays = self._sealer.opened(ref, sealed)
            if not is_todays:
                self._sealed[ref] = (self._sealer.close(ref, content), until)
                anew += 1
        return anew
