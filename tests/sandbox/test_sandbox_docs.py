"""docs/sandbox.md names what the sandbox has: its routes, its hooks, its settings."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from kcjl.sandbox.control import MARKETPLACE_HOOKS, WAREHOUSE_HOOKS, control_routes
from kcjl.sandbox.doorkeeper import Doorkeeper
from kcjl.sandbox.faults import Fault, FaultPlan
from kcjl.sandbox.khaos.signatures import OPERATIONS
from kcjl.sandbox.khaos_cloud import CHANNEL_HOOKS, ChannelSettings
from kcjl.sandbox.marketplace import MarketplaceSettings
from kcjl.sandbox.warehouse import WarehouseSettings
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
    rows = re.findall(r"^\| `(\w+)` \|", section(heading), re.MULTILINE)

    assert sorted(there) == sorted(rows)


@pytest.mark.parametrize(
    ("heading", "settings"),
    [
        ("The tenant's settings", MarketplaceSettings),
        ("The warehouse's settings", WarehouseSettings),
    ],
)
def test_every_setting_is_documented_and_no_other(
    heading: str, settings: type[msgspec.Struct]
) -> None:
    """What can be switched, by name, of both systems."""
    there = sorted(field.name for field in msgspec.structs.fields(settings))
    table = section(heading).partition("\n### ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]

    assert there == sorted(re.findall(r"`(\w+)`", "\n".join(rows)))


def test_every_kind_of_fault_is_documented_and_no_other() -> None:
    """What can be planned to go wrong, by name."""
    (kinds,) = [f.type for f in msgspec.structs.fields(Fault) if f.name == "kind"]
    rows = re.findall(r"^\| `(\w+)` \|", section("Faults"), re.MULTILINE)

    assert sorted(get_args(kinds)) == sorted(rows)


def test_every_method_that_the_erp_carries_out_is_documented_and_no_other() -> None:
    """The methods of the web service that are answered; the others are in the WSDL only."""
    there = [name for name, method in OPERATIONS.items() if method.returns is not None]
    table = section("Operations").partition("| Methods |")[2]

    assert sorted(there) == sorted(re.findall(r"`(\w+)`", table))


def test_every_switch_of_the_channel_is_documented_and_no_other() -> None:
    """What can be switched at the Cloud ERP's channel, by name."""
    there = sorted(field.name for field in msgspec.structs.fields(ChannelSettings))
    table = section("The Cloud ERP").partition("| About | Switches |")[2]
    rows = [line for line in table.splitlines() if line.startswith("| ")]

    assert there == sorted(re.findall(r"`(\w+)`", "\n".join(rows)))
