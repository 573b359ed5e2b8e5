"""Errors by NI's own numbers, worded in NI's style."""

from nidaqmx.error_codes import DAQmxErrors as Code

TEXTS: dict[int, str] = {
    Code.SAMPLES_NOT_YET_AVAILABLE: (
        "Some or all of the samples requested have not yet been acquired.\n\nTo wait for the "
        "samples to become available use a longer read timeout or read later in your program. "
        "If your task uses a start trigger, make sure that your start trigger is configured "
        "correctly."
    ),
    Code.SAMPLES_NO_LONGER_AVAILABLE: (
        "The application is not able to keep up with the hardware acquisition.\n\nIncreasing the "
        "buffer size, reading the data more frequently, or specifying a fixed number of samples "
        "to read instead of reading all available samples might correct the problem."
    ),
    Code.SAMPLES_WILL_NEVER_BE_AVAILABLE: (
        "You have requested samples that will never be available: the acquisition has completed "
        "or was not configured to acquire that many samples."
    ),
    Code.SAMPLES_CAN_NOT_YET_BE_WRITTEN: (
        "Some or all of the samples to write could not be written to the buffer yet. More space "
        "will free up as samples currently in the buffer are generated. Use a longer timeout, a "
        "larger buffer or write less often."
    ),
    Code.NO_MORE_SPACE: (
        "Some or all of the samples to write could not be written, because there is no more "
        "space in the buffer and the task is not running."
    ),
    Code.GEN_STOPPED_TO_PREVENT_REGEN_OF_OLD_SAMPLES: (
        "The generation has stopped to prevent the regeneration of old samples. Your application "
        "was unable to write samples to the background buffer fast enough to prevent old samples "
        "from being regenerated."
    ),
    Code.OUTPUT_BUFFER_EMPTY: (
        "Generation cannot be started, because the output buffer is empty.\n\nWrite data to the "
        "output buffer before starting a buffered generation."
    ),
    Code.OUTPUT_BUF_SIZE_TOO_SMALL_TO_START_GEN: (
        "Generation cannot be started because the selected buffer size is too small. Increase "
        "the buffer size."
    ),
    Code.WRITE_FAILS_BUFFER_SIZE_AUTO_CONFIGURED: (
        "Write failed, because there are no more free places in the output buffer, whose size "
        "was configured by the first write. Configure the output buffer size explicitly."
    ),
    Code.WAIT_UNTIL_DONE_DOES_NOT_INDICATE_DONE: (
        "Wait Until Done did not indicate that the task was done within the specified timeout.\n\n"
        "Increase the timeout, check the program, and make sure that triggers and external "
        "clocks arrive."
    ),
    Code.PAL_RESOURCE_RESERVED: (
        "The specified resource is reserved. The operation could not be completed as specified."
    ),
    Code.DIG_LINES_RESERVED_OR_UNAVAILABLE: (
        "Specified digital lines are reserved or unavailable. Check that another task does not "
        "use them."
    ),
    Code.PHYSICAL_CHAN_DOES_NOT_EXIST: (
        "Physical channel specified does not exist on this device.\n\nRefer to the documentation "
        "for channels available on this device."
    ),
    Code.INVALID_DEVICE_ID: "Device identifier is invalid.",
    Code.INVALID_TASK: "Task specified is invalid or does not exist.",
    Code.DUPLICATE_TASK: (
        "Task name specified conflicts with an existing task name.\n\nSpecify a different task "
        "name, or clear the existing task before creating a new one of the same name."
    ),
    Code.CHAN_ALREADY_IN_TASK: (
        "Specified channel cannot be added to the task, because a channel of the same name or "
        "terminal is already in the task."
    ),
    Code.INVALID_CHAN_NAME: "Specified channel name is not in the task or is invalid.",
    Code.MULTI_CHAN_TYPES_IN_TASK: (
        "Specified channel cannot be added to the task, because the channel type differs from "
        "that of the channels already in the task."
    ),
    Code.CAN_NOT_PERFORM_OP_WHEN_NO_CHANS_IN_TASK: (
        "Specified operation cannot be performed when there are no channels in the task."
    ),
    Code.CAN_NOT_PERFORM_OP_WHILE_TASK_RUNNING: (
        "Specified operation cannot be performed while the task is running."
    ),
    Code.CANNOT_SET_PROPERTY_WHEN_TASK_RUNNING: (
        "Specified property cannot be set while the task is running.\n\nSet the property prior "
        "to starting the task, or stop the task prior to setting the property."
    ),
    Code.INVALID_ATTRIBUTE_VALUE: (
        "Requested value is not a supported value for this property. The property value may be "
        "invalid because it conflicts with another property."
    ),
    Code.ATTRIBUTE_NOT_SUPPORTED_IN_TASK_CONTEXT: (
        "Specified property is not supported by the device or is not applicable to the task."
    ),
    Code.ATTR_NOT_SUPPORTED: "Specified property is not supported by the device.",
    Code.MIN_NOT_LESS_THAN_MAX: "Minimum is greater than or equal to the maximum.",
    Code.SAMP_RATE_TOO_HIGH: (
        "Specified sample rate is higher than the fastest rate supported by the device."
    ),
    Code.SAMPLE_RATE_NUM_CHANS_CONVERT_PERIOD_COMBO: (
        "Sample rate, number of channels and convert period are an invalid combination: the "
        "product of sample rate and number of channels exceeds the aggregate rate of the device."
    ),
    Code.INVALID_AO_DATA_WRITE: "Attempted writing analog data that is too large or too small.",
    Code.WRITE_NUM_CHANS_MISMATCH: (
        "Write cannot be performed, because the number of channels in the data does not match "
        "the number of channels in the task."
    ),
    Code.NUM_LINES_MISMATCH_IN_READ_OR_WRITE: (
        "Specified read or write operation failed, because the number of lines in the data for "
        "a channel does not match the number of lines in the channel."
    ),
    Code.READ_BUFFER_TOO_SMALL: (
        "Buffer is too small to fit read data. Make the array larger, or read less."
    ),
    Code.READ_NO_INPUT_CHANS_IN_TASK: (
        "Read cannot be performed, because there are no input channels of that kind in the task."
    ),
    Code.WRITE_NO_OUTPUT_CHANS_IN_TASK: (
        "Write cannot be performed, because there are no output channels of that kind in the task."
    ),
    Code.CANNOT_WRITE_WHEN_AUTO_START_FALSE_AND_TASK_NOT_RUNNING: (
        "Write cannot be performed when the auto start input to DAQmx Write is false, task is "
        "not running, and timing for the task is not configured or Timing Type is set to On "
        "Demand."
    ),
    Code.INVALID_ROUTING_SOURCE_TERMINAL_NAME_ROUTING: (
        "Specified route cannot be satisfied, because the source terminal could not be found on "
        "the device."
    ),
    Code.INVALID_TERM_ROUTING: (
        "Specified route cannot be satisfied, because a terminal in it is invalid on the device."
    ),
    Code.INVALID_ANALOG_TRIG_SRC: (
        "Source specified for the analog trigger is invalid. Use APFI0, APFI1 or the first "
        "analog input channel of the task."
    ),
    Code.TOO_MANY_CHANS_FOR_ANALOG_PAUSE_TRIG: (
        "Analog pause trigger on an analog input channel needs a task with that channel only."
    ),
    Code.TRIG_WHEN_ON_DEMAND_SAMP_TIMING: (
        "Trigger requested cannot be used when sample timing is on demand."
    ),
    Code.UNSUPPORTED_SIGNAL_TYPE_EXPORT_SIGNAL: (
        "Specified signal cannot be exported by this task on this device."
    ),
    Code.DONE_EVENT_ALREADY_REGISTERED: (
        "Done event is already registered. Unregister it before registering it again."
    ),
    Code.EVERY_N_SAMPS_ACQ_INTO_BUFFER_EVENT_ALREADY_REGISTERED: (
        "Every N Samples Acquired Into Buffer event is already registered."
    ),
    Code.EVERY_N_SAMPS_TRANSFERRED_FROM_BUFFER_EVENT_ALREADY_REGISTERED: (
        "Every N Samples Transferred From Buffer event is already registered."
    ),
    Code.CANNOT_REGISTER_DA_QMX_SOFTWARE_EVENT_WHILE_TASK_IS_RUNNING: (
        "DAQmx software event cannot be registered or unregistered while the task is running."
    ),
    Code.INVALID_GLOBAL_CHAN: "Specified global channel does not exist on this system.",
    Code.OPERATION_ABORTED: "Operation was aborted: the task was stopped or cleared.",
}


class CardError(Exception):
    """A failure as NI's driver reports it: a negative code, a text, counts where they apply."""

    def __init__(
        self, code: int, *details: str, read: int | None = None, written: int | None = None
    ) -> None:
        text = "\n".join((error_text(code), *(["", *details] if details else [])))
        super().__init__(f"{text}\n\nStatus Code: {int(code)}")
        self.code = int(code)
        self.read = read
        """Samples per channel read before the failure, for read calls."""
        self.written = written
        """Samples per channel written before the failure, for write calls."""


def error_text(code: int) -> str:
    """The description of a code; for a code this card never raises, its name."""
    if text := TEXTS.get(code):
        return text
    if code == Code.UNKNOWN:
        return ""
    try:
        return Code(code).name.replace("_", " ").capitalize() + "."
    except ValueError:
        return ""
