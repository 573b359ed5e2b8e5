"""Reads the arguments of a command from its words."""

import re
from collections.abc import Mapping
from typing import NoReturn

from simulators.instruments.methodscript.errors import Code, ScriptError
from simulators.instruments.methodscript.program import Operand, Ref, Text
from simulators.instruments.methodscript.tokens import Token
from simulators.instruments.methodscript.values import VARTYPES, Value, literal

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
LONGEST_NAME = 32

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ELEMENT = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")
_BRACES = re.compile(r"\{([^{}]*)\}")


class Scope:
    """The names a script has declared so far. arrays: whether each is an array."""

    def __init__(self, line: int, arrays: Mapping[str, bool]) -> None:
        self.line = line
        self.arrays = arrays

    def read(self, word: str, token: Token) -> Operand:
        """The operand that a word of a signature asks for."""
        text = token.text
        if word == "str":
            return self._text(token)
        if token.is_text:
            self._fail(Code.IS_STRING, token)
        if word == "new":
            return self._new(token)
        if word == "type":
            return text if text in VARTYPES else self._fail(Code.VARTYPE_INVALID, token)
        if word == "cmp":
            return text if text in COMPARISONS else self._fail(Code.UNEXPECTED_CHARACTER, token)
        if word == "arr":
            return self._array(token)
        operand = self._number(text, token)
        if word == "out" and isinstance(operand, Value):
            self._fail(Code.IS_LITERAL, token)
        return operand

    def _number(self, text: str, token: Token) -> Value | Ref:
        if "[" in text or "]" in text:
            return self._element(text, token)
        if text[:1].isalpha():
            if self._known(text, token):
                self._fail(Code.IS_ARRAY, token)
            return Ref(text)
        try:
            return literal(text)
        except ValueError:
            return self._fail(Code.BAD_LITERAL, token)

    def _element(self, text: str, token: Token) -> Ref:
        match = _ELEMENT.fullmatch(text)
        if match is None or not match[2]:
            self._fail(Code.BAD_ELEMENT, token)
        if not self._known(match[1], token):
            self._fail(Code.IS_VAR, token)
        return Ref(match[1], self._number(match[2], token))

    def _known(self, name: str, token: Token) -> bool:
        """Whether `name`, which must be declared, is an array."""
        if name not in self.arrays:
            self._fail(Code.NOT_DECLARED, token)
        return self.arrays[name]

    def _array(self, token: Token) -> Ref:
        if not token.text[:1].isalpha():
            self._fail(Code.IS_LITERAL, token)
        if not self._known(token.text, token):
            self._fail(Code.IS_VAR, token)
        return Ref(token.text)

    def _new(self, token: Token) -> str:
        name = token.text
        if _NAME.fullmatch(name) is None:
            self._fail(Code.BAD_NAME, token)
        if len(name) > LONGEST_NAME:
            self._fail(Code.NAME_TOO_LONG, token)
        if name in self.arrays:
            self._fail(Code.EXISTS, token)
        return name

    def _text(self, token: Token) -> Text:
        if not token.is_text:
            self._fail(Code.UNEXPECTED_CHARACTER, token)
        if not token.text.startswith("f"):
            return Text((token.text[1:-1],))
        inner = token.text[2:-1]
        outside = _BRACES.sub("", inner)
        if "{" in outside:
            self._fail(Code.UNCLOSED_BRACE, token)
        if "}" in outside:
            self._fail(Code.BAD_FSTRING, token)
        parts = _BRACES.split(inner)
        return Text(tuple(
            self._braced(part, token) if place % 2 else part for place, part in enumerate(parts)
        ))  # fmt: skip

    def _braced(self, text: str, token: Token) -> Ref:
        operand = self._number(text.strip(), token)
        return operand if isinstance(operand, Ref) else self._fail(Code.BAD_FSTRING, token)

    def _fail(self, code: Code, token: Token) -> NoReturn:
        raise ScriptError(code, self.line, token.after)
