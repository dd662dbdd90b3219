"""The reference board's circuit as data: each part, its kind, and the net of each of its pins.

Drawings, the bill of materials and the tests read it; the firmware does not. `circuit()` gives the whole board; the
functions after it add a part of it each. Nets are named after what they carry; the net `GPIO7` is that pin of the
RP2040. AGND is the neutral, so that everything here but the nets named ISO_... is at mains potential. Where a value was
chosen, the calculation stands beside it, here or in parts.py.
"""

from boards.reference import board, parts

# The meter's terminals from left to right (TB-1), and the net at each.
TERMINALS = (
    ("L1", "L1"),
    ("N", "AGND"),
    ("L2", "L2"),
    ("CT1 X1", "CT1_X1"),
    ("CT1 X2", "CT1_X2"),
    ("CT2 X1", "CT2_X1"),
    ("CT2 X2", "CT2_X2"),
    ("10", "ISO_10"),
    ("100", "ISO_100"),
    ("1000", "ISO_1000"),
    ("ISOL COM", "ISO_COM"),
    ("COUNTER 1", "COUNTER_1"),
    ("COUNTER 2", "RETURN_12V"),
    ("+12VDC", "OUT_12V"),
)
OF_LINE_2 = ("L2", "CT2 X1", "CT2 X2")  # those that a single-element meter does not have


class Netlist:
    """The parts in the order in which they were added: `parts` is [(reference, kind, {pin: net})]."""

    def __init__(self):
        self.parts = []
        self._numbers = {}

    def add(self, letter, kind, **pins):
        """Add a part, whose reference is `letter` with its next number. A pin that is not connected has the net
        None."""
        self._numbers[letter] = number = self._numbers.get(letter, 0) + 1
        self.parts.append((letter + str(number), kind, pins))

    def two(self, letter, kind, first, second):
        """Add a part with two pins."""
        self.add(letter, kind, p1=first, p2=second)


def circuit(elements=2, service="60Hz"):
    """The board's parts for 1 or 2 elements, at "60Hz" (120 V) or "50Hz" (240 V): [(reference, kind, {pin: net})]."""
    net = Netlist()
    for number in range(1, elements + 1):
        front_end(net, number, service)
    controller(net)
    memory_and_display(net)
    outputs(net)
    supply(net)
    rail12(net)
    remote(net)
    for name, wire in TERMINALS:
        if elements == 2 or name not in OF_LINE_2:
            net.add("X", "TERMINAL", screw=wire)
    return net.parts


def divider(net, chip, live, chain_ohm):
    """Add resistors in series from the net `live` to VP of a chip."""
    at = live
    for place, ohm in enumerate(chain_ohm):
        last = place + 1 == len(chain_ohm)
        below = chip + "_VP" if last else "%s_CHAIN_%d" % (chip, place + 1)
        net.two("R", "R %gk 1%%" % (ohm / 1000), at, below)
        at = below


def burden(net, number):
    """Add the burden of one CT, in two halves about ground."""
    for lead in ("X1", "X2"):
        net.two("R", "R 1.5 0.1%", "CT%d_%s" % (number, lead), "AGND")


