"""The Cloud ERP's channel as a model: what is due, what it takes in, what it has to say.

Promises: pure and deterministic: time comes from its agenda, answers come in by its changing
methods, which take plain values only, so that a journal plays them again. After any answer
but 200 the same is asked or said again. What it does not take it remembers, and goes on.
Invariant: nothing is called before a configuration was read; an order is taken once.
Called by the driver and the control routes through the gate. Source: contract khaos b.10.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import msgspec

from kcjl.errors import Misuse
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.khaos_cloud.customers import CustomerMatching
from kcjl.sandbox.khaos_cloud.documents import Endpoint, EndpointConfig
from kcjl.sandbox.khaos_cloud.order_desk import (
    ChannelError,
    OrderDesk,
    TakenOrder,
    months_before,
)
from kcjl.sandbox.khaos_cloud.outgoing import POSTS, Outgoing, PostKind
from kcjl.sandbox.khaos_cloud.reading import (
    ChannelRefusal,
    Plain,
    read_document,
    record_of,
)
from kcjl.sandbox.khaos_cloud.returns_desk import ReturnsDesk
from kcjl.sandbox.khaos_cloud.settings import ChannelSettings
from kcjl.sandbox.warehouse import Warehouse

__all__ = ["CHANNEL_HOOKS", "Call", "CallKind", "Channel", "ChannelView"]

CallKind: TypeAlias = Literal[
    "Config", "OrderRetry", "OrderDownload", "CReturnDownload",
    "StockUpload", "StockStatusUpload", "OrderStatusUpload",
]  # fmt: skip
_KINDS: tuple[CallKind, ...] = (
    "Config", "OrderRetry", "OrderDownload", "CReturnDownload",
    "StockUpload", "StockStatusUpload", "OrderStatusUpload",
)  # fmt: skip
"""In the order in which they are made when several are due."""
CHANNEL_HOOKS = frozenset(
    {"change_config_url", "process_return", "retry_orders", "unlist_product"}
)
"""Methods of `Channel` that a person may call."""
_RETURN_NAMES = {
    "either": ("CReturnDownload", "CustomerReturnDownload"),
    "table": ("CReturnDownload",),
    "example": ("CustomerReturnDownload",),
}
_SUFFIXES = {".json": "JSON", ".xml": "XML"}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP call that is due."""

    kind: CallKind
    url: str
    form: str
    """JSON or XML; empty for a configuration whose URL doesn't say."""
    headers: dict[str, str] = {}
    body: str | None = None
    """To be POSTed; None is a GET."""
    refs: tuple[str, ...] = ()


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """What the channel's screen shows: GET /sandbox/cloud."""

    config_url: str
    config_read_at: datetime | None
    endpoints: dict[str, str]
    continuation: dict[str, str]
    due: dict[str, datetime]
    errors: tuple[ChannelError, ...]
    errors_forgotten: int
    skipped: dict[str, str]
    taken: dict[str, str]
    """Reference to the sales order's code."""
    returns: dict[str, bool]
    """Reference to whether it was processed."""
    repeated_orders: int
    calls: dict[str, int]
    """Answered 200, by kind."""
    failed: dict[str, int]
    """Answered otherwise, or not at all."""
    waiting_posts: dict[str, int]


