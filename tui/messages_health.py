"""What the reading task tells the health screen. Called by it."""

from textual.message import Message

from kcjl.readmodels_health import HealthReading

__all__ = ["HealthRead"]


class HealthRead(Message):
    """The service's health has come."""

    def __init__(self, reading: HealthReading) -> None:
        super().__init__()
        self.reading = reading
