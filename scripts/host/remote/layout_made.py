"""Makes what is made from the table of registers: the device's layout, and the tables of docs/modbus.md.

    PYTHONPATH=scripts:.:firmware:boards/reference .venv/bin/python -m host.remote.layout_made

writes both; a test says when they are not current.
"""

import re
from pathlib import Path

from host.remote import registers, sunspec_points
from host.remote.sunspec_points import COMMON, DUAL, END, MARKER, NOT_IMPLEMENTED, SINGLE

TOP = Path(__file__).resolve().parents[3]
LAYOUT = TOP / "firmware" / "openkh" / "remote" / "layout.py"
PAGE = TOP / "docs" / "modbus.md"

# Kinds of a row of three bytes in the device's layout; their meaning stands in the text of HEAD.
_WORD, _LONG, _TEXT, _CONSTANT, _REPEATED = range(5)

HEAD = '''"""Made from scripts/host/remote/registers.py by host.remote.layout_made: change that, not this (AM-3, AM-4).

A block of registers is rows of three bytes, in the order of their addresses: kind, a, b.
    WORD      one register: the lower 16 bits of the source number a
    LONG      two registers: the source number a, 32 bits, the high word first
    TEXT      b registers: the bytes of the source number a, two in each, zeros after them
    CONSTANT  one register that is always a * 256 + b
    REPEATED  b registers, the word that stands in the row before in each
A source below LINE_1 is an attribute of reading.Reading by its number in SOURCES; from LINE_1 and from LINE_2 on it is
one of the line's reading.LineReading, by its number in LINE_SOURCES.
"""

WORD = {0}
LONG = {1}
TEXT = {2}
CONSTANT = {3}
REPEATED = {4}
LINE_1 = {5}
LINE_2 = {6}

'''
_LINE_1, _LINE_2 = 128, 192
_WIDTH = 110


class _Layout:
    def __init__(self) -> None:
        self.sources: list[str] = []
        self.line_sources: list[str] = []

    def source(self, name: str) -> int:
        if name.startswith("l1_"):
            return _LINE_1 + _number(self.line_sources, name[3:])
        if name.startswith("l2_"):
            return _LINE_2 + _number(self.line_sources, name[3:])
        return _number(self.sources, name)

    def own(self) -> list[tuple[int, int, int]]:
        rows = []
        for register in registers.OWN:
            kind = register.kind
            if kind in ("u16", "i16"):
                rows.append((_WORD, self.source(register.name), 0))
            elif kind in ("u32", "i32"):
                rows.append((_LONG, self.source(register.name), 0))
            elif kind == "u64":  # in parts, because whole it would be no small integer of the RP2040
                rows.append((_LONG, self.source(register.name + "_32"), 0))
                rows.append((_WORD, self.source(register.name + "_16"), 0))
                rows.append((_WORD, self.source(register.name + "_0"), 0))
            else:
                rows.append((_TEXT, self.source(register.name), register.words))
        return rows

    def sunspec(self, meter: int) -> list[tuple[int, int, int]]:
        rows = [_constant(MARKER[0] << 8 | MARKER[1]), _constant(MARKER[2] << 8 | MARKER[3])]
        for model in (COMMON, meter):
            rows += [_constant(model), _constant(sunspec_points.length(model))]
            for point in sunspec_points.points(model):
                self._point(point, rows)
        return rows + [_constant(word) for word in END]

    def _point(self, point: sunspec_points.Point, rows: list[tuple[int, int, int]]) -> None:
        source = point.source
        if isinstance(source, int):
            assert point.words == 1
            rows.append(_constant(source))
        elif source is None:
            value = _constant(NOT_IMPLEMENTED.get(point.kind, 0))
            for _ in range(point.words):
                if rows[-1] == value:
                    rows.append((_REPEATED, 0, 1))
                elif rows[-1][0] == _REPEATED and rows[-2] == value:
                    rows[-1] = (_REPEATED, 0, rows[-1][2] + 1)
                else:
                    rows.append(value)
        elif point.kind == "string":
            rows.append((_TEXT, self.source(source), point.words))
        else:
            rows.append((_LONG if point.words == 2 else _WORD, self.source(source), 0))


def _number(names: list[str], name: str) -> int:
    if name not in names:
        names.append(name)
    return names.index(name)


def _constant(word: int) -> tuple[int, int, int]:
    return (_CONSTANT, word >> 8 & 255, word & 255)


def _bytes(name: str, rows: list[tuple[int, int, int]]) -> str:
    data = bytes(value for row in rows for value in row)
    lines = []
    while data:
        portion = data
        while len(_hex(portion)) > _WIDTH:
            portion = portion[:-1]
        lines.append(f"    {_hex(portion)}\n")
        data = data[len(portion) :]
    return f"{name} = (\n{''.join(lines)})\n"


