"""Law 7: no personal data in the log.

Promises: the words of every buyer of the world (names, streets, town with postcode, phone,
e-mail, notes) are looked for in every payload, stream and name. A name that is also a word
of the trade counts only as a whole name. Called by `laws/__init__.py`.
"""

import re
from collections.abc import Iterator

from kcjl.sandbox.marketplace import Order
from tests.simulation.laws.evidence import Checker, Evidence

__all__ = ["CHECKERS"]

CHARACTERS_MIN = 5
"""Shorter words mean anything."""
_WORD = re.compile(r"\w+")
_NO_WORD = re.compile(r"[0-9a-f]{32}|\d{2}t\d{2}|\d{1,6}z").fullmatch


def no_buyer_in_the_log(evidence: Evidence) -> Iterator[str]:
    """No word by which a buyer could be known is in the log."""
    text = evidence.text.casefold()
    words_there = _words_there(text)
    said: set[str] = set()
    for order in evidence.world.marketplace.orders.values():
        for what, words in _personal(order):
            folded = words.casefold()
            if folded in said or len(folded) < CHARACTERS_MIN:
                continue
            said.add(folded)
            # Where one of its words is nowhere, the whole is nowhere: most are done with here.
            if not all(word in words_there for word in _WORD.findall(folded)):
                continue
            if folded not in text:
                continue
            yield f"the {what} of order {order.order_id}'s buyer is in the log: {words!r}"


def _words_there(text: str) -> str:
    """Every word of a text once; ids and times of day, which are no words, left out.

    Most of what stands between two quotes stands there many times: it is looked through once.
    """
    parts = "\n".join(sorted({*text.split('"')}))
    return "\n".join(sorted(word for word in {*_WORD.findall(parts)} if not _NO_WORD(word)))


def no_buyer_in_a_journal(evidence: Evidence) -> Iterator[str]:
    """No buyer is named in a journal either."""
    text = "\n".join(
        f"{journal.narrative}\n{entry.memo}"
        for journal in evidence.journals.values()
        for entry in journal.entries
    ).casefold()
    for order in evidence.world.marketplace.orders.values():
        for what, words in _personal(order):
            if len(words) >= CHARACTERS_MIN and words.casefold() in text:
                yield f"the {what} of order {order.order_id}'s buyer is in a journal"


def _personal(order: Order) -> Iterator[tuple[str, str]]:
    customer, address = order.customer, order.customer.delivery
    yield "name", f"{customer.first_name} {customer.last_name}"
    yield "name", f"{address.first_name} {address.last_name}"
    yield "name", f"{address.last_name}, {address.first_name}"
    yield "street", address.street_1
    yield "street", address.street_2 or ""
    yield "postcode", address.postcode
    yield "phone", address.phone or ""
    yield "company", address.company or ""
    yield "note", address.additional or ""
    yield "e-mail", order.notification_email


CHECKERS = (
    Checker(7, "log", no_buyer_in_the_log),
    Checker(7, "journals", no_buyer_in_a_journal),
)