def front_end(net, number, service):
    """Add one line: mains divider, CT burden, filters, and the chip with its crystal, its pull-ups and its
    capacitors."""
    chip = "U%d" % number
    _, sck, mosi, miso, cs, irq, reset = board.FRONT_ENDS[number - 1]
    divider(net, chip, "L%d" % number, parts.DIVIDER_CHAIN_OHM[service])
    net.two("R", "R 1k 0.1%", chip + "_VP", "AGND")
    net.two("R", "R 1k", "AGND", chip + "_VN")
    burden(net, number)
    # Anti-aliasing filter at each input: corner at 4.8 kHz, and the same for voltage and current, so that both come
    # late by the same time.
    for lead, pin in (("X1", "_IAP"), ("X2", "_IAN")):
        net.two("R", "R 1k", "CT%d_%s" % (number, lead), chip + pin)
    for pin in ("_VP", "_VN", "_IAP", "_IAN"):
        net.two("C", "C 33n C0G", chip + pin, "AGND")
    for pin in ("_VINTD", "_VINTA", "_REF"):
        net.two("C", "C 4.7u", chip + pin, "AGND")
        net.two("C", "C 100n", chip + pin, "AGND")
    net.two("C", "C 10u", "3V3", "AGND")
    net.two("C", "C 100n", "3V3", "AGND")
    net.two("Y", "X3M58", chip + "_CLKIN", chip + "_CLKOUT")
    net.two("C", "C 27p C0G", chip + "_CLKIN", "AGND")
    net.two("C", "C 27p C0G", chip + "_CLKOUT", "AGND")
    # The RP2040 pulls its pads down while it is in reset: the pull-ups keep the chip deselected and running.
    for pin in (cs, reset, sck, irq):
        net.two("R", "R 10k", "3V3", "GPIO%d" % pin)
    net.add(
        "U",
        "ADE7953",
        ZX=None,
        RESET="GPIO%d" % reset,
        VINTD=chip + "_VINTD",
        DGND="AGND",
        IAP=chip + "_IAP",
        IAN=chip + "_IAN",
        PULL_HIGH_1="3V3",
        PULL_HIGH_2="3V3",
        IBP="AGND",
        IBN="AGND",
        VN=chip + "_VN",
        VP=chip + "_VP",
        REF=chip + "_REF",
        PULL_LOW="AGND",
        VINTA=chip + "_VINTA",
        AGND="AGND",
        VDD="3V3",
        CLKIN=chip + "_CLKIN",
        CLKOUT=chip + "_CLKOUT",
        REVP=None,
        ZX_I=None,
        IRQ="GPIO%d" % irq,
        CF1=None,
        CF2=None,
        SCLK="GPIO%d" % sck,
        MISO="GPIO%d" % miso,
        MOSI="GPIO%d" % mosi,
        CS="GPIO%d" % cs,
    )


def controller(net):
    """Add the RP2040 with its flash, crystal, USB for the bench, seal switch and service strap."""
    gpio = {"GPIO%d" % n: "GPIO%d" % n for n in range(30)}
    quad = ("QSPI_SS", "QSPI_SCLK", "QSPI_SD0", "QSPI_SD1", "QSPI_SD2", "QSPI_SD3")
    net.add(
        "U",
        "RP2040",
        IOVDD="3V3",
        DVDD="1V1",
        VREG_IN="3V3",
        VREG_OUT="1V1",
        ADC_AVDD="3V3",
        USB_VDD="3V3",
        GND="AGND",
        TESTEN="AGND",
        XIN="XIN",
        XOUT="XOUT",
        RUN="RUN",
        SWCLK="SWCLK",
        SWDIO="SWDIO",
        USB_DP="RP_DP",
        USB_DM="RP_DM",
        **{name: name for name in quad},
        **gpio,
    )
    net.add("U", "FLASH", VCC="3V3", GND="AGND", **{name[5:]: name for name in quad})
    net.two("R", "R 10k", "3V3", "QSPI_SS")
    net.two("R", "R 10k", "3V3", "RUN")
    net.two("Y", "X12M", "XIN", "XTAL_2")
    net.two("R", "R 1k", "XOUT", "XTAL_2")
    net.two("C", "C 15p C0G", "XIN", "AGND")
    net.two("C", "C 15p C0G", "XTAL_2", "AGND")
    for _ in range(8):
        net.two("C", "C 100n", "3V3", "AGND")
    for wire in ("3V3", "1V1"):
        net.two("C", "C 1u", wire, "AGND")
    net.two("C", "C 100n", "1V1", "AGND")
    net.two("R", "R 27", "RP_DP", "USB_DP")
    net.two("R", "R 27", "RP_DM", "USB_DM")
    net.add("J", "USB", VBUS="VBUS", DP="USB_DP", DM="USB_DM", GND="AGND")
    net.add("J", "CONNECTOR", SWCLK="SWCLK", SWDIO="SWDIO", GND="AGND")
    net.two("S", "SWITCH", "SEAL", "AGND")  # the RP2040's own pull-up keeps the pin high while it is open
    net.two("R", "R 1k", "SEAL", "GPIO%d" % board.PIN_SEAL)
    net.two("C", "C 100n", "GPIO%d" % board.PIN_SEAL, "AGND")
    net.add("J", "CONNECTOR", STRAP="GPIO%d" % board.PIN_SERVICE_STRAP, GND="AGND")


