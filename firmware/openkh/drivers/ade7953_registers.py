"""The registers of the ADE7953 that the firmware uses. DS is the data sheet Rev. C; its tables are on pages 60 to 67.

The high byte of an address tells the width: 0x0xx 8 bits, 0x1xx 16, 0x2xx 24, 0x3xx 32 (EX_REF, 0x800, has 8). Every
24-bit register has a 32-bit alias 0x100 higher, which sign-extends even what is unsigned (DS p.60). So only the 24-bit
addresses are used here, beside CRC, the one register that is 32 bits wide by nature.
"""

# address          width  sign      access  meaning
SAGCYC = 0x000  # 8       unsigned  RW      duration of a sag, half line cycles; 0 = off; DS p.45
DISNOLOAD = 0x001  # 8    unsigned  RW      1 = no-load off: b0 active, b1 reactive, b2 apparent; DS p.40
LCYCMODE = 0x004  # 8     unsigned  RW      b5..0 line-cycle mode, b6 read with reset (on after reset!); DS p.62
PGA_V = 0x007  # 8        unsigned  RW      gain of the voltage input; DS p.19
PGA_IA = 0x008  # 8       unsigned  RW      gain of current input A
PGA_IB = 0x009  # 8       unsigned  RW      gain of current input B
WRITE_PROTECT = 0x040  # 8 unsigned RW      b0 8-bit, b1 16-bit, b2 24/32-bit registers; itself always writable; DS p.57
LAST_OP = 0x0FD  # 8      unsigned  R       last successful access: 0x35 read, 0xCA write; DS p.57
UNLOCK = 0x0FE  # 8       unsigned  W       key 0xAD opens OPTIMUM for the next access; DS p.18
LAST_RWDATA_8 = 0x0FF  # 8 unsigned R       its data; 16 bit at 0x1FF, 24 bit at 0x2FF; DS p.57
EX_REF = 0x800  # 8       unsigned  RW      1 = external reference; DS p.22

ZXTOUT = 0x100  # 16      unsigned  RW      zero-crossing time-out, 71.5 us; DS p.44
LINECYC = 0x101  # 16     unsigned  RW      line-cycle window, half line cycles; DS p.26
CONFIG = 0x102  # 16      unsigned  RW      configuration, bits below; DS p.62
CF1DEN = 0x103  # 16      unsigned  RW      CF1 divider (written twice); DS p.33
CF2DEN = 0x104  # 16      unsigned  RW      CF2 divider (written twice)
CFMODE = 0x107  # 16      unsigned  RW      CF selection, both off after reset; DS p.63
PHCALA = 0x108  # 16      magnitude RW      phase A: b9 1 = advance the current, b8..0 1.117 us each, <= 383; DS p.34
PHCALB = 0x109  # 16      magnitude RW      phase B
PFA = 0x10A  # 16         signed    R       power factor A, 2^-15; sign of the reactive power; DS p.38
PERIOD = 0x10E  # 16      unsigned  R       line frequency = 223,750 / (PERIOD + 1) Hz; DS p.36
ALT_OUTPUT = 0x110  # 16  unsigned  RW      what the ZX, ZX_I and REVP pins carry; DS p.64
OPTIMUM = 0x120  # 16     unsigned  RW      must be 0x0030, lost at every reset; DS p.18
LAST_ADD = 0x1FE  # 16    unsigned  R       address of the last successful access; DS p.57

SAGLVL = 0x200  # 24      unsigned  RW      sag level, as VPEAK; 0 = off; DS p.45
ACCMODE = 0x201  # 24     unsigned  RW      b9..0 signs of accumulation (0 = signed), the rest read-only status; DS p.65
AP_NOLOAD = 0x203  # 24   unsigned  RW      active no-load level, 65,536 - Y / 1.4; DS p.40
VAR_NOLOAD = 0x204  # 24  unsigned  RW      reactive no-load level
VA_NOLOAD = 0x205  # 24   unsigned  RW      apparent no-load level
AVA = 0x210  # 24         signed    R       apparent power A; DS p.31
AWATT = 0x212  # 24       signed    R       active power A, full scale 4,862,401; DS p.24
AVAR = 0x214  # 24        signed    R       reactive power A; DS p.28
IRMSA = 0x21A  # 24       unsigned  R       rms current A, full scale 9,032,007: above 0x7FFFFF; DS p.23
VRMS = 0x21C  # 24        unsigned  R       rms voltage, the same; DS p.23
AENERGYA = 0x21E  # 24    signed    R       active energy A, wraps; zeroed by reading if LCYCMODE b6; DS p.25
RENERGYA = 0x220  # 24    signed    R       reactive energy A; DS p.29
OVLVL = 0x224  # 24       unsigned  RW      over-voltage level; holds a number for ade7953_counter instead; DS p.48
OILVL = 0x225  # 24       unsigned  RW      over-current level, the same
IRQENA = 0x22C  # 24      unsigned  RW      interrupt enable, bits below; DS p.66
IRQSTATA = 0x22D  # 24    unsigned  R       interrupt status; reading does not clear; DS p.66
RSTIRQSTATA = 0x22E  # 24 unsigned  R       the same; reading clears all and releases the pin; DS p.50
IRQENB = 0x22F  # 24      unsigned  RW      interrupt enable, channel B
AIGAIN = 0x280  # 24      unsigned  RW      gain of current A, 0x400000 = 1; DS p.34
AVGAIN = 0x281  # 24      unsigned  RW      gain of the voltage: scales power as well; DS p.34
AWGAIN = 0x282  # 24      unsigned  RW      gain of active power A; DS p.34
AVARGAIN = 0x283  # 24    unsigned  RW      gain of reactive power A
AVAGAIN = 0x284  # 24     unsigned  RW      gain of apparent power A
AIRMSOS = 0x286  # 24     signed    RW      offset of IRMSA; DS p.35
VRMSOS = 0x288  # 24      signed    RW      offset of VRMS; DS p.35
AWATTOS = 0x289  # 24     signed    RW      offset of active power A, 2^-9 power LSB; DS p.35
AVAROS = 0x28A  # 24      signed    RW      offset of reactive power A
AVAOS = 0x28B  # 24       signed    RW      offset of apparent power A
BIGAIN = 0x28C  # 24      unsigned  RW      channel B, unused: gains
BVGAIN = 0x28D
BWGAIN = 0x28E
BVARGAIN = 0x28F
BVAGAIN = 0x290
BIRMSOS = 0x292  # 24     signed    RW      channel B, unused: offsets
BWATTOS = 0x295
BVAROS = 0x296
BVAOS = 0x297
CRC = 0x37F  # 32         unsigned  R       checksum of the configuration, once enabled; DS p.58

