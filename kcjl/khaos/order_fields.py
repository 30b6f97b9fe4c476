"""What either adapter of the ERP has to know before an order of ours can enter it.

Promises: a setting that would make orders unposted, unpaid or of nobody is refused at once.
Called by `kws_settings.py` and `cloud_settings.py`. Source: contract khaos d.
"""

from typing import Protocol

from kcjl.errors import SettingsUnusable
from kcjl.khaos.order_port import DeliveryAddress

__all__ = ["OrderFields", "check_order_fields"]

_COMPANY_CODE_CHARS_MAX = 10


class OrderFields(Protocol):
    """What both kinds of settings have."""

    @property
    def company_code(self) -> str: ...
    @property
    def company_class(self) -> str: ...
    @property
    def clearing_account(self) -> str: ...
    @property
    def card_word(self) -> str: ...
    @property
    def invoice_address(self) -> DeliveryAddress: ...


def check_order_fields(settings: OrderFields) -> None:
    """Raises SettingsUnusable."""
    for name in ("company_code", "company_class", "clearing_account"):
        if not str(getattr(settings, name)).strip():
            raise SettingsUnusable(f"khaos: {name} is empty")
    if not settings.card_word.strip():
        raise SettingsUnusable("khaos: card_word is empty, so orders would count as unpaid")
    if len(settings.company_code) > _COMPANY_CODE_CHARS_MAX:
        raise SettingsUnusable("khaos: company_code has at most 10 characters")
    address = settings.invoice_address
    if not all((address.line1, address.town, address.postcode, address.surname)):
        raise SettingsUnusable("khaos: invoice_address needs line1, town, postcode and surname")