def memory_and_display(net):
    """Add the FRAM on an I2C bus of its own, and the display on another; an HT1621 goes on a connector of the same
    pins."""
    for _, scl, sda in (board.I2C_MEMORY, board.I2C_DISPLAY):
        net.two("R", "R 2.2k", "3V3", "GPIO%d" % scl)
        net.two("R", "R 2.2k", "3V3", "GPIO%d" % sda)
    _, scl, sda = board.I2C_MEMORY
    net.add(
        "U",
        "FRAM",
        A0="AGND",
        A1="AGND",
        A2="AGND",
        GND="AGND",
        SDA="GPIO%d" % sda,
        SCL="GPIO%d" % scl,
        WP="AGND",
        VCC="3V3",
    )
    net.two("C", "C 100n", "3V3", "AGND")
    _, scl, sda = board.I2C_DISPLAY
    lines = sorted({place[0] for place in board.GLASS.values()})
    segments = {"S%d" % line: "S%d" % line for line in lines}
    backplanes = {"BP%d" % n: "BP%d" % n for n in range(4)}
    net.add(
        "U",
        "LCD_DRIVER",
        SDA="GPIO%d" % sda,
        SCL="GPIO%d" % scl,
        SA0="AGND",
        A0="AGND",
        A1="AGND",
        A2="AGND",
        VDD="3V3",
        VSS="AGND",
        VLCD="3V3",  # the glass is driven with it; 2.5 to 6.5 V against VSS are allowed
        OSC="AGND",  # the controller's own clock
        CLK=None,
        SYNC=None,
        **segments,
        **backplanes,
    )
    net.two("C", "C 100n", "3V3", "AGND")
    net.add("DS", "GLASS", **segments, **backplanes)
    cs, wr, data = board.HT1621_PINS
    net.add("J", "CONNECTOR", VDD="3V3", GND="AGND", CS="GPIO%d" % cs, WR="GPIO%d" % wr, DATA="GPIO%d" % data)


def outputs(net):
    """Add three isolated open collectors and the load LED.

    3.3 V less the 1.1 V of the opto-coupler's LED make 4.7 mA through 470 ohm; an opto-coupler with a transfer ratio of
    at least 100 % then carries as much.
    """
    for pin, wire in ((board.PIN_OPTO_10, "10"), (board.PIN_OPTO_100, "100"), (board.PIN_OPTO_1000, "1000")):
        net.two("R", "R 470", "GPIO%d" % pin, "OPTO_" + wire)
        net.add("OK", "OPTO", anode="OPTO_" + wire, cathode="AGND", collector="ISO_" + wire, emitter="ISO_COM")
    net.two("R", "R 470", "GPIO%d" % board.PIN_LED, "LED_A")
    net.add("D", "LED", anode="LED_A", cathode="AGND")


def supply(net):
    """Add the supply: from the mains of L1 to 12 V, 5 V and 3.3 V. On the bench USB feeds the 5 V instead of the mains.

    Hold-up: HOLDUP_5V_MA at 5 V take 0.44 W from the 12 V, where the converter has 85 %, and the bulk divider 15 mW.
    From 11.6 V down to 7 V the bulk capacitor gives 60 mJ, if it is 20 % below its value and has lost another 20 % with
    age. That lasts for 132 ms; 80 ms are promised (host_tests/boards/test_circuit.py simulates it). The converter can
    charge no more than 2200 uF.
    """
    net.two("F", "FUSE", "L1", "L1_FUSED")
    net.two("RV", "VARISTOR", "L1_FUSED", "AGND")
    net.add("PS", "AC_DC", L="L1_FUSED", N="AGND", PLUS="12V_RAW", MINUS="AGND")
    net.add("D", "SCHOTTKY", anode="12V_RAW", cathode="12V_BULK")
    net.two("C", "BULK", "12V_BULK", "AGND")
    net.add("PS", "DC_DC", VIN="12V_BULK", GND="AGND", VOUT="5V_RAW")
    net.add("D", "SCHOTTKY", anode="5V_RAW", cathode="5V")
    net.add("D", "SCHOTTKY", anode="VBUS", cathode="5V")
    net.add("U", "LDO", IN="5V", EN="5V", GND="AGND", OUT="3V3")
    net.two("C", "C 10u", "5V", "AGND")
    net.two("C", "C 10u", "3V3", "AGND")
    # The RP2040's converter may have as little as 100 kohm (its data sheet's ADC characteristics): 0.8 % at 0.83 kohm.
    net.two("R", "R 5k 0.1%", "12V_BULK", "GPIO%d" % board.ADC_BULK)
    net.two("R", "R 1k 0.1%", "GPIO%d" % board.ADC_BULK, "AGND")
    net.two("C", "C 1u", "GPIO%d" % board.ADC_BULK, "AGND")


