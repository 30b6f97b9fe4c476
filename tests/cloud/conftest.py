"""The law suite's asserts are told in full; a feed that is served over HTTP on loopback."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from kcjl.database import SERVICE, Database
from tests.cloud.channel import MERCHANT, Channel, channel

pytest.register_assert_rewrite("tests.cloud.laws")


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with Database(database_dsn, role=SERVICE) as database:
        yield database


@pytest.fixture
async def erp(database: Database) -> AsyncIterator[Channel]:
    """The ERP's side of a channel to a merchant's feed, on PostgreSQL."""
    async with aiohttp.ClientSession() as session, channel(database, session) as made:
        yield made


__all__ = ["MERCHANT"]
