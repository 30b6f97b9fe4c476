"""What `kcjl init` writes: kcjl.toml, and the secrets beside it.

Promises: nothing is there before all is: secrets wait in a folder of their own, and kcjl.toml
is renamed into its place last. A former kcjl.toml, or secret, is kept with `.bak`; a vault's
key is never replaced. Files of secrets are readable by their owner only.
Called by `init.py`.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from kcjl.cli.init_asking import SecretGiven
from kcjl.errors import Misuse
from kcjl.vaultkey import make_key

__all__ = ["SECRETS", "SecretFile", "Staging", "Table", "Value", "toml_text"]

SECRETS = "kcjl-secrets"
VAULT_KEY = "vault.key"
HEAD = "# Written by kcjl init. Every setting is explained in docs/settings.md.\n"


class SecretFile(msgspec.Struct, frozen=True):
    """Stands for the path of a secret, wherever its folder is by then."""

    name: str


Value = str | int | bool | datetime | tuple[str, ...] | SecretFile
Table = Mapping[str, "Value | Table"]


def toml_text(table: Table, secrets: Path) -> str:
    """The file; `secrets` is where its secrets are."""
    return HEAD + "\n".join(_lines(table, (), secrets)).strip("\n") + "\n"


class Staging:
    """One writing: where it is put together, and where it goes."""

    def __init__(self, config: Path, folder: Path) -> None:
        self._config = config
        self._home = config.resolve().parent / SECRETS
        self.folder = folder

    @classmethod
    @contextmanager
    def at(cls, config: Path) -> Iterator["Staging"]:
        """Whatever happens, nothing of it stays but what was put into its place."""
        parent = config.resolve().parent
        try:
            if not parent.exists():
                parent.mkdir(parents=True)
                parent.chmod(0o755)
            folder = Path(tempfile.mkdtemp(prefix=".kcjl-init-", dir=parent))
        except OSError as error:
            raise Misuse(f"{parent} can't be written: {error.strerror}") from None
        try:
            yield cls(config, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def home(self) -> Path:
        """Where the secrets will be."""
        return self._home

    def placed(self, setting: str, given: SecretGiven, name: str) -> dict[str, "Value"]:
        """The setting that says where a secret is; typed, it goes into a file of ours."""
        if given.env:
            return {f"{setting}_env": given.env}
        if given.file:
            return {f"{setting}_file": given.file}
        path = self.folder / name
        path.unlink(missing_ok=True)  # typed again, after the former one was refused
        with open(path, "x", opener=_owner_only, encoding="utf-8") as file:
            file.write(given.value)
        return {f"{setting}_file": SecretFile(name)}

    def tried(self, table: Table) -> dict[str, object]:
        """A section as it is tried: its secrets are still here."""
        return {
            key: self.tried(each)
            if isinstance(each, Mapping)
            else str(self.folder / each.name)
            if isinstance(each, SecretFile)
            else each
            for key, each in table.items()
        }

    def vault_key(self) -> SecretFile:
        """The one that is there, or a new one."""
        there = self._home / VAULT_KEY
        if there.exists():
            shutil.copy2(there, self.folder / VAULT_KEY)
        else:
            make_key(self.folder / VAULT_KEY)
        return SecretFile(VAULT_KEY)

    def put(self, table: Table) -> None:
        """All of it into its place; the configuration last."""
        half = self.folder / "kcjl.toml"
        half.write_text(toml_text(table, self._home), encoding="utf-8")
        half.chmod(0o644)  # it has no secret, and the service may be another account
        try:
            self._home.mkdir(mode=0o700, exist_ok=True)
            for staged in sorted(self.folder.iterdir()):
                if staged != half:
                    _into(staged, self._home / staged.name)
            _into(half, self._config)
        except OSError as error:
            raise Misuse(f"{self._config} can't be written: {error.strerror}") from None


def _into(staged: Path, place: Path) -> None:
    if place.exists() and place.read_bytes() == staged.read_bytes():
        return
    if place.exists():
        shutil.copy2(place, place.with_name(f"{place.name}.bak"))
    staged.replace(place)


def _lines(table: Table, path: tuple[str, ...], secrets: Path) -> Iterator[str]:
    values = {key: each for key, each in table.items() if not isinstance(each, Mapping)}
    if path and values:
        yield f"\n[{'.'.join(path)}]"
    for key, each in values.items():
        yield f"{key} = {_value(each, secrets)}"
    for key, below in table.items():
        if isinstance(below, Mapping):
            yield from _lines(below, (*path, key), secrets)


def _value(value: Value, secrets: Path) -> str:
    """JSON's strings, lists and numbers are TOML's."""
    if isinstance(value, SecretFile):
        return _value(str(secrets / value.name), secrets)
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
