"""What the operator has done: a proposal is shown, and what is confirmed goes out.

Promises: nothing goes out that was not confirmed in words; commands go one after the other, and
the first «no» ends them, with how many were done before it; each outcome is shown, and kept in
the messages. A service that does not answer is said so: the command waits in its queue.
Called by the app, for the screens.
"""

from collections.abc import Sequence
from functools import partial

import msgspec
from textual.app import App
from textual.worker import Worker

from kcjl.command import Command
from kcjl.errors import KcjlError
from tui.messages import ReadWanted
from tui.model.proposal import Proposal
from tui.model.spoken import spoken
from tui.screens.confirm import ConfirmScreen
from tui.screens.dialogs import DialogScreen
from tui.state import MonitorState

__all__ = ["SAY_S", "Hand"]

SAY_S = 6.0
"""How long a message stands on the screen; it is kept in the list of messages."""


class Hand:
    """Has things done under the operator's name."""

    def __init__(self, app: App[None], state: MonitorState) -> None:
        self._app = app
        self._state = state
        self._under_way = 0
        self._doing: Worker[None] | None = None

    @property
    def busy(self) -> bool:
        """Something was sent that is not answered yet."""
        return self._under_way > 0

    def say(self, text: str, *, failed: bool = False) -> None:
        self._state.say(text, failed=failed)
        self._app.notify(
            text,
            severity="error" if failed else "information",
            timeout=SAY_S,
            markup=False,
        )

    def propose(self, proposal: Proposal | str) -> None:
        """Show it, and what is confirmed is done; or say why it can't be."""
        if isinstance(proposal, str):
            self.say(proposal, failed=True)
        elif not self._state.may_act:
            past = self._state.past is not None
            self.say(
                "the past can't be changed: esc goes back to live"
                if past
                else "you may look and not act: ask for the operator's role",
                failed=True,
            )
        else:
            self._app.push_screen(
                ConfirmScreen(proposal, self._state), partial(self._confirmed, proposal)
            )

    def _confirmed(self, proposal: Proposal, commands: Sequence[Command] | None) -> None:
        if commands:
            self._doing = self._app.run_worker(
                partial(self._do, proposal, tuple(commands)),
                group="do",
                exit_on_error=False,
            )

    async def _do(self, proposal: Proposal, commands: Sequence[Command]) -> None:
        self._under_way += 1
        try:
            await self._send(proposal, commands)
        finally:
            self._under_way -= 1
        self._app.screen.post_message(ReadWanted())

    async def _send(self, proposal: Proposal, commands: Sequence[Command]) -> None:
        title = proposal.title
        answers: list[str] = []
        for command in commands:
            try:
                outcome = await self._state.live.do(command)
            except KcjlError as error:
                said, fine = error.message, False
            except Exception as error:  # noqa: BLE001 - outermost: shown, lives on
                said, fine = f"{type(error).__name__}: {error}", False
            else:
                said, fine = outcome.message, outcome.ok
            if not fine:
                done = f" ({len(answers)} of {len(commands)} were done)" if answers else ""
                self.say(f"{title}: {said}{done}", failed=True)
                break
            answers.append(said)
        else:
            self._answered(proposal, commands, answers)

    def _answered(
        self, proposal: Proposal, sent: Sequence[Command], answers: Sequence[str]
    ) -> None:
        """Say what came of it; of a preview, propose what it shows."""
        try:
            follows = proposal.follows(sent, answers)
        except (KcjlError, msgspec.MsgspecError) as error:
            self.say(f"{proposal.title}: the answer can't be read: {error}", failed=True)
            return
        if isinstance(follows, Proposal):
            self.propose(follows)
        elif follows is not None:
            self._app.push_screen(DialogScreen(follows))
        else:
            told = list(dict.fromkeys(map(spoken, answers)))
            more = f" and {len(told) - 1} more" if len(told) > 1 else ""
            self.say(f"{proposal.title}: {told[0]}{more}" if told else proposal.title)
