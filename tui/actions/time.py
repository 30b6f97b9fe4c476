"""Going back in time, step by step, and to the present again. Called by the registry."""

from tui.actions.action import Action
from tui.model.header import Mode

__all__ = ["ACTIONS"]

_THEN = frozenset({Mode.AS_OF})


def _step(name: str, key: str, label: str, verb: str, text: str, *, weight: int) -> Action:
    return Action(
        id=f"time.{name}",
        key=key,
        label=label,
        area="Time",
        verb=verb,
        weight=weight,
        modes=_THEN,
        command=f"app.step('{name}')",
        help=text,
    )


ACTIONS: tuple[Action, ...] = (
    Action(
        id="time.at",
        key="t",
        label="As of",
        area="Time",
        verb="see another time",
        weight=35,
        command="app.command_line('at ')",
        help="All panes as they stood at a time or a position: 14:03, 2026-10-31 23:59, -2h, "
        "#120345. esc goes back to live.",
    ),
    Action(
        id="time.live",
        key="",
        label="Live",
        area="Time",
        verb="back to live",
        names=("now",),
        modes=_THEN,
        command="app.travel('')",
        help="All panes as things stand now.",
    ),
    _step(
        *("event_back", "left_curly_bracket", "-1 event", "one event back"),
        "The state one event earlier.",
        weight=31,
    ),
    _step(
        *("event_on", "right_curly_bracket", "+1 event", "one event on"),
        "The state one event later.",
        weight=32,
    ),
    _step(
        *("minute_back", "less_than_sign", "-1 min", "a minute back"),
        "The state a minute earlier.",
        weight=33,
    ),
    _step(
        *("minute_on", "greater_than_sign", "+1 min", "a minute on"),
        "The state a minute later.",
        weight=34,
    ),
    _step(
        *("exception", "full_stop", "Next exception", "to the next exception"),
        "On to where one was raised.",
        weight=38,
    ),
    _step(
        *("publish", "comma", "Next publish", "to the next publish"),
        "On to where stock figures were sent.",
        weight=39,
    ),
)
