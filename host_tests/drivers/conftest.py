import pytest

from host_tests.mp.front_end import Calibration, FrontEndRig


@pytest.fixture
def rig():
    """A front end that has started, on its driver."""
    b = FrontEndRig()
    b.element.calibrate(Calibration())
    b.clock.sleep(100_000)
    return b
