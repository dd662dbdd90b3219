import micropython

micropython.kbd_intr(-1)  # before any import: a Ctrl-C during the imports would reach a prompt (CA-2)

"""Start the meter, or service mode. With the seal closed this never ends but by a reset; with it open it ends at the
prompt, for which `prompt` has the names."""

prompt = {}
try:
    from openkh.app import main

    prompt = main()
except Exception:
    import board
    import machine

    if machine.Pin(board.PIN_SEAL, machine.Pin.IN, machine.Pin.PULL_UP)() == 0:
        machine.reset()
    raise
