"""Packed answers: ZIP and BZip2, whole or not at all, and never more than the bound."""

import bz2
import io
import zipfile
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from kcjl.errors import ProtocolSurprise
from kcjl.khaos import compressed
from tests.khaos.conftest import MakeAdapter
from tests.khaos.server import ScriptedErp, soap

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def zipped(document: bytes, *, files: int = 1) -> bytes:
    """The same bytes at any hour (ZipInfo's date is 1980): they name tests, on each worker."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(files):
            entry = zipfile.ZipInfo(f"Stock{number}.xml")
            archive.writestr(entry, document, compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def packed(method: str, data: bytes, *, original: int = 1, password: str = "false") -> bytes:
    return soap(
        method,
        f"<return><Method>ZIP</Method><FileName>Stock.xml</FileName><Data>"
        f"{b64encode(data).decode()}</Data><OriginalSize>{original}</OriginalSize>"
        f"<PasswordProtected>{password}</PasswordProtected></return>",
    )


RUG = (
    '<?xml version="1.0" encoding="windows-1252"?><STOCK_ITEMS><STOCK_ITEM>'
    "<STOCK_CODE>RUG</STOCK_CODE><STOCK_DESC>Café rug</STOCK_DESC></STOCK_ITEM></STOCK_ITEMS>"
).encode("windows-1252")


@pytest.mark.parametrize(
    ("compression", "method", "data"),
    [
        ("zip", "0", zipped(RUG)),
        ("bzip2", "1", bz2.compress(RUG)),
        ("zip", "0", bz2.compress(RUG)),
    ],
)
async def test_products_packed_are_the_same_products(
    erp: ScriptedErp, make: MakeAdapter, compression: str, method: str, data: bytes
) -> None:
    """ZIP or BZip2, by what came, whatever was asked for."""
    erp.will_say("ExportStockCompressed", packed("ExportStockCompressed", data))

    found = await make(compression=compression).products(["rug"])

    assert "Café rug" == found["rug"].description
    assert method == erp.arguments("ExportStockCompressed")[0]["CompressionMethod"]


async def test_changed_products_packed_are_listed_in_either_form(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """The vendor does not say how the packed list is written: capitals, or the typed names."""
    upper = (
        b"<STOCK_LIST><STOCK_ITEM><STOCK_CODE>A</STOCK_CODE><PARENT_CODE>P</PARENT_CODE>"
        b"<LAST_UPDATED>2026-07-02T12:30:26.497</LAST_UPDATED></STOCK_ITEM></STOCK_LIST>"
    )
    typed = (
        "<TStockList><List><item><StockCode>A</StockCode><ParentCode>P</ParentCode>"
        "<LastUpdated>2026-07-02T12:30:26.497</LastUpdated></item></List></TStockList>"
    )
    erp.will_say(
        "GetStockListCompressed",
        packed("GetStockListCompressed", zipped(upper)),
        packed("GetStockListCompressed", zipped(typed.encode())),
        packed("GetStockListCompressed", zipped(b"<STOCK_LIST/>")),
        packed("GetStockListCompressed", b""),
        packed("GetStockListCompressed", zipped(b"<OTHER><THING/></OTHER>")),
    )
    adapter = make(compression="zip")

    at = datetime(2026, 7, 2, 11, 30, 26, 497000, tzinfo=UTC)
    for _ in range(2):
        (ref,) = await adapter.moved_products(SINCE)
        assert ("A", "P", at) == (ref.stock_code, ref.parent_code, ref.changed_at)
    assert [] == await adapter.moved_products(SINCE)
    assert [] == await adapter.moved_products(SINCE)
    with pytest.raises(ProtocolSurprise, match="OTHER"):
        await adapter.moved_products(SINCE)


@pytest.mark.parametrize("pack", [zipped, bz2.compress], ids=["zip", "bzip2"])
async def test_packed_bomb_is_a_surprise_at_its_bound(
    erp: ScriptedErp,
    make: MakeAdapter,
    monkeypatch: pytest.MonkeyPatch,
    pack: Callable[[bytes], bytes],
) -> None:
    """Whatever size it says it has, unpacking stops at the bound."""
    monkeypatch.setattr(compressed, "UNPACKED_BYTES_MAX", 100_000)
    bomb = pack(b"<a>" + b" " * 50_000_000 + b"</a>")
    erp.will_say("ExportStockCompressed", packed("ExportStockCompressed", bomb, original=10))

    with pytest.raises(ProtocolSurprise, match="more than 100000 bytes"):
        await make(compression="zip").products(["RUG"])


@pytest.mark.parametrize(
    "answer",
    [
        packed("X", zipped(RUG)[:-30]),
        packed("X", bz2.compress(RUG)[:-10]),
        packed("X", zipped(RUG).replace(b"Stock", b"S?ock", 1)),
        packed("X", zipped(RUG), password="-1"),
        packed("X", b"Rar!\x1a\x07"),
        packed("X", zipped(b"<STOCK_ITEMS>")),
        packed("X", zipped(b'<!DOCTYPE x [<!ENTITY e "boo">]><STOCK_ITEMS>&e;</STOCK_ITEMS>')),
        soap("X", "<return><Data>no base64!</Data></return>"),
    ],
    ids=["half", "half bzip2", "damaged", "password", "rar", "half XML", "DTD", "no base64"],
)
async def test_packed_answer_that_cannot_be_read_is_a_surprise(
    erp: ScriptedErp, make: MakeAdapter, answer: bytes
) -> None:
    """Never an empty answer: the codes would seem to be gone."""
    erp.will_say("ExportStockCompressed", answer)

    with pytest.raises(ProtocolSurprise):
        await make(compression="zip").products(["RUG"])


@pytest.mark.parametrize(
    "data", [b"", zipped(b""), zipped(b"", files=0), zipped(b"<STOCK_ITEMS/>")]
)
async def test_packed_answer_with_nothing_in_it_is_empty(
    erp: ScriptedErp, make: MakeAdapter, data: bytes
) -> None:
    """No bytes, no file, an empty file, or an empty root."""
    erp.will_say("ExportStockCompressed", packed("ExportStockCompressed", data))

    assert {} == await make(compression="zip").products(["RUG"])
