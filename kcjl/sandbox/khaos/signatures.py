"""What the web service IKosWeb offers: its operations, their parts, and its types.

Promises: every method of the vendor's pack is here, by name; `returns` None is a method whose
shape is not public or that the sandbox does not carry out: calling it is a fault. Answers
nothing, describes nothing. Invariant: what the encoder writes is what stands here. Source:
contract khaos a, b; the signatures and fields of the lists are those of two public clients
(IDS, DEV); the shape of GetDeletedEntries is our own, none is public.
Called by the WSDL, the reader of calls and the writer of answers.
"""

from typing import Literal, TypeAlias

import msgspec

__all__ = ["ARRAYS", "OPERATIONS", "STRUCTS", "Operation", "Part"]

PartKind: TypeAlias = Literal["string", "int", "boolean", "dateTime"]


class Part(msgspec.Struct, frozen=True):
    """A parameter of an operation."""

    name: str
    kind: PartKind
    called: str = ""
    """As the WSDL calls it; empty: by its name."""

    @property
    def wire_name(self) -> str:
        return self.called or self.name


class Operation(msgspec.Struct, frozen=True):
    """An operation: its parts in their order, and the type of what it returns."""

    name: str
    parts: tuple[Part, ...]
    returns: str | None


STRUCTS: dict[str, tuple[tuple[str, str], ...]] = {
    "TSite": (("SiteID", "int"), ("SiteName", "string")),
    "TSiteList": (("List", "TSiteArray"), ("CurrentSiteID", "int")),
    "TStockInfo": (
        ("StockCode", "string"),
        ("OtherRef", "string"),
        ("StockDesc", "string"),
        ("ParentCode", "string"),
        ("ParentOtherRef", "string"),
        ("LastUpdated", "dateTime"),
    ),
    "TStockList": (("Count", "int"), ("List", "TStockArray")),
    "TStockPotential": (
        ("StockCode", "string"),
        ("OtherRef", "string"),
        ("StockDesc", "string"),
        ("Available", "double"),
        ("OnOrder", "double"),
        ("BackOrder", "double"),
        ("Potential", "double"),
    ),
    "TCompressedResult": (
        ("Method", "string"),
        ("FileName", "string"),
        ("Data", "base64Binary"),
        ("OriginalSize", "int"),
        ("CompressedSize", "int"),
        ("PasswordProtected", "boolean"),
    ),
    "TOrderImport": (
        ("SalesOrderCode", "string"),
        ("AssociatedRef", "string"),
        ("Msg", "string"),
        ("URN", "string"),
        ("OtherRef", "string"),
    ),
    "TOrderSkipped": (("OrderRef", "string"), ("SkipReason", "string")),
    "TCountry": (
        ("CountryName", "string"),
        ("CountryCode2", "string"),
        ("CountryCode3", "string"),
        ("EUMember", "boolean"),
        ("PaysVAT", "boolean"),
        ("CurrencyName", "string"),
        ("CurrencyCode", "string"),
        ("Zone", "string"),
    ),
    "TCountryList": (("Count", "int"), ("List", "TCountryArray")),
    "TKeycode": (
        ("KeycodeCode", "string"),
        ("KeycodeTypeDesc", "string"),
        ("KeycodeDesc", "string"),
        ("SourceCode", "string"),
        ("WebUse", "boolean"),
        ("MOTOUse", "boolean"),
    ),
    "TMailingStatus": (("ID", "int"), ("Description", "string")),
    "TOrderImportResult": (
        ("ImportedCount", "int"),
        ("OrderImport", "TOrderImportArray"),
        ("OrderSkipped", "TOrderSkippedArray"),
    ),
}
"""Fields of each object, in their order."""

ARRAYS = {
    "TSiteArray": "TSite",
    "TStockArray": "TStockInfo",
    "TStockPotentialArray": "TStockPotential",
    "TOrderImportArray": "TOrderImport",
    "TOrderSkippedArray": "TOrderSkipped",
    "TCountryArray": "TCountry",
    "TKeycodeArray": "TKeycode",
    "TMailingStatusArray": "TMailingStatus",
    "TDataArray": "string",
}
"""Item type of each array."""


