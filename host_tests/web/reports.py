"""What must be equal between the page's engine and the others, from an engine's answer to `finish`."""

from host.sim.link import Link

LCD_KEYS = ("screen", "text", "symbols", "bar", "blinking")


def compared(final):
    """The parts of an engine's final answer that every engine gives alike."""
    said = [
        [item[1], {key: item[2][key] for key in LCD_KEYS}]
        for item in sorted(final["out"], key=lambda item: item[1])
        if item[0] == "lcd"
    ]
    return {
        "register": {key: final["register"][key] for key in ("delivered_wh", "received_wh")},
        "pulses": final["pulses"],
        "led": final["led"],
        "counts": final["counter"]["counts"],
        "demand_mw": [final["demand"][key] for key in ("interval_mw", "max_mw", "shown_mw")],
        "lcd": said,
        "events": final["events"],
        "counted": [chip["counts"] for chip in final["counted"]],
    }


class _Raw(Link):
    """A link whose answers stay as the engine gave them."""

    def raw(self, items, until_us):
        reply = self._ask({"op": "run", "until_us": until_us, "stimulus": items})
        final = self._ask({"op": "finish"})
        final["out"] = self._out + reply["out"] + final["out"]
        return final


def on_unix(config, items, until_us):
    """The same on MicroPython's unix port, in one window."""
    with _Raw("micropython", config) as link:
        return compared(link.raw(items, until_us))
