"""What can go wrong at an instrument, told with the instrument, the command and the remedy."""


class SicmError(Exception):
    """Base of every error that the program raises on purpose."""


class InstrumentError(SicmError):
    """An instrument did not do what it was asked.

    instrument: which one, as the operator knows it, e.g. `nidaqmx Dev1`.
    command: what was asked of it.
    problem: what happened instead.
    remedy: what the operator can do about it.
    """

    def __init__(self, instrument: str, command: str, problem: str, remedy: str = "") -> None:
        self.instrument = instrument
        self.command = command
        self.problem = problem
        self.remedy = remedy
        text = f"{instrument}: {command}: {problem}"
        super().__init__(f"{text} ({remedy})" if remedy else text)


class NotConnected(InstrumentError):
    """The instrument cannot be reached, or the link to it was lost."""


class NotSupported(InstrumentError):
    """The instrument lacks the capability that was asked for."""


class NoAnswer(InstrumentError):
    """The instrument did not answer within its time."""


class StreamOverflow(InstrumentError):
    """Samples were lost: the host did not read them in time, so the timeline is broken."""


class UnexpectedState(InstrumentError):
    """The instrument is in a state in which the command makes no sense."""


class LimitExceeded(InstrumentError):
    """A request lies outside what the rig allows; nothing was moved or applied."""
