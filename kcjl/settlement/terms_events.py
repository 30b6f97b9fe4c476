"""What can happen to the commission terms: a person sets them. Stream: settlement-terms."""

from kcjl.settlement.terms import CommissionTerms
from kcjl.vocabulary import Event

__all__ = ["CommissionTermsSet"]


class CommissionTermsSet(Event, frozen=True, kw_only=True):
    """Policy: what the operator may charge; looked at from now on."""

    version: int
    terms: CommissionTerms
    reason: str = ""

    @property
    def stream(self) -> str:
        return "settlement-terms"