def _operation(name: str, returns: str | None, /, **parts: PartKind) -> Operation:
    return Operation(name, tuple(Part(part, kind) for part, kind in parts.items()), returns)


OPERATIONS = {
    operation.name: operation
    for operation in (
        _operation("GetVersion", "string"),
        _operation("GetSiteList", "TSiteList"),
        _operation(
            "GetStockList", "TStockList",
            DateType="int", DateValue="dateTime", StockItemType="int",
        ),
        _operation(
            "GetStockListCompressed", "TCompressedResult",
            DateType="int", DateValue="dateTime", StockItemType="int", CompressionMethod="int",
        ),
        _operation(
            "ExportStock", "string",
            StockCode="string", MappingType="int", LastUpdated="dateTime",
        ),
        _operation(
            "ExportStockCompressed", "TCompressedResult",
            StockCode="string", MappingType="int", LastUpdated="dateTime",
            CompressionMethod="int",
        ),
        _operation(
            "ExportStockStatus", "string",
            StockCode="string", MappingType="int", LastUpdated="dateTime", SiteID="int",
            PotentialLeadTime="boolean",
        ),
        _operation(
            "GetStockPotential", "TStockPotentialArray", StockCode="string", MappingType="int"
        ),
        _operation("ImportOrders", "TOrderImportResult", Orders="string"),
        _operation("ExportOrders", "string", OrderCode="string", MappingType="int"),
        _operation("ExportOrderStatus", "string"),
        _operation(
            "ExportOrderStatusEx", "string",
            IDs="string", MappingType="int", WebOnly="boolean", ConfirmedOnly="boolean",
            IncludeTracking="boolean", IncludeCancelled="boolean", DateFrom="dateTime",
            DateTo="dateTime", InvoiceStageIDs="string", ShowItems="boolean",
        ),
        _operation(
            "GetSOPData", "string",
            Courier="boolean", DelRate="boolean", CourierBanding="boolean", BOGOF="boolean",
            SpecialOffer="boolean", TelesalePrompt="boolean", KeyCode="boolean",
            BarredItems="boolean",
        ),
        _operation(
            "ImportStockStatus", "TStockList",
            StockStatus="string", UpdateStockData="boolean", UpdateStockLevels="boolean",
        ),
        _operation("GetDeletedEntries", "string", LastUpdated="dateTime"),
        _operation("GetSaleSource", "TDataArray"),
        _operation("GetCompanyClass", "TDataArray", CompanyClassType="int"),
        _operation("GetCompanyStatus", "TDataArray"),
        _operation("GetManufacturer", "TDataArray"),
        _operation("GetKeycodeTypes", "TDataArray"),
        _operation("GetPriceLists", "TDataArray"),
        _operation("GetAgentList", "TDataArray"),
        _operation("GetKeycodes", "TKeycodeArray"),
        _operation("GetCountryList", "TCountryList"),
        _operation("GetMailingStatusList", "TMailingStatusArray"),
        _operation("Login", None, UserName="string", UserPassword="string"),
        _operation("GetCompanyList", None, LastUpdated="dateTime"),
        _operation(
            "ExportCompany", None,
            CompanyCode="string", MappingType="int", LastUpdated="dateTime",
        ),
        _operation("GetCompanyInfo", None, CompanyCode="string", MappingType="int"),
        _operation("ImportCompany", None, Customers="string", Method="int"),
        _operation("ImportCatalogueRequest", None, CatRequest="string"),
        _operation("ExportWebCategories", None, Website="string"),
        _operation(
            "ExportWebCategoriesCompressed", None, Website="string", CompressionMethod="int"
        ),
        _operation("ExportWebCategoriesEx2", None, Website="string"),
        _operation("ExportPriceList", None, PriceList="string"),
        _operation("ExportPriceListEx", None, PriceLists="string", PriceListType="int"),
        _operation("ImportPriceLists", None, PriceLists="string"),
        _operation("GetHarmonisationCodes", None),
        _operation("GetStockDataArray", None),
    )
}  # fmt: skip
"""By name. Names are compared as they are written."""
