"""The command palette's one provider: the registry's actions that can be done now.

Promises: entries are named "Area: verb"; an action that is not allowed here is not offered;
what has no key is offered too. Called by Textual's palette (ctrl+p).
"""

from collections.abc import Callable, Coroutine, Iterator
from functools import partial

from textual.app import App
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.markup import escape

from tui.actions import ACTIONS, Action, Scope, key_text
from tui.bindings import live_actions

__all__ = ["RegistryCommands"]


class RegistryCommands(Provider):
    """Offers the registry."""

    async def discover(self) -> Hits:
        for action, help_text in self._offered():
            yield DiscoveryHit(action.title, self._runner(action), help=help_text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, help_text in self._offered():
            score = matcher.match(action.title)
            if score > 0:
                yield Hit(
                    score, matcher.highlight(action.title), self._runner(action), help=help_text
                )

    def _offered(self) -> Iterator[tuple[Action, str]]:
        live = {action.id: keys for action, keys in live_actions(self.screen.active_bindings)}
        for action in sorted(ACTIONS, key=lambda action: action.title):
            keys = live.get(action.id, ())
            if keys:
                named = " ".join(key_text(key) for key in keys)
                yield action, escape(f"{named}  {action.help}")
            elif not action.key and self._possible(action):
                yield action, escape(action.help)

    def _possible(self, action: Action) -> bool:
        """Whether an action without a key can be done on the screen below."""
        if action.scope is Scope.APP:
            return True
        name = action.command.removeprefix("screen.")
        there = hasattr(self.screen, f"action_{name}")
        return there and bool(self.screen.check_action(name, ()))

    def _runner(self, action: Action) -> Callable[[], Coroutine[object, object, bool]]:
        app: App[object] = self.app
        return partial(
            app.run_action, action.command, default_namespace=self.focused or self.screen
        )
