"""Bodies that nobody meant: a sample that was cut, doubled, spliced, nested, or any bytes.

Called by `test_fuzz.py` and by `python -m tests.fuzz`.
"""

from collections.abc import Sequence

from hypothesis import strategies as st

__all__ = ["bodies"]

BODY_BYTES_MAX = 200_000
TOKENS = (
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf0\x9f\x92\xa9", b'"',
    b"'", b"\n", b"\r\n", b"\t", b"{", b"}", b"[", b"]", b"<", b"</", b"<!DOCTYPE a>",
    b"<![CDATA[", b"&#0;", b"&#xD800;", b"&x;", b"null", b"true", b"NaN", b"1e400", b"-0",
    b"9" * 400, b"9" * 5_000, b"00010101", b"99991231", b"0001-01-01", b"9999-12-31T23:59:59Z",
    b"2026-13-45", b"[+99:X]", b"[-14.5]", b"CHARSET:idna", b"CHARSET:utf-7",
    b"CHARSET:punycode", b"CHARSET:unicode_escape", b"CHARSET:undefined", b'encoding="idna"',
    b"+2AA-", b"=", b"==", b"[[a]]", b"a.b.c=1", b"-1", b"1,234,567.89", b"\xa3",
)  # fmt: skip
DEEP = (b"[", b"{", b'{"a":', b"<a>", b"a=[", b"[[", b"a.", b"(")
_NUMBERS = st.integers(0, 4_000)


def bodies(samples: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """For a parser that reads these."""
    edits = st.lists(
        st.tuples(
            st.sampled_from(("insert", "cut", "replace", "double", "splice", "nest", "end")),
            _NUMBERS,
            _NUMBERS,
            st.sampled_from(TOKENS) | st.binary(max_size=8),
        ),
        min_size=1,
        max_size=6,
    )
    edited = st.builds(_edited, st.sampled_from(samples), edits, st.sampled_from(samples))
    return edited | st.binary(max_size=200)


def _edited(body: bytes, edits: Sequence[tuple[str, int, int, bytes]], other: bytes) -> bytes:
    for how, one, two, token in edits:
        size = len(body) + 1
        start, end = sorted((one % size, two % size))
        if how == "insert":
            body = body[:start] + token + body[start:]
        elif how == "cut":
            body = body[:start] + body[end:]
        elif how == "replace":
            body = body[:start] + token + body[min(end, start + len(token) + 1) :]
        elif how == "double":
            body = body[:end] + body[start:end] + body[end:]
        elif how == "splice":
            body = body[:start] + other[one % (len(other) + 1) :]
        elif how == "nest":
            body = body[:start] + DEEP[one % len(DEEP)] * (two * 5) + body[start:]
        else:
            body = body[:end]
    return body[:BODY_BYTES_MAX]
