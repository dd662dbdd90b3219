"""The running meter: all its parts in one place, for the prompt and for a memory that answers late.

`openkh.app` builds and wires them; nothing here does anything.
"""

from openkh.cycle import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.calibration import Calibration
    from openkh.cycle import Cycle
    from openkh.metrology.thermometer import Thermometer
    from openkh.remote.port import Port
    from openkh.startup.stored_data import FactoryData, StoredCalibration
    from openkh.state import State
    from openkh.storage.regions import Memory
    from openkh.storage.vault import Vault
    from openkh.tasks import Tasks


class Meter(Parts):
    """What the cycle works with (Parts), and what only a start and the prompt need."""

    memory: "Memory"
    factory: "FactoryData"  # what the meter is
    factory_vault: "Vault"
    stored: "StoredCalibration"
    calibration_vault: "Vault"
    calibration: "tuple[Calibration, Calibration]"  # in force
    cycle: "Cycle"
    tasks: "Tasks"
    port: "Port | None" = None  # RS-485
    thermometer: "Thermometer"

    @property
    def state(self) -> "State":
        """The state as committed last."""
        return self.cycle.state
