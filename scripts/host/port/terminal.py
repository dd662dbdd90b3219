"""A pseudo-terminal: a serial port of this computer whose other end is a program."""

import contextlib
import os
import pty
import termios
import tty

UNREAD_BYTES = 1 << 16  # nobody reads the port: more than this is dropped, as on USB
READ_BYTES = 4096
_BAUDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name.startswith("B") and name[1:].isdigit()}


class PseudoTerminal:
    """`name` is the port that others open; `fd` tells `select` that something can be read."""

    def __init__(self) -> None:
        self.fd, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.fd, False)
        self.name = os.ttyname(self._slave)
        self._unread = b""

    @property
    def full(self) -> bool:
        """Whether bytes wait until whoever is connected reads."""
        return bool(self._unread)

    def read(self) -> bytes:
        """What has been sent to the port."""
        with contextlib.suppress(BlockingIOError, OSError):
            return os.read(self.fd, READ_BYTES)
        return b""

    def write(self, data: bytes = b"") -> None:
        """Send, after what still waits."""
        self._unread = (self._unread + data)[-UNREAD_BYTES:]
        with contextlib.suppress(BlockingIOError, OSError):
            self._unread = self._unread[os.write(self.fd, self._unread) :]

    def framing(self, default_baud: int) -> tuple[int, int | None]:
        """Baud rate and parity (None, 0 even, 1 odd) that whoever is connected has set; the kernel ignores them."""
        settings = termios.tcgetattr(self._slave)
        parity = None
        if settings[2] & termios.PARENB:
            parity = 1 if settings[2] & termios.PARODD else 0
        return _BAUDS.get(settings[5], default_baud) or default_baud, parity

    def close(self) -> None:
        """Hang up."""
        for fd in (self.fd, self._slave):
            with contextlib.suppress(OSError):
                os.close(fd)