# CONFIG, DS p.62-63
HPFEN = 0x0004  # high-pass filters on
CRC_ENABLE = 0x0100
COMM_LOCK = 0x8000  # inverted: 0 = the chip locks to the interface in use, 1 = it does not (DS p.51)
CONFIG_RESET = COMM_LOCK | HPFEN
CONFIG_LOCK = HPFEN
CONFIG_RUN = HPFEN | CRC_ENABLE

NOTES = (LINECYC, ZXTOUT)  # not used as such: what outlives a reset of the RP2040 (startup/chip_notes.py)

# IRQENA, IRQSTATA, RSTIRQSTATA, DS p.66
IRQ_AEOF = 1 << 3  # the active energy register went over its end
IRQ_SAG = 1 << 19
IRQ_RESET = 1 << 20  # a reset has ended; cannot be disabled

# Other values
RSTREAD = 0x40  # LCYCMODE: an energy register is zeroed by reading it, DS p.62
UNLOCK_KEY = 0xAD
OPTIMUM_SETTING = 0x0030
PROTECT_ALL = 0x07
PROTECT_16 = 0x02  # the part of it that protects the 16-bit registers, DS p.57
OP_READ = 0x35  # in LAST_OP: the last access was a read
AP_NOLOAD_RESET = 0xE419  # by this, CONFIG_RESET and CF1DEN_RESET a chip fresh from a reset is recognised
CF1DEN_RESET = 0x003F
ACCMODE_WRITABLE = 0x3FF  # the other bits of ACCMODE are status
GAIN_ONE = 0x400000

# The registers that the checksum covers beside CONFIG and WRITE_PROTECT (DS p.58-59), in the order in which they are
# written: the gains of current and voltage come before that of the power. COVERED_RESET has their values after a reset,
# which are wanted where nothing else is.
COVERED = (
    (LCYCMODE, PGA_V, PGA_IA, PGA_IB, CF1DEN, CF2DEN, CFMODE, PHCALA, PHCALB, ALT_OUTPUT, ACCMODE, IRQENB)
    + (AIGAIN, AVGAIN, AWGAIN, AVARGAIN, AVAGAIN, AIRMSOS, VRMSOS, AWATTOS, AVAROS, AVAOS)
    + (BIGAIN, BVGAIN, BWGAIN, BVARGAIN, BVAGAIN, BIRMSOS, BWATTOS, BVAROS, BVAOS, IRQENA)
)
COVERED_RESET = (
    (0x40, 0, 0, 0, CF1DEN_RESET, 0x3F, 0x300, 0, 0, 0, 0, 0)
    + (GAIN_ONE, GAIN_ONE, GAIN_ONE, GAIN_ONE, GAIN_ONE, 0, 0, 0, 0, 0)
    + (GAIN_ONE, GAIN_ONE, GAIN_ONE, GAIN_ONE, GAIN_ONE, 0, 0, 0, 0, IRQ_RESET)
)
# Reserved registers, which the checksum covers too. They are 0 after a reset and must stay so (DS p.61).
RESERVED = (0x285, 0x287, 0x291, 0x293, 0x294)
# The registers that the checksum leaves out (DS p.58), in an order in which they may be written: no-load levels change
# only while no-load is off, and SAGCYC only while SAGLVL is zero (DS p.40, 45), so that DISNOLOAD and SAGLVL get their
# wanted values after them. They are read back in groups of three, each of one width.
UNCOVERED = (
    (AP_NOLOAD, VAR_NOLOAD, VA_NOLOAD)
    + (DISNOLOAD, SAGCYC, EX_REF)
    + (SAGLVL, OVLVL, OILVL)
    + (LINECYC, ZXTOUT, OPTIMUM)
)
UNCOVERED_RESET = (AP_NOLOAD_RESET, AP_NOLOAD_RESET, 0, 0, 0, 0, 0, 0xFFFFFF, 0xFFFFFF, 0, 0xFFFF, 0)

PERIOD_CLOCK_MILLIHZ = 223_750_000  # the clock that PERIOD counts: frequency in mHz = this / (PERIOD + 1), DS p.36
