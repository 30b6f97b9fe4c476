"""The deliberate bugs are up to date, compile, and are bugs of kcjl as it is."""

import ast
from pathlib import Path

import pytest

from tests.simulation.mutants import MUTANTS, Change, Mutant, Stale, applied

KCJL = Path(__file__).parents[2] / "kcjl"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_applies_to_kcjl_as_it_is_and_compiles(mutant: Mutant) -> None:
    """A bug that no longer applies proves nothing: it is brought up to date with the code."""
    texts = applied(mutant, KCJL)

    assert texts
    for module, text in texts.items():
        ast.parse(text, module)
        assert text != (KCJL / module).read_text("utf-8")


def test_mutants_have_names_of_their_own_and_are_fifteen_at_least() -> None:
    """The table names each once."""
    names = {mutant.name for mutant in MUTANTS}

    assert len(MUTANTS) == len(names)
    assert 15 <= len(names)


def test_mutant_of_a_text_that_is_gone_is_refused() -> None:
    """Not passed over."""
    gone = Mutant(
        name="gone",
        laws=(1,),
        change=(Change(module="money.py", before="no such text", after=""),),
    )

    with pytest.raises(Stale, match=r"gone: 0 times in money\.py"):
        applied(gone, KCJL)