def _hex(data: bytes) -> str:
    return 'b"' + "".join(f"\\x{value:02x}" for value in data) + '"'


def layout() -> str:
    """The text of the device's layout.py."""
    made = _Layout()
    own = made.own()
    single = made.sunspec(SINGLE)
    dual = made.sunspec(DUAL)
    return (
        HEAD.format(_WORD, _LONG, _TEXT, _CONSTANT, _REPEATED, _LINE_1, _LINE_2)
        + f"OWN_FIRST = {registers.OWN_FIRST}\n"
        + f"OWN_WORDS = {registers.OWN_WORDS}\n"
        + f"INTERVALS_FIRST = {registers.INTERVALS_FIRST}\n"
        + f"INTERVAL_WORDS = {registers.INTERVAL_WORDS}\n"
        + f"SUNSPEC_FIRST = {registers.SUNSPEC_FIRST}\n"
        + f"SUNSPEC_WORDS = {words(single)}  # of either block\n"
        + f"MAP_VERSION = {registers.MAP_VERSION}\n\n"
        + _names("SOURCES", made.sources)
        + _names("LINE_SOURCES", made.line_sources)
        + _bytes("OWN", own)
        + _bytes("SUNSPEC_SINGLE", single)
        + _bytes("SUNSPEC_DUAL", dual)
    )


def _names(name: str, names: list[str]) -> str:
    return f"{name} = (\n" + "".join(f'    "{each}",\n' for each in names) + ")\n\n"


def words(rows: list[tuple[int, int, int]]) -> int:
    """Registers that rows take."""
    return sum(2 if kind == _LONG else b if kind in (_TEXT, _REPEATED) else 1 for kind, _a, b in rows)


# Documentation


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(lines)


def _own_rows(table: tuple[registers.Register, ...]) -> list[list[str]]:
    rows = []
    for register in table:
        kind = register.kind
        if kind.startswith("raw"):
            kind = f"{register.words * 2} bytes"
        elif kind not in registers.WORDS:
            kind = f"text, {register.words * 2}"
        one = f"{register.scale:g} {register.unit}".strip() if register.unit else ""
        if register.scale != 1 and not register.unit:
            one = f"{register.scale:g}"
        rows.append([str(register.address), f"`{register.name}`", kind, one, register.meaning])
    return rows


def _sunspec_rows() -> list[list[str]]:
    rows = []
    address = registers.SUNSPEC_FIRST + 2
    for models in ((COMMON,), (SINGLE, DUAL)):
        both = [sunspec_points.points(model) for model in models]
        rows.append(
            [str(address), ", ".join(f"**{model}**" for model in models), f"L {sunspec_points.length(models[0])}"]
        )
        at = address + 2
        for row in zip(*both, strict=True):
            values = [_value_of(point) for point in row]
            if any(values):
                name = row[0].name if len({point.name for point in row}) == 1 else "/".join(p.name for p in row)
                text = values[0] if len(set(values)) == 1 else f"{values[0] or 'not implemented'}; {DUAL}: {values[-1]}"
                rows.append([str(at), name, text])
            at += row[0].words
        address = at
    rows.append([str(address), "**65535**", "end"])
    return rows


def _value_of(point: sunspec_points.Point) -> str:
    """What the table says of a point's value; "" where the point is not implemented."""
    if point.source is None:
        return ""
    return f"always {point.source}" if isinstance(point.source, int) else f"`{point.source}`"


def page_tables() -> dict[str, str]:
    """The made parts of docs/modbus.md by the names of their marks."""
    head = ["address", "name", "type", "one is", "meaning"]
    return {
        "own": _table(head, _own_rows(registers.OWN)),
        "interval": _table(["offset", *head[1:]], _own_rows(registers.INTERVAL)),
        "flags": _table(["bit", "meaning"], [[f"0x{bit:04X}", text] for bit, text in registers.FLAGS.items()]),
        "conditions": _table(["number", "condition"], [[str(n), f"`{c}`"] for n, c in enumerate(registers.CONDITIONS)]),
        "sunspec": _table(["address", "point", "value"], _sunspec_rows()),
        "events": _table(["bit", "of Evt"], [[str(bit), text] for bit, text in sunspec_points.EVENTS.items()]),
    }


def page(text: str) -> str:
    """docs/modbus.md with its tables as they are now."""
    for name, table in page_tables().items():
        begin, end = f"<!-- {name}: made by host.remote.layout_made -->", f"<!-- {name}: end -->"
        text = re.sub(
            re.escape(begin) + ".*?" + re.escape(end),
            lambda _m, t=table, b=begin, e=end: f"{b}\n{t}\n{e}",
            text,
            flags=re.S,
        )
    return text


def main() -> None:
    """Write both files."""
    LAYOUT.write_text(layout())
    if PAGE.exists():
        PAGE.write_text(page(PAGE.read_text()))


if __name__ == "__main__":
    main()
