"""The operator's own fields on orders and lines, as the shop fills them in (AF01, OR31).

Promises: a call is taken whole, or nothing of it is and each mistake is named; a field must be
there, be of that entity, be editable, and have a value of its type. It reads no meaning.
Called by the marketplace's door.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.records import Order, OrderLine
from kcjl.sandbox.marketplace.settings import MarketplaceSettings

__all__ = ["AdditionalFields", "FieldError", "shown_fields"]

VALUE_LENGTH_MAX = 2000

FieldError: TypeAlias = dict[str, str]
"""Of one field: code, field, message."""


class AdditionalFields:
    """Writing them."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def write(
        self,
        order_id: str,
        order_fields: Sequence[Mapping[str, str | None]],
        line_fields: Mapping[str, Sequence[Mapping[str, str | None]]],
    ) -> list[FieldError]:
        """OR31: what was wrong; an empty list where all was written."""
        order = self._book.order(order_id)
        errors = self._errors("ORDER", order_fields)
        written: list[tuple[OrderLine, Sequence[Mapping[str, str | None]]]] = []
        for line_id, fields in line_fields.items():
            line = order.line(line_id)
            if line is None:
                message = f"Order line {line_id} is not of order {order_id}"
                errors.append(_error("NOT_FOUND", "order_line_id", message))
                continue
            errors += self._errors("ORDER_LINE", fields)
            written.append((line, fields))
        if errors:
            return errors
        _put(order, order_fields)
        for line, fields in written:
            _put(line, fields)
        self._book.touch(order, [line for line, _ in written])
        return []

    def _errors(
        self, entity: str, fields: Sequence[Mapping[str, str | None]]
    ) -> list[FieldError]:
        known = {
            each.code: each
            for each in self._book.settings.additional_fields
            if each.entity == entity
        }
        errors = []
        for written in fields:
            code, value = written.get("code") or "", written.get("value")
            field = known.get(code)
            if field is None:
                message = f"There is no {entity} field '{code}'"
                errors.append(_error("UNKNOWN_FIELD", code, message))
            elif not field.editable:
                errors.append(_error("NOT_EDITABLE", code, f"Field {code} is the operator's"))
            elif value is None:
                if field.required:
                    errors.append(_error("REQUIRED", code, f"Field {code} needs a value"))
            elif len(value) > VALUE_LENGTH_MAX or not _is_of(field.type, value):
                message = f"Field {code}: the value is no {field.type}"
                errors.append(_error("INVALID_VALUE", code, message))
        return errors


def shown_fields(
    fields: Mapping[str, str], settings: MarketplaceSettings
) -> list[dict[str, object]]:
    """As OR11 shows them: {code, type, value}."""
    types = {each.code: each.type for each in settings.additional_fields}
    return [
        {"code": code, "type": types.get(code, "STRING"), "value": value}
        for code, value in fields.items()
    ]


def _put(where: Order | OrderLine, fields: Sequence[Mapping[str, str | None]]) -> None:
    for written in fields:
        code, value = written.get("code") or "", written.get("value")
        if value is None:
            where.additional_fields.pop(code, None)
        else:
            where.additional_fields[code] = value


def _is_of(kind: str, value: str) -> bool:
    if kind == "BOOLEAN":
        return value.lower() in {"true", "false"}
    try:
        if kind == "NUMERIC":
            return Decimal(value).is_finite()
        if kind == "DATE":
            datetime.fromisoformat(value)
    except (InvalidOperation, ValueError):
        return False
    return True


def _error(code: str, field: str, message: str) -> FieldError:
    return {"code": code, "field": field, "message": message}
