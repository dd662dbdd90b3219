"""Numbers and names of the events in the log (ST-1). Two integers, a and b, go with each; their meaning stands beside
it.

Meters in use have these numbers in their logs. A new event takes a free number below 64, because the log keeps a byte
for each; a number is never given to another event.
"""

POWER_UP = 1  # b: sequence number of the record from which the meter goes on
POWER_FAIL = 2  # the supply is failing; a: bulk voltage in mV, b: 1 told by the sag, 2 by the bulk voltage, 3 by both
POWER_BACK = 3  # the dip ended within the hold-up, or has become a brown-out that the supply bears
RESTART = 4  # the RP2040 alone restarted; a: what asked for it (restart.py), 0 = the watchdog, 8 = reset from outside
STATE_LOST = 5  # there is no usable record; a: records that are damaged, b: records of another board or model
RECORD_DAMAGED = 6  # a: records that are damaged; an older or newer good one was used
RECORD_FOREIGN = 7  # records of another model, service or board were refused; a: how many
DEMAND_LOST = 8  # run time and demand could not be continued after a restart
DEMAND_LEFT_OUT = 9  # energy of a gap that began before the running window is in the register, not in demand; a: Wh
CHIP_SILENT = 10  # a: line
CHIP_BACK = 11  # a: line
CHIP_RESET = 12  # a: line, b: gap in ms
CHIP_REPAIRED = 13  # a: line, b: address of the altered register; 0 where it is not known
CHIP_ALTERED = 14  # configuration cannot be restored (FAIL 02); a: line
READING_REJECTED = 15  # an energy reading beyond the full-scale rate; a: line, b: counts
CYCLE_LATE = 16  # a: ms since the last cycle
COUNTER_FULL = 18  # a front end's counter was found at its end; what it has measured after that is missing; a: line
FREQUENCY = 17  # line frequency is not the service's; a: line, b: mHz
FAILURE = 20  # a: its number (FAIL 01 to 05), b: how often since it was logged last
FAILURE_ENDED = 21  # a: its number
CALIBRATION_DAMAGED = 22  # no good copy (FAIL 03); a: 1 calibration, 2 factory data, 3 settings of the port
INTERNAL_ERROR = 23  # an exception in the measuring cycle (FAIL 05); a: how many so far
RAIL12_OFF = 30  # a: mA, b: 1 overload, 2 sensor stuck
RAIL12_RETRY = 31  # a: failures so far
RAIL12_LATCHED = 32
SUPPLY_SENSOR_WRONG = 33  # it is not believed any longer; a: 1 sag flag, 2 bulk voltage
SUPPLY_SENSOR_BACK = 34  # it is believed again; a as above
DISPLAY_LOST = 35
DISPLAY_BACK = 36
SEAL_OPENED = 40
SEAL_CLOSED = 41
CALIBRATION = 42  # a calibration value changed; a: line * 16 + item, b: new value (old value in the entry before)
CALIBRATION_OLD = 43  # a: line * 16 + item, b: old value
IDENTITY = 44  # factory data written; a: how often so far
FINE_PULSES_ON = 45  # a: weight in mWh, b: seconds
FINE_PULSES_OFF = 46  # a: 1 time over, 2 load too high, 3 by command, 4 seal closed
ROLL_OVER = 47  # the register passed 1,000,000 kWh; a: how often so far
CALIBRATION_SAVED = 48  # a: how often so far, b: date YYMMDD as a number
# What the glass reported of a line; a: line, b: how often since it was logged last.
OVER_CURRENT = 50
OVER_VOLTAGE = 51
LOW_VOLTAGE = 52
BAD_POWER_FACTOR = 53
REVERSE_ENERGY = 54
OVER_CURRENT_ENDED = 55  # a: line
OVER_VOLTAGE_ENDED = 56
LOW_VOLTAGE_ENDED = 57
BAD_POWER_FACTOR_ENDED = 58
REVERSE_ENERGY_ENDED = 59
TEMPERATURE_LOST = 60  # its sensor fails or jumps: no correction for it; a: 0.01 degC read, b: believed before
TEMPERATURE_BACK = 61  # the sensor is believed again; a: 0.01 degC
PORT = 62  # settings of the RS-485 port changed; a: baud, b: unit * 10 + parity (0 none, 1 even, 2 odd)
PORT_OLD = 63  # what they were before, in the entry before

NAMES = {
    POWER_UP: "power_up",
    POWER_FAIL: "power_fail",
    POWER_BACK: "power_back",
    RESTART: "restart",
    STATE_LOST: "state_lost",
    RECORD_DAMAGED: "record_damaged",
    RECORD_FOREIGN: "record_foreign",
    DEMAND_LOST: "demand_lost",
    DEMAND_LEFT_OUT: "demand_left_out",
    CHIP_SILENT: "chip_silent",
    CHIP_BACK: "chip_back",
    CHIP_RESET: "chip_reset",
    CHIP_REPAIRED: "chip_repaired",
    CHIP_ALTERED: "chip_altered",
    READING_REJECTED: "reading_rejected",
    CYCLE_LATE: "cycle_late",
    FREQUENCY: "frequency",
    COUNTER_FULL: "counter_full",
    FAILURE: "failure",
    FAILURE_ENDED: "failure_ended",
    CALIBRATION_DAMAGED: "calibration_damaged",
    INTERNAL_ERROR: "internal_error",
    RAIL12_OFF: "rail12_off",
    RAIL12_RETRY: "rail12_retry",
    RAIL12_LATCHED: "rail12_latched",
    SUPPLY_SENSOR_WRONG: "supply_sensor_wrong",
    SUPPLY_SENSOR_BACK: "supply_sensor_back",
    DISPLAY_LOST: "display_lost",
    DISPLAY_BACK: "display_back",
    SEAL_OPENED: "seal_opened",
    SEAL_CLOSED: "seal_closed",
    CALIBRATION: "calibration",
    CALIBRATION_OLD: "calibration_old",
    IDENTITY: "identity",
    FINE_PULSES_ON: "fine_pulses_on",
    FINE_PULSES_OFF: "fine_pulses_off",
    ROLL_OVER: "roll_over",
    CALIBRATION_SAVED: "calibration_saved",
    OVER_CURRENT: "over_current",
    OVER_VOLTAGE: "over_voltage",
    LOW_VOLTAGE: "low_voltage",
    BAD_POWER_FACTOR: "bad_power_factor",
    REVERSE_ENERGY: "reverse_energy",
    OVER_CURRENT_ENDED: "over_current_ended",
    OVER_VOLTAGE_ENDED: "over_voltage_ended",
    LOW_VOLTAGE_ENDED: "low_voltage_ended",
    BAD_POWER_FACTOR_ENDED: "bad_power_factor_ended",
    REVERSE_ENERGY_ENDED: "reverse_energy_ended",
    TEMPERATURE_LOST: "temperature_lost",
    TEMPERATURE_BACK: "temperature_back",
    PORT: "port",
    PORT_OLD: "port_old",
}
