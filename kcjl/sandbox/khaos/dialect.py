"""How one web service names things: builds and sites differ, and a client reads the WSDL.

Promises: the namespaces, the parts' names and the extra parameter of every call, as the
settings have them; the WSDL, the reader of calls and the writer of answers all ask here. It
carries nothing out. Invariant: one dialect a call, from the settings that hold then.
Called by the HTTP face of the sandbox's ERP. Source: contract khaos d, h.15, h.18.
"""

from functools import cache

import msgspec

from kcjl.sandbox.khaos.signatures import OPERATIONS, Operation, Part
from kcjl.sandbox.warehouse.settings import WarehouseSettings

__all__ = ["Dialect"]


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """The names of one web service."""

    service: str
    """Namespace of the calls; SOAPAction is this, #, and the operation."""
    types: str
    part_names: str
    body_parameter: str
    """Last part of every call; empty: there is none."""
    strict: bool

    @classmethod
    def of(cls, settings: WarehouseSettings) -> "Dialect":
        return cls(
            service=settings.service_namespace,
            types=settings.types_namespace,
            part_names=settings.part_names,
            body_parameter=settings.body_parameter,
            strict=settings.strict_calls,
        )

    def operations(self) -> dict[str, Operation]:
        """By name, with the parts as this service calls them."""
        return _operations(self)


@cache
def _operations(dialect: Dialect) -> dict[str, Operation]:
    extra = (Part(dialect.body_parameter, "string"),) if dialect.body_parameter else ()
    return {
        name: Operation(
            name,
            tuple(_called(part, dialect.part_names) for part in operation.parts) + extra,
            operation.returns,
        )
        for name, operation in OPERATIONS.items()
    }


def _called(part: Part, part_names: str) -> Part:
    match part_names:
        case "prefixed":
            return Part(part.name, part.kind, f"A{part.name}")
        case "lower":
            return Part(part.name, part.kind, part.name.casefold())
        case _:
            return part
