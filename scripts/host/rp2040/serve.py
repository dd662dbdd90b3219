"""An emulated board's console on a TCP port, for mpremote and scripts/flash: `connect socket://127.0.0.1:PORT`.

    python -m host.rp2040.serve [--flash FILE]     prints "port N"; FILE keeps the flash between runs

Coupled to real time (it waits where it is faster), so for smoke tests only: the deterministic host is `emulator`.
"""

import argparse
import os
import select
import signal
import socket
import sys
import time

from host.rp2040.emulator import Chip

SLICE_NS = 2_000_000


def serve(chip: Chip, listener: socket.socket) -> None:
    """Run the chip for ever, its console joined to whoever connects."""
    out = bytearray()
    peer: socket.socket | None = None
    chip.console.on_data = out.extend
    started = time.monotonic() - chip.ns / 1e9
    while True:
        chip.run(SLICE_NS, wall_s=600)
        chip.console.received.clear()
        ahead_s = started + chip.ns / 1e9 - time.monotonic()
        started += max(0.0, -ahead_s)  # slower than real time: no hurry afterwards
        readable, _, _ = select.select([listener] + ([peer] if peer else []), [], [], max(0.0, ahead_s))
        if listener in readable:
            peer, _ = listener.accept()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            out.clear()
        elif peer in readable:
            data = peer.recv(4096)
            if data:
                chip.console.send(data)
            else:
                peer = None
        if out and peer:
            try:
                peer.sendall(out)
            except OSError:
                peer = None
            out.clear()


def main() -> int:
    parser = argparse.ArgumentParser(description="an emulated RP2040's console on a TCP port")
    parser.add_argument("--port", type=int, default=0, help="TCP port (default: any free one)")
    parser.add_argument("--flash", help="file with the 2 MiB flash: read if it is there, written at the end")
    options = parser.parse_args()
    kept = b""
    if options.flash and os.path.exists(options.flash):
        with open(options.flash, "rb") as f:
            kept = f.read()
    chip = Chip(flash=kept, usb=True)
    listener = socket.create_server(("127.0.0.1", options.port))
    print("port", listener.getsockname()[1], flush=True)

    def end(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        serve(chip, listener)
    except KeyboardInterrupt:
        pass
    if options.flash:
        with open(options.flash, "wb") as f:
            f.write(chip.flash_image())
    return 0


if __name__ == "__main__":
    sys.exit(main())
