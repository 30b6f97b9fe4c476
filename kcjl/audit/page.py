"""Findings as one page that can be mailed: no script, nothing fetched, every text escaped
and what would not be seen in it spelt out.

Called by `kcjl check --html`.
"""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from kcjl.audit.findings import Finding, worst
from kcjl.unseen import spelt_out

__all__ = ["page_of"]

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem }
table { border-collapse: collapse; width: 100% }
td { padding: .35rem .6rem; border-top: 1px solid #ddd; vertical-align: top }
td:first-child { width: 6rem; font-weight: 600 }
.failure td:first-child { color: #a40000 } .warning td:first-child { color: #8a5a00 }
.note td:first-child { color: #1f4f8f } .fine td:first-child { color: #2c6e2c }
.remedy { color: #444 } ul { margin: .2rem 0 0 1.1rem; padding: 0 }
"""


def page_of(findings: Sequence[Finding], *, merchant: str, version: str, at: datetime) -> str:
    """The whole page, UTF-8."""
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        f"<title>kcjl check: {_text(merchant)}</title><style>{_STYLE}</style>",
        f"<h1>{_text(merchant)}: {worst(findings).word}</h1>",
        f"<p>Looked at on {at:%Y-%m-%d %H:%M} UTC by kcjl {_text(version)}.</p>",
    ]
    for area in dict.fromkeys(each.area for each in findings):
        parts.append(f"<h2>{_text(area)}</h2><table>")
        parts += [_row(each) for each in findings if each.area == area]
        parts.append("</table>")
    return "\n".join([*parts, "</html>\n"])


def _text(text: str) -> str:
    return escape(spelt_out(text))


def _row(finding: Finding) -> str:
    rest = [f"and {finding.left_out:,} more"] if finding.left_out else []
    named = "".join(f"<li>{_text(each)}" for each in (*finding.named, *rest))
    remedy = f'<div class="remedy">{_text(finding.remedy)}</div>' if finding.remedy else ""
    return (
        f'<tr class="{finding.severity.word}"><td>{finding.severity.word}<td>'
        f"{_text(finding.said)}{remedy}" + (f"<ul>{named}</ul>" if named else "")
    )
