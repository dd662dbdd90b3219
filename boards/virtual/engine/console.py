"""The USB serial port of the virtual board, with the prompt that MicroPython's rp2 port has there.

Friendly, raw and raw-paste REPL, paste mode, Ctrl-C, soft reset (shared/runtime/pyexec.c). Characters come as clock
events, so that simulated time goes on while the prompt waits and while what was typed runs.

Ctrl-C does what it does on the RP2040: where the character is the interrupt character at the moment it arrives, what
was typed before is dropped and KeyboardInterrupt is raised in the main code, never in a callback.
"""

import builtins

from boards.virtual.halt import Reset
from boards.virtual.standins import simmicropython

CTRL_A = 1
CTRL_B = 2
CTRL_C = 3
CTRL_D = 4
CTRL_E = 5
ENTER = 13
RAW_PASTE = "\x05A"  # what stands before the Ctrl-A that begins raw paste
WINDOW = 128  # half of MICROPY_REPL_STDIN_BUFFER_MAX
BANNER = 'MicroPython on the virtual board; OpenKh\r\nType "help()" for more information.\r\n'
RAW_BANNER = "raw REPL; CTRL-B to exit\r\n"
HISTORY = 8
_BLOCKS = ("if ", "for ", "while ", "while(", "if(", "try:", "with ", "def ", "class ", "@")


class _Bytes:
    """What the firmware finds as `sys.stdin.buffer`."""

    def __init__(self, console):
        self._console = console

    def read(self, count):
        """`count` bytes; waits for them."""
        return bytes([self._console.read() for _ in range(count)])


class _Stdin:
    """What the firmware finds as `sys.stdin`."""

    def __init__(self, console):
        self._console = console
        self.buffer = _Bytes(console)

    def read(self, count):
        """`count` characters; waits for them."""
        return "".join([chr(self._console.read()) for _ in range(count)])


