"""Serves a card over NI's gRPC protocol."""

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import grpc
from nidaqmx._stubs.nidaqmx_pb2_grpc import add_NiDAQmxServicer_to_server

from simulators.instruments.nidaqmx.card import Card
from simulators.instruments.nidaqmx.service import Service

WORKERS = 16
"""Calls and event streams under way at once."""


class Server:
    """A gRPC server for one card; a context manager that leaves no thread behind."""

    def __init__(self, card: Card, host: str = "127.0.0.1", port: int = 0) -> None:
        self.card = card
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="card server")
        self._server = grpc.server(
            self._pool,
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),
            ],
        )
        self.service = Service(card)  # pyright: ignore[reportAbstractUsage]
        add_NiDAQmxServicer_to_server(self.service, self._server)
        self.port = self._server.add_insecure_port(f"{host}:{port}")
        self.address = f"{host}:{self.port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.card.close()
        self._server.stop(grace=0).wait()
        self._pool.shutdown(wait=True)
