"""What a look at stored data finds: in one slot, or in a whole region by the newest of what is in it (ST-2)."""

BLANK = 0  # nothing was ever written
GOOD = 1
DAMAGED = 2  # something was written, and there is no good copy of it
FOREIGN = 3  # good, but of another board, model or service, or of another layout
SILENT = 4  # the memory does not answer, so nothing is known
OLDER = 5  # only records of an older layout of the journal (upward.py)
