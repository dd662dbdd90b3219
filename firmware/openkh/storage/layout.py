"""Where everything lies in the memory, and in which layout: the one home of regions, slots and sizes.

A region is a row of equal slots, which are used in order and then from the first one again. In FRAM it is told by its
first address, the number of its slots and the bytes from one slot to the next; in flash by a number of blocks, in each
page of which lie as many whole slots as fit. docs/memory.md says how to add to this without losing a register.
"""

# The number of this layout, which is stored with the factory data. A firmware that finds a higher number than its own
# leaves the whole memory as it is. So raise it with every change that makes an older firmware misread or lose
# something.
LAYOUT = 0

# Bytes of a slot's content.
RECORD_BYTES = 85  # the journal's record (records.py); three to a page of flash
EVENT_BYTES = 20  # an entry of the event log (events.py)
VAULT_BYTES = 108  # a copy of factory data or calibration (vault.py)

# FRAM: (first address, slots, bytes from slot to slot). All this fits 8 KiB, the smallest part that can be fitted.
FRAM_JOURNAL = (0x0000, 16, 88)
FRAM_CALIBRATION = (0x0600, 4, 160)
FRAM_EVENTS = (0x0900, 128, 24)
FRAM_SERVICE_EVENTS = (0x1500, 64, 24)
FRAM_SEAL_EVENTS = (0x1B00, 21, 24)
FRAM_FACTORY = (0x1D00, 4, 160)

# Flash: (blocks, bytes of a slot) of calibration, factory data, events, service events and journal, in the order in
# which their blocks stand in the map (drivers/flash.py). What is added comes last.
FLASH_BLOCK_BYTES = 4096
FLASH_PAGE_BYTES = 256
FLASH_USES = ((2, VAULT_BYTES), (2, VAULT_BYTES), (4, EVENT_BYTES), (2, EVENT_BYTES), (96, RECORD_BYTES))

# Settings of the RS-485 port (a vault) and interval data (interval_ring.py). In FRAM there is room for them from 32 KiB
# on; in flash they have the blocks that stand in the map after those above. The map of a board that was laid out by an
# earlier firmware has none of these blocks.
FRAM_32K = 0x8000
FRAM_PORT = (0x7F00, 2, 112)
FRAM_INTERVALS = (0x2500, 90)  # first address, pages; 0x2000 to 0x24FF is free, for a journal of another layout
FLASH_PORT_BLOCKS = 2
FLASH_INTERVAL_BLOCKS = 7
FLASH_SEAL_BLOCKS = 2  # events of seal and fine pulses, after those of the interval data

FLASH_BLOCKS = 106 + FLASH_PORT_BLOCKS + FLASH_INTERVAL_BLOCKS + FLASH_SEAL_BLOCKS

# The first byte of the journal's record, and its older layouts, newest first: (first byte, how many of State's FIELDS
# it has, its bytes, its place in FRAM). In flash all of them share the journal's blocks.
RECORD_FORMAT = 0x51
OLDER_RECORDS: "tuple[tuple[int, int, int, tuple[int, int, int]], ...]" = ()
