"""The reference board's circuit as data: each part, its kind, and the net of each of its pins.

Documents, drawings, the bill of materials and the tests read it; the firmware does not. `circuit()` gives the whole
board. Nets are named after what they carry; a net `GPIO7` is that pin of the RP2040. AGND is the neutral: everything
here but ISO nets is at mains potential. Where a value is chosen, the calculation stands beside it.
"""

import board
import parts

# Kind -> (what it is, maker's part, second source). A dash: there is none, or any maker's will do.
KINDS = {
    "RP2040": ("controller", "Raspberry Pi RP2040", "-"),
    "FLASH": ("program memory 2 MiB, quad SPI", "Winbond W25Q16JV", "GigaDevice GD25Q16"),
    "ADE7953": ("metering front end", "Analog Devices ADE7953ACPZ", "-"),
    "FRAM": ("memory of the register, 32 KiB", "Fujitsu MB85RC256V", "Infineon FM24W256"),
    "LCD_DRIVER": ("LCD controller 40 x 4", "NXP PCF85176", "Holtek HT1621B on connector J4"),
    "GLASS": ("segment glass by glass.py, 22 x 4", "made to drawing", "-"),
    "OPTO": ("opto-coupler, 5000 V, lead spacing 10 mm", "Vishay SFH617A-3, option 6", "Everlight EL817MC"),
    "RS485": ("RS-485 transceiver with isolated supply", "Analog Devices ADM2587E", "-"),
    "AMPLIFIER": ("rail-to-rail operational amplifier", "Microchip MCP6001", "Texas Instruments TLV9001"),
    "AC_DC": ("mains to 12 V, 3 W", "Mean Well IRM-03-12", "Hi-Link HLK-PM12"),
    "DC_DC": ("12 V to 5 V, 0.5 A, switching", "Recom R-78E5.0-0.5", "Traco TSR 1-2450"),
    "LDO": ("regulator 3.3 V, 0.5 A", "Diodes AP2112K-3.3", "Texas Instruments TLV75533"),
    "BULK": ("2200 uF 25 V 105 C", "Panasonic EEU-FR1E222", "Nichicon UHE1E222"),
    "X3M58": ("crystal 3.579545 MHz, load 18 pF", "Abracon ABLS-3.579545MHZ", "any HC-49/US, 18 pF"),
    "X12M": ("crystal 12 MHz, load 10 pF", "Abracon ABM8-272-T3", "any 3225, 10 pF, 50 ohm at most"),
    "PMOS": ("P-channel MOSFET 30 V", "Alpha and Omega AO3401A", "Diodes DMG2305UX"),
    "NPN": ("NPN transistor 45 V", "Nexperia BC817-40", "onsemi BC817-40"),
    "PNP": ("PNP transistor 45 V", "Nexperia BC807-40", "onsemi BC807-40"),
    "PNP_1W": ("PNP transistor 80 V 1 W", "Nexperia BCP53", "onsemi BCP53"),
    "SCHOTTKY": ("Schottky diode 40 V 1 A", "onsemi MBRS140", "Vishay B140"),
    "DIODE": ("diode 100 V", "Nexperia 1N4148W", "Diodes 1N4148W"),
    "ZENER12": ("Zener diode 12 V", "Nexperia BZX84-C12", "Diodes BZX84C12"),
    "LED": ("LED, red", "any, 2 mA", "-"),
    "FUSE": ("fuse 0.5 A slow, 250 V", "Littelfuse 39213500000", "any TR5, 0.5 A T"),
    "VARISTOR": ("varistor 300 V AC", "TDK S10K300", "Littelfuse V300LA"),
    "SWITCH": ("seal switch, closes with the cover", "any, gold contacts", "-"),
    "USB": ("USB socket, bench only", "any micro-B or C", "-"),
    "CONNECTOR": ("pin header", "any, 2.54 mm", "-"),
    "TERMINAL": ("terminal, 14 to 18 AWG", "any, 300 V", "-"),
    "R 1.5 0.1%": ("CT burden half, 15 ppm/K, 0.25 W", "any thin film or foil, by these figures", "-"),
    "R 187k 1%": ("divider chain, 200 V each", "Vishay TNPW1206", "Susumu RG3216"),
    "R 191k 1%": ("divider chain, 200 V each", "Vishay TNPW1206", "Susumu RG3216"),
    "R 1k 0.1%": ("divider foot, 15 ppm/K", "Vishay TNPW0805", "Susumu RG2012"),
    "R 1k": ("resistor 1 %", "any", "-"),
    "R 10k": ("resistor 1 %", "any", "-"),
    "R 2.2k": ("resistor 1 %", "any", "-"),
    "R 470": ("resistor 1 %", "any", "-"),
    "R 27": ("resistor 1 %", "any", "-"),
    "R 120": ("resistor 1 %", "any", "-"),
    "R 7.5": ("limiter's sense, 0.25 W", "any", "-"),
    "R 3.0 0.1%": ("shunt of the 12 V", "any thin film, 50 ppm/K", "-"),
    "R 90.9k": ("resistor 1 %", "any", "-"),
    "R 10.1k": ("resistor 1 %", "any", "-"),
    "R 50k 0.1%": ("bulk divider", "any thin film", "-"),
    "R 10k 0.1%": ("bulk divider", "any thin film", "-"),
    "C 33n C0G": ("filter, 5 %", "Murata GRM31 C0G", "TDK C3216 C0G"),
    "C 100n": ("X7R", "any", "-"),
    "C 1u": ("X7R", "any", "-"),
    "C 4.7u": ("X7R", "any", "-"),
    "C 10u": ("X7R", "any", "-"),
    "C 27p C0G": ("crystal load: 2 x (18 - 4.5) pF", "any", "-"),
    "C 15p C0G": ("crystal load: 2 x (10 - 2.5) pF", "any", "-"),
}

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
OF_LINE_2 = ("L2", "CT2 X1", "CT2 X2")


