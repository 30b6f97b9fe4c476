"""What the service says of itself: who is served, in which state, and in figures."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp
import anyio
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from prometheus_client.parser import text_string_to_metric_families

from kcjl.calls.port import CallOutcome, CallRecord, Side
from kcjl.clock import real_sleep
from kcjl.health.faces import faces, serve_faces
from kcjl.health.metrics import Metrics
from kcjl.health.vitals import Report, State, Vitals
from kcjl.settings import HealthSettings
from tests.architecture.tree import ROOT

pytestmark = pytest.mark.anyio

DOCS = ROOT / "docs"


class Room:
    """A room that has heard so much."""

    def __init__(self, name: str, applied: int, *, failing: Sequence[str] = ()) -> None:
        self.name, self.applied, self.failing = name, applied, failing
        self.writes_allowed = True


def served() -> Vitals:
    vitals = Vitals(["acme", "bolt"])
    vitals.merchants["acme"].serves([Room("stock", 41), Room("orders", 39, failing=["poll"])])
    vitals.merchants["bolt"].waits(State.STANDBY, "another process holds it")
    return vitals


def figures(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """As a Prometheus server reads them."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.written().decode())
        for sample in family.samples
    }


def call(*, took_ms: int) -> CallRecord:
    return CallRecord(
        side=Side.JOHNLEWIS,
        operation="OR11",
        subject="700000135-A",
        attempted_at=datetime(2026, 3, 2, tzinfo=UTC),
        took_ms=took_ms,
        outcome=CallOutcome.DONE,
    )


async def answered(application: web.Application, path: str) -> tuple[int, bytes]:
    async with (
        TestServer(application) as server,
        aiohttp.ClientSession() as session,
        session.get(server.make_url(path)) as answer,
    ):
        return answer.status, await answer.read()


async def test_ready_is_who_serves_every_merchant_or_stands_by_for_it() -> None:
    """A take-over is no fault; a database that is away is one, and it is named."""
    vitals = served()
    application = faces(vitals, Metrics(vitals))
    status, body = await answered(application, "/readyz")
    reports = msgspec.json.decode(body)["merchants"]

    assert 200 == status
    assert vitals.reports() == msgspec.convert(reports, list[Report])
    assert ("serving", 39, ["orders/poll"]) == tuple(
        reports[0][key] for key in ("state", "position", "failing")
    )

    vitals.merchants["acme"].waits(State.AWAY, "the database does not answer")
    status, body = await answered(faces(vitals, Metrics(vitals)), "/readyz")
    assert 503 == status
    assert b"the database does not answer" in body


async def test_a_process_that_answers_is_alive_whatever_its_merchants_do() -> None:
    """A supervisor must not kill a service that waits for its database."""
    vitals = Vitals(["acme"])

    assert (200, b"ok\n") == await answered(faces(vitals, Metrics(vitals)), "/healthz")
    assert 405 == (await posted(faces(vitals, Metrics(vitals)), "/healthz"))
    assert 404 == (await answered(faces(vitals, Metrics(vitals)), "/orders"))[0]


async def posted(application: web.Application, path: str) -> int:
    async with (
        TestServer(application) as server,
        aiohttp.ClientSession() as session,
        session.post(server.make_url(path), data=b"x" * 100_000) as answer,
    ):
        return answer.status


def test_figures_are_what_the_rooms_hold_and_each_call_is_counted_once() -> None:
    """In Prometheus' own form; a label names a room or a call's kind, never an order."""
    vitals = served()
    metrics = Metrics(vitals)
    observe = metrics.observer("acme")
    for took_ms in (200, 700):
        observe(call(took_ms=took_ms))
    found = figures(metrics)

    def of(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    side = {"merchant": "acme", "side": Side.JOHNLEWIS.value}
    assert 2 == of("kcjl_calls_total", **side, operation="OR11", outcome="done")
    assert 0.9 == pytest.approx(of("kcjl_call_duration_seconds_sum", **side))
    assert 1 == of("kcjl_call_duration_seconds_bucket", **side, le="0.25")
    assert 39 == of("kcjl_room_position", merchant="acme", room="orders")
    assert 1 == of("kcjl_room_jobs_failing", merchant="acme", room="orders")
    assert 1 == of("kcjl_merchant_state", merchant="bolt", state="standby")
    assert 0 == of("kcjl_merchant_state", merchant="bolt", state="serving")
    assert 1 == of("kcjl_merchant_starts_total", merchant="acme")
    assert b"700000135" not in metrics.written()


def test_the_kill_switch_is_a_figure() -> None:
    """Somebody who has forgotten it is told by the watch."""
    vitals, room = Vitals(["acme"]), Room("stock", 7)
    vitals.merchants["acme"].serves([room])
    room.writes_allowed = False

    assert (
        0 == figures(Metrics(vitals))["kcjl_writes_allowed", frozenset({("merchant", "acme")})]
    )
    assert not vitals.reports()[0].writes_allowed


def test_the_dashboard_and_the_page_name_metrics_that_there_are() -> None:
    """A panel of a figure that nobody writes stays empty, and looks like peace."""
    vitals = served()
    metrics = Metrics(vitals)
    metrics.observer("acme")(call(took_ms=1))
    there = {name for name, _ in figures(metrics)}
    drawn = set(re.findall(r"kcjl_\w+", (DOCS / "grafana.json").read_text(encoding="utf-8")))
    page = (DOCS / "running.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(kcjl_\w+)`", page, re.MULTILINE))

    assert drawn <= there
    assert told <= there | {name.removesuffix("_bucket") for name in there}


async def test_a_port_that_is_taken_is_said_once_and_stops_nothing() -> None:
    """The service goes on; so does this face, when the port is free."""
    port, vitals = unused_port(), Vitals(["acme"])
    told: list[str] = []
    taken = TestServer(web.Application(), port=port)
    await taken.start_server()
    async with anyio.create_task_group() as group:
        group.start_soon(
            serve_faces, HealthSettings(port=port), vitals, Metrics(vitals), told.append
        )
        with anyio.fail_after(15):
            while not told:
                await real_sleep(0.01)
        group.cancel_scope.cancel()
    await taken.close()

    assert 1 == len(told)
    assert f"127.0.0.1:{port}" in told[0]
    assert "set another `port` under [health]" in told[0]
