"""A kcjl.toml for a sandbox: what `kcjl sandbox --write-config` and `kcjl demo` write."""

import json
from pathlib import Path

import anyio
import anyio.to_thread

from kcjl.errors import Misuse
from kcjl.sandbox.server import Sandbox

__all__ = ["config_text", "write_config"]

MERCHANT = "demo"


def config_text(*, johnlewis_url: str, khaos_url: str, key_file: Path, data_dir: Path) -> str:
    """The configuration for a service on a sandbox; JSON strings are TOML strings."""

    def quoted(value: object) -> str:
        return json.dumps(str(value), ensure_ascii=False)

    return f"""\
# Written by kcjl for a sandbox: the world's time is the service's time.
database = "embedded"
data_dir = {quoted(data_dir)}

[clock]
world = {quoted(johnlewis_url)}

[health]
# Several of these may run on one machine.
port = 0

[merchants.{MERCHANT}.johnlewis]
base_url = {quoted(johnlewis_url)}
api_key_file = {quoted(key_file)}

[merchants.{MERCHANT}.khaos]
base_url = {quoted(khaos_url)}

[merchants.{MERCHANT}.khaos.invoice_address]
line1 = "1 Example Road"
town = "London"
postcode = "ZZ1 1ZZ"

[merchants.{MERCHANT}.settlement]
# The sandbox makes its billing cycle at 20:00 and pays it half an hour later.
cycles_read_at = ["21:30"]

[merchants.{MERCHANT}.opening_policy]
buffer_units = 1

[merchants.{MERCHANT}.opening_policy.carriers]
DPD24 = "DPD"
RM24 = "RM"
"""


async def write_config(path: Path, running: Sandbox, *, data_dir: Path | None = None) -> None:
    """Write it, and the marketplace's key beside it, readable by the owner only."""
    folder = (await anyio.Path(path).resolve()).parent
    key_file = Path(folder) / "johnlewis.key"
    key = running.settings.world.marketplace.api_keys[0].key
    text = config_text(
        johnlewis_url=running.johnlewis_url,
        khaos_url=running.khaos_url,
        key_file=key_file,
        data_dir=data_dir or Path(folder) / "kcjl-data",
    )

    def write() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        key_file.touch(mode=0o600)
        key_file.write_text(key, encoding="utf-8")
        half = path.with_suffix(".part")
        half.write_text(text, encoding="utf-8")
        half.replace(path)

    try:
        await anyio.to_thread.run_sync(write)
    except OSError as error:
        raise Misuse(f"{path} can't be written: {error.strerror}") from None
