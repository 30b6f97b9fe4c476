"""docs/erp.md tells which laws an adapter skips, and why: compared with laws and adapters."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from kcjl.database import SERVICE, Database
from kcjl.khaos.cloud_postgres import PostgresCloudFeed
from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.khaos.port import Capabilities
from kcjl.sandbox.agenda import Agenda
from tests.khaos.conftest import settings_for
from tests.khaos.laws import test_erp_laws
from tests.khaos.laws.bench import START, AgendaClock
from tests.khaos.laws.cloud_bench import MERCHANT, cloud_settings, new_adapter
from tests.khaos.laws.needs import WHY, skipped_because

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[3] / "docs" / "erp.md"
HEADING = "## Laws that an adapter skips\n"


def table(adapters: dict[str, Capabilities]) -> str:
    """One row a law and adapter, as it stands on the page."""
    rows = ["| Law | Skipped by | Why |", "|---|---|---|"]
    for name, law in sorted(inspect.getmembers(test_erp_laws, inspect.iscoroutinefunction)):
        words = name.removeprefix("test_").replace("_", " ")
        for adapter, capabilities in adapters.items():
            reason = skipped_because(law, capabilities)
            if reason:
                flag, _, why = reason.partition(" is off: ")
                rows.append(f"| {words} | {adapter} | `{flag}` is off: {why} |")
    return "\n".join(rows) + "\n"


async def capabilities() -> dict[str, Capabilities]:
    """What the adapters say of themselves; nothing is called."""
    clock = AgendaClock(Agenda(START, seed=1))
    unopened = Database("postgresql://127.0.0.1/nowhere", role=SERVICE)
    feed = PostgresCloudFeed(unopened, MERCHANT)
    async with aiohttp.ClientSession() as session:
        soap = KwsSoapAdapter(
            settings_for("http://127.0.0.1/Live"), clock=clock, session=session
        )
        cloud = new_adapter(cloud_settings(), clock, feed, unopened)
        return {"SOAP adapter": soap.capabilities, "Cloud feed": cloud.capabilities}


async def test_page_lists_each_skipped_law_and_no_other() -> None:
    """What can't be had behind an adapter is known before it is chosen."""
    told = PAGE.read_text(encoding="utf-8").partition(HEADING)[2]

    assert told.endswith("\n\n" + table(await capabilities()))


async def test_every_reason_is_used_by_a_law() -> None:
    """A reason that no law gives is about a law that was forgotten."""
    given = set(_needed())

    assert WHY.keys() == given


def _needed() -> Iterator[str]:
    for _, law in inspect.getmembers(test_erp_laws, inspect.iscoroutinefunction):
        capability = getattr(law, "needs", "")
        if capability:
            yield capability
