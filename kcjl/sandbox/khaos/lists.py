"""The small lists of the ERP's system data, as the web service tells them.

Promises: each list is the settings' as they hold now, in their order; a code list is an array
of plain texts, as its public clients read it. It selects nothing. Invariant: it changes
nothing. Source: contract khaos a, b.8; the fields are those that two public clients read.
Called by the operations of the SOAP face of the sandbox's ERP.
"""

from collections.abc import Callable, Iterable
from xml.sax.saxutils import escape, quoteattr

from kcjl.sandbox.khaos.answers import Value
from kcjl.sandbox.khaos.arguments import Arguments
from kcjl.sandbox.khaos.forms import Forms
from kcjl.sandbox.khaos.stock_xml import element
from kcjl.sandbox.warehouse import Warehouse
from kcjl.sandbox.warehouse.orders import CourierEntry
from kcjl.sandbox.warehouse.settings import WarehouseSettings

__all__ = ["SystemLists"]


class SystemLists:
    """Carries out the calls about system data."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def known(self) -> dict[str, Callable[[Arguments], Value]]:
        """By operation."""
        return {
            "GetVersion": lambda _: self._settings.version,
            "GetSOPData": self._get_sop_data,
            "GetSaleSource": lambda _: list(self._settings.sales_sources),
            "GetCompanyClass": lambda _: [
                known.name for known in self._settings.company_classes
            ],
            "GetCompanyStatus": lambda _: list(self._settings.company_statuses),
            "GetManufacturer": lambda _: list(self._settings.manufacturers),
            "GetKeycodeTypes": lambda _: list(self._settings.keycode_types),
            "GetPriceLists": lambda _: list(self._settings.price_lists),
            "GetAgentList": lambda _: list(self._settings.agents),
            "GetKeycodes": self._get_keycodes,
            "GetCountryList": self._get_country_list,
            "GetMailingStatusList": lambda _: [
                {"ID": number, "Description": text}
                for number, text in enumerate(self._settings.mailing_statuses, start=1)
            ],
        }

    @property
    def _settings(self) -> WarehouseSettings:
        return self._warehouse.settings

    def _get_keycodes(self, _: Arguments) -> Value:
        types = self._settings.keycode_types
        return [
            {
                "KeycodeCode": code,
                "KeycodeTypeDesc": types[0] if types else "",
                "KeycodeDesc": code,
                "SourceCode": "",
                "WebUse": True,
                "MOTOUse": False,
            }
            for code in self._settings.keycodes
        ]

    def _get_country_list(self, _: Arguments) -> Value:
        rows: list[Value] = [
            {
                "CountryName": country.name,
                "CountryCode2": country.code2,
                "CountryCode3": country.code3,
                "EUMember": country.eu_member,
                "PaysVAT": country.pays_vat,
                "CurrencyName": country.currency,
                "CurrencyCode": country.currency,
                "Zone": country.zone,
            }
            for country in self._settings.countries
        ]
        return {"Count": len(rows), "List": rows}

    def _get_sop_data(self, arguments: Arguments) -> Value:
        """SOPDATA with what was asked for and is there; nothing asked is an empty root."""
        inner = Forms(self._settings).unknown() if self._settings.unknown_tags else ""
        if arguments.flag("Courier"):
            inner += _couriers(self._warehouse.couriers)
        if arguments.flag("KeyCode") and self._settings.keycodes:
            rows = "".join(
                f"<KEYCODE>{element('CODE', code)}{element('DESCRIPTION', code)}</KEYCODE>"
                for code in self._settings.keycodes
            )
            inner += f"<KEYCODES>{rows}</KEYCODES>"
        return f"<SOPDATA>{inner}</SOPDATA>" if inner else "<SOPDATA/>"


def _couriers(couriers: Iterable[CourierEntry]) -> str:
    rows = "".join(
        f"<COURIER{_code(entry)}>{escape(entry.name)}</COURIER>" for entry in couriers
    )
    return f"<COURIERS>{rows}</COURIERS>"


def _code(entry: CourierEntry) -> str:
    return f" CODE={quoteattr(entry.settings.code)}" if entry.settings.code else ""
