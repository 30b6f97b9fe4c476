"""Returns: RT11, RT21, RT25, RT26, RT27 and RT29.

Promises: a read returns every page, each return once; a write is one request per 100 returns,
never repeated by itself, and tells what became of each: named among the successes it is DONE,
among the errors REFUSED, in neither or in both UNKNOWN. It moves no money.
Invariant: a 200 is no success until the return is named in it (contract b.0).
Called by `seller_api.py`, of which it is a part. Source: contract johnlewis b.5, d.1, d.4.
"""

from collections.abc import Sequence
from itertools import product

import msgspec

from kcjl.errors import Misuse, OutcomeUnknown, ProtocolSurprise, Refused, Unavailable
from kcjl.johnlewis import returns_wire as wire
from kcjl.johnlewis.asking import chunks, distinct_ids, json_of, moment
from kcjl.johnlewis.calls import AreaCalls
from kcjl.johnlewis.order_port import Address
from kcjl.johnlewis.paging import PAGE_ROWS
from kcjl.johnlewis.reading import (
    Page,
    both_times,
    given,
    holds,
    key,
    listed,
    optional,
    plain_text,
    text,
    whole,
    words_of_refusal,
)
from kcjl.johnlewis.request import Call
from kcjl.johnlewis.returns_port import (
    Compliance,
    Return,
    ReturnDecision,
    ReturnDocument,
    ReturnFilter,
    ReturnLine,
    ReturnOutcome,
    ReturnState,
    ReturnVerdict,
)
from kcjl.johnlewis.reversal_port import ItemResult
from kcjl.johnlewis.wire import decoded

__all__ = ["ReturnCalls", "return_outcomes", "returns_page"]


class ReturnCalls(AreaCalls):
    """Goods that come back."""

    async def returns(self, wanted: ReturnFilter) -> list[Return]:
        """RT11, all pages; lists longer than a filter holds are asked for in parts."""
        found: dict[str, Return] = {}
        for ids in product(
            _parts("return_id", wanted.return_ids),
            _parts("order_commercial_id", wanted.order_commercial_ids),
            _parts("order_line_id", wanted.order_line_ids),
            _parts("return_rma", wanted.rmas),
        ):
            query = (*(pair for part in ids for pair in part), *_narrowed(wanted))
            call = Call(
                operation="RT11",
                path="/api/returns",
                query=(*query, ("limit", str(PAGE_ROWS))),
            )
            told = await self._http.seek_rows(call, returns_page)
            found.update((each.return_id, each) for each in told)
        return list(found.values())

    async def decide_returns(self, decisions: Sequence[ReturnDecision]) -> list[ReturnOutcome]:
        """RT21. Repeating: read them; past WAITING_ACCEPTANCE is done."""
        asked = [
            wire.WireReturnAsked(
                id=each.return_id,
                accepted=each.accepted,
                rejection_reason_code=None if each.accepted else each.rejection_reason_code,
            )
            for each in decisions
        ]
        return await self._write("RT21", "accept", asked)

    async def receive_returns(self, return_ids: Sequence[str]) -> list[ReturnOutcome]:
        """RT25. Repeating: read them; RECEIVED or CLOSED is done."""
        return await self._write("RT25", "receive", _named(return_ids))

    async def judge_returns(self, verdicts: Sequence[ReturnVerdict]) -> list[ReturnOutcome]:
        """RT26. Repeating overwrites; the lines' compliance in RT11 tells what stands."""
        asked = [
            wire.WireReturnAsked(
                id=each.return_id,
                return_lines=[
                    wire.WireVerdictAsked(
                        order_line_id=line.line_id,
                        compliant=line.compliant,
                        non_compliance_reason_code=line.reason_code,
                        non_compliance_additional_info=line.additional,
                    )
                    for line in each.lines
                ],
            )
            for each in verdicts
        ]
        return await self._write("RT26", "compliance", asked)

    async def close_returns(self, return_ids: Sequence[str]) -> list[ReturnOutcome]:
        """RT27. Repeating: read them; CLOSED is done."""
        return await self._write("RT27", "close", _named(return_ids))

    async def cancel_returns(self, return_ids: Sequence[str]) -> list[ReturnOutcome]:
        """RT29. Repeating: read them; CANCELED is done."""
        return await self._write("RT29", "cancel", _named(return_ids))

    async def _write(
        self, operation: str, action: str, asked: Sequence[wire.WireReturnAsked]
    ) -> list[ReturnOutcome]:
        wanted = distinct_ids([each.id for each in asked], operation)
        if len(wanted) < len(asked):
            raise Misuse(f"{operation}: a return is named twice, and the last would win unseen")
        outcomes: list[ReturnOutcome] = []
        parts = list(chunks(asked))
        for number, part in enumerate(parts):
            ids = [each.id for each in part]
            try:
                outcomes += await self._put(operation, action, part)
            except (Refused, OutcomeUnknown, Unavailable) as failure:
                if number == 0:
                    raise
                outcomes += _failed(ids, failure)
                if not isinstance(failure, Refused):
                    left = [each.id for later in parts[number + 1 :] for each in later]
                    unsent = Unavailable(f"{operation}: not sent after: {failure.message}")
                    return outcomes + _failed(left, unsent)
        return outcomes

    async def _put(
        self, operation: str, action: str, asked: Sequence[wire.WireReturnAsked]
    ) -> list[ReturnOutcome]:
        call = Call(
            operation=operation,
            method="PUT",
            path=f"/api/returns/{action}",
            subject=f"of {len(asked)} returns from {asked[0].id} on",
            json=json_of({"returns": asked}),
        )
        answer = await self._http.send(call)
        try:
            return return_outcomes(answer.body, str(call), [each.id for each in asked])
        except ProtocolSurprise as surprise:
            raise OutcomeUnknown(surprise.message) from None


