"""Each parser on a few bodies that nobody meant; `python -m tests.fuzz` tries more."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.bodies import bodies
from tests.fuzz.targets import PROMISED, targets
from tests.patience import unhurried

NAMES = sorted(targets(Path()))


@pytest.mark.parametrize("name", NAMES)
@settings(unhurried, max_examples=25)
@given(choice=st.data())
def test_any_body_is_read_or_refused_in_words(name: str, choice: st.DataObject) -> None:
    """Nothing but the errors that a parser promises comes out of it."""
    with TemporaryDirectory() as folder:
        target = targets(Path(folder))[name]
        with suppress(*PROMISED):
            target.read(choice.draw(bodies(target.samples)))
