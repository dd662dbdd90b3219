import micropython

micropython.kbd_intr(-1)  # before any import: a Ctrl-C during the imports would reach a prompt (CA-2)

"""Start the meter, or service mode. With the seal closed this never returns; with it open it ends at the prompt."""

from openkh.app import main  # noqa: E402

main()
