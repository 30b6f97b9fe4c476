"""Keys of the operator's own, by the ids of the actions: for terminals that swallow some.

    # keys.toml
    "go.command" = "f2"
    "rows.mark" = "space,insert"

Promises: a name that is no action, or a key that a shell needs, is refused with the nearest
name; what is printed can be read again. Called by the CLI and by the app.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from kcjl.errors import SettingsUnusable
from kcjl.toml import read_toml
from tui.actions import ACTIONS, FORBIDDEN_KEYS, action_by_id

__all__ = ["keymap_at", "keymap_text"]


def keymap_at(path: Path) -> dict[str, str]:
    """Action id to keys by commas. Raises SettingsUnusable with one clear line."""
    try:
        told = read_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsUnusable(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:  # no text, no TOML, odd numbers
        raise SettingsUnusable(f"{path} is not TOML: {error}") from None
    for action_id, keys in told.items():
        if action_by_id(action_id) is None:
            near = get_close_matches(action_id, [action.id for action in ACTIONS], n=1)
            perhaps = f": perhaps {near[0]}?" if near else ""
            raise SettingsUnusable(f"{path}: {action_id!r} is no action{perhaps}")
        if not isinstance(keys, str) or not keys.strip():
            raise SettingsUnusable(f'{path}: {action_id} needs keys, as in "f2,ctrl+k"')
        taken = {key.strip() for key in keys.split(",")} & FORBIDDEN_KEYS
        if taken:
            raise SettingsUnusable(f"{path}: {min(taken)} is the shell's, not ours")
    return told


def keymap_text(keymap: Mapping[str, str]) -> str:
    """All keys in force, as a file that can be changed and given back."""
    lines: list[str] = []
    for action in ACTIONS:
        keys = keymap.get(action.id, action.key)
        if keys:
            lines += [f"# {action.title}: {action.help}", f'"{action.id}" = "{keys}"']
    return "\n".join((*lines, ""))
