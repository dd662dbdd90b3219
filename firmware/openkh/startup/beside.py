"""What works beside the measuring cycle: interval data, thermometer, display, port. Metering need not wait for their
modules, so they are loaded and built once the cycle runs, which goes on meanwhile.
"""

import gc

import board
from machine import Pin

from openkh import REVISION, bound
from openkh.drivers import i2c_bus
from openkh.metrology.thermometer import Thermometer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.meter import Meter
    from openkh.remote.port import Port
    from openkh.remote.settings import Settings
    from openkh.storage.vault import Vault


def start(meter: "Meter", port: "tuple[Settings, Vault | None] | None") -> None:
    """The display first, which somebody waits for. `port`: the settings of the RS-485 port and the vault with them;
    None where the board has none (AM-1)."""
    _show(meter)
    gc.collect()  # modules stay in the heap for good, so no garbage must lie between them
    bound.now()
    gc.collect()
    _record(meter)
    gc.collect()
    meter.thermometer = Thermometer(meter.log)
    read = _temperature()
    if read is not None:
        meter.tasks.start_thermometer(read, meter.thermometer, meter.corrected)
    gc.collect()
    if port is not None:
        meter.port = _port(meter, *port)
        meter.port.open()
        _image(meter.port)


def _record(meter: "Meter") -> None:
    """The recorder of interval data, where there is memory for it (AM-6)."""
    if meter.memory.intervals is None:
        return
    from openkh.metrology.intervals import Intervals

    journal = meter.journal
    meter.intervals = Intervals(
        meter.memory.intervals, journal.identity, meter.model, journal.found, meter.resuming.continued
    )
    meter.cycle.record(meter.intervals)


def _show(meter: "Meter") -> None:
    from openkh.display.display import Display
    from openkh.display.glass import Glass
    from openkh.display.screens import STEP_MS, Screens

    identity = meter.factory.identity
    screens = Screens(meter.model, identity.date, identity.serial, REVISION, not meter.resuming.continued)
    meter.tasks.start_display(Display(_controller(), screens, Glass(board.GLASS), meter.status, meter.log), STEP_MS)


def _controller():  # type: ignore[no-untyped-def]
    """The driver of the display controller that the board names; None where it has none (LC-6)."""
    if board.DISPLAY == "pcf85176":
        from openkh.drivers.pcf85176 import Pcf85176

        return Pcf85176(i2c_bus.opened(board.I2C_DISPLAY, board.I2C_DISPLAY_HZ), board.PCF85176_ADDRESS)
    if board.DISPLAY == "ht1621":
        from openkh.drivers.ht1621 import Ht1621

        cs, wr, data = board.HT1621_PINS
        return Ht1621(Pin(cs, Pin.OUT, value=1), Pin(wr, Pin.OUT, value=1), Pin(data, Pin.OUT, value=1))
    return None


def _temperature():  # type: ignore[no-untyped-def]
    """The function that reads the temperature sensor which the board names; None where it has none."""
    if board.TEMPERATURE == "rp2040":
        from openkh.drivers.core_temperature import CoreTemperature

        return CoreTemperature().read
    if board.TEMPERATURE[0] == "tmp117":
        from openkh.drivers import tmp117

        return tmp117.Tmp117(i2c_bus.opened(board.TEMPERATURE[1], tmp117.HZ), board.TEMPERATURE[2]).read
    return None


def _port(meter: "Meter", settings: "Settings", store: "Vault | None") -> "Port":
    """The RS-485 port on its pins."""
    from openkh.remote.port import Port

    number, tx, rx, enable = board.RS485  # type: ignore[misc]  # there is one, or there were no settings
    driver = None if enable is None else Pin(enable, Pin.OUT, value=0)
    # While the transceiver drives the pair nothing drives RXD: low, it would be a break at each answer.
    heard = Pin(rx, Pin.IN, Pin.PULL_UP)
    return Port(meter, meter.intervals, settings, store, number, Pin(tx), heard, driver)


def _image(port: "Port") -> None:
    """Work out the hash of the firmware's files, which the port gives. Takes half a second, while the cycle goes on.
    Whatever is wrong with it, the meter meters."""
    from binascii import unhexlify

    gc.collect()
    from openkh.service.image_hash import of_firmware

    try:
        port.reading.image = unhexlify(of_firmware()[1])
    except Exception:
        pass  # the port then gives zeros for it
    gc.collect()
