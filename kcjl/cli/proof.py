"""`kcjl log verify | seal | export`: proof that the log is what was written.

Promises: `verify FILE` needs no configuration and no database; progress is talk, on stderr;
what was not checked is said. Called by `log.py`, which names the verbs.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Annotated

import anyio
import msgspec
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    json_line,
    merchant_of,
    printable,
    settings_at,
)
from kcjl.clock import real_monotonic, real_now
from kcjl.database import AUDITOR, Database
from kcjl.errors import CorruptLog, Misuse, Unavailable
from kcjl.events import vocabulary
from kcjl.log.export import ExportHeader, whole
from kcjl.log.export import export as export_log
from kcjl.log.exported import BrokenExport, ExportReader, verify_export
from kcjl.log.postgres import PostgresLogReader
from kcjl.log.seal import (
    Seal,
    SealMismatch,
    check_seals,
    check_signature,
    existing_seal_key,
    hex_of,
    pem_of,
    public_key_of,
    read_seal,
    seal_head,
    seal_key,
)
from kcjl.log.verify import BrokenChain, Verified
from kcjl.log.verify import verify as verify_log
from kcjl.settings import Settings
from kcjl.unseen import json_spelt_out

__all__ = ["Progress", "export", "key_of", "seal", "verify"]

KEY_NAME = "seal.key"
TERMINAL_S = 0.2
"""Between two looks at a terminal; elsewhere a line each LOG_S."""
LOG_S = 10.0
MINUTE_S = 60

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, on stdout.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="The private key [default: seal.key in data_dir].")
]


class Progress:
    """Position, rate and time left, on stderr: one line that moves, or a line now and then."""

    def __init__(self, after: int, monotonic: Callable[[], float] = real_monotonic) -> None:
        self._after = after
        self._monotonic = monotonic
        self._begun = self._shown = monotonic()
        self._moving = sys.stderr.isatty()
        self.last = 0
        """Where it will end; 0: not known yet."""

    def __call__(self, position: int) -> None:
        now = self._monotonic()
        if now - self._shown < (TERMINAL_S if self._moving else LOG_S):
            return
        self._shown = now
        rate = (position - self._after) / (now - self._begun)
        told = f"position {position:,}"
        if self.last:
            told += f" of {self.last:,}"
        told += f", {rate:,.0f} events/s"
        if self.last and rate > 0:
            left_s = (self.last - position) / rate
            told += f", {left_s // MINUTE_S:.0f} min {left_s % MINUTE_S:02.0f} s left"
        sys.stderr.write(f"\r\x1b[K{told}" if self._moving else f"{told}\n")
        sys.stderr.flush()

    def end(self) -> None:
        if self._moving:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


# ── verify ──────────────────────────────────────────────────────────────────────────────────


def verify(
    file: Annotated[
        Path | None,
        typer.Argument(help="An exported file: checked alone, without database or config."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    first: Annotated[
        int | None,
        typer.Option("--from", min=1, help="First position; the hash before it is trusted."),
    ] = None,
    seal_files: Annotated[
        list[Path] | None,
        typer.Option("--seal", help="A seal to hold the log against; may be repeated."),
    ] = None,
    public_key: Annotated[
        str,
        typer.Option(
            "--public-key",
            help="Key of the seals: hexadecimal digits, or a file "
            "[default: that of data_dir, which who sealed could have exchanged].",
        ),
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Compute the hash chain again, to the head; exit code 1 and the first bad position.

    An unbroken chain shows that no event was edited, moved or left out before the head. That
    the tail was not cut off, and the whole not written anew, is shown by a seal only.
    """
    seals = [read_seal(each) for each in seal_files or []]
    try:
        if file is not None:
            anyio.run(
                partial(_verify_file, file, merchant, first, seals, public_key, json=json)
            )
        else:
            settings = settings_at(config)
            chosen = merchant_of(settings, merchant)
            key = key_of(settings, public_key) if seals else None
            anyio.run(partial(_verify_log, settings, chosen, first or 1, seals, key, json=json))
    except CorruptLog as error:
        if json:
            typer.echo(json_line(_fault(error)))
        raise


def key_of(settings: Settings, public_key: str) -> Ed25519PublicKey:
    if public_key:
        return public_key_of(public_key)
    path = Path(settings.data_dir) / KEY_NAME
    key = existing_seal_key(path).public_key()
    typer.echo(
        printable(
            f"signatures are checked with the key of this machine, {hex_of(key)}; an "
            "auditor gives a copy of his own: --public-key"
        ),
        err=True,
    )
    return key


async def _verify_log(
    settings: Settings,
    merchant: str,
    first: int,
    seals: Sequence[Seal],
    key: Ed25519PublicKey | None,
    *,
    json: bool,
) -> None:
    for each in seals:
        if key is not None:
            check_signature(each, key, merchant)
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        reader = PostgresLogReader(database, merchant, vocabulary())
        progress = Progress(first - 1)
        progress.last = (await reader.head()).position
        try:
            verified = await verify_log(reader, after=first - 1, progress=progress)
        finally:
            progress.end()
        await check_seals(reader, seals, verified)
    _tell(merchant, verified, seals, trusted=first > 1, json=json)


