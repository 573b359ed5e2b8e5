"""What the firmware says when it refuses."""


class Refused(Exception):
    """A command that failed; the message goes to the client."""
