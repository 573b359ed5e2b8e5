"""Error numbers of the instruments and how they travel inside the virtual one."""

from enum import IntEnum


class Code(IntEnum):
    """What PalmSens calls them, abridged; the numbers are theirs."""

    VARTYPE_INVALID = 0x0002
    UNKNOWN_COMMAND = 0x0003
    REGISTER_UNKNOWN = 0x0004
    REGISTER_READ_ONLY = 0x0005
    MODE_INVALID = 0x0006
    ARGUMENT_VALUE = 0x0007
    LINE_TOO_LONG = 0x0008
    OUT_OF_MEMORY = 0x000B
    NO_SCRIPT = 0x000C
    POTENTIAL_INVALID = 0x000F
    NOT_A_NUMBER = 0x0010
    FREQUENCY_INVALID = 0x0011
    AMPLITUDE_INVALID = 0x0012
    OCP_WITH_CELL_ON = 0x0014
    NOT_SUPPORTED = 0x001B
    STEP_BELOW_LSB = 0x001C
    PULSE_BELOW_LSB = 0x001D
    AMPLITUDE_BELOW_LSB = 0x001E
    PGSTAT_MODE_UNKNOWN = 0x0021
    WRONG_PGSTAT_MODE = 0x0023
    PAD_MODE_UNKNOWN = 0x0025
    DIVIDED_BY_ZERO = 0x0028
    GPIO_MODE_UNKNOWN = 0x0029
    CHANNEL_NOT_AVAILABLE = 0x002F
    CELL_OVERLOAD = 0x0032
    ARGUMENT_TOO_SHORT = 0x004B
    ARGUMENT_FORMAT = 0x004C
    REGISTER_LENGTH = 0x0053
    GPIO_PIN = 0x0055
    TIMING = 0x005A
    NOT_HEXADECIMAL = 0x006D
    NO_RANGES = 0x0084
    UNKNOWN_SCRIPT_COMMAND = 0x4001
    UNEXPECTED_CHARACTER = 0x4004
    SCRIPT_TOO_LARGE = 0x4005
    OPTION_INVALID = 0x4008
    NESTED_LOOP = 0x400B
    SCOPE_TOO_DEEP = 0x400D
    SCOPE = 0x400E
    INDEX_OUT_OF_BOUNDS = 0x400F
    ARRAY_SIZES_DIFFER = 0x4017
    UNEXPECTED_END = 0x4018
    NOT_IN_LOOP = 0x401A
    PACKAGE_SEQUENCE = 0x401B
    PACKAGE_FULL = 0x401C
    EXISTS = 0x4026
    NEEDS_CELL_ON = 0x4027
    NEEDS_CELL_OFF = 0x4028
    NO_STEP = 0x4029
    BAD_NAME = 0x402B
    NAME_TOO_LONG = 0x402C
    SET_E_IN_LOOP = 0x4032
    SET_I_IN_LOOP = 0x4033
    OVERFLOW = 0x4037
    BAD_ELEMENT = 0x4038
    BAD_LITERAL = 0x4039
    OUTPUT_MODE = 0x403C
    BAD_FSTRING = 0x4040
    COMPARISON = 0x4041
    NEGATIVE = 0x4200
    ZERO = 0x4202
    NOT_POSITIVE = 0x4204
    OUT_OF_BOUNDS = 0x4205
    NOT_ON_INSTRUMENT = 0x4206
    WRONG_NUMBER_TYPE = 0x4207
    ADDITIONAL_ARGUMENT = 0x420A
    NOT_DECLARED = 0x420B
    IS_VAR = 0x420C
    IS_LITERAL = 0x420D
    IS_ARRAY = 0x420E
    ARRAY_TOO_SMALL = 0x420F
    UNCLOSED_BRACE = 0x4210
    IS_STRING = 0x4213
    FATAL = 0x7FFF


class ScriptError(Exception):
    """A script that cannot be loaded, or a command of it that failed.

    line and column count from 1; the column is the one after what was wrong. 0 is unknown.
    """

    def __init__(self, code: int, line: int = 0, column: int = 0) -> None:
        super().__init__(f"{code:04X}")
        self.code = code
        self.line = line
        self.column = column

    @property
    def reply(self) -> str:
        """As it goes over the wire, without what comes before the exclamation mark."""
        where = f": Line {self.line}" if self.line else ""
        where += f", Col {self.column}" if self.line and self.column else ""
        return f"!{self.code:04X}{where}"


class Refused(Exception):
    """A command of the communication layer that is answered with an error."""

    def __init__(self, code: Code) -> None:
        super().__init__(f"{code:04X}")
        self.code = code


class Aborted(Exception):
    """The script was told to stop; it goes on at `on_finished:`."""


class LoopAborted(Exception):
    """The running measurement loop was told to stop; the script goes on after it."""


class Killed(Exception):
    """The instrument lost its power: nothing more is run."""
