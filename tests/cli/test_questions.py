"""docs/questions.md: each command can be typed, and there are twenty."""

import re

import pytest

from tests.architecture.tree import ROOT
from tests.manual.test_pages import can_be_typed

PAGE = (ROOT / "docs" / "questions.md").read_text("utf-8")
COMMAND = re.compile(r"^\$ (kcjl .+)$", re.MULTILINE)
COMMANDS = COMMAND.findall(PAGE)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_a_question_can_be_typed(command: str) -> None:
    """What the page says to type is what the program takes."""
    can_be_typed(command)


def test_each_of_the_twenty_questions_has_one_command() -> None:
    """Numbered from 1, none without its command."""
    questions = re.split(r"^\*\*(\d+)\. ", PAGE, flags=re.MULTILINE)[1:]

    assert [*range(1, 21)] == [int(number) for number in questions[::2]]
    assert [1] * 20 == [
        len(re.findall(r"^\$ kcjl ", told, re.MULTILINE)) for told in questions[1::2]
    ]
