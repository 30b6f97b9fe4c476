"""The adapters that the laws hold for, each with an ERP of its own."""

from collections.abc import AsyncIterator

import pytest

from kcjl.database import SERVICE, Database
from tests.khaos.laws.bench import Bench
from tests.khaos.laws.cloud_bench import cloud_bench
from tests.khaos.laws.kws_bench import kws_bench
from tests.khaos.laws.needs import skipped_because

SOAP = "soap"


@pytest.fixture(params=[SOAP, "cloud-json", "cloud-xml"])
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def feed_dsn(request: pytest.FixtureRequest, adapter: str) -> str:
    """The database of the Cloud feed; the SOAP adapter needs none."""
    return "" if adapter == SOAP else str(request.getfixturevalue("database_dsn"))


@pytest.fixture
async def erp(
    request: pytest.FixtureRequest, adapter: str, feed_dsn: str
) -> AsyncIterator[Bench]:
    """One adapter at a time; a law that it can't keep is skipped, with the reason."""
    if adapter == SOAP:
        async with kws_bench() as bench:
            _skip(request, bench)
            yield bench
        return
    async with (
        Database(feed_dsn, role=SERVICE) as database,
        cloud_bench(database, form=adapter.partition("-")[2]) as cloud,
    ):
        _skip(request, cloud)
        yield cloud


def _skip(request: pytest.FixtureRequest, bench: Bench) -> None:
    reason = skipped_because(request.function, bench.port.capabilities)
    if reason:
        pytest.skip(reason)
