"""Both outside systems of one world over real HTTP, and the ticker that moves its time.

Promises: John Lewis and the sandbox's own routes on one port, Khaos Control on another, or its
Cloud, which calls the client's endpoint; Xero on a third where it is wanted; the world moves on
each request and twenty times a second; faults strike before the face is asked. A port that is
taken is named with its option. Settings come checked from `settings_from`.
Invariant: all runs on one event loop, so that no two changes meet.
Called by `kcjl sandbox`, `kcjl demo` and by tests.
"""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import TypeVar

import aiohttp
import anyio
import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from kcjl.clock import real_sleep
from kcjl.errors import Misuse
from kcjl.sandbox.control import PREFIX, control_routes
from kcjl.sandbox.doorkeeper import Doorkeeper
from kcjl.sandbox.fault_effects import faulty
from kcjl.sandbox.faults import Fault, FaultPlan, faults_from
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.johnlewis.http import LINE_BYTES_MAX, johnlewis_app
from kcjl.sandbox.journal import WorldJournal, plain
from kcjl.sandbox.khaos.http import khaos_app, operation_of
from kcjl.sandbox.khaos_cloud import SIDE, CloudAccess, CloudDriver
from kcjl.sandbox.world import World
from kcjl.sandbox.world_settings import Preset, TradeFile, WorldSettings
from kcjl.sandbox.xero import xero_app

__all__ = ["JOHNLEWIS_PORT", "KHAOS_PORT", "Sandbox", "SandboxSettings", "settings_from"]

