"""The status registers of IEEE 488.2."""

OPERATION_COMPLETE = 0x01
POWER_ON = 0x80

_EVENT_AVAILABLE = 0x04
_STANDARD_EVENT = 0x20
_REQUEST = 0x40


class Status:
    """Standard event register, its mask, and the status byte made of them."""

    def __init__(self) -> None:
        self.events = POWER_ON
        self.event_mask = 0
        self.request_mask = 0

    def event(self, bit: int) -> None:
        """Set bits of the standard event register."""
        self.events |= bit

    def take_events(self) -> int:
        """Read the standard event register, which clears it."""
        events, self.events = self.events, 0
        return events

    def byte(self, logged: bool) -> int:
        """The status byte. logged: whether the event log has entries."""
        byte = _EVENT_AVAILABLE if logged else 0
        if self.events & self.event_mask:
            byte |= _STANDARD_EVENT
        return byte | _REQUEST if byte & self.request_mask else byte
