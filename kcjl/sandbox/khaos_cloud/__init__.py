"""The sandbox's Cloud ERP: a channel over the same warehouse, and the calls that it makes.

Import from here, not from the rooms. Called by the world, the sandbox's server and by checks.
"""

from kcjl.sandbox.khaos_cloud.channel import CHANNEL_HOOKS, Channel, ChannelView
from kcjl.sandbox.khaos_cloud.driver import SIDE, CloudDriver
from kcjl.sandbox.khaos_cloud.order_desk import ChannelError, TakenOrder
from kcjl.sandbox.khaos_cloud.settings import ChannelSettings, CloudAccess

__all__ = [
    "CHANNEL_HOOKS",
    "SIDE",
    "Channel",
    "ChannelError",
    "ChannelSettings",
    "ChannelView",
    "CloudAccess",
    "CloudDriver",
    "TakenOrder",
]
