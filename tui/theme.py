"""Three themes: default, colour-blind-safe, and mono; and what NO_COLOR means.

Promises: widgets name meanings (`$tone-bad`), only this file names colours. Mono uses the
terminal's own two colours with bold, dim, underline and reverse; with NO_COLOR set it is chosen
and no colour code is sent at all. Contrast of text is at least 4.5 to 1 in the coloured themes.
Called by the app.
"""

import os

from textual.theme import Theme

__all__ = ["DEFAULT_THEME", "MONO_THEME", "THEMES", "no_color_wanted"]

DEFAULT_THEME = "kcjl-default"
MONO_THEME = "kcjl-mono"


def no_color_wanted() -> bool:
    """True when NO_COLOR is set to anything but nothing (no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))


def _coloured(
    name: str, *, good: str, warn: str, bad: str, accent: str, live: str, paused: str, lost: str
) -> Theme:
    return Theme(
        name=name,
        primary=accent,
        secondary=accent,
        accent=accent,
        success=good,
        warning=warn,
        error=bad,
        foreground="#d5dbe3",
        background="#0e1116",
        surface="#141922",
        panel="#1b222d",
        variables={
            "tone-plain": "#d5dbe3",
            "tone-plain-style": "none",
            "tone-muted": "#8b96a5",
            "tone-muted-style": "none",
            "tone-good": good,
            "tone-good-style": "none",
            "tone-warn": warn,
            "tone-warn-style": "none",
            "tone-bad": bad,
            "tone-bad-style": "bold",
            "tone-accent": accent,
            "tone-accent-style": "none",
            "tone-stale": "#6f7a88",
            "tone-stale-style": "none",
            "pane-border": "#36414f",
            "pane-border-focus": accent,
            "cursor-bg": "#234a75",
            "cursor-fg": "#ffffff",
            "cursor-style": "none",
            "cursor-blur-bg": "#1d2733",
            "cursor-blur-style": "none",
            "head-style": "bold",
            "live-bg": live,
            "paused-bg": paused,
            "lost-bg": lost,
            "past-bg": "#4b2a6b",
            "reading-bg": "#26303c",
            "mode-fg": "#ffffff",
            "mode-style": "bold",
            "block-cursor-background": "#234a75",
            "block-cursor-foreground": "#ffffff",
            "footer-key-foreground": accent,
            "input-cursor-background": "#d5dbe3",
            "scrollbar": "#36414f",
            "scrollbar-background": "#0e1116",
            "scrollbar-hover": "#4a5869",
            "scrollbar-active": accent,
            "scrollbar-background-hover": "#0e1116",
            "scrollbar-background-active": "#0e1116",
            "scrollbar-corner-color": "#0e1116",
        },
    )


_TWO = "ansi_default"
_MONO = Theme(
    name=MONO_THEME,
    ansi=True,
    primary=_TWO,
    secondary=_TWO,
    accent=_TWO,
    success=_TWO,
    warning=_TWO,
    error=_TWO,
    foreground=_TWO,
    background=_TWO,
    surface=_TWO,
    panel=_TWO,
    boost=_TWO,
    variables={
        "tone-plain": _TWO,
        "tone-plain-style": "none",
        "tone-muted": _TWO,
        "tone-muted-style": "dim",
        "tone-good": _TWO,
        "tone-good-style": "none",
        "tone-warn": _TWO,
        "tone-warn-style": "bold",
        "tone-bad": _TWO,
        "tone-bad-style": "bold underline",
        "tone-accent": _TWO,
        "tone-accent-style": "none",
        "tone-stale": _TWO,
        "tone-stale-style": "dim",
        "pane-border": _TWO,
        "pane-border-focus": _TWO,
        "cursor-bg": _TWO,
        "cursor-fg": _TWO,
        "cursor-style": "reverse",
        "cursor-blur-bg": _TWO,
        "cursor-blur-style": "underline",
        "head-style": "bold",
        "live-bg": _TWO,
        "paused-bg": _TWO,
        "lost-bg": _TWO,
        "past-bg": _TWO,
        "reading-bg": _TWO,
        "mode-fg": _TWO,
        "mode-style": "bold reverse",
        "block-cursor-background": _TWO,
        "block-cursor-foreground": _TWO,
        "block-cursor-text-style": "reverse",
        "block-cursor-blurred-text-style": "none",
        "border": _TWO,
        "border-blurred": _TWO,
        "footer-key-foreground": _TWO,
        "input-cursor-background": _TWO,
        "input-cursor-foreground": _TWO,
        "input-cursor-text-style": "reverse",
        "input-selection-background": _TWO,
        "input-selection-foreground": _TWO,
        "screen-selection-background": _TWO,
        "screen-selection-foreground": _TWO,
        "scrollbar": _TWO,
        "scrollbar-hover": _TWO,
        "scrollbar-active": _TWO,
        "scrollbar-background": _TWO,
        "scrollbar-background-hover": _TWO,
        "scrollbar-background-active": _TWO,
        "scrollbar-corner-color": _TWO,
        "ansi-background": _TWO,
        "ansi-foreground": _TWO,
        "link-color": _TWO,
        "link-color-hover": _TWO,
        "link-background-hover": _TWO,
    },
)

THEMES: tuple[Theme, ...] = (
    _coloured(
        DEFAULT_THEME,
        good="#5cc777",
        warn="#e8b339",
        bad="#ff7b72",
        accent="#6cb6ff",
        live="#1a4a33",
        paused="#6b4d00",
        lost="#7d1f1f",
    ),
    # Okabe and Ito's palette: told apart with every common colour blindness.
    _coloured(
        "kcjl-colour-blind-safe",
        good="#56b4e9",
        warn="#f0e442",
        bad="#f28e2b",
        accent="#cc9ac0",
        live="#0f4468",
        paused="#5c5600",
        lost="#7a3600",
    ),
    _MONO,
)
