// The wiring drawing: source, breaker, conductors, CTs with their LINE side, fuses, terminals. Drawn anew for each change.

import { svg } from "./glass.js";
import { SERVICES } from "./panel.js";

const CONDUCTOR_X = { L1: 90, N: 150, L2: 210 };
const COLOUR = { L1: "black", N: "white", L2: "red" }; // of the leads, as on the terminals (TB-1)
const FUSE_X = 284;
const TERMINAL_X = 340;
const TERMINAL_PITCH = 29;
const TERMINAL_Y = 150;
const TOP = 62;
const BOTTOM = 372;
const CT_Y = [262, 320];
const TAP_Y = { L1: 186, N: 201, L2: 216 };

/** The meter's terminals, left to right; those of line 2 only where there is one. */
export const TERMINALS = [
  "L1", "N", "L2", "CT1 X1", "CT1 X2", "CT2 X1", "CT2 X2", "10", "100", "1000", "COM", "COUNTER 1", "COUNTER 2", "+12VDC",
];
const OF_LINE_2 = new Set(["L2", "CT2 X1", "CT2 X2"]);

function text(x, y, words, attributes = {}) {
  return svg("text", { x, y, ...attributes }, String(words));
}

function wire(points, kind) {
  const d = "M" + points.map(([x, y]) => `${x} ${y}`).join("L");
  return [svg("path", { d, class: "halo" }), svg("path", { d, class: `wire ${kind}` })];
}

const terminalX = (name) => TERMINAL_X + TERMINALS.indexOf(name) * TERMINAL_PITCH;

function fuse(x, y, whole, words) {
  const parts = [svg("rect", { x: x - 16, y: y - 5, width: 32, height: 10, class: whole ? "fuse" : "fuse open" })];
  return whole ? parts : [...parts, text(x, y - 8, words, { class: "fault", "text-anchor": "middle" })];
}

function currentTransformer(panel, n, say) {
  const ct = panel.cts[n];
  const y = CT_Y[n];
  const name = `CT${n + 1}`;
  if (!ct.on) return [text(262, y + 18, `${name}: ${say("not_connected")}`, { class: "fault" })];
  const x = CONDUCTOR_X[ct.on === 1 ? "L1" : "L2"];
  const colour = n ? "red" : "black";
  const [x1, x2] = ct.swapped ? [`${name} X2`, `${name} X1`] : [`${name} X1`, `${name} X2`];
  const line = ct.turned ? y + 25 : y - 17;
  return [
    ...wire([[x + 15, y], [terminalX(x1), y], [terminalX(x1), TERMINAL_Y]], colour),
    ...wire([[x + 15, y + 10], [terminalX(x2), y + 10], [terminalX(x2), TERMINAL_Y]], "white"),
    svg("rect", { x: x - 15, y: y - 12, width: 30, height: 30, rx: 8, class: "ct" }),
    text(x, y + 7, name, { "text-anchor": "middle", class: "ctname" }),
    text(x - 19, line + 4, "LINE", { "text-anchor": "end", class: ct.turned ? "side fault" : "side" }),
    svg("path", { d: `M${x - 17} ${line}h5`, class: "sidemark" }),
  ];
}

function supply(panel, name, say) {
  const x = CONDUCTOR_X[name];
  const y = TAP_Y[name];
  const parts = [
    ...wire([[x, y], [terminalX(name), y], [terminalX(name), TERMINAL_Y]], COLOUR[name]),
    svg("circle", { cx: x, cy: y, r: 3.5, class: "joint" }),
  ];
  return name === "N" ? parts : [...parts, ...fuse(FUSE_X, y, panel.fuses[name === "L1" ? 0 : 1], say("open"))];
}

