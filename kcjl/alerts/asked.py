"""What people can ask of the alerts, by verb. Called by `rooms.py`."""

from collections.abc import Mapping

import msgspec

from kcjl.alerts.actor import Alerts
from kcjl.commands import Handler
from kcjl.errors import Refused

__all__ = ["alert_words"]


def alert_words(alerts: Alerts | None) -> Mapping[str, Handler]:
    """The handlers, by verb. Without channels the answer says how to set one."""

    async def digest(arguments: Mapping[str, str], by: str) -> str:
        if alerts is None:
            raise Refused(
                "nobody is to be told anything: name owners under [merchants.NAME.alerts] of "
                "the configuration, and start the service again"
            )
        await alerts.catch_up()
        owner = arguments.get("owner", "")
        if arguments.get("preview", "") == "yes":
            return msgspec.json.encode(alerts.preview_digest(owner)).decode()
        return await alerts.send_digest(owner, by=by)

    return {"alerts-digest": digest}
