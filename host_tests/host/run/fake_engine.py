"""An ideal meter in place of the engine: it books what the stimulus says, with the same requests and replies."""

import base64
import math

MEMORY = base64.b64encode(bytes(range(256)) * 128).decode()
LIT = ["0b", "0c", "1a", "1b", "1c", "RIGHT", "BAR1", "k", "W", "h", "P7"]


class FakeEngine:
    """Line powers from `mains` items, ramps taken at their ends' mean."""

    def __init__(self, engine, config):
        self.engine = engine
        self.config = config
        self.now_us = 0
        self.power = True
        self.lines = [(0.0, 0.0, 0.0, 0.0)] * 2
        self.delivered_wh = 0.0
        self.received_wh = 0.0
        self.calls = []
        self.fail_at_us = None
        self.closed = False
        self.unplugged = None
        self.silent = None  # index of the line whose front end does not answer
        self.elements = 2 if config["model"][1] == "D" else 1

    def watts(self):
        return [v * i * math.cos(math.radians(d)) for v, i, d, _ in self.lines[: self.elements]]

    def run(self, until_us, stimulus):
        self.calls.append((until_us, stimulus))
        out = [["lcd", self.now_us, {"screen": "1", "text": "0.00", "symbols": ["k", "W", "h"], "bar": "right"}]]
        out[0][2].update(blinking=[], lit=LIT)
        for item in stimulus:
            self._book(item[1])
            if item[0] == "mains":
                self.lines = [tuple(item[3]), tuple(item[4])]
            elif item[0] == "power":
                self.power = bool(item[2])
        self._book(until_us)
        out.append(["edge", self.now_us, "opto10", len(self.calls) & 1])
        if len(self.calls) == 1:
            out.append(["boot", self.now_us, "power"])
        if self.fail_at_us is not None and until_us >= self.fail_at_us:
            out.append(["error", "Traceback:\n  app.py, line 9\nMemoryError: no more of it\n"])
        return {"t_us": until_us, "out": out, "snap": self.snap()}

    def _book(self, t_us):
        if self.power:
            energy = sum(self.watts()) * (t_us - self.now_us) / 3.6e9
            if energy > 0:
                self.delivered_wh += energy
            else:
                self.received_wh -= energy
        self.now_us = t_us

    def snap(self):
        return {
            "t_us": self.now_us,
            "powered": self.power,
            "lines": [
                {"v_mv": round(v * 1000), "i_ma": round(i * 1000), "p_w": v * i, "pf": 1.0, "silent": n == self.silent}
                for n, (v, i, _, _) in enumerate(self.lines[: self.elements])
                if self.power and len(self.calls) > 1  # the firmware does not run at once
            ],
            "delivered": f"{self.delivered_wh:.6f}",
            "received": f"{self.received_wh:.6f}",
            "demand": {"interval_w": 100, "max_w": 200, "shown_kw": "0.200"},
            "lcd": {"screen": "1", "text": "0.00", "symbols": [], "bar": "off", "blinking": [], "lit": LIT},
            "pins": {"opto10": 1, "opto100": 0, "opto1000": 0, "led": 1, "counter": 0, "rail12": 1},
            "counter": 12,
            "counter_given": 12,
            "gap_us": [0] * self.elements,
            "counted": [0] * self.elements,
            "status": {"condition": "normal", "lines": [], "failures": [], "rail12v": "on"},
            "rail12_ma": 8,
        }

    def finish(self, unplug=False):
        self.unplugged = unplug
        snap = self.snap()
        return {
            "counted": [{"counts": 0, "gap_s": 0.0}] * self.elements,
            "identity": {"serial": "000000000042", "date": "260131", "revision": "0.10"},
            "register": {"delivered_wh": snap["delivered"], "received_wh": snap["received"]},
            "pulses": {"10": int(self.delivered_wh // 10), "100": 0, "1000": 0},
            "led": 0,
            "counter": {"counts": 0, "shortest_on_ms": 0, "shortest_off_ms": 0},
            "demand": snap["demand"],
            "status": snap["status"],
            "events": [{"t_s": 0.0, "event": "power_up"}],
            "firmware": {"cycles": self.now_us // 100_000, "faults": {}},
            "memory": {"fram": MEMORY},
        }

    def close(self):
        self.closed = True
