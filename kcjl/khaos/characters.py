"""What the ERP's database can hold of a text: Latin-1, without losing a word.

Promises: a text comes out in Latin-1, with its blanks tidied and every word still there, or it
is refused by the name of its field; errors never quote the text, for it may be personal.
It cuts nothing and checks no length. Invariant: every letter and digit of the input has a
counterpart in the output. Called by `order_document.py`. Source: contract khaos b.0, h 17.
"""

import unicodedata
from typing import Literal, TypeAlias

from kcjl.errors import Refused

__all__ = ["CharacterMode", "safe_text"]

CharacterMode: TypeAlias = Literal["transliterate", "refuse"]
"""What to do with characters outside Latin-1: write them in Latin-1, or refuse the order."""

_CUSTOMARY_FORMS = (
    "…=... ‹=< ›=> ⁄=/ €=EUR ™=TM №=No Œ=OE œ=oe Ł=L ł=l Đ=D đ=d ı=i Ħ=H ħ=h Ŧ=T ŧ=t "
    "Ŋ=N ŋ=n ĸ=k ẞ=SS Ə=E ə=e ſ=s ƒ=f"
)
_WRITTEN_AS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼʹ", "'"),
        **dict.fromkeys("“”„‟″", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("•‣∙", "*"),
        **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0e\ufe0f", ""),
        **dict(form.split("=") for form in _CUSTOMARY_FORMS.split()),
    }
)
"""What has a customary spelling in Latin-1 that Unicode's decomposition does not give."""

_WINDOWS_1252 = {
    code: bytes([code]).decode("cp1252", "replace").replace("\ufffd", " ")
    for code in range(0x80, 0xA0)
}
"""Control codes that are Windows-1252 signs read as Latin-1 somewhere on the way."""


def safe_text(field: str, text: str, mode: CharacterMode) -> str:
    """The text as the ERP can hold it; '' for a blank one. Runs of blanks become one.

    Raises Refused when a word, or the whole text, has no sensible form in Latin-1.
    """
    composed = unicodedata.normalize("NFC", text.translate(_WINDOWS_1252))
    words = []
    for word in "".join(" " if _is_control(sign) else sign for sign in composed).split():
        if word.isascii() or _fits(word):
            words.append(word)
        elif mode == "refuse":
            raise _refusal(field, word)
        elif written := _transliterated(field, word):
            words.append(written)
    if not words and composed.strip():
        raise _refusal(field, composed.strip())
    return " ".join(words)


def _transliterated(field: str, word: str) -> str:
    """One word in Latin-1; '' for one that is all pictures. No letter or digit is lost."""
    written = ""
    for sign in word:
        counterpart = _counterpart(sign)
        if counterpart is None and unicodedata.category(sign)[0] in "LN":
            raise _refusal(field, word)
        written += counterpart or ""
    return written


def _counterpart(sign: str) -> str | None:
    """A sign in Latin-1; None when it has no form there."""
    if _fits(sign):
        return sign
    if (customary := sign.translate(_WRITTEN_AS)) != sign:
        return customary
    apart = unicodedata.normalize("NFKD", sign).translate(_WRITTEN_AS)
    bare = "".join(part for part in apart if not unicodedata.combining(part))
    return bare if bare and _fits(bare) else None


def _fits(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _is_control(sign: str) -> bool:
    """Signs that no XML document or database line may hold, and half surrogate pairs."""
    return unicodedata.category(sign) in ("Cc", "Cs")


def _refusal(field: str, word: str) -> Refused:
    lost = sum(1 for sign in word if _counterpart(sign) is None or not _fits(sign))
    return Refused(
        f"{field} has {lost} characters that Khaos Control's database (Latin-1) can't hold: "
        "write them in Latin letters in Khaos Control by hand",
        reason_code="CHARACTERS",
    )
