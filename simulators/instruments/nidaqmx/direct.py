"""Calls a card's service in the same process, as a `grpc.Channel` would over the network.

The same requests reach the same service and the same answers and errors come back. Only events,
which are streams, need the network.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import grpc

from simulators.instruments.nidaqmx.service import Service

_NEARER = {"ReadAnalogF64": "read_doubles"}
"""What gives the same answer without making a message of it."""

Pairs = Sequence[tuple[str, str]]


class _Pair:
    """An entry of metadata as clients read it."""

    def __init__(self, key: str, value: str) -> None:
        self.key, self.value = key, value


class DirectError(grpc.RpcError):
    """A call that the service refused."""

    def __init__(self, code: grpc.StatusCode, details: str, trailing: Pairs = ()) -> None:
        super().__init__(details)
        self._code, self._details = code, details
        self._trailing = tuple(_Pair(key, value) for key, value in trailing)

    def code(self) -> grpc.StatusCode:
        """Status of the call."""
        return self._code

    def details(self) -> str:
        """What was wrong."""
        return self._details

    def trailing_metadata(self) -> tuple[_Pair, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """NI's code and counts."""
        return self._trailing


class _Context:
    """What a service may want of one call."""

    def __init__(self) -> None:
        self._trailing: Pairs = ()

    def set_code(self, code: grpc.StatusCode) -> None:
        """How a servicer says that it has no such call, before it raises."""

    def set_details(self, details: str) -> None:
        """The same, in words."""

    def set_trailing_metadata(self, trailing: Pairs) -> None:
        self._trailing = trailing

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise DirectError(code, details, self._trailing)

    def is_active(self) -> bool:
        return True


class DirectChannel:
    """A channel to a service in this process."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def unary_unary(self, method: str, *_: Any, **__: Any) -> Callable[..., Any]:
        """Return what calls a method, named as on the wire."""
        name = method.rpartition("/")[2]
        handle = getattr(self._service, _NEARER.get(name, name))

        def call(request: Any, timeout: float | None = None, metadata: Any = None) -> Any:
            try:
                return handle(request, _Context())
            except NotImplementedError as error:
                raise DirectError(grpc.StatusCode.UNIMPLEMENTED, str(error)) from None

        return call

    def unary_stream(self, method: str, *_: Any, **__: Any) -> Callable[..., NoReturn]:
        """Return what refuses: there are no streams without a network."""

        def call(request: Any, timeout: float | None = None, metadata: Any = None) -> NoReturn:
            raise DirectError(grpc.StatusCode.UNIMPLEMENTED, f"{method}: no events without network")

        return call

    def close(self) -> None:
        """Nothing is held."""
