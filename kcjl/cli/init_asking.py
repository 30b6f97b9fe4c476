"""Where the answers of `kcjl init` come from: a person at a terminal, or a file.

Promises: a person is told why an answer fails and is asked again; a file's answer that fails
ends it, with its name. A secret is never echoed, and never stands in the file of answers: that
names the variable or the file that has it.
Called by `init.py`.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec
import typer

from kcjl.cli.places import printable, printable_block
from kcjl.discretion import Secret
from kcjl.errors import KcjlError, Misuse, SettingsUnusable
from kcjl.settings import secret
from kcjl.toml import read_toml

__all__ = ["Asker", "FromFile", "Question", "SecretGiven", "Typed", "settled"]

T = TypeVar("T")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    """Its name in a file of answers."""
    text: str
    about: str = ""
    default: str | None = None
    """None: there has to be an answer; empty: there need not."""
    choices: tuple[str, ...] = ()
    """What the system itself has told; only these are answers."""
    examples: tuple[str, ...] = ()
    """The same, where another answer may be right, too."""


class SecretGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A secret, and where it stands already: else it is put into a file of ours."""

    value: Secret
    env: str = ""
    file: str = ""


class Asker(Protocol):
    by_hand: bool

    def ask(self, question: Question) -> str: ...

    def ask_secret(self, question: Question) -> SecretGiven: ...

    def failed(self, question: Question, why: str) -> None:
        """Say why; return for another try, or raise."""

    def say(self, text: str) -> None: ...


def settled(asker: Asker, question: Question, check: Callable[[str], T]) -> T:
    """The answer, once it holds."""
    while True:
        told = asker.ask(question)
        try:
            _among(question, told)
            return check(told)
        except KcjlError as error:
            asker.failed(question, error.message)


class Typed:
    """A person at a terminal."""

    by_hand = True

    def ask(self, question: Question) -> str:
        self._introduce(question)
        return str(
            typer.prompt(question.text, default=question.default, show_default=True, err=True)
        ).strip()

    def ask_secret(self, question: Question) -> SecretGiven:
        self._introduce(question)
        told = typer.prompt(f"{question.text} (it is not shown)", hide_input=True, err=True)
        return SecretGiven(value=Secret(str(told).strip()))

    def failed(self, question: Question, why: str) -> None:
        typer.echo(printable(f"  {question.text}: {why}"), err=True)

    def say(self, text: str) -> None:
        typer.echo(printable_block(f"  {text}"), err=True)

    def _introduce(self, question: Question) -> None:
        typer.echo("", err=True)
        if question.about:
            typer.echo(printable_block(question.about), err=True)
        for name, there in (("one of", question.choices), ("there are", question.examples)):
            if there:
                typer.echo(printable(f"  {name}: {', '.join(there)}"), err=True)


class FromFile:
    """A TOML file of answers, for machines."""

    by_hand = False

    def __init__(self, path: Path, answers: Mapping[str, str]) -> None:
        self._path = path
        self._answers = dict(answers)
        self._asked: set[str] = set()

    @classmethod
    def read(cls, path: Path) -> "FromFile":
        """Raises SettingsUnusable for what is no file of answers."""
        try:
            told = read_toml(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsUnusable(f"{path} can't be read: {error.strerror}") from None
        except ValueError as error:  # no text, no TOML, odd numbers
            raise SettingsUnusable(f"{path} is not TOML: {error}") from None
        return cls(path, {key: _text(path, key, value) for key, value in told.items()})

    def ask(self, question: Question) -> str:
        self._asked.add(question.key)
        told = self._answers.get(question.key, question.default)
        if told is None:
            raise Misuse(f"{self._path} has no {question.key}: {question.text}")
        return told.strip()

    def ask_secret(self, question: Question) -> SecretGiven:
        env_key, file_key = f"{question.key}_env", f"{question.key}_file"
        self._asked |= {env_key, file_key}
        env, file = self._answers.get(env_key, ""), self._answers.get(file_key, "")
        if bool(env) == bool(file):
            raise Misuse(
                f"{self._path}: {question.text}: name the environment variable that has it as "
                f"{env_key}, or the file as {file_key}; the secret itself stands in neither"
            )
        if file and Path(file).exists() and Path(file).stat().st_mode & 0o077:
            raise Misuse(f"{file_key}: {file} can be read by others: chmod 600 {file}")
        value = secret(env=env, file=file, what=question.text)
        whole = str(Path(file).resolve()) if file else ""
        return SecretGiven(value=value, env=env, file=whole)

    def failed(self, question: Question, why: str) -> None:
        raise Misuse(f"{self._path}: {question.key}: {why}")

    def say(self, text: str) -> None:
        typer.echo(printable_block(text), err=True)

    def finish(self) -> None:
        """Raises Misuse for an answer that nobody has asked for: mostly a slip."""
        left = sorted(set(self._answers) - self._asked)
        if left:
            raise Misuse(f"{self._path}: nobody asks for {', '.join(left)}")

    @property
    def variables(self) -> Sequence[str]:
        """Those that the service will need, too."""
        return [
            value
            for key, value in self._answers.items()
            if key.endswith("_env") and value in os.environ
        ]


def _among(question: Question, told: str) -> None:
    if question.choices and told not in question.choices:
        raise Misuse(f"{told!r} is none of {', '.join(question.choices)}")
    if not told and question.default is None:
        raise Misuse("there has to be an answer")


def _text(path: Path, key: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    isoformat = getattr(value, "isoformat", None)
    if isoformat is None:
        raise SettingsUnusable(f"{path}: {key} is no text, number or time")
    return str(isoformat())