class Netlist:
    """Parts as they are added: `parts` is [(reference, kind, {pin: net})]."""

    def __init__(self):
        self.parts = []
        self._numbers = {}

    def add(self, letter, kind, **pins):
        """A part with the next number of its letter; a pin that is not connected has the net None."""
        self._numbers[letter] = number = self._numbers.get(letter, 0) + 1
        self.parts.append((letter + str(number), kind, pins))

    def two(self, letter, kind, first, second):
        """A part with two pins."""
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


def front_end(net, number, service):
    """One line: mains divider, CT burden about ground, filters, the chip with its crystal and pull-ups."""
    chip = "U%d" % number
    _, sck, mosi, miso, cs, irq, reset = board.FRONT_ENDS[number - 1]
    at = "L%d" % number
    for place, ohm in enumerate(parts.DIVIDER_CHAIN_OHM[service]):
        last = place + 1 == len(parts.DIVIDER_CHAIN_OHM[service])
        below = chip + "_VP" if last else "L%d_CHAIN_%d" % (number, place + 1)
        net.two("R", "R %dk 1%%" % (ohm // 1000), at, below)
        at = below
    net.two("R", "R 1k 0.1%", chip + "_VP", "AGND")
    net.two("R", "R 1k", "AGND", chip + "_VN")
    for lead, pin in (("X1", "_IAP"), ("X2", "_IAN")):
        wire = "CT%d_%s" % (number, lead)
        net.two("R", "R 1.5 0.1%", wire, "AGND")
        net.two("R", "R 1k", wire, chip + pin)
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
    """RP2040 with flash, crystal, USB for the bench, seal switch and service strap."""
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
    """FRAM on its own I2C bus; the display on another, or a controller of three wires on the same connector."""
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
        VLCD="AGND",
        **segments,
        **backplanes,
    )
    net.two("C", "C 100n", "3V3", "AGND")
    net.add("DS", "GLASS", **segments, **backplanes)
    cs, wr, data = board.HT1621_PINS
    net.add("J", "CONNECTOR", VDD="3V3", GND="AGND", CS="GPIO%d" % cs, WR="GPIO%d" % wr, DATA="GPIO%d" % data)


def outputs(net):
    """Three isolated open collectors and the load LED. 3.3 V less 1.1 V of the opto's LED over 470 ohm: 4.7 mA; an opto
    of at least 100 % transfer (SFH617A-3, EL817MC) then carries as much."""
    for pin, wire in ((board.PIN_OPTO_10, "10"), (board.PIN_OPTO_100, "100"), (board.PIN_OPTO_1000, "1000")):
        net.two("R", "R 470", "GPIO%d" % pin, "OPTO_" + wire)
        net.add("OK", "OPTO", anode="OPTO_" + wire, cathode="AGND", collector="ISO_" + wire, emitter="ISO_COM")
    net.two("R", "R 470", "GPIO%d" % board.PIN_LED, "LED_A")
    net.add("D", "LED", anode="LED_A", cathode="AGND")


def supply(net):
    """Mains of L1 to 12 V, 5 V and 3.3 V; USB instead of the mains on the bench. Hold-up: 75 mA at 5 V with 85 % are
    0.44 W; from 11.6 V down to 7 V the bulk capacitor, 20 % below its value and 20 % aged, gives 60 mJ: 137 ms, and
    80 are promised (host_tests/boards/test_circuit.py simulates it)."""
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
    net.two("R", "R 50k 0.1%", "12V_BULK", "GPIO%d" % board.ADC_BULK)
    net.two("R", "R 10k 0.1%", "GPIO%d" % board.ADC_BULK, "AGND")
    net.two("C", "C 100n", "GPIO%d" % board.ADC_BULK, "AGND")


def rail12(net):
    """The 12 V of counter and +12VDC: limiter, switch, coil driver, shunt in the common return."""
    # Limiter in hardware: at 0.65 V / 7.5 ohm = 87 mA the sensing transistor takes the base current of the pass one.
    net.two("R", "R 7.5", "12V_RAW", "LIMIT_E")
    net.add("Q", "PNP_1W", emitter="LIMIT_E", base="LIMIT_B", collector="12V_LIMITED")
    net.add("Q", "PNP", emitter="12V_RAW", base="LIMIT_E", collector="LIMIT_B")
    net.two("R", "R 2.2k", "LIMIT_B", "AGND")
    # The switch of the rail, off while the RP2040 is in reset.
    net.add("Q", "PMOS", source="12V_LIMITED", gate="RAIL_G", drain="OUT_12V")
    net.two("R", "R 10k", "12V_LIMITED", "RAIL_G")
    net.add("Q", "NPN", base="RAIL_B", collector="RAIL_G", emitter="AGND")
    net.two("R", "R 10k", "GPIO%d" % board.PIN_RAIL12_ENABLE, "RAIL_B")
    # The coil on COUNTER 1, switched at its upper end because COUNTER 2 is the return of +12VDC as well (TB-2).
    net.add("Q", "PMOS", source="OUT_12V", gate="COIL_G", drain="COUNTER_1")
    net.two("R", "R 10k", "OUT_12V", "COIL_G")
    net.add("Q", "NPN", base="COIL_B", collector="COIL_G", emitter="AGND")
    net.two("R", "R 10k", "GPIO%d" % board.PIN_COUNTER, "COIL_B")
    net.add(
        "D", "DIODE", anode="RETURN_12V", cathode="COIL_Z"
    )  # the coil's current runs out against 12 V; the switch then has 25 of its 30 V
    net.add("D", "ZENER12", anode="COUNTER_1", cathode="COIL_Z")
    # 3 ohm in the return, times 10: 30 mV per mA.
    net.two("R", "R 3.0 0.1%", "RETURN_12V", "AGND")
    net.add(
        "U", "AMPLIFIER", plus="RETURN_12V", minus="SENSE_FB", out="GPIO%d" % board.ADC_RAIL12, vdd="3V3", vss="AGND"
    )
    net.two("R", "R 90.9k", "GPIO%d" % board.ADC_RAIL12, "SENSE_FB")
    net.two("R", "R 10.1k", "SENSE_FB", "AGND")
    net.two("C", "C 100n", "3V3", "AGND")


def remote(net):
    """The isolated RS-485 port, half duplex, with 120 ohm to be closed at the end of a line."""
    _, tx, rx, enable = board.RS485
    net.add(
        "U",
        "RS485",
        VCC="3V3",
        GND1="AGND",
        TXD="GPIO%d" % tx,
        RXD="GPIO%d" % rx,
        DE="GPIO%d" % enable,
        RE="GPIO%d" % enable,
        VISO="ISO_5V",
        GND2="ISO_485_COM",
        A="ISO_A",
        B="ISO_B",
        Y="ISO_A",
        Z="ISO_B",
    )
    net.two("C", "C 10u", "3V3", "AGND")
    net.two("C", "C 100n", "3V3", "AGND")
    net.two("C", "C 10u", "ISO_5V", "ISO_485_COM")
    net.two("C", "C 100n", "ISO_5V", "ISO_485_COM")
    net.two("R", "R 10k", "GPIO%d" % enable, "AGND")  # a receiver while the RP2040 is in reset
    net.add("J", "CONNECTOR", A="ISO_A", B="ISO_B", TERM="ISO_TERM", COM="ISO_485_COM")
    net.two("R", "R 120", "ISO_TERM", "ISO_B")


def bill(elements=2, service="60Hz"):
    """The bill of materials: [(kind, what, maker's part, second source, pieces)], in the order of KINDS."""
    counts = {}
    for _, kind, _ in circuit(elements, service):
        counts[kind] = counts.get(kind, 0) + 1
    return [(kind,) + KINDS[kind] + (counts[kind],) for kind in KINDS if kind in counts]