JOHNLEWIS_PORT = 8480
KHAOS_PORT = 8481
T = TypeVar("T", bound=msgspec.Struct)
SPEED = 600.0
"""World seconds a real second: a day in less than three minutes."""
_TICK_S = 0.05
_LINKING_S = 0.5
"""Real seconds between tries of the Cloud ERP to read its first configuration."""
_CLOSING_S = 1.0
"""Real seconds that open calls get when the sandbox closes."""
_EXECUTABLE = "KhaosKSD.exe"


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A world, and how it is served."""

    world: WorldSettings = WorldSettings()
    host: str = "127.0.0.1"
    port: int = JOHNLEWIS_PORT
    """John Lewis and /sandbox; 0 takes a free one."""
    khaos_port: int = KHAOS_PORT
    """0 takes a free one."""
    xero_port: int | None = None
    """None: Xero is not served; 0 takes a free one."""
    speed: float = SPEED
    wait_for_client: bool = False
    """Time stands still until both systems have had their first call."""
    state_dir: Path | None = None
    faults: tuple[Fault, ...] = ()
    cloud: CloudAccess | None = None
    """The endpoint that the Cloud ERP is linked to; there is no web service then."""


class Sandbox:
    """A world that is being served."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.world = World(settings.world)
        journal = None
        if settings.state_dir is not None:
            recorded = settings.world.recorded() | plain({"faults": settings.faults})
            journal = WorldJournal(settings.state_dir, recorded)
        self.doorkeeper = Doorkeeper(
            self.world,
            FaultPlan(settings.world.seed),
            journal,
            speed=settings.speed,
            wait_for_client=settings.wait_for_client,
            erp="khaos" if settings.cloud is None else SIDE,
        )
        if settings.faults and not self.doorkeeper.resumed:
            self.doorkeeper.change("faults", "add", {"faults": settings.faults})
        self.johnlewis_url = ""
        """Before /api; the control routes are under it too, at /sandbox."""
        self.khaos_url = ""
        """Before /wsdl/IKosWeb and /soap/IKosWeb; empty where the ERP is the Cloud."""
        self.xero_url = ""
        """Before /api.xro/2.0 and /connect/token; empty where Xero is not served."""

    @property
    def control_url(self) -> str:
        return self.johnlewis_url + PREFIX

    @classmethod
    @asynccontextmanager
    async def serve(cls, settings: SandboxSettings) -> AsyncIterator["Sandbox"]:
        """Serve a world until the block is left. Raises Misuse where a port is taken."""
        sandbox = cls(settings)
        runners: list[web.AppRunner] = []
        try:
            root = await _listen(
                sandbox._johnlewis_side(), settings.host, settings.port, "--port", runners
            )
            sandbox.johnlewis_url = root
            if settings.cloud is None:
                root = await _listen(
                    sandbox._khaos_side(),
                    settings.host,
                    settings.khaos_port,
                    "--khaos-port",
                    runners,
                )
                sandbox.khaos_url = f"{root}/{_EXECUTABLE}"
            if settings.xero_port is not None:
                sandbox.xero_url = await _listen(
                    sandbox._xero_side(),
                    settings.host,
                    settings.xero_port,
                    "--xero-port",
                    runners,
                )
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(sandbox._tick)
                if settings.cloud is not None:
                    tasks.start_soon(sandbox._drive, settings.cloud)
                try:
                    yield sandbox
                finally:
                    tasks.cancel_scope.cancel()
        except BaseExceptionGroup as several:
            if len(several.exceptions) == 1:
                raise several.exceptions[0] from None  # the caller's own, as it was raised
            raise
        finally:
            with anyio.CancelScope(shield=True):
                for runner in runners:
                    await runner.cleanup()
            sandbox.doorkeeper.close()

    async def until_over(self) -> None:
        """Return when the world is finished, or has reached its horizon."""
        while not (self.world.finished or self.doorkeeper.ended):
            await real_sleep(_TICK_S)

    async def _tick(self) -> None:
        while True:
            self.doorkeeper.tick()
            await real_sleep(_TICK_S)

    async def _drive(self, access: CloudAccess) -> None:
        """Make the Cloud ERP's calls, turn by turn."""
        async with aiohttp.ClientSession() as session:
            driver = CloudDriver(
                self.world.cloud,
                self.doorkeeper,
                access,
                session=session,
                take_fault=self.doorkeeper.take_fault,
            )
            while True:
                await driver.turn()
                is_linked = self.world.cloud.view().config_read_at is not None
                await real_sleep(_TICK_S if is_linked else _LINKING_S)

    def _johnlewis_side(self) -> web.Application:
        app: web.Application = johnlewis_app(self.world.marketplace, self.doorkeeper)
        app.add_routes(control_routes(self.doorkeeper))
        app.middlewares.insert(0, faulty("johnlewis", _route_name, self.doorkeeper.take_fault))
        app.middlewares.insert(0, _control_first)
        return app

    def _khaos_side(self) -> web.Application:
        app = khaos_app(self.world.warehouse, self.doorkeeper, executable=_EXECUTABLE)
        app.middlewares.insert(0, faulty("khaos", _soap_method, self.doorkeeper.take_fault))
        return app

    def _xero_side(self) -> web.Application:
        agenda = self.world.agenda
        app: web.Application = xero_app(self.world.books, self.doorkeeper, lambda: agenda.now)
        app.middlewares.insert(0, faulty("xero", _route_name, self.doorkeeper.take_fault))
        return app