def _parts(name: str, ids: Sequence[str]) -> list[list[tuple[str, str]]]:
    """A filter's list in parts that a call can hold; no list is one part without it."""
    wanted = distinct_ids(ids, f"RT11: {name}")
    return [[(name, each) for each in part] for part in chunks(wanted)] or [[]]


def _narrowed(wanted: ReturnFilter) -> list[tuple[str, str]]:
    times = (
        ("return_creation_date_from", wanted.created_from),
        ("return_creation_date_to", wanted.created_until),
        ("return_last_updated_from", wanted.updated_from),
        ("return_last_updated_to", wanted.updated_until),
    )
    query = [("return_state", state) for state in dict.fromkeys(wanted.states)]
    query += [(name, moment(when)) for name, when in times if when is not None]
    if wanted.customer_id:
        query.append(("customer_id", wanted.customer_id))
    return query


def _named(return_ids: Sequence[str]) -> list[wire.WireReturnAsked]:
    return [wire.WireReturnAsked(id=each) for each in dict.fromkeys(return_ids)]


def _failed(
    return_ids: Sequence[str], failure: Refused | OutcomeUnknown | Unavailable
) -> list[ReturnOutcome]:
    result = ItemResult.UNSENT
    if isinstance(failure, Refused):
        result = ItemResult.REFUSED
    elif isinstance(failure, OutcomeUnknown):
        result = ItemResult.UNKNOWN
    return [
        ReturnOutcome(return_id=each, result=result, message=failure.message)
        for each in return_ids
    ]


# ── reading ─────────────────────────────────────────────────────────────────────────────────


def returns_page(body: bytes) -> Page[Return]:
    read = decoded(body, wire.WireReturns, "RT11")
    rows = [
        (key(row.id, "RT11: a return's id"), _return(row))
        for row in listed(read.data, body, "RT11")
    ]
    return Page(rows=rows, next_token=optional(read.next_page_token))


def _return(row: wire.WireReturn) -> Return:
    return_id = text(row.id)
    what = f"RT11: return {return_id}"
    tracking = row.tracking or wire.WireReturnTracking()
    created, updated = both_times(row.date_created, row.last_updated, what)
    return Return(
        return_id=return_id,
        state=_state(row.state),
        state_raw=text(row.state),
        order_id=key(row.order_id, f"{what}: its order"),
        commercial_id=optional(row.order_commercial_id),
        created_at=created,
        updated_at=updated,
        lines=tuple(_line(line, what) for line in row.return_lines or ()),
        reason_code=optional(row.reason_code),
        method_code=optional(row.method_code),
        rma=optional(row.rma),
        label_url=optional(row.label_url),
        description=optional(row.description),
        rejection_reason_code=optional(row.rejection_reason_code),
        carrier_code=optional(tracking.carrier_code),
        carrier_name=optional(tracking.carrier_name),
        tracking_number=optional(tracking.tracking_number),
        tracking_url=optional(tracking.tracking_url),
        return_address=_address(row.return_address),
        documents=tuple(
            ReturnDocument(
                document_id=key(each.id, f"{what}: a document's id"), kind=text(each.type)
            )
            for each in row.documents or ()
        ),
    )


