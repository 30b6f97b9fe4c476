"""What a forger who knows the chain would have to get right besides it."""

from datetime import timedelta

import pytest

from kcjl.log import verify as verifying
from kcjl.log.drafting import prepare, record
from kcjl.log.memory import MemoryLogReader, MemoryStore
from kcjl.log.port import Draft
from kcjl.log.verify import BrokenChain, verify
from tests.log.keepers import MERCHANT, MORNING, VOCABULARY, counted

pytestmark = pytest.mark.anyio


def _forge(
    store: MemoryStore, drafts: list[Draft], *, revisions: dict[str, int], after_s: float = 0
) -> None:
    """Chain events soundly, whatever their revisions and times."""
    shelf = store.shelf(MERCHANT)
    events, shelf.head = record(
        prepare(drafts, {}, VOCABULARY),
        merchant=MERCHANT,
        head=shelf.head,
        recorded_at=MORNING + timedelta(seconds=after_s),
        revisions=revisions,
    )
    shelf.events.extend(events)


@pytest.mark.parametrize("known", [{"stock-A": 5}, {"stock-A": 0}], ids=["skipped", "repeated"])
async def test_verify_finds_a_revision_that_does_not_follow(known: dict[str, int]) -> None:
    """A stream is counted 1, 2, 3, even where every hash is right."""
    store = MemoryStore()
    _forge(store, [counted("A", 1), counted("B", 1)], revisions={})
    _forge(store, [counted("A", 2)], revisions=known)

    with pytest.raises(BrokenChain, match="does not follow") as caught:
        await verify(MemoryLogReader(store, MERCHANT))

    assert 3 == caught.value.position


async def test_verify_finds_a_stream_that_begins_in_the_middle() -> None:
    """The first event of a stream is its number 1."""
    store = MemoryStore()
    _forge(store, [counted("A", 1)], revisions={"stock-A": 1})

    with pytest.raises(BrokenChain, match="does not follow"):
        await verify(MemoryLogReader(store, MERCHANT))


async def test_verify_finds_a_recording_time_that_goes_back() -> None:
    """Nothing was learnt before what was learnt earlier."""
    store = MemoryStore()
    _forge(store, [counted("A", 1)], revisions={}, after_s=60)
    _forge(store, [counted("B", 1)], revisions={})

    with pytest.raises(BrokenChain, match="recorded before") as caught:
        await verify(MemoryLogReader(store, MERCHANT))

    assert 2 == caught.value.position


async def test_verify_finds_a_cause_that_comes_later() -> None:
    """Nothing is caused by what had not happened."""
    store = MemoryStore()
    _forge(store, [counted("A", 1, causation=2), counted("A", 2)], revisions={})

    with pytest.raises(BrokenChain, match="not before it") as caught:
        await verify(MemoryLogReader(store, MERCHANT))

    assert 1 == caught.value.position


async def test_verify_more_streams_than_are_remembered_is_sound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Memory is bounded, and what was forgotten is no false alarm."""
    monkeypatch.setattr(verifying, "STREAMS_REMEMBERED_MAX", 3)
    store = MemoryStore()
    revisions: dict[str, int] = {}
    for _ in range(3):
        _forge(store, [counted(f"S{n}", n) for n in range(5_000)], revisions=revisions)

    assert 15_000 == (await verify(MemoryLogReader(store, MERCHANT))).events
