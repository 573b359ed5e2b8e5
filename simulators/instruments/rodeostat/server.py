"""Serves a Rodeostat over TCP and a pseudo-terminal."""

from simulators.cellport import CellPort
from simulators.instruments.linked import LinkConfig, LinkedServer
from simulators.instruments.rodeostat.device import Device


class Server(LinkedServer):
    """A Rodeostat on its link."""

    def __init__(self, port: CellPort, config: LinkConfig) -> None:
        self.device = Device(port)
        super().__init__(self.device, config, lambda data: data.startswith(b'{"t":'))


def serve(port: CellPort, config: LinkConfig) -> Server:
    """Serve an instrument on `port` while the context lasts."""
    return Server(port, config)
