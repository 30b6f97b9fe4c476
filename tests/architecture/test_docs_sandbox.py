"""docs/sandbox.md, compared with the sandbox: what can be called, done by hand, set, broken."""

import re
import typing

import msgspec

from kcjl.sandbox.control import MARKETPLACE_HOOKS, WAREHOUSE_HOOKS
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.johnlewis.http import DOCUMENT_PATHS, ROUTES
from kcjl.sandbox.khaos_cloud import CHANNEL_HOOKS
from kcjl.sandbox.marketplace import MarketplaceSettings
from kcjl.sandbox.world_settings import Reordering
from kcjl.sandbox.xero import BOOKS_HOOKS
from kcjl.sandbox.xero import OPERATIONS as XERO_OPERATIONS
from tests.architecture.tree import ROOT

PAGE = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
NAMED = frozenset(re.findall(r"`([\w.]+)`", PAGE))


def test_every_operation_is_on_the_page() -> None:
    """Who looks for an operation finds whether it is there."""
    missing = {*(code for code, *_ in ROUTES), *XERO_OPERATIONS} - NAMED

    assert missing == set()
    assert all(path in PAGE for path in DOCUMENT_PATHS)


def test_every_hook_fault_and_switch_is_on_the_page() -> None:
    """What nobody knows of, nobody uses."""
    (kind,) = (field for field in msgspec.structs.fields(Fault) if field.name == "kind")
    kinds = frozenset(typing.get_args(kind.type))
    switches = frozenset(MarketplaceSettings.__struct_fields__)
    switches |= frozenset(Reordering.__struct_fields__)

    assert (MARKETPLACE_HOOKS | WAREHOUSE_HOOKS | CHANNEL_HOOKS | BOOKS_HOOKS) - NAMED == set()
    assert kinds - NAMED == set()
    assert switches - NAMED == set()


def test_page_names_no_switch_or_kind_that_is_gone() -> None:
    """A table's row that the code has dropped misleads."""
    known = (
        frozenset(MarketplaceSettings.__struct_fields__)
        | frozenset(Reordering.__struct_fields__)
        | frozenset(Fault.__struct_fields__)
        | MARKETPLACE_HOOKS
        | WAREHOUSE_HOOKS
        | CHANNEL_HOOKS
        | BOOKS_HOOKS
    )
    (kind,) = (field for field in msgspec.structs.fields(Fault) if field.name == "kind")
    named = {
        name
        for row in re.findall(r"^\|([^|]*)\|", PAGE, re.MULTILINE)
        for name in re.findall(r"`([a-z_0-9]+)`", row)
    }

    assert named - known - frozenset(typing.get_args(kind.type)) == set()
