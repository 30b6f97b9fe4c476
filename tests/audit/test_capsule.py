"""Capsules: those that are kept are replayed, and what is done to one is found."""

import gzip
from pathlib import Path

import pytest

from kcjl.audit.capsule import read_capsule, replay_capsule, write_capsule
from kcjl.errors import CorruptLog, Misuse
from kcjl.events import vocabulary
from kcjl.projections.catalogue import PROJECTIONS

KEPT = sorted((Path(__file__).parent.parent / "capsules").glob("*.capsule"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_kept_capsule_folds_to_the_rows_it_has(path: Path) -> None:
    """Law 1: another version makes the same of the same events."""
    replayed = replay_capsule(read_capsule(path), vocabulary(), PROJECTIONS)

    assert replayed.difference is None
    assert 3 < replayed.rows


def test_capsule_is_the_same_bytes_when_it_is_written_again(tmp_path: Path) -> None:
    write_capsule(read_capsule(KEPT[0]), tmp_path / "again")

    assert KEPT[0].read_bytes() == (tmp_path / "again").read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "error", "told"),
    [
        (b"kcjl-capsule-1", b"kcjl-capsule-2", Misuse, "a newer kcjl"),
        (
            b'"type":"OrderReceived"',
            b'"type":"OrderForgotten"',
            CorruptLog,
            "not what was hashed",
        ),
        (b'"rows_of":"folded"', b'"rows_of":"live"', CorruptLog, "was changed"),
        (b'{"sha256"', b"", CorruptLog, "cut off"),
    ],
)
def test_capsule_that_was_changed_is_refused_in_words(
    tmp_path: Path, old: bytes, new: bytes, error: type[Exception], told: str
) -> None:
    """Whatever was done to it, it is said; nothing of it is believed."""
    content = gzip.decompress(KEPT[0].read_bytes())
    assert old in content
    path = tmp_path / "changed.capsule"
    path.write_bytes(gzip.compress(content.replace(old, new, 1)))

    with pytest.raises(error, match=told):
        read_capsule(path)
