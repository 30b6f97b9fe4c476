"""The vault's key: where it comes from, and those that it took the place of.

Promises: a place that is named is meant: a key that is missing there is an error, and none is
made. Where none is named, the key is a file in the data directory, made at the first start. A
key never shows in a `repr`. It seals nothing.
Called by the composition root; `settings/` has the section.
"""

import os
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import anyio.to_thread
import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kcjl.discretion import Hidden
from kcjl.errors import SettingsUnusable

__all__ = ["KEY_BYTES", "VaultKeys", "VaultSettings", "make_key", "vault_keys"]

KEY_BYTES = 32


class VaultSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The key that buyers are sealed with. Without a word here: a file in `data_dir`."""

    key_env: str = ""
    """The variable that has it, as 64 hexadecimal digits or as base64."""
    key_file: str = ""
    """The file that has it: 32 bytes, or as text the same."""
    former_key_files: tuple[str, ...] = ()
    """Keys that it had before: what they sealed is opened, and sealed anew each day."""

    def __post_init__(self) -> None:
        if self.key_env and self.key_file:
            raise ValueError("key_env and key_file: the key is in one place, name that one")


class VaultKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The key that seals, and those that it took the place of: they open only."""

    current: Hidden
    former: tuple[Hidden, ...] = ()


async def vault_keys(settings: VaultSettings, data_dir: Path) -> VaultKeys:
    """The keys as they are configured. Raises SettingsUnusable for what is none.

    Where no place is named, the key is a file in the data directory: made, readable by its
    owner only, when there is none.
    """

    def read() -> VaultKeys:
        if settings.key_env:
            told = os.environ.get(settings.key_env, "")
            if not told:
                raise SettingsUnusable(
                    f"vault key: the environment variable {settings.key_env} is not set"
                )
            current = _key(told.encode(), f"the environment variable {settings.key_env}")
        elif settings.key_file:
            current = _read_key(Path(settings.key_file))
        else:
            current = _own_key(data_dir / "vault.key")
        former = tuple(_read_key(Path(each)) for each in settings.former_key_files)
        return VaultKeys(current=current, former=former)

    return await anyio.to_thread.run_sync(read)


def make_key(path: Path) -> None:
    """A new key in a file that is not there yet, readable by its owner only.

    The file is there whole or not at all. Raises FileExistsError when somebody was quicker.
    """
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as file:
        file.write(AESGCM.generate_key(bit_length=8 * KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
        os.link(file.name, path)


def _own_key(path: Path) -> Hidden:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # merchants start side by side
            make_key(path)
    return _read_key(path)


def _read_key(path: Path) -> Hidden:
    try:
        return _key(path.read_bytes(), str(path))
    except OSError as error:
        raise SettingsUnusable(f"vault key: {path} can't be read: {error.strerror}") from None


def _key(told: bytes, where: str) -> Hidden:
    """32 bytes as they are, as 64 hexadecimal digits, or as base64."""
    if len(told) == KEY_BYTES:
        return Hidden(told)
    text = told.strip()
    for decode in (bytes.fromhex, lambda written: b64decode(written, validate=True)):
        with suppress(ValueError):
            if len(key := decode(text.decode("ascii"))) == KEY_BYTES:
                return Hidden(key)
    raise SettingsUnusable(
        f"{where} is not a vault key: {KEY_BYTES} bytes are expected, or the same as "
        "hexadecimal digits or base64"
    )
