"""What the parts in the reference board's circuit are, and the bill of materials that is made of it."""

# By the kind that the circuit names: what it is, a maker's part, a second source, and in which data sheet its figures
# were read. "-": there is none, or anybody's part will do. "not read": the part was chosen by its name alone, so
# compare its data sheet before you order.
KINDS = {
    "RP2040": ("controller", "Raspberry Pi RP2040", "-", "data sheet"),
    "FLASH": ("program memory 2 MiB, quad SPI", "Winbond W25Q16JV", "GigaDevice GD25Q16E", "not read"),
    "ADE7953": ("metering front end", "Analog Devices ADE7953ACPZ", "-", "data sheet"),
    "FRAM": (
        "memory of the register, 32 KiB, 1 MHz",
        "Fujitsu MB85RC256V",
        "Infineon FM24W256",
        "data sheet of the first",
    ),
    "LCD_DRIVER": ("LCD controller 40 x 4", "NXP PCF85176", "Holtek HT1621B on connector J4", "both data sheets"),
    "GLASS": ("segment glass, 22 x 4, by glass.py", "made to drawing", "-", "-"),
    "OPTO": (
        "opto-coupler, 70 V, leads 10 mm apart",
        "Vishay SFH617A-3X006",
        "Everlight EL816M, rank A",
        "both data sheets",
    ),
    "RS485": (
        "RS-485 transceiver with isolated supply",
        "Analog Devices ADM2587E",
        "Texas Instruments ISOW1412, other pins",
        "pins only",
    ),
    "AMPLIFIER": ("rail-to-rail operational amplifier", "Microchip MCP6001", "Texas Instruments TLV9001", "not read"),
    "AC_DC": (
        "mains to 12 V, 3 W, 85 to 264 V",
        "Recom RAC03-12SK",
        "Mean Well IRM-03-12, other pins",
        "data sheet of the first",
    ),
    "DC_DC": ("12 V to 5 V, 0.5 A, switching", "Recom R-78E5.0-0.5", "Traco TSR 1-2450", "not read"),
    "DC_DC_3V3": ("12 V to 3.3 V, 0.5 A, switching", "Recom R-78E3.3-0.5", "Traco TSR 1-2433", "not read"),
    "LDO": ("regulator 3.3 V, 0.5 A", "Diodes AP2112K-3.3", "Texas Instruments TLV75533", "not read"),
    "BULK": ("2200 uF 25 V 105 C", "Panasonic EEU-FR1E222", "Nichicon UHE1E222", "not read"),
    "X3M58": ("crystal 3.579545 MHz, load 18 pF", "Abracon ABLS-3.579545MHZ", "any HC-49/US, 18 pF", "not read"),
    "X12M": ("crystal 12 MHz, load 10 pF", "Abracon ABM8-272-T3", "any 3225, 10 pF, 50 ohm at most", "not read"),
    "PMOS": ("P-channel MOSFET, 30 V, gate 20 V", "Alpha and Omega AO3407A", "Vishay Si2307CDS", "both data sheets"),
    "NPN": ("NPN transistor 45 V", "Nexperia BC817-40", "onsemi BC817-40", "not read"),
    "PNP": ("PNP transistor 45 V", "Nexperia BC807-40", "onsemi BC807-40", "not read"),
    "PNP_1W": ("PNP transistor 80 V 1 W", "Nexperia BCP53", "onsemi BCP53", "not read"),
    "SCHOTTKY": ("Schottky diode 40 V 1 A, SMB", "onsemi MBRS140", "Diodes B140B", "not read"),
    "DIODE": ("diode 100 V, SOD-123", "Diodes 1N4148W", "Vishay 1N4148W", "not read"),
    "ZENER12": ("Zener diode 12 V", "Nexperia BZX84-C12", "Diodes BZX84C12", "not read"),
    "LED": ("LED, red", "any, 2 mA", "-", "-"),
    "FUSE": (
        "fuse 0.5 A slow, 250 V, 5 x 20 mm",
        "Littelfuse 0215.500",
        "any IEC 60127-2 sheet 5, 0.5 A T",
        "data sheet of the series",
    ),
    "VARISTOR": ("varistor 300 V AC, 10 mm", "TDK S10K300", "Littelfuse V300LA4P", "not read"),
    "SWITCH": ("seal switch, closes with the cover", "any, gold contacts", "-", "-"),
    "USB": ("USB socket, bench only", "any micro-B or C", "-", "-"),
    "CONNECTOR": ("pin header", "any, 2.54 mm", "-", "-"),
    "TERMINAL": ("terminal, 14 to 18 AWG", "any, 300 V", "-", "-"),
    "R 1.5 0.1%": ("CT burden half, 15 ppm/K, 0.25 W", "any thin film or foil, by these figures", "-", "-"),
    "R 187k 1%": ("divider chain, 150 V each", "Vishay TNPW1206 (200 V)", "Susumu RG3216", "data sheet of the first"),
    "R 191k 1%": ("divider chain, 150 V each", "Vishay TNPW1206 (200 V)", "Susumu RG3216", "data sheet of the first"),
    "R 1k 0.1%": (
        "divider foot, 15 ppm/K",
        "Vishay TNPW0805, 10 or 15 ppm/K",
        "Susumu RG2012N, 10 ppm/K",
        "both data sheets",
    ),
    "R 1k": ("resistor 1 %", "any", "-", "-"),
    "R 10k": ("resistor 1 %", "any", "-", "-"),
    "R 2.2k": ("resistor 1 %", "any", "-", "-"),
    "R 470": ("resistor 1 %", "any", "-", "-"),
    "R 27": ("resistor 1 %", "any", "-", "-"),
    "R 120": ("resistor 1 %", "any", "-", "-"),
    "R 7.5": ("limiter's sense, 0.25 W", "any", "-", "-"),
    "R 3.0 0.1%": ("shunt of the 12 V", "any thin film, 50 ppm/K", "-", "-"),
    "R 90.9k": ("resistor 1 %", "any", "-", "-"),
    "R 10.1k": ("resistor 1 %", "any", "-", "-"),
    "R 5k 0.1%": ("bulk divider", "any thin film", "-", "-"),
    "C 33n C0G": ("filter, 5 %", "Murata GRM31 C0G", "TDK C3216 C0G", "-"),
    "C 100n": ("X7R", "any", "-", "-"),
    "C 1u": ("X7R", "any", "-", "-"),
    "C 4.7u": ("X7R", "any", "-", "-"),
    "C 10u": ("X7R", "any", "-", "-"),
    "C 27p C0G": ("crystal load: 2 x (18 - 4.5) pF", "any", "-", "-"),
    "C 15p C0G": ("crystal load: 2 x (10 - 2.5) pF", "any", "-", "-"),
}


def bill(circuit, kinds=KINDS):
    """The bill of materials of a netlist, in the order of `kinds`: [(kind, what it is, maker's part, second source,
    where its figures were read, pieces)]."""
    counts = {}
    for _, kind, _ in circuit:
        counts[kind] = counts.get(kind, 0) + 1
    return [(kind,) + kinds[kind] + (counts[kind],) for kind in kinds if kind in counts]
