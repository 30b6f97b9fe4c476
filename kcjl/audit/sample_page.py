"""The auditors' report as one HTML page that prints: what was verified, then an order a page.

Promises: no script, nothing fetched; every text escaped, and what would not be seen in it spelt
out; who bought stays masked. The same evidence gives the same bytes: no time is in it but the
log's own. It reads nothing.
Called by `kcjl sample`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape

import msgspec

from kcjl.audit.explain import Explanation, clock
from kcjl.audit.sample import Drawn
from kcjl.money import Money
from kcjl.readmodels_orders import OrderStory
from kcjl.unseen import spelt_out

__all__ = ["Evidence", "Report", "report_page"]

_STYLE = """
body { font: 13px/1.4 system-ui, sans-serif; margin: 1.5rem auto; max-width: 68rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.15rem } h3 { font-size: 1rem; margin: 1rem 0 .3rem }
section { break-before: page; border-top: 3px solid #333; margin-top: 2rem; padding-top: .5rem }
table { border-collapse: collapse; width: 100% }
th { text-align: left } th, td { padding: .2rem .5rem; border-top: 1px solid #ddd }
td, th { vertical-align: top } .p { width: 8rem } .n { text-align: right; white-space: nowrap }
code { font: 11px/1.3 ui-monospace, monospace; word-break: break-all }
@media print { body { margin: 0; max-width: none; font-size: 10px } code { font-size: 7px } }
"""
_NO_SEAL = (
    "none was given: that the log's end was not cut off, and all of it not written anew, is "
    "not shown; it is by: kcjl sample --seal FILE"
)
_DRAWN_BY = (
    "SHA-256 of the seed, a line feed and the order's id, the smallest first, in each stratum: "
    "one of each, the largest first, and the rest where the share is least reached"
)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All about one order of the sample."""

    story: OrderStory
    why: Explanation
    exceptions: tuple[str, ...]
    hashes: Mapping[int, str]
    """Of the events of its chain, by position: SHA-256 in hexadecimal digits."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was verified, and what was drawn."""

    merchant: str
    version: str
    by: str
    position: int
    hash: str
    recorded_at: datetime | None
    """When the event at the position was recorded."""
    seals: tuple[str, ...]
    """What the log was held against, a sentence each."""
    seed: str
    size: int
    drawn: tuple[Drawn, ...]


def report_page(report: Report, evidence: Sequence[Evidence]) -> Iterator[str]:
    """The page in parts, UTF-8."""
    yield '<!doctype html><html lang="en"><meta charset="utf-8">'
    yield f"<title>kcjl sample: {_text(report.merchant)}</title><style>{_STYLE}</style>"
    yield from _front(report)
    for number, each in enumerate(evidence, start=1):
        yield from _order(number, len(evidence), each)
    yield "</html>\n"


def _front(report: Report) -> Iterator[str]:
    held = report.seals or (_NO_SEAL,)
    yield f"<h1>{_text(report.merchant)}: a sample of orders for audit</h1><table>"
    yield from _pairs(
        ("verified by", f"{report.by}, with kcjl {report.version}"),
        ("verified", f"the hash chain of all events from 1 to {report.position:,}: unbroken"),
        ("hash there", report.hash),
        ("recorded", clock(report.recorded_at) if report.recorded_at else "nothing yet"),
        *(("seal", each) for each in held),
        ("sample", f"{report.size:,} orders asked for, seed {report.seed!r}"),
        (
            "drawn by",
            _DRAWN_BY,
        ),
        (
            "who bought",
            "is masked; kcjl orders buyer ORDER --auditor NAME asks for it, which is recorded",
        ),
    )
    yield "</table><h2>Strata</h2><table><tr><th>month (UTC)<th>sort<th class=n>orders"
    yield "<th class=n>value<th class=n>drawn<th>order ids"
    for each in report.drawn:
        links = ", ".join(f'<a href="#{_text(one)}">{_text(one)}</a>' for one in each.order_ids)
        yield (
            f"<tr><td>{each.stratum.month}<td>{each.stratum.what}<td class=n>{each.orders:,}"
            f"<td class=n>{_money(each.value)}<td class=n>{len(each.order_ids):,}<td>{links}"
        )
    yield "</table>"


def _order(number: int, of: int, evidence: Evidence) -> Iterator[str]:
    story = evidence.story
    yield f'<section id="{_text(story.order_id)}">'
    yield f"<h2>{number} of {of}: order {_text(story.order_id)}</h2><table>"
    yield from _pairs(
        ("stands", f"{story.standing}; the marketplace: {story.marketplace_state}"),
        ("in Khaos Control", f"{story.erp_order_code or 'nowhere'}, for {story.reference}"),
        ("total", str(story.total)),
        ("who bought", f"{story.buyer or 'not known'}, {story.country or 'country not told'}"),
        ("exceptions", ", ".join(evidence.exceptions) or "none"),
    )
    yield "</table><h3>Lines</h3><table><tr><th>line<th>SKU<th class=n>units"
    yield "<th class=n>price<th class=n>refunded<th>state"
    for line in story.lines:
        yield (
            f"<tr><td>{_text(line.line_id)}<td>{_text(line.sku)}"
            f"<td class=n>{line.quantity}<td class=n>{_money((line.price,))}"
            f"<td class=n>{_money((line.refunded,))}<td>{_text(line.state)}"
        )
    yield "</table><h3>In words</h3><ul>"
    yield from (f"<li>{_text(sentence)}" for sentence in evidence.why.answer)
    yield "</ul><h3>Policies in force</h3><ul>"
    for policy in evidence.why.policies:
        yield (
            f"<li>{_text(policy.name)} version {policy.version}, said by {_text(policy.by)} at "
            f"{clock(policy.said_at)} (event {policy.position:,})"
        )
    yield "</ul><h3>Events</h3><table><tr><th class=n>event<th>it happened<th>we recorded it"
    yield "<th>by<th>what<th>hash"
    for event in sorted(story.events, key=lambda each: each.position):
        what = f"{event.type}: {event.said}" if event.said else event.type
        yield (
            f"<tr><td class=n>{event.position}<td>{clock(event.occurred_at)}"
            f"<td>{clock(event.recorded_at)}<td>{_text(event.by)}<td>{_text(what)}"
            f"<td><code>{evidence.hashes.get(event.position, '')}</code>"
        )
    yield "</table>"
    if story.cut:
        yield "<p>It has more events than are listed: kcjl orders show has them.</p>"
    yield "</section>"


def _pairs(*pairs: tuple[str, str]) -> Iterator[str]:
    for name, said in pairs:
        yield f"<tr><th class=p>{_text(name)}<td>{_text(said)}"


def _money(amounts: Sequence[Money | None]) -> str:
    return _text(", ".join(str(each) for each in amounts if each is not None))


def _text(text: str) -> str:
    return escape(spelt_out(text))
