"""The RS-485 port of the meter: it answers the requests that come in, and passes over all else (AM-1, AM-2, AM-5).

It is served as a soft callback, and so between two measuring cycles and never within one: all values of an answer are
of one committed state. Serving takes no heap.
"""

from openkh.drivers.rs485 import RECEIVE_BYTES, Rs485
from openkh.remote.reading import Reading
from openkh.remote.registers import Registers
from openkh.remote.settings import PARITIES
from openkh.remote.slave import Slave, new_buffer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import Pin

    from openkh.meter import Meter
    from openkh.remote.registers import Intervals
    from openkh.remote.settings import Settings
    from openkh.storage.vault import Vault


class Port:
    """`settings` are those in force; `vault` is where they are stored, None where the memory has no room for them;
    `served` counts the bursts that came in.

    `number`, `tx`, `rx`: the UART and its pins; `driver_enable`: the transceiver's, None where it switches by itself.
    """

    def __init__(
        self,
        meter: "Meter",
        intervals: "Intervals | None",
        settings: "Settings",
        vault: "Vault | None",
        number: int,
        tx: "Pin",
        rx: "Pin",
        driver_enable: "Pin | None",
    ) -> None:
        self.reading = Reading(meter)
        buf = new_buffer()
        self.slave = Slave(Registers(self.reading, intervals, buf), buf, settings.unit)
        self.vault = vault
        self._request = bytearray(RECEIVE_BYTES)
        self.served = 0
        self._on_burst = self._serve
        self.link = Rs485(number, tx, rx, driver_enable, self._on_burst)
        self.settings = settings

    def open(self) -> None:
        """Listen from now on, with `settings`. May take heap."""
        settings = self.settings
        self.slave.unit = settings.unit
        self.reading.unit = settings.unit
        self.link.open(settings.baud, PARITIES[settings.parity])

    def _serve(self, _arg: object) -> None:
        """A burst has come in: answer it if it is a request to this unit."""
        self.served += 1
        request = self._request
        count = self.link.take(request)
        slave = self.slave
        if count and slave.answer(request, count):
            self.link.send(slave.buf, slave.first, slave.length)