@web.middleware
async def _control_first(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The sandbox's own routes know neither the face's keys nor its faults."""
    if request.path.startswith(PREFIX + "/") and request.match_info.http_exception is None:
        return await request.match_info.handler(request)
    return await handler(request)


async def _route_name(request: web.Request) -> str:
    return request.match_info.route.name or ""


async def _soap_method(request: web.Request) -> str:
    if request.method != "POST":
        return "WSDL"
    return operation_of(await request.read(), request.headers.get("SOAPAction", ""))


async def _listen(
    app: web.Application, host: str, port: int, option: str, runners: list[web.AppRunner]
) -> str:
    """Serve an application; returns its root URL."""
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=_CLOSING_S, max_line_size=LINE_BYTES_MAX
    )
    await runner.setup()
    runners.append(runner)
    try:
        await web.TCPSite(runner, host, port).start()
    except OverflowError:
        raise Misuse(f"{port} is no port: {option} takes 0 to 65535") from None
    except OSError as trouble:
        if trouble.errno == errno.EADDRINUSE:
            raise Misuse(
                f"port {port} on {host} is in use: give another one with {option} (0 takes any)"
            ) from None
        raise Misuse(f"the sandbox can't listen on {host}:{port}: {trouble}") from None
    bound = runner.addresses[0]
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - shown as loopback
    name = f"[{shown}]" if ":" in shown else shown
    return f"http://{name}:{bound[1]}"


def settings_from(
    *,
    trade: Path | None = None,
    first_day: date | None = None,
    days: int = 1,
    share: float = 60.0,
    orders_per_hour: float = 30.0,
    skus: int = 120,
    seed: int = 1,
    preset: Preset = "quick",
    speed: float = SPEED,
    host: str = "127.0.0.1",
    port: int = JOHNLEWIS_PORT,
    khaos_port: int = KHAOS_PORT,
    xero_port: int | None = None,
    state_dir: Path | None = None,
    wait_for_client: bool = False,
    faults_file: Path | None = None,
    tenant_file: Path | None = None,
    warehouse_file: Path | None = None,
    cloud: CloudAccess | None = None,
    channel_file: Path | None = None,
) -> SandboxSettings:
    """The settings that the command's options mean; Misuse where they contradict each other."""
    happens: TradeFile | GeneratedTrade
    if trade is not None:
        if first_day is None:
            raise Misuse("--trade needs --from: the first day of the trade to replay")
        happens = TradeFile(path=str(trade), first_day=first_day, days=days, share=share)
    else:
        happens = GeneratedTrade(
            first_day=first_day or GeneratedTrade().first_day,
            days=days,
            share=share,
            orders_per_hour=orders_per_hour,
            skus=skus,
            seed=seed,
        )
    faults: list[Fault] = []
    if faults_file is not None:
        try:
            faults = faults_from(faults_file.read_bytes(), of=str(faults_file))
        except OSError as trouble:
            raise Misuse(f"the fault plan {faults_file} can't be read: {trouble}") from None
    world = WorldSettings.of(preset, seed=seed, trade=happens)
    if tenant_file is not None:
        tenant = _switched(world.marketplace, tenant_file, "a tenant")
        world = msgspec.structs.replace(world, marketplace=tenant)
    if warehouse_file is not None:
        erp = _switched(world.warehouse, warehouse_file, "the warehouse")
        world = msgspec.structs.replace(world, warehouse=erp)
    if channel_file is not None:
        channel = _switched(world.cloud, channel_file, "a channel")
        world = msgspec.structs.replace(world, cloud=channel)
    return SandboxSettings(
        world=world,
        host=host,
        port=port,
        khaos_port=khaos_port,
        xero_port=xero_port,
        speed=speed,
        wait_for_client=wait_for_client,
        state_dir=state_dir,
        faults=tuple(faults),
        cloud=cloud,
    )


def _switched(preset: T, file: Path, whose: str) -> T:
    """The preset's settings with the switches of a file (JSON, by the settings' names)."""
    try:
        switches = msgspec.json.decode(file.read_bytes(), type=dict[str, object])
    except OSError as trouble:
        raise Misuse(f"the switches of {whose}, {file}, can't be read: {trouble}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as trouble:
        raise Misuse(f"{file} is no object of switches: {trouble}") from None
    known = {name: getattr(preset, name) for name in preset.__struct_fields__}
    unknown = sorted(switches.keys() - known.keys())
    if unknown:
        raise Misuse(f"{file}: {whose} has no switch {', '.join(unknown)}")
    try:
        written = msgspec.to_builtins(known, str_keys=True) | switches
        return msgspec.convert(written, type(preset), str_keys=True)
    except msgspec.ValidationError as trouble:
        raise Misuse(f"{file}: {trouble}") from None
