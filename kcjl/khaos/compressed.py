"""Documents that the ERP sends packed: ZIP or BZip2, unpacked within a bound.

Promises: the text of the one file inside, or `ProtocolSurprise`: for a password, a damaged or
foreign archive, and one that unpacks to more than the bound, whatever size it says it has. It
never holds more than the bound and one block. Invariant: unpacking stops at the first byte too
many; the sizes that the sender states are never relied on. Called by `kws_stock.py`.
Source: contract khaos b.1, b.7.
"""

import bz2
import io
import zipfile
import zlib
from base64 import b64decode
from binascii import Error as NoBase64
from typing import IO, Literal

from kcjl.errors import ProtocolSurprise
from kcjl.khaos.answer_xml import Element, parse_packed
from kcjl.khaos.document_nodes import is_true
from kcjl.khaos.long_list import ListRows
from kcjl.khaos.typed_answer import Answer

__all__ = ["UNPACKED_BYTES_MAX", "compression_method", "unpacked", "unpacked_document"]

UNPACKED_BYTES_MAX = 64 * 1024 * 1024
"""As much as an answer that comes unpacked may have."""
_BLOCK = 64 * 1024
_ZIP_MARK, _BZIP2_MARK = b"PK", b"BZh"
_METHODS = {"zip": "0", "bzip2": "1"}


def compression_method(compression: Literal["zip", "bzip2"]) -> str:
    """CompressionMethod, as it is asked for."""
    return _METHODS[compression]


def unpacked_document(
    answer: Answer, method: str, rows: ListRows | None = None
) -> Element | None:
    """The document in a `TCompressedResult`, less the `rows`; None when nothing is in it."""
    if is_true(answer.value("PasswordProtected") or ""):
        raise ProtocolSurprise(f"Khaos Control packed {method}'s answer under a password")
    packed = "".join((answer.value("Data") or "").split())
    if not packed:
        return None
    try:
        content = unpacked(b64decode(packed, validate=True))
    except (NoBase64, ValueError, OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise ProtocolSurprise(
            f"Khaos Control's packed answer to {method} can't be unpacked: {error}"
        ) from None
    except (NotImplementedError, RuntimeError) as error:  # a foreign method; encrypted
        raise ProtocolSurprise(
            f"Khaos Control packed its answer to {method} in a way we can't undo: {error}"
        ) from None
    return parse_packed(content, method, rows)


def unpacked(packed: bytes, bytes_max: int | None = None) -> bytes:
    """What is in a ZIP's first file, or in a BZip2 stream, by the mark that it begins with."""
    bound = UNPACKED_BYTES_MAX if bytes_max is None else bytes_max
    if packed.startswith(_ZIP_MARK):
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            files = [each for each in archive.infolist() if not each.is_dir()]
            if not files:
                return b""
            with archive.open(files[0]) as file:
                return _read(file, bound)
    if packed.startswith(_BZIP2_MARK):
        with bz2.BZ2File(io.BytesIO(packed)) as file:
            return _read(file, bound)
    raise ValueError("it is neither a ZIP nor BZip2")


def _read(file: IO[bytes] | bz2.BZ2File, bound: int) -> bytes:
    content = bytearray()
    while block := file.read(_BLOCK):
        content += block
        if len(content) > bound:
            raise ValueError(f"it unpacks to more than {bound} bytes")
    return bytes(content)
