"""What is fuzzed: each parser of bytes from outside, with whole samples to begin from.

Promises: a target reads one body to its end, and only the errors that it promises come out.
Files are read as files, from a folder that is the target's own. Called by `test_fuzz.py` and by
`python -m tests.fuzz`.
"""

import asyncio
import bz2
import gzip
import io
import json
import zipfile
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from lxml import etree

from kcjl.errors import KcjlError
from kcjl.exceptions.routing import read_rules
from kcjl.khaos.answer_xml import Unreadable, parse_answer, parse_document
from kcjl.khaos.cloud_inbound import read_levels, read_statuses, read_stock
from kcjl.khaos.cloud_reading import BadBody, parse_body
from kcjl.khaos.compressed import unpacked_document
from kcjl.khaos.typed_answer import Answer
from kcjl.ledger.bank_statement import read_statement
from kcjl.log.exported import ExportReader, verify_export
from kcjl.log.seal import read_seal
from kcjl.orders.acceptance_policy import read_policy
from kcjl.sandbox.faults import faults_from
from kcjl.sealedanswer import Asker, seal_for
from kcjl.settings import read_settings
from kcjl.settlement.terms import read_terms
from kcjl.stock.policy import read_document
from tests.cli.test_stock import CONFIG
from tests.cloud.channel import cloud_settings, level, status
from tests.johnlewis.test_any_body import DECODERS
from tests.khaos.server import ENVELOPE
from tests.ledger import statements
from tui.keymap import keymap_at

__all__ = ["PROMISED", "Target", "targets"]

PROMISED = (KcjlError, BadBody, Unreadable)
"""What may come out of a target; anything else is a bug."""
SETTINGS = cloud_settings(order_ref_format="KCC{0}")
POLICY = 'accept = "known"\n[[holds]]\nname = "dear"\nabove = 500.00\nskus = ["A-*"]\n'
RULES = '[[rules]]\nname = "t"\nkinds = ["total_differs"]\nabove = 10.00\nowner = "jo"\n'
TERMS = 'note = "n"\n[[rates]]\npercent = 18.5\n[[rates]]\ncategory = "x"\npercent = 1\n'
BUFFERS = 'valid_from = 2026-07-01\n[[rules]]\nname = "a"\nbuffer = 2\nskus = ["A-1"]\n'
SOAP = (
    f'<?xml version="1.0"?><S:Envelope xmlns:S="{ENVELOPE}"><S:Body><R><return>1</return></R>'
    "</S:Body></S:Envelope>"
)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A parser and bodies that it reads."""

    read: Callable[[bytes], object]
    samples: tuple[bytes, ...]


def targets(folder: Path) -> Mapping[str, Target]:
    """All of them, by name."""
    return {
        **{
            f"johnlewis {name}": _target(decode, json.dumps(body).encode())
            for name, (body, decode) in DECODERS.items()
        },
        "khaos answer": _target(lambda body: parse_answer(body, None), SOAP.encode()),
        "khaos document": _target(_as_text(parse_document), b"<A><B>1</B></A>"),
        "khaos packed": _target(
            _packed,
            bz2.compress(b"<A/>"),
            _zipped(b"<A><B>1</B></A>"),
        ),
        "khaos cloud statuses": _target(
            lambda body: read_statuses(parse_body(body, None), SETTINGS),
            json.dumps({"Statuses": [status("JL1")]}).encode(),
        ),
        "khaos cloud levels": _target(
            lambda body: read_levels(parse_body(body, None), SETTINGS),
            json.dumps({"Statuses": [level("A", 5)]}).encode(),
            b"<Statuses><Status><SKU>A</SKU><Level>5</Level></Status></Statuses>",
        ),
        "khaos cloud stock": _target(
            lambda body: read_stock(parse_body(body, None)),
            json.dumps({"StockItems": [{"ID": "1", "StockCode": "A"}], "Deleted": []}).encode(),
        ),
        "bank statement": _target(
            lambda body: read_statement("f", body, columns={}, currency="GBP"),
            *(
                layout(statements.JL).encode()
                for layout in (
                    statements.barclays,
                    statements.natwest,
                    statements.lloyds,
                    statements.ofx1,
                    statements.ofx2,
                    statements.camt,
                )
            ),
        ),
        "settings": _target(
            _filed(folder / "kcjl.toml", read_settings), CONFIG.format(dsn="embedded").encode()
        ),
        "keymap": _target(_filed(folder / "keys.toml", keymap_at), b'"general.quit" = "q"\n'),
        "seal": _target(
            _filed(folder / "a.seal", read_seal),
            b'{"format":"kcjl-seal-1","merchant":"acme","position":1,"hash":"00",'
            b'"sealed_at":"2026-10-01T00:00:00Z","public_key":"00","signature":"00"}',
        ),
        "export": _target(_filed(folder / "log.gz", _verified), *_exports()),
        "acceptance policy": _target(_as_text(read_policy), POLICY.encode()),
        "routing rules": _target(_as_text(read_rules), RULES.encode()),
        "commission terms": _target(_as_text(read_terms), TERMS.encode()),
        "stock policy": _target(_as_text(read_document), BUFFERS.encode()),
        "sealed answer": _target(_as_text(Asker().open), seal_for(Asker().key, b"x").encode()),
        "asker's key": _target(
            _as_text(lambda key: seal_for(key, b"x")), Asker().key.encode(), b"A" * 43 + b"="
        ),
        "faults": _target(
            lambda body: faults_from(body, of="the body"),
            b'[{"kind":"slow","side":"khaos","operation":"*","times":3}]',
        ),
    }


def _target(read: Callable[[bytes], object], *samples: bytes) -> Target:
    return Target(read=read, samples=samples)


def _as_text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda body: read(body.decode("utf-8", "replace"))


def _filed(path: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def reading(body: bytes) -> object:
        path.write_bytes(body)
        return read(path)

    return reading


def _packed(body: bytes) -> object:
    response = etree.fromstring(
        f"<R><return><Data>{b64encode(body).decode()}</Data></return></R>"
    )
    return unpacked_document(Answer(response), "GetStockList")


def _verified(path: Path) -> object:
    async def verifying() -> object:
        with ExportReader(path) as reader:
            return await verify_export(reader)

    return asyncio.run(verifying())


def _zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", content)
    return out.getvalue()


def _exports() -> tuple[bytes, ...]:
    header = {
        "format": "kcjl-log-export-1",
        "merchant": "acme",
        "genesis": "00" * 32,
        "first": 1,
        "last": 1,
        "previous": "00" * 32,
        "hash": "00" * 32,
    }
    plain = json.dumps(header, separators=(",", ":")).encode() + b"\n{}\n"
    return plain, gzip.compress(plain)
