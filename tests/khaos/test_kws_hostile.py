"""Answers that mean harm, or are harm: each is a typed error, in bounds, and we live on.

Memory is measured by what Python holds at its worst (tracemalloc) beside the bound that the
adapter names; time by the adapter's own deadline and the test's limit. After each, the next
call on the same adapter is answered.
"""

import gzip
import tracemalloc

import pytest

from kcjl.errors import KcjlError, OutcomeUnknown, ProtocolSurprise, Unavailable
from kcjl.khaos import soap
from tests.khaos.conftest import MakeAdapter
from tests.khaos.samples import order
from tests.khaos.server import (
    ENVELOPE,
    ScriptedErp,
    Stream,
    endless,
    half_of,
    http,
    in_blocks,
    string,
)

pytestmark = pytest.mark.anyio

MB = 1024 * 1024
OPEN = f'<S:Envelope xmlns:S="{ENVELOPE}"><S:Body><GetVersionResponse><return>'.encode()
END = b"</return></GetVersionResponse></S:Body></S:Envelope>"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\n"
FOR_TEN = "".join(
    f'<!ENTITY {of} "{f"&{made};" * 10}">'
    for made, of in zip("abcdefgh", "bcdefghi", strict=True)
)
BOMB = (
    f'<?xml version="1.0"?><!DOCTYPE S [<!ENTITY a "{"ha" * 500}">{FOR_TEN}]>'
    f'<S:Envelope xmlns:S="{ENVELOPE}"><S:Body><GetVersionResponse><return>&i;&i;</return>'
    "</GetVersionResponse></S:Body></S:Envelope>"
)
OUTSIDE = '<!DOCTYPE S [<!ENTITY i SYSTEM "{}/stolen">]>' + BOMB.partition("]>")[2]
DEEP = OPEN + b"<a>" * 200_000 + b"</a>" * 200_000 + END

HOSTILE: dict[str, bytes | Stream | None] = {
    "an entity bomb": http(200, BOMB),
    "an entity bomb behind a comment": http(200, "<!-- x -->\n" + BOMB.partition("?>")[2]),
    "an entity bomb in UTF-16": http(200, BOMB.partition("?>")[2].encode("utf-16")),
    "a gigabyte": in_blocks(
        HEAD + b"Content-Length: 1073741824\r\n\r\n" + OPEN, b"9" * MB, 1023
    ),
    "a body without an end": in_blocks(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"100000\r\n" + b"9" * MB + b"\r\n", 10**9
    ),
    "a body in drops": endless(HEAD + b"Content-Length: 1000000\r\n\r\n" + OPEN, b"9"),
    "a head in drops": endless(HEAD, b"X"),
    "a head without an end": in_blocks(HEAD, b"X-Much: " + b"9" * 4000 + b"\r\n", 10**6),
    "silence": None,
    "nothing": b"",
    "depth": http(200, DEEP),
    "one long text": http(200, OPEN + b"9" * 11_000_000 + END),
    "half an envelope": half_of(string("GetVersion", "8.173")),
    "an envelope cut off": http(200, OPEN + b"8.1"),
    "bytes of no alphabet": http(200, OPEN + b"\x81\x8d\xff\xfe\x00" + END),
    "a page of errors": http(500, "<html><body>Server Error</body></html>", "text/html"),
    "a page for people": http(200, "<!DOCTYPE html><html>Sign in</html>", "text/html"),
    "a packed bomb": http(
        200, gzip.compress(OPEN + b"9" * (32 * MB) + END), Content_Encoding="gzip"
    ),
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "another place": http(302, "", Location="http://127.0.0.1:9/"),
}


@pytest.mark.parametrize("harm", HOSTILE, ids=lambda harm: harm)
async def test_hostile_answer_to_a_read_is_a_typed_error_in_bounds(
    erp: ScriptedErp, make: MakeAdapter, harm: str
) -> None:
    """A read that gets it is `Unavailable`, within its bounds, and the next one is answered."""
    erp.will_say("GetVersion", HOSTILE[harm], string("GetVersion", "8.173"))
    adapter = make(connect_timeout_s=0.5, read_timeout_s=0.5)
    tracemalloc.start()
    try:
        with pytest.raises(Unavailable):
            await adapter.ping()
        _, held_at_most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held_at_most < 3 * soap.ANSWER_BYTES_MAX
    assert erp.sent_bytes < 2 * soap.ANSWER_BYTES_MAX
    assert "8.173" == await adapter.ping()


@pytest.mark.parametrize("harm", HOSTILE, ids=lambda harm: harm)
async def test_hostile_answer_to_a_write_is_an_unknown_outcome(
    erp: ScriptedErp, make: MakeAdapter, harm: str
) -> None:
    """It was sent, and nobody said what became of it: never "refused", never "not sent"."""
    erp.will_say("ImportOrders", HOSTILE[harm])
    adapter = make(connect_timeout_s=0.5, read_timeout_s=0.5)

    with pytest.raises(OutcomeUnknown, match=r"ImportOrders|JL100200300"):
        await adapter.create_order(order())


async def test_entity_that_points_outside_is_not_fetched(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """No document of theirs makes us call anybody."""
    erp.will_say("GetVersion", http(200, OUTSIDE.replace("{}", erp.url)))

    with pytest.raises(ProtocolSurprise, match="DTD"):
        await make().ping()
    assert not [target for target in erp.wsdl_asked if "stolen" in target]


async def test_redirect_is_not_followed(erp: ScriptedErp, make: MakeAdapter) -> None:
    """Orders go where the configuration says, and nowhere else."""
    erp.will_say("GetVersion", http(307, "", Location=f"{erp.url}/elsewhere"))

    with pytest.raises(KcjlError):
        await make().ping()
    assert 1 == len(erp.calls)


async def test_bytes_that_are_no_utf_8_are_refused_where_the_setting_says_so(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """By default they are the database's Windows-1252; a strict site takes no such answer."""
    answer = string("GetVersion", "Caf@").replace(b"@", b"\xe9")
    erp.will_say("GetVersion", answer, answer)

    assert "Café" == await make().ping()
    with pytest.raises(ProtocolSurprise, match="UTF-8"):
        await make(other_text="refuse").ping()


async def test_long_answer_is_parsed_and_read(erp: ScriptedErp, make: MakeAdapter) -> None:
    """Long is not hostile: what is within the bounds is read whole."""
    text = "8" * 1_000_000
    erp.will_say("GetVersion", string("GetVersion", text))

    assert text == await make().ping()
