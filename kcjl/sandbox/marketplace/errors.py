"""What the marketplace says when it refuses a call: a status and a body.

Promises: the body holds `message` and `status` as the older operations have them (d.4), and
`code` and `errors` beside them where an operation names its codes. Nothing was done when it
is raised. Called by the model; turned into an HTTP answer by the face.
"""

__all__ = ["ApiError"]


class ApiError(Exception):
    """Raised when the marketplace refuses a call. Nothing was changed."""

    def __init__(self, status: int, body: dict[str, object]) -> None:
        super().__init__(f"{status} {body.get('message', '')}")
        self.status = status
        self.body = body

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))

    @property
    def code(self) -> str | None:
        """The operation's own code, e.g. ORDER_INVALID_STATE."""
        code = self.body.get("code")
        return None if code is None else str(code)

    @classmethod
    def of(
        cls, status: int, message: str, *, code: str | None = None, field: str | None = None
    ) -> "ApiError":
        body: dict[str, object] = {"message": message, "status": status}
        if code is not None:
            body["code"] = code
            body["errors"] = [{"code": code, "field": field, "message": message}]
        return cls(status, body)