/** What the drawing shows, in one sentence for those who do not see it. */
export function described(panel, say) {
  const service = SERVICES[panel.service];
  const words = [say(`service_${panel.service}`), say(panel.mains ? "mains_on" : "mains_off")];
  for (let n = 0; n < service.elements; n++) {
    const ct = panel.cts[n];
    words.push(`${say("fuse")} L${n + 1}: ${say(panel.fuses[n] ? "closed" : "open")}`);
    const where = ct.on ? `${say("on_line")} ${ct.on}` : say("not_connected");
    const how = ct.on ? `, ${say(ct.turned ? "line_to_load" : "line_to_source")}` : "";
    words.push(`CT${n + 1}: ${where}${how}${ct.swapped ? ", " + say("swapped") : ""}`);
  }
  return words.join("; ");
}

/** Draw the panel into `place`. */
export function draw(place, panel, say) {
  const service = SERVICES[panel.service];
  const two = service.elements === 2;
  const lines = two ? ["L1", "N", "L2"] : ["L1", "N"];
  const drawing = svg("svg", { viewBox: "0 0 760 430", class: "panel", role: "img", "aria-label": described(panel, say) });
  drawing.append(text(150, 16, say(`service_${panel.service}`), { "text-anchor": "middle", class: "caption" }));
  for (const name of lines) {
    const x = CONDUCTOR_X[name];
    drawing.append(text(x, 34, name, { "text-anchor": "middle", class: "conductor" }));
    drawing.append(...wire([[x, 38], [x, name === "N" ? BOTTOM + 13 : BOTTOM]], `${COLOUR[name]} thick`));
    if (name !== "N") {
      drawing.append(svg("rect", { x: x - 12, y: TOP - 18, width: 24, height: 40, rx: 3, class: "breaker" }));
      const lever = panel.mains ? `M${x} ${TOP + 14}V${TOP - 10}` : `M${x} ${TOP + 14}l14 -20`;
      drawing.append(svg("path", { d: lever, class: "lever" }));
    }
  }
  drawing.append(text(30, TOP + 6, say("breaker"), { class: "label", "text-anchor": "middle" }));

  const width = TERMINALS.length * TERMINAL_PITCH;
  drawing.append(svg("rect", { x: TERMINAL_X - 20, y: 22, width: width + 10, height: 128, rx: 8, class: "case" }));
  drawing.append(text(TERMINAL_X - 8, 44, `OpenKh ${service.model}`, { class: "casename" }));
  for (const name of TERMINALS) {
    if (!two && OF_LINE_2.has(name)) continue;
    const x = terminalX(name);
    drawing.append(svg("circle", { cx: x, cy: TERMINAL_Y - 10, r: 8, class: "terminal" }));
    const label = text(0, 0, name, { class: "terminalname", transform: `translate(${x + 4} ${TERMINAL_Y - 24}) rotate(-90)` });
    drawing.append(label);
  }
  lines.forEach((name) => drawing.append(...supply(panel, name, say)));
  for (let n = 0; n < service.elements; n++) {
    drawing.append(...currentTransformer(panel, n, say));
    const x = CONDUCTOR_X[n ? "L2" : "L1"];
    const load = panel.loads[n];
    const shown = `${load.amps.toFixed(load.amps < 10 ? 2 : 0)} A`;
    const inner = x + (n ? -26 : 26); // the load stands between its line and the neutral
    drawing.append(...wire([[inner, BOTTOM + 13], [CONDUCTOR_X.N, BOTTOM + 13]], "white"));
    drawing.append(svg("rect", { x: x - 26, y: BOTTOM, width: 52, height: 26, class: load.amps ? "load on" : "load" }));
    drawing.append(text(x, BOTTOM + 17, shown, { "text-anchor": "middle", class: "loadname" }));
    drawing.append(text(x, BOTTOM + 42, `${say("load")} ${n + 1}`, { "text-anchor": "middle", class: "label" }));
  }
  if (panel.short12v) {
    const [from, to] = [terminalX("+12VDC"), terminalX("COUNTER 2")];
    drawing.append(...wire([[from, TERMINAL_Y], [from, 178], [to, 178], [to, TERMINAL_Y]], "spark"));
    drawing.append(text((from + to) / 2, 194, say("short"), { class: "fault", "text-anchor": "middle" }));
  }
  place.replaceChildren(drawing);
}
