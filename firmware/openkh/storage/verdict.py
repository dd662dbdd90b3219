"""What a look at stored data has found, in one slot, or in a whole region by the newest that is in it (ST-2)."""

BLANK = 0  # nothing was ever written
GOOD = 1  # undamaged, and of this board, model, service and layout
DAMAGED = 2  # something was written, and there is no good copy of it
FOREIGN = 3  # undamaged, but of another board, model or service, or of a layout that this firmware does not know
SILENT = 4  # the memory does not answer, so nothing is known
OLDER = 5  # nothing but records of an older layout of the journal, which upward.py takes up
