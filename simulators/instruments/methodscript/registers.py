"""The instrument's registers, of which it keeps a few."""

from simulators.instruments.methodscript.errors import Code, Refused

PERMISSION, SERIAL = 0x02, 0x06


class Registers:
    """Hexadecimal values by number: most are only kept, none of them does anything."""

    def __init__(self, serial: str) -> None:
        self._values = {
            0x01: "00000000",  # peripheral configuration
            PERMISSION: "00000000",
            0x04: "0001",  # licences
            SERIAL: serial.encode().hex().upper(),
            0x08: "00",  # autorun
            0x09: "00",  # advanced options
        }

    def read(self, argument: str) -> str:
        """Of `G06`, the part after the G."""
        return self._values[self._number(argument, 2)]

    def write(self, argument: str) -> None:
        """Of `S0801`, the part after the S."""
        number = self._number(argument[:2], 2)
        text = argument[2:].strip()
        if number == SERIAL:
            raise Refused(Code.REGISTER_READ_ONLY)
        if not _hexadecimal(text):
            raise Refused(Code.NOT_HEXADECIMAL if text else Code.ARGUMENT_TOO_SHORT)
        if len(text) != len(self._values[number]):
            raise Refused(Code.REGISTER_LENGTH)
        self._values[number] = text.upper()

    def _number(self, text: str, digits: int) -> int:
        text = text.strip()
        if len(text) != digits:
            raise Refused(Code.ARGUMENT_FORMAT)
        if not _hexadecimal(text):
            raise Refused(Code.NOT_HEXADECIMAL)
        if int(text, 16) not in self._values:
            raise Refused(Code.REGISTER_UNKNOWN)
        return int(text, 16)


def _hexadecimal(text: str) -> bool:
    return bool(text) and all(c in "0123456789abcdefABCDEF" for c in text)