def _state(word: str | None) -> ReturnState:
    try:
        return ReturnState((word or "").replace("CANCELLED", "CANCELED"))
    except ValueError:
        return ReturnState.UNKNOWN


def _line(line: wire.WireReturnLine, order_return: str) -> ReturnLine:
    line_id = key(line.order_line_id, f"{order_return}: a line's id")
    what = f"{order_return}, line {line_id}"
    return ReturnLine(
        line_id=line_id,
        quantity=whole(given(line.quantity, f"{what}: its quantity"), what),
        reason_code=text(line.reason_code),
        compliance=_compliance(line, what),
    )


def _compliance(line: wire.WireReturnLine, what: str) -> tuple[Compliance, ...]:
    told = holds(line.compliance)
    if told is None:
        return ()
    several = told if told.startswith(b"[") else b"[" + told + b"]"
    return tuple(
        Compliance(
            compliant=each.compliant,
            reason_code=optional(each.non_compliance_reason_code) or optional(each.reason_code),
            additional=optional(each.non_compliance_additional_info),
            quantity=None if each.quantity is None else whole(each.quantity, what),
        )
        for each in decoded(several, list[wire.WireCompliance], f"{what}: compliance")
    )


def _address(told: wire.WireReturnAddress | None) -> Address | None:
    if told is None or told == wire.WireReturnAddress():
        return None
    return Address(
        first_name=text(told.firstname),
        last_name=text(told.lastname),
        company=text(told.company),
        street_1=text(told.street1) or text(told.street_1),
        street_2=text(told.street2) or text(told.street_2),
        postcode=text(told.zip_code),
        city=text(told.city),
        county=text(told.state),
        country=text(told.country),
        country_code=told.country_iso_code or None,
        phone=text(told.phone),
        additional=text(told.additional_info),
        civility=text(told.civility),
    )


# ── what became of a write ──────────────────────────────────────────────────────────────────


def return_outcomes(body: bytes, what: str, asked: Sequence[str]) -> list[ReturnOutcome]:
    """An outcome for each return that was asked for, in that order.

    The lists are found by the end of their name, as in ST01: samples spell them in two ways.
    """
    done: set[str] = set()
    refused: dict[str, tuple[str, str]] = {}
    for name, part in decoded(body, dict[str, msgspec.Raw], what).items():
        told = holds(part)
        if told is None:
            continue
        if name.endswith("success"):
            named = decoded(told, list[wire.WireReturnNamed], f"{what}: {name}")
            done |= {text(each.id) or text(each.return_id) for each in named}
        elif name.endswith("errors"):
            for each in decoded(told, list[wire.WireReturnError], f"{what}: {name}"):
                refused[text(each.id) or text(each.return_id)] = _words(each)
    return [_outcome(return_id, done, refused) for return_id in asked]


def _words(error: wire.WireReturnError) -> tuple[str, str]:
    inner = holds(error.errors)
    message, reason_code = words_of_refusal(inner) if inner else ("", "")
    words = plain_text(text(error.message)) or message or "refused without a reason"
    return words, plain_text(text(error.code), 100) or reason_code


def _outcome(
    return_id: str, done: set[str], refused: dict[str, tuple[str, str]]
) -> ReturnOutcome:
    message, reason_code = refused.get(return_id, ("", ""))
    if return_id in done and return_id not in refused:
        return ReturnOutcome(return_id=return_id, result=ItemResult.DONE)
    if return_id in refused and return_id not in done:
        return ReturnOutcome(
            return_id=return_id,
            result=ItemResult.REFUSED,
            message=message,
            reason_code=reason_code,
        )
    both = return_id in done
    why = "named as done and as refused" if both else "the answer did not name this return"
    return ReturnOutcome(return_id=return_id, result=ItemResult.UNKNOWN, message=why)
