"""What a fold says that it hears is all that can touch it: a rebuild reads nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.events import EVENT_CLASSES, vocabulary
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.projection import Projection
from kcjl.vocabulary import Event
from tests.any_event import any_events


def _unheard(projection: Projection[Any]) -> list[type[Event]]:
    return [cls for cls in EVENT_CLASSES if not issubclass(cls, projection.hears)]


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
@given(chance=st.data())
def test_event_that_is_not_heard_touches_no_row(
    projection: Projection[Any], chance: st.DataObject
) -> None:
    """Whatever stands in it: it may be left out of a rebuild."""
    for event in chance.draw(any_events(*_unheard(projection), max_size=4)):
        assert () == projection.keys(event)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda each: each.name)
def test_every_projection_says_what_it_hears(projection: Projection[Any]) -> None:
    """The default, everything, is right but slow; none of ours needs it."""
    assert 20 < len(_unheard(projection)) < len(vocabulary().names())
