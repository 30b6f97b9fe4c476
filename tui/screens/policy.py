"""Policy (9): rules and maps by kind, since when they hold and by whom, and their versions.

Promises: the source's order is kept. What was said of the one that is open is read again when
its row has changed; what a proposal would change is worked out when it is asked for, not
before. Called by the app.
"""

from collections.abc import Sequence
from datetime import datetime

from textual.message import Message

from kcjl.readmodels_policy import PolicyCut, PolicyKind, PolicyRow, PolicyStory, WhatIf
from tui.actions import Scope
from tui.bindings import bindings
from tui.messages import PoliciesRead, PolicyRead, ReadWanted, WhatIfRead
from tui.model.policy import (
    POLICY_FIELDS,
    matching_policies,
    policies_title,
    policy_columns,
    policy_detail,
    policy_key,
    policy_row,
)
from tui.model.policy_proposals import approve_proposal, set_proposal, unmap_proposal
from tui.model.proposal import Proposal
from tui.model.shapes import Column, DetailView, Row
from tui.model.stock_proposals import buffer_proposal
from tui.screens.base import Read, read_overview
from tui.screens.listing import NO_ROW, ListScreen
from tui.source import Source
from tui.state import MonitorState

__all__ = ["PolicyScreen"]


class PolicyScreen(ListScreen[PolicyRow], inherit_bindings=False):
    BINDINGS = bindings(Scope.LISTS, Scope.POLICY)
    place = "policy"
    pane = "policy"
    tells = True

    def __init__(self, state: MonitorState) -> None:
        super().__init__(state, POLICY_FIELDS)
        self.cut: PolicyCut | None = None
        self.story: PolicyStory | None = None
        self.what_if: WhatIf | None = None
        self._told_of: PolicyRow | None = None
        """The row as it was when its story was read."""
        self._asked_version = 0
        """The proposal whose changes are to be worked out; 0: none."""

    def columns(self) -> Sequence[Column]:
        return policy_columns(self.state.zone, self.state.now())

    def key_of(self, item: PolicyRow) -> str:
        return policy_key(item)

    def row_of(self, item: PolicyRow) -> Row:
        return policy_row(item, self.state.now(), self.state.zone)

    def detail_of(self, item: PolicyRow) -> DetailView:
        story = self.story if self.story and self.story.key == item.key else None
        return policy_detail(item, story, self.what_if, self.state.now(), self.state.zone)

    def items(self) -> Sequence[PolicyRow]:
        return () if self.cut is None else self.cut.rows

    def matching(self) -> Sequence[PolicyRow]:
        return matching_policies(self.cut, self.wanted, self.state.now())

    def read_at(self) -> datetime | None:
        return None if self.cut is None else self.cut.fresh.now

    def list_title(self, matching: int | None) -> str:
        return policies_title(self.cut, matching)

    def nothing_text(self) -> str:
        return "No policy is known yet: the service opens the first ones when it begins."

    def forget(self) -> None:
        self.cut = self.story = self.what_if = self._told_of = None
        self._asked_version = 0

    # ── reading ────────────────────────────────────────────────────────────────────────────

    def reads(self) -> Sequence[Read]:
        wanted: list[Read] = []
        if self._asked_version:
            wanted.append(self._read_what_if)
        if self.opened is not None and self.opened != self._told_of:
            wanted.append(self._read_story)
        return (*wanted, _read_policies, read_overview)

    async def _read_story(self, source: Source) -> Message:
        opened = self.opened
        return PolicyRead(await source.policy.versions("" if opened is None else opened.key))

    async def _read_what_if(self, source: Source) -> Message:
        return WhatIfRead(await source.policy.what_if(self._asked_version))

    def on_policies_read(self, message: PoliciesRead) -> None:
        self.cut = message.cut
        self.refresh_view()

    def on_policy_read(self, message: PolicyRead) -> None:
        if self.opened is not None and self.opened.key == message.story.key:
            self.story, self._told_of = message.story, self.opened
        self.show_detail()

    def on_what_if_read(self, message: WhatIfRead) -> None:
        self._asked_version, self.what_if = 0, message.what_if
        if message.what_if is None:
            self.propose("it is proposed no more")
        self.show_detail()

    # ── actions ────────────────────────────────────────────────────────────────────────────

    def action_what_if(self) -> None:
        proposed = [row for row in self.items() if row.state == "proposed"]
        if not proposed:
            self.propose("no policy is proposed")
            return
        self._asked_version = proposed[0].version
        self.opened = proposed[0]
        self.add_class("-detail")
        self.refresh_view()
        self.post_message(ReadWanted())

    def action_policy(self, name: str) -> None:
        """Of the row under the cursor: policy is set one by one."""
        row = self.table.cursor_item
        self.propose(NO_ROW if row is None else self._proposal(name, row))

    def _proposal(self, name: str, row: PolicyRow) -> Proposal | str:
        match name:
            case "approve":
                return approve_proposal(row, self.what_if)
            case "set":
                return set_proposal(row)
            case "unmap":
                return unmap_proposal(row)
            case _:
                stock = (
                    each.version
                    for each in self.items()
                    if each.kind is PolicyKind.STOCK and each.state == "in force"
                )
                return buffer_proposal(next(stock, 0))


async def _read_policies(source: Source) -> Message:
    return PoliciesRead(await source.policy.policies())
