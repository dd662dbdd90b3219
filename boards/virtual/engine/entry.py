"""Where an engine starts. `entry.py ROOTS...`, under CPython or MicroPython's unix port, talks with the host over
standard input and output; `serve_wasm` over the host function of the 32-bit build. `entry.py --image ADDRESS SIZE
ROOTS...` mounts a ROM file system first, in which the roots then lie.

On standard output a line for the host begins with MARK; everything else is what the firmware has printed.
"""

import sys

MARK = "\x1e"
MOUNT = "/engine"


class Pipe:
    """The link over standard input and output, a message a line."""

    def __init__(self):
        self._stdin = sys.stdin  # kept, because the board puts its own in the place of `sys.stdin` (console.py)

    def send(self, text):
        """One message."""
        sys.stdout.write("\n" + MARK + text + "\n")
        if hasattr(sys.stdout, "flush"):
            sys.stdout.flush()

    def receive(self):
        """The next message; nothing where the host is gone."""
        return self._stdin.readline()


class Call:
    """The link over the 32-bit build's function `host.call(name, json)`."""

    def __init__(self):
        import json

        import host

        self._call = host.call
        self._json = json

    def send(self, text):
        """One message."""
        self._call("send", self._json.dumps({"args": [text], "kwargs": {}}))

    def receive(self):
        """The next message; nothing where the host is gone."""
        return self._json.loads(self._call("receive", '{"args":[],"kwargs":{}}'))["value"]


def _only(roots):
    """Import from these roots and not from the folder of this file, whose modules have names of built-in ones."""
    sys.path[:] = roots + [path for path in sys.path if path == ".frozen" or "lib" in path]


def serve(transport, roots):
    """Run one engine with these import roots: checkout, firmware, board files."""
    _only(roots)
    from boards.virtual.engine.engine import Engine, collect_by_hand

    collect_by_hand()
    Engine(transport).serve()


def serve_wasm(roots):
    """`serve` on the 32-bit build, which cannot collect garbage at any moment (heap.py)."""
    import gc

    gc.disable()
    serve(Call(), roots)


def mount(address, size):
    """Mount a ROM file system that the process has put into memory where no collection of garbage goes through it."""
    import uctypes
    import vfs

    vfs.mount(vfs.VfsRom(uctypes.bytearray_at(address, size)), MOUNT)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[0] == "--image":
        mount(int(arguments[1]), int(arguments[2]))
        arguments = arguments[3:]
    serve(Pipe(), arguments)
