"""Starting up: what a start of the RP2040 finds, and how the meter goes on from it. In the order in which it happens:

`restart`            why the RP2040 restarted, and how a restart is asked for
`stored_data`        factory data and calibration, read from memory
`model_of_records`   the model of a meter whose factory data are damaged, told from its journal
`sealed_word`        a number with its check, as `restart` and `scratch_registers` keep them
`scratch_registers`  what the watchdog's scratch registers kept through a restart with the supply on
`chip_notes`         what the front ends kept of it through a reset that clears those registers as well
`resuming`           register, run time and outputs go on from journal and scratch registers; then the first readings
`front_ends`         the front ends are brought up, or found running
`beside`             what works beside the measuring cycle, built when it runs: interval data, display, port
`late_memory`        a memory that did not answer at the start and answers later

`openkh.app` calls them; from then on the measuring cycle runs by itself.
"""
