"""Numbers of the failures that the glass shows as FAIL 01 to FAIL 05 (DX-6)."""

FRONT_END_SILENT = 1  # a front end does not answer; ends by itself
CONFIGURATION_ALTERED = 2  # a front end's configuration was altered and cannot be restored; ends by itself
STORED_DATA_DAMAGED = 3  # factory data or calibration damaged with no good copy; stands until service or power-up
REGISTER_NOT_STORED = 4  # the register cannot be stored; ends by itself
INTERNAL_ERROR = 5  # an exception in the cycle, or the watchdog's time ran out; stands until service or power-up

HIGHEST = 5
