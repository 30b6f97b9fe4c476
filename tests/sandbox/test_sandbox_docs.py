"""docs/sandbox.md names what the sandbox has: its routes, its hooks, its settings."""

import re
from pathlib import Path

import msgspec
import pytest

from kcjl.sandbox.control import MARKETPLACE_HOOKS, WAREHOUSE_HOOKS, control_routes
from kcjl.sandbox.doorkeeper import Doorkeeper
from kcjl.sandbox.faults import FaultPlan
from kcjl.sandbox.khaos_cloud import CHANNEL_HOOKS, ChannelSettings
from kcjl.sandbox.marketplace import MarketplaceSettings
from kcjl.sandbox.world import World
from kcjl.sandbox.world_settings import WorldSettings

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_every_route_is_documented_and_no_other() -> None:
    """Who has a sandbox running finds each route, by method and path."""
    doorkeeper = Doorkeeper(World(WorldSettings.of("quick")), FaultPlan(1), speed=0)
    there = sorted(f"{route.method} {route.path}" for route in control_routes(doorkeeper))

    assert there == sorted(re.findall(r"^\| `(\w+ /[^`]*)`", section("Routes"), re.MULTILINE))


@pytest.mark.parametrize(
    ("heading", "there"),
    [
        ("The marketplace by hand", MARKETPLACE_HOOKS),
        ("The warehouse by hand", WAREHOUSE_HOOKS),
        ("The Cloud ERP", CHANNEL_HOOKS),
    ],
)
def test_every_hook_is_documented_and_no_other(heading: str, there: frozenset[str]) -> None:
    """The operations that a person may call, of each system."""
    start = r"`(\w+)`" if heading.startswith("The warehouse") else r"^\| `(\w+)` \|"

    assert sorted(there) == sorted(re.findall(start, section(heading), re.MULTILINE))


def test_every_setting_of_the_tenant_is_documented_and_no_other() -> None:
    """What can be switched, by name."""
    there = sorted(field.name for field in msgspec.structs.fields(MarketplaceSettings))
    rows = [line for line in section("The tenant's settings").splitlines() if "|" in line]

    assert there == sorted(re.findall(r"`(\w+)`", "\n".join(rows)))


def test_every_switch_of_the_channel_is_documented_and_no_other() -> None:
    """What can be switched at the Cloud ERP's channel, by name."""
    there = sorted(field.name for field in msgspec.structs.fields(ChannelSettings))
    table = section("The Cloud ERP").partition("| About | Switches |")[2]
    rows = [line for line in table.splitlines() if line.startswith("| ")]

    assert there == sorted(re.findall(r"`(\w+)`", "\n".join(rows)))
