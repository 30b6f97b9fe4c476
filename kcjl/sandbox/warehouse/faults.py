"""What the ERP says no to, as its web service says it.

Promises: the message is what stands in `faultstring`, the class name what stands in
`faultactor` and in the detail. Raised by the model before anything was changed for the order
it names.
Called by the warehouse model; rendered by the SOAP face.
"""

from kcjl.errors import Refused

__all__ = ["KhaosFault"]


class KhaosFault(Refused):
    """Raised when the ERP refuses a call; the SOAP face makes a fault of it."""

    def __init__(self, message: str, class_name: str = "Exception") -> None:
        super().__init__(message, reason_code=class_name)
        self.class_name = class_name