async def _verify_file(
    path: Path,
    merchant: str,
    first: int | None,
    seals: Sequence[Seal],
    public_key: str,
    *,
    json: bool,
) -> None:
    if seals and not public_key:
        raise Misuse("a seal is checked with a public key that you trust: give --public-key")
    with ExportReader(path) as reader:
        header = reader.header
        if merchant not in ("", header.merchant):
            raise Misuse(f"{path} is the log of {header.merchant}, not of {merchant}")
        for each in seals:
            check_signature(each, public_key_of(public_key), header.merchant)
        start = header.first if first is None else first
        progress = Progress(start - 1)
        progress.last = header.last
        try:
            verified = await verify_export(reader, first=first, progress=progress)
        finally:
            progress.end()
        known = {header.first - 1: bytes.fromhex(header.previous)}
        await check_seals(reader, seals, verified, known=known)
    _tell(header.merchant, verified, seals, trusted=start > 1, json=json)


def _tell(
    merchant: str,
    verified: Verified,
    seals: Sequence[Seal],
    *,
    trusted: bool,
    json: bool,
) -> None:
    before = verified.position - verified.events
    if trusted and before not in [each.position for each in seals]:
        typer.echo(
            printable(
                f"the hash at position {before} was trusted, and nothing before it was checked"
            ),
            err=True,
        )
    if not seals:
        typer.echo(
            "no seal was given: a tail that was cut off with its head is not seen", err=True
        )
    found = {
        "merchant": merchant,
        "verified": True,
        "first": before + 1,
        "position": verified.position,
        "events": verified.events,
        "hash": verified.hash.hex(),
        "seals": sorted(each.position for each in seals),
    }
    if json:
        typer.echo(json_line(found))
        return
    typer.echo(
        printable(
            f"{verified.events:,} events of {merchant} verified, up to position "
            f"{verified.position:,}; head {verified.hash.hex()}"
        )
    )
    for each in sorted(seals, key=lambda each: each.position):
        typer.echo(
            printable(f"the seal of position {each.position:,}, {each.sealed_at}, holds")
        )


def _fault(error: CorruptLog) -> dict[str, object]:
    fault: dict[str, object] = {"verified": False, "code": error.code, "message": error.message}
    if isinstance(error, BrokenChain | BrokenExport | SealMismatch):
        fault |= {"position": error.position, "finding": error.finding}
    if isinstance(error, BrokenChain | BrokenExport):
        fault |= {"expected": error.expected, "found": error.found}
    return fault


# ── seal ────────────────────────────────────────────────────────────────────────────────────


def seal(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A new file [default: stdout].")
    ] = None,
    key: KeyFile = None,
    *,
    public_key: Annotated[
        bool,
        typer.Option("--public-key", help="Print the public key instead; give it to auditors."),
    ] = False,
    json: Json = False,
) -> None:
    """Sign the head of the log (Ed25519). Keep the seal where nobody who runs this can reach.

    The key is made on first use. A seal shows later that the log up to here is still the same;
    it does not verify what stands before: that is `kcjl log verify`.
    """
    if out is not None and out.exists():
        raise Misuse(f"{out} is there already: name a new file")
    settings = settings_at(config)
    private = seal_key(key or Path(settings.data_dir) / KEY_NAME)
    own = hex_of(private.public_key())
    if public_key:
        told = msgspec.json.encode({"public_key": own}).decode() + "\n"
        _give((told if json else pem_of(private.public_key())).encode(), out)
        typer.echo(printable(f"public key {own}"), err=True)
        return
    chosen = merchant_of(settings, merchant)

    async def sealed() -> Seal:
        async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
            reader = PostgresLogReader(database, chosen, vocabulary())
            return await seal_head(reader, private, at=real_now())

    made = anyio.run(sealed)
    _give(made.line(), out)
    if json and out is not None:
        typer.echo(json_spelt_out(made.line().decode()), nl=False)
    typer.echo(
        printable(
            f"sealed {chosen} at position {made.position:,}; public key {own}; keep the seal "
            "and the public key elsewhere"
        ),
        err=True,
    )


def _give(content: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    with whole(out) as file:
        file.write(content)


# ── export ──────────────────────────────────────────────────────────────────────────────────


def export(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The file [default: stdout, if no terminal]."),
    ] = None,
    first: Annotated[int, typer.Option("--from", min=1, help="First position.")] = 1,
    last: Annotated[
        int | None, typer.Option("--to", min=1, help="Last position [default: the head].")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Write the log into one compressed file, which `kcjl log verify FILE` checks anywhere.

    The file is there whole or not at all, and the same range is the same file each time.
    """
    if out is None and (sys.stdout.isatty() or json):
        raise Misuse("an export is no text for a terminal: give --out FILE")
    settings = settings_at(config)
    chosen = merchant_of(settings, merchant)

    async def exported() -> ExportHeader:
        async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
            reader = PostgresLogReader(database, chosen, vocabulary())
            progress = Progress(first - 1)
            progress.last = last or (await reader.head()).position
            try:
                with _stdout() if out is None else whole(out) as file:
                    return await export_log(
                        reader, file, first=first, last=last, progress=progress
                    )
            finally:
                progress.end()

    header = anyio.run(exported)
    if json:
        typer.echo(json_line(header))
    size = "" if out is None else f", {out.stat().st_size:,} bytes"
    typer.echo(
        printable(f"exported positions {header.first:,} to {header.last:,} of {chosen}{size}"),
        err=True,
    )


@contextmanager
def _stdout() -> Iterator[IO[bytes]]:
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError as error:
        sys.stdout = None  # nothing is flushed into it at the end
        raise Unavailable(f"stdout can't be written: {error.strerror}") from None
