"""What somebody may type to own whoever reads it: one list for every test.

Promises: each is a SKU that the sandbox's marketplace takes (at most 40 characters, no slash).
Called by the tests beside it.
"""

__all__ = ["ACTIVE", "FORMULAS", "HOSTILE", "UNSEEN"]

UNSEEN = (
    "A\x1b[2JB",
    "A\x1b]0;owned\x07B",
    "A\x9b2JB",
    "A\x7fB",
    "A\u202egpj.B",
    "A\u2066B\u2069",
    "A\u200bB",
    "A\u2060B",
    "A\ufeffB",
    "A\u00adB",
    "A\u3164B",
    "A\ufe0fB",
    "A\U000e0041B",
    "A\u2028B",
    "A\nposted  fine  B",
    "A\rB",
    "\t=1+1",
)
"""Steers a terminal, turns the reading direction, begins a line, or is not seen at all."""
FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(1)", "＝1+1", " =1+1", "=cmd|' C'!A0")
"""What a spreadsheet would run."""
ACTIVE = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)',
    "<!channel> @channel @everyone",
    "[b]bold[ b] *bold* `code`",
    "'; touch owned; '",
    "$(touch owned)",
    "A&amp;B",
)
"""Markup of pages, chats and the monitor; words of a shell."""
HOSTILE = (*UNSEEN, *FORMULAS, *ACTIVE)