class Channel:
    """One channel of the Cloud ERP, linked to one endpoint."""

    def __init__(self, agenda: Agenda, warehouse: Warehouse, settings: ChannelSettings) -> None:
        self._agenda = agenda
        self._warehouse = warehouse
        self.settings = settings
        customers = CustomerMatching([known.code for known in warehouse.settings.customers])
        self.orders = OrderDesk(warehouse, settings, customers)
        self.returns = ReturnsDesk(warehouse, settings, customers, self.orders)
        self._outgoing = Outgoing(warehouse, settings, self.orders)
        self._config_url = ""
        self._config: EndpointConfig | None = None
        self._config_read_at: datetime | None = None
        self._due: dict[CallKind, datetime] = {}
        self._continuation: dict[CallKind, str] = {}
        self._retry: dict[str, None] = {}
        self._calls: dict[str, int] = {}
        self._failed: dict[str, int] = {}

    @property
    def taken(self) -> dict[str, TakenOrder]:
        return self.orders.taken

    @property
    def errors(self) -> dict[str, ChannelError]:
        return self.orders.errors

    # ── what the driver asks ──

    def due(self) -> list[CallKind]:
        """The calls that are due, in their order."""
        now = self._agenda.now
        found = [kind for kind in _KINDS if kind in self._due and self._due[kind] <= now]
        return found[:1] if "Config" in found else found

    def call(self, kind: CallKind) -> Call | None:
        """The next call of a kind; None where there is nothing to say."""
        if kind == "Config":
            return Call(kind=kind, url=self._config_url, form=_form_of(self._config_url))
        endpoint = self._endpoint(kind)
        if endpoint is None:
            return None
        form = endpoint.format.upper()
        if kind in POSTS:
            run = self._outgoing.runs.get(kind)
            body = run.next_body if run is not None else None
            if body is None:
                return None
            return Call(kind=kind, url=endpoint.url, form=form, body=body)
        return self._download(kind, endpoint.url, form)

    def looks(self, kind: CallKind) -> bool:
        """Whether a look at the warehouse comes before the call: nothing waits to be said."""
        return kind in POSTS and kind not in self._outgoing.runs

    def view(self) -> ChannelView:
        config = self._config
        known = {kind: self._endpoint(kind) for kind in _KINDS} if config is not None else {}
        return ChannelView(
            config_url=self._config_url,
            config_read_at=self._config_read_at,
            endpoints={
                kind: f"{endpoint.format} {endpoint.url}"
                for kind, endpoint in known.items()
                if endpoint is not None
            },
            continuation={str(kind): token for kind, token in self._continuation.items()},
            due={str(kind): when for kind, when in self._due.items()},
            errors=tuple(self.errors.values()),
            errors_forgotten=self.orders.errors_forgotten,
            skipped=dict(self.orders.skipped),
            taken={ref: taken.sales_order.code for ref, taken in self.taken.items()},
            returns={ref: each.processed for ref, each in self.returns.taken.items()},
            repeated_orders=self.orders.repeated,
            calls=dict(self._calls),
            failed=dict(self._failed),
            waiting_posts={
                kind: len(run.bodies) - run.taken for kind, run in self._outgoing.runs.items()
            },
        )

    # ── what a person does ──

    def change_config_url(self, url: str) -> None:
        """Type another config URL (or the same again): it is read at once."""
        if not url.startswith(("http://", "https://")):
            raise Misuse(f"{url!r} is no http or https URL")
        self._config_url = url
        self._due["Config"] = self._agenda.now

    def retry_orders(self, refs: Sequence[str] = ()) -> list[str]:
        """Ask again for orders by reference; without any, for each that failed."""
        wanted = list(refs) or self._failed_orders()
        self._retry.update(dict.fromkeys(wanted))
        if wanted:
            self._due["OrderRetry"] = self._agenda.now
        return wanted

    def process_return(self, ref: str) -> None:
        """Put the goods of a downloaded return back into stock."""
        self.returns.process(ref)

    def unlist_product(self, code: str) -> None:
        """Take an item off the channel: its id is in `Deleted` of the next stock upload."""
        self._outgoing.unlist(code)

    # ── what the driver tells ──

    def look(self, kind: PostKind) -> int:
        """Look for what has changed; returns how many posts are to be made."""
        endpoint = self._endpoint(kind)
        if endpoint is None or kind in self._outgoing.runs:
            return 0
        posts = self._outgoing.look(kind, endpoint.format.upper())
        if not posts:
            self._again(kind)
        return posts

    def answered(
        self,
        kind: CallKind,
        body: str,
        continuation: str | None = None,
        refs: Sequence[str] = (),
    ) -> None:
        """It was answered 200; `body` is latin-1, byte for byte."""
        self._calls[kind] = self._calls.get(kind, 0) + 1
        if kind in POSTS:
            self.errors.pop(kind, None)
            run = self._outgoing.runs[kind]
            run.taken += 1
            if run.next_body is None:
                del self._outgoing.runs[kind]
                self._again(kind)
            return
        try:
            self._read(kind, body.encode("latin-1"), list(refs))
        except ChannelRefusal as refusal:
            self.orders.remember(kind, str(refusal), "call")
            self._repeat(kind)
            return
        self.errors.pop(kind, None)
        if kind == "OrderRetry":
            self._retry = {ref: None for ref in self._retry if ref not in refs}
        elif continuation and kind != "Config":
            self._continuation[kind] = continuation
        self._again(kind)

    def failed(self, kind: CallKind, reason: str) -> None:
        """It was answered otherwise, or not at all: it comes again."""
        self._failed[kind] = self._failed.get(kind, 0) + 1
        self.orders.remember(kind, reason, "call")
        run = self._outgoing.runs.get(kind) if kind in POSTS else None
        if run is not None and self.settings.repeats == "run":
            run.taken = 0
        self._repeat(kind)

    # ── inside ──

    def _read(self, kind: CallKind, body: bytes, refs: list[str]) -> None:
        if kind == "Config":
            self._configure(body)
            return
        endpoint = self._endpoint(kind)
        if endpoint is None:
            return
        if kind == "CReturnDownload":
            self.returns.take(body, endpoint.format)
            return
        self.orders.take(body, endpoint.format, refs)
        after = self.settings.retries_failed_after_minutes
        if after and self._failed_orders():
            self._agenda.after(timedelta(minutes=after), self._retry_failed)

    def _retry_failed(self) -> None:
        self.retry_orders()

    def _failed_orders(self) -> list[str]:
        return [ref for ref, error in self.errors.items() if error.about == "order"]

    def _configure(self, body: bytes) -> None:
        form = _form_of(self._config_url)
        if not form and self.settings.config_is_file:
            raise ChannelRefusal(f"{self._config_url} is no .json or .xml file")
        form = form or ("XML" if body.lstrip()[:1] == b"<" else "JSON")
        said = read_document(body, form, "EndpointConfig")
        if form == "JSON":
            inner = said.get("EndpointConfig")
            if not isinstance(inner, dict):
                raise ChannelRefusal("the configuration is wrapped in EndpointConfig")
            said = inner
        config = record_of(self._one_name(said), EndpointConfig, strict=form == "JSON")
        for endpoint in (config.order_download, config.return_download):
            if endpoint is not None and (endpoint.frequency or 0) <= 0:
                raise ChannelRefusal("a download needs its Frequency, in minutes")
        self._config = config
        self._config_read_at = now = self._agenda.now
        for kind in _KINDS[2:]:
            if self._endpoint(kind) is None:
                self._due.pop(kind, None)
            else:
                self._due.setdefault(kind, now)

    def _one_name(self, said: Plain) -> Plain:
        """The configuration with the returns' endpoint by its one name."""
        names = _RETURN_NAMES[self.settings.returns_endpoint]
        kept = {name: value for name, value in said.items() if "Return" not in name}
        given = next((said[name] for name in names if name in said), None)
        return kept if given is None else kept | {"CReturnDownload": given}

    def _endpoint(self, kind: CallKind) -> Endpoint | None:
        config = self._config
        if config is None:
            return None
        found: dict[CallKind, Endpoint | None] = {
            "OrderRetry": config.order_download,
            "OrderDownload": config.order_download,
            "CReturnDownload": config.return_download,
            "StockUpload": config.stock_upload,
            "StockStatusUpload": config.stock_status_upload,
            "OrderStatusUpload": config.order_status_upload,
        }
        return found.get(kind)

    def _download(self, kind: CallKind, url: str, form: str) -> Call | None:
        headers = {"Sirion-Continuation": self._continuation_of(kind)}
        if kind != "OrderRetry":
            return Call(kind=kind, url=url, form=form, headers=headers)
        refs = tuple(self._retry)
        if not refs:
            return None
        named = ",".join(refs)
        if not self.settings.continuation_with_specific_ids:
            headers = {}
        headers["SpecificIDs"] = f'"{named}"' if self.settings.specific_ids_quoted else named
        return Call(kind=kind, url=url, form=form, headers=headers, refs=refs)

    def _continuation_of(self, kind: CallKind) -> str:
        kept = self._continuation.get("OrderDownload" if kind == "OrderRetry" else kind)
        if kept is not None:
            return kept
        first = self._agenda.now
        if self.settings.first_contact == "start":
            back = months_before(first, self.settings.months_back)
            first = self.settings.starts_from or back
        return f"{first:%Y-%m-%d %H:%M:%S}Z"

    def _again(self, kind: CallKind) -> None:
        """Plan the next call of a kind after one that went well."""
        if kind == "OrderRetry":
            if not self._retry:
                self._due.pop(kind, None)
            return
        endpoint = self._endpoint(kind)
        minutes = {
            "Config": self.settings.config_cached_minutes,
            "StockUpload": self.settings.stock_items_every_minutes,
            "StockStatusUpload": self.settings.stock_levels_every_minutes,
            "OrderStatusUpload": self.settings.statuses_every_minutes,
        }.get(kind, 0)
        if endpoint is not None and endpoint.frequency is not None and not minutes:
            minutes = int(endpoint.frequency)
        self._due[kind] = self._agenda.now + timedelta(minutes=max(1, minutes))

    def _repeat(self, kind: CallKind) -> None:
        after = timedelta(minutes=self.settings.repeated_after_minutes)
        if self._config is None:  # nobody is there yet: time may stand still until then
            after = timedelta(0)
        self._due[kind] = self._agenda.now + after


def _form_of(url: str) -> str:
    path = url.partition("?")[0].partition("#")[0].casefold()
    return next((form for suffix, form in _SUFFIXES.items() if path.endswith(suffix)), "")