class Console:
    """`emit(text)` is called with what the board sends; every character stands for one byte."""

    def __init__(self, clock, cpu, emit, trace):
        self._clock = clock
        self._cpu = cpu
        self._emit = emit
        self._trace = trace  # makes the text of an exception
        self._rx = bytearray()
        self._raw = False
        self._history = []
        self._globals = {}
        self.stdin = _Stdin(self)
        self.interrupts = 0  # how many Ctrl-C have reached running code
        self._print = builtins.print
        builtins.print = self.print

    def close(self):
        """Put the interpreter's own `print` back."""
        builtins.print = self._print

    # -- the wire -----------------------------------------------------------------------------------------------

    def typed(self, text):
        """Take bytes that arrive from the host."""
        for char in text:
            code = ord(char)
            if code == simmicropython.interrupt_char:
                self._rx = bytearray()
                self._clock.break_in = self._break_in
            else:
                self._rx.append(code)

    def waiting(self):
        """Whether something can be read."""
        return len(self._rx) > 0

    def read(self):
        """The next byte; waits for it."""
        while not self._rx:
            self._clock.next_event()
        code = self._rx[0]
        self._rx = self._rx[1:]
        return code

    def write(self, text):
        """Send `text` as it is."""
        self._emit(text)

    def print(self, *values, sep=" ", end="\n", file=None):
        """Stand-in for the built-in function; the port sends a carriage return before each line feed."""
        if file is not None:
            file.write(sep.join([str(value) for value in values]) + end)
            return
        self.write((sep.join([str(value) for value in values]) + end).replace("\n", "\r\n"))
        if self._clock.break_in is not None:
            self._clock.break_in()

    def restart(self, cause):
        """Follow a restart: what was typed is gone, and after all but a soft reset the prompt is friendly again."""
        self._rx = bytearray()
        self._clock.break_in = None
        simmicropython.interrupt_char = -1
        if cause == "soft":
            self.write("MPY: soft reboot\r\n")
        else:
            self._raw = False

    @property
    def raw(self):
        """Whether the raw REPL is in use: after a soft reset from there main.py is not run."""
        return self._raw

    def _break_in(self):
        if self._cpu.in_callback:
            return  # stays pending until the main code goes on
        self._clock.break_in = None
        self.interrupts += 1
        raise KeyboardInterrupt

    # -- running code -------------------------------------------------------------------------------------------

    def guarded(self, function):
        """Call `function` as the port runs a file or command: Ctrl-C interrupts it, and what it raises is printed. True
        where it raised nothing."""
        simmicropython.interrupt_char = CTRL_C
        try:
            function()
            return True
        except SystemExit:
            raise Reset("soft") from None
        except (Exception, KeyboardInterrupt) as error:
            self._complain(error)
            return False
        finally:
            simmicropython.interrupt_char = -1
            self._clock.break_in = None

    def _complain(self, error):
        kept = []
        hidden = False
        for line in self._trace(error).split("\n"):
            if not line.startswith("    "):
                hidden = "boards/virtual/" in line  # a frame of the simulation, which a real board would not have
            if not hidden:
                kept.append(line)
        self.write("\r\n".join(kept))

    def _execute(self, text):
        self.guarded(lambda: exec(text, self._globals))  # noqa: S102

    def _evaluate(self, text):
        """Run a line of the friendly prompt, which shows the value of an expression."""
        try:
            code = compile(text, "<stdin>", "eval")
        except SyntaxError:
            self._execute(text)
            return

        def show():
            value = eval(code, self._globals)  # noqa: S307
            if value is not None:
                self._globals["_"] = value
                self.print(repr(value))

        self.guarded(show)

    # -- the prompt ---------------------------------------------------------------------------------------------

    def run(self, names):
        """Run the prompt, for ever, with `names` among its globals."""
        self._globals = {"__name__": "__main__"}
        self._globals.update(names)
        while True:
            if self._raw:
                self._raw_repl()
            else:
                self._friendly_repl()

    def _raw_repl(self):
        self.write(RAW_BANNER)
        while True:
            self.write(">")
            line = ""
            while True:
                code = self.read()
                if code == CTRL_A:
                    if line == RAW_PASTE:
                        self._raw_paste()
                    elif line[:1] == "\x05":
                        self.write("R\x00")
                    else:
                        self.write(RAW_BANNER)
                    break
                if code == CTRL_B:
                    self.write("\r\n")
                    self._raw = False
                    return
                if code == CTRL_C:
                    line = ""
                elif code == CTRL_D:
                    if not line:
                        self.write("\r\n")
                        raise Reset("soft")
                    self.write("OK")
                    self._execute_framed(line)
                    break
                else:
                    line += chr(code)

    def _execute_framed(self, text):
        """Run a command of the raw REPL: it answers with the output, Ctrl-D, what was raised, and Ctrl-D."""
        complain = self._complain
        failed = []
        self._complain = failed.append
        try:
            self._execute(_utf8(text))
        finally:
            self._complain = complain
        self.write("\x04")
        if failed:
            self._complain(failed[0])
        self.write("\x04")

    def _raw_paste(self):
        self.write("R\x01" + chr(WINDOW & 255) + chr(WINDOW >> 8) + "\x01")
        line = ""
        left = WINDOW
        while True:
            code = self.read()
            if code in (CTRL_C, CTRL_D):
                self.write("\x04")
                if code == CTRL_C:
                    self.write("\x04\x04")
                    return
                break
            line += chr(code)
            left -= 1
            if left == 0:
                self.write("\x01")
                left = WINDOW
        self._execute_framed(line)

    def _friendly_repl(self):
        self.write(BANNER)
        while True:
            text = self._line(">>> ")
            if text is None:
                return
            while text and _continues(text):
                more = self._line("... ")
                if more is None:
                    return
                if more == "\x03":
                    text = ""
                    break
                text += "\n" + more
            if text.strip() and text != "\x03":
                self._evaluate(_utf8(text))

    def _line(self, prompt):
        """A line typed at the friendly prompt; "\x03" where Ctrl-C ended it, None where the mode changes."""
        self.write(prompt)
        line = ""
        while True:
            code = self.read()
            if code == ENTER:
                self.write("\r\n")
                if line.strip():
                    self._history = [line] + self._history[: HISTORY - 1]
                return line
            if code == CTRL_C:
                self.write("\r\n")
                return "\x03"
            if code == CTRL_A and not line:
                self.write("\r\n")
                self._raw = True
                return None
            if code == CTRL_B and not line:
                self.write("\r\n")
                return None
            if code == CTRL_D and not line:
                self.write("\r\n")
                raise Reset("soft")
            if code == CTRL_E and not line:
                return self._paste()
            if code in (8, 127):
                if line:
                    line = line[:-1]
                    self.write("\b \b")
            elif code == 27:
                line = self._escape(line)
            elif code >= 32:
                line += chr(code)
                self.write(chr(code))

    def _escape(self, line):
        """Take an escape sequence of the cursor keys, of which only the one that fetches older lines does something."""
        if self.read() == 91 and self.read() == 65 and self._history:
            self.write("\b \b" * len(line))
            line = self._history[0]
            self._history = self._history[1:] + [line]
            self.write(line)
        return line

    def _paste(self):
        self.write("\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ")
        text = ""
        while True:
            code = self.read()
            if code == CTRL_C:
                self.write("\r\n")
                return "\x03"
            if code == CTRL_D:
                self.write("\r\n")
                self._execute(_utf8(text))
                return ""
            char = "\n" if code == ENTER else chr(code)
            text += char
            self.write("\r\n=== " if char == "\n" else char)


def _utf8(text):
    """Bytes, one a character, as the text that they encode."""
    try:
        return bytes([ord(char) for char in text]).decode()
    except UnicodeError:
        return text


def _continues(text):
    """Whether the friendly prompt asks for another line."""
    if text.endswith("\\"):
        return True
    depth = 0
    quote = ""
    for char in text:
        if quote:
            if char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
    if depth > 0:
        return True
    return text.startswith(_BLOCKS) and not text.endswith("\n")
