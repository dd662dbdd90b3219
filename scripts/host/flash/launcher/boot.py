import micropython

micropython.kbd_intr(-1)  # a sealed meter's start is not to be stopped from the console; launch.py opens the prompt

"""First file a meter's RP2040 runs. Short, because MicroPython compiles it at each start: what chooses a firmware and
starts it is compiled already (launch.py)."""

import machine  # noqa: E402

watched = machine.mem32[0x40058000] & 1 << 30  # ENABLE of the watchdog's CTRL, RP2040 data sheet 4.7.6
machine.WDT(timeout=8000)  # a hang in what follows ends; the firmware's main.py starts it anew before its long imports
import launch  # noqa: E402

globals().update(launch.choose(watched))  # after a soft reset, for a tool that does not let main.py run
