"""Mnemonics: `VOLTage` may be sent as VOLTAGE or VOLT, in any case."""

import re


def short(mnemonic: str) -> str:
    """The short form: the part in capitals."""
    found = re.match(r"[^a-z]+", mnemonic)
    return found[0] if found else mnemonic.upper()


def is_form_of(text: str, mnemonic: str) -> bool:
    """Whether `text` is the long or the short form."""
    return text.upper() in (mnemonic.upper(), short(mnemonic))