def rail12(net):
    """Add the 12 V of counter and +12VDC: limiter, switch, driver of the coil, and the shunt in their common return."""
    # The limiter in hardware: at 0.65 V / 7.5 ohm = 87 mA the sensing transistor takes away the other one's base
    # current.
    net.two("R", "R 7.5", "12V_RAW", "LIMIT_E")
    net.add("Q", "PNP_1W", emitter="LIMIT_E", base="LIMIT_B", collector="12V_LIMITED")
    net.add("Q", "PNP", emitter="12V_RAW", base="LIMIT_E", collector="LIMIT_B")
    net.two("R", "R 2.2k", "LIMIT_B", "AGND")
    # The switch of the 12 V, which is off while the RP2040 is in reset.
    net.add("Q", "PMOS", source="12V_LIMITED", gate="RAIL_G", drain="OUT_12V")
    net.two("R", "R 10k", "12V_LIMITED", "RAIL_G")
    net.add("Q", "NPN", base="RAIL_B", collector="RAIL_G", emitter="AGND")
    net.two("R", "R 10k", "GPIO%d" % board.PIN_RAIL12_ENABLE, "RAIL_B")
    # The coil is switched at COUNTER 1, its upper end, because COUNTER 2 is the return of +12VDC as well (TB-2).
    net.add("Q", "PMOS", source="OUT_12V", gate="COIL_G", drain="COUNTER_1")
    net.two("R", "R 10k", "OUT_12V", "COIL_G")
    net.add("Q", "NPN", base="COIL_B", collector="COIL_G", emitter="AGND")
    net.two("R", "R 10k", "GPIO%d" % board.PIN_COUNTER, "COIL_B")
    net.add(
        "D", "DIODE", anode="RETURN_12V", cathode="COIL_Z"
    )  # at the end of a pulse the coil's current runs out against 12 V; the switch then bears 25 V of its 30 V
    net.add("D", "ZENER12", anode="COUNTER_1", cathode="COIL_Z")
    # 3 ohm in the return, and a gain of 1 + 90.9 / 10.1 = 10: 30 mV per mA.
    net.two("R", "R 3.0 0.1%", "RETURN_12V", "AGND")
    net.add(
        "U", "AMPLIFIER", plus="RETURN_12V", minus="SENSE_FB", out="GPIO%d" % board.ADC_RAIL12, vdd="3V3", vss="AGND"
    )
    net.two("R", "R 90.9k", "GPIO%d" % board.ADC_RAIL12, "SENSE_FB")
    net.two("R", "R 10.1k", "SENSE_FB", "AGND")
    net.two("C", "C 100n", "3V3", "AGND")


def remote(net):
    """Add the isolated RS-485 port, half duplex, with 120 ohm that are connected where it stands at the end of a line.

    It has a converter of its own, from the 12 V ahead of the hold-up: driving a terminated line takes more than all the
    rest, and would shorten the hold-up. The resistors of 1 kohm keep the RP2040 from feeding the transceiver through
    its pins when that has no supply: 2.7 mA flow into a pin at most.
    """
    _, tx, rx, enable = board.RS485
    net.add("PS", "DC_DC_3V3", VIN="12V_RAW", GND="AGND", VOUT="3V3_PORT")
    net.two("R", "R 1k", "GPIO%d" % tx, "PORT_TXD")
    net.two("R", "R 1k", "GPIO%d" % enable, "PORT_DE")
    net.add(
        "U",
        "RS485",
        VCC="3V3_PORT",
        GND1="AGND",
        TXD="PORT_TXD",
        RXD="GPIO%d" % rx,
        DE="PORT_DE",
        RE="PORT_DE",
        VISO_OUT="ISO_3V3",
        VISO_IN="ISO_3V3",
        GND2="ISO_485_COM",
        A="ISO_A",
        B="ISO_B",
        Y="ISO_A",
        Z="ISO_B",
    )
    net.two("C", "C 10u", "3V3_PORT", "AGND")
    net.two("C", "C 100n", "3V3_PORT", "AGND")
    net.two("C", "C 10u", "ISO_3V3", "ISO_485_COM")
    for _ in ("VISO_OUT", "VISO_IN"):
        net.two("C", "C 100n", "ISO_3V3", "ISO_485_COM")
    net.two("R", "R 10k", "GPIO%d" % enable, "AGND")  # the transceiver only listens while the RP2040 is in reset
    net.add("J", "CONNECTOR", A="ISO_A", B="ISO_B", TERM="ISO_TERM", COM="ISO_485_COM")
    net.two("R", "R 120", "ISO_TERM", "ISO_B")
