"""The settings of where journals go: `[merchants.NAME.ledger]` of kcjl.toml.

Promises: typed and frozen; a key that is not known is refused; secrets are named, never held.
Called by `kcjl/settings.py` and the composition root.
"""

from typing import Literal

import msgspec

__all__ = ["LedgerSettings", "XeroSection"]


class XeroSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Kind "xero": a custom connection to one organisation's books."""

    client_id: str = ""
    client_secret_env: str = "KCJL_XERO_SECRET"  # noqa: S105 - a variable's name
    client_secret_file: str = ""
    refresh_token_file: str = ""
    """Of an app that a person connected; kcjl writes each new token there."""
    tenant_id: str = ""
    """Of the organisation; empty: not sent."""
    scope: str = "accounting.manualjournals"
    """Apps made before March 2026 may have accounting.transactions instead."""
    base_url: str = "https://api.xero.com"
    token_url: str = "https://identity.xero.com/connect/token"  # noqa: S105 - an address
    post_as: Literal["draft", "posted"] = "draft"
    """"draft": a person posts it in Xero."""
    line_amounts: Literal["NoTax", "Exclusive"] = "NoTax"
    """"Exclusive": Xero adds the tax of each line's tax type to it."""
    tax_types: dict[str, str] = {}
    """Tax code of the account map -> Xero's tax type; others are NONE."""
    currency: str = "GBP"
    """The organisation's base currency; manual journals have no other."""
    check_minutes: float = 60
    """How often it is looked what people have posted, voided or changed there."""

    def __post_init__(self) -> None:
        if not self.check_minutes > 0:
            raise ValueError(f"check_minutes has to be above 0, not {self.check_minutes:g}")


class LedgerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where journals go."""

    kind: Literal["pack", "xero"] = "pack"
    """"pack": files that a person keys. "xero": entered in Xero, and the files all the same."""
    xero: XeroSection = XeroSection()

    def __post_init__(self) -> None:
        if self.kind == "xero" and not self.xero.client_id:
            raise ValueError(
                'xero.client_id is missing: kind "xero" enters journals as this app '
                "(docs/settlement.md, Xero)"
            )
