// The panel: how it is wired, and what each element of the meter sees of it. Pure: no page, no meter.
//
// Angles in degrees, positive = later (lagging), measured from the voltage of line 1. The meter's element n gets the
// voltage of its own terminal and the current of the conductor that its CT sits on.

/** Services: volts line to neutral, frequency, where line 2's voltage stands, the model that is made for it. */
export const SERVICES = {
  split_240: { volts: 120, hz: 60, degrees2: 180, elements: 2, model: "MDNCT-1SC", service: "60Hz" },
  network_208: { volts: 120, hz: 60, degrees2: 120, elements: 2, model: "MDNCT-1SC", service: "60Hz" },
  one_phase: { volts: 120, hz: 60, degrees2: 0, elements: 2, model: "MDNCT-1SC", service: "60Hz" },
  single_120: { volts: 120, hz: 60, degrees2: 180, elements: 1, model: "MSNCT-1SC", service: "60Hz" },
  single_240: { volts: 240, hz: 50, degrees2: 180, elements: 1, model: "MSNCT-1SC", service: "50Hz" },
};

/** A panel as it should be. `on` of a CT: 1, 2, or 0 (not connected). Loads: amps, degrees of lag, by line. */
export function wired(service) {
  return {
    service,
    mains: true,
    fuses: [true, true],
    cts: [
      { on: 1, turned: false, swapped: false },
      { on: 2, turned: false, swapped: false },
    ],
    loads: [
      { amps: 5, degrees: 0 },
      { amps: 5, degrees: 0 },
    ],
    short12v: false,
  };
}

function around(degrees) {
  const turned = ((((degrees + 180) % 360) + 360) % 360) - 180;
  return turned === -180 ? 180 : turned;
}

/** What element `n` (0, 1) sees: [volts, amps, degrees of lag against its own voltage, its voltage's angle]. */
export function seen(panel, n) {
  const service = SERVICES[panel.service];
  const angle = (line) => (line === 0 ? 0 : service.degrees2);
  const ct = panel.cts[n];
  const volts = panel.fuses[n] ? service.volts : 0;
  if (!ct.on || ct.on > service.elements) return [volts, 0, 0, angle(n)];
  const load = panel.loads[ct.on - 1];
  const back = ct.turned !== ct.swapped ? 180 : 0;
  return [volts, load.amps, around(angle(ct.on - 1) + load.degrees + back - angle(n)), angle(n)];
}

/** The stimulus item for the engine, at `t_us`. */
export function mainsItem(panel, t_us) {
  const service = SERVICES[panel.service];
  const two = service.elements === 2 ? seen(panel, 1) : [service.volts, 0, 0, service.degrees2];
  return ["mains", t_us, 0, seen(panel, 0), two, service.hz];
}

/** Faults of the wiring by name: what each does to a panel, and for which services it is one. */
export const FAULTS = {
  none: { change: () => {}, services: ["split_240", "network_208", "one_phase", "single_120", "single_240"] },
  ct1_turned: {
    change: (panel) => (panel.cts[0].turned = true),
    services: ["split_240", "network_208", "one_phase", "single_120", "single_240"],
  },
  ct2_swapped: { change: (panel) => (panel.cts[1].swapped = true), services: ["split_240", "network_208", "one_phase"] },
  both_turned: {
    change: (panel) => panel.cts.forEach((ct) => (ct.turned = true)),
    services: ["network_208", "one_phase"],
  },
  crossed: {
    change: (panel) => panel.cts.forEach((ct, n) => (ct.on = 2 - n)),
    services: ["network_208"],
  },
  crossed_opposite: { change: (panel) => panel.cts.forEach((ct, n) => (ct.on = 2 - n)), services: ["split_240"] },
  both_on_line1: { change: (panel) => (panel.cts[1].on = 1), services: ["split_240"] },
  ct2_open: { change: (panel) => (panel.cts[1].on = 0), services: ["split_240", "network_208", "one_phase"] },
  fuse_l2: { change: (panel) => (panel.fuses[1] = false), services: ["split_240", "network_208", "one_phase"] },
  fuse_l1: {
    change: (panel) => (panel.fuses[0] = false),
    services: ["split_240", "network_208", "one_phase", "single_120", "single_240"],
  },
  overload: {
    change: (panel) => (panel.loads[0].amps = 115),
    services: ["split_240", "network_208", "one_phase", "single_120", "single_240"],
  },
};

/** Faults that look alike on the glass: either answer is right, and the explanation says how to tell them apart. */
export const ALIKE = { both_turned: ["crossed"], crossed: ["both_turned"] };

/** The panel of each wiring scenario of the installation guide, by its name there. */
export const SCENARIOS = {
  wired_right: ["split_240", [10, 0], [5, 0], {}],
  ct1_reversed: ["split_240", [1, 0], [1, 0], { cts: [{ turned: true }, {}] }],
  ct2_reversed: ["split_240", [1, 0], [1, 0], { cts: [{}, { turned: true }] }],
  both_reversed: ["network_208", [1, 0], [1, 0], { cts: [{ turned: true }, { turned: true }] }],
  crossed_180: ["split_240", [4, 0], [2, 0], { cts: [{ on: 2 }, { on: 1 }] }],
  crossed_120: ["network_208", [4, 0], [2, 0], { cts: [{ on: 2 }, { on: 1 }] }],
  crossed_120_motor: ["network_208", [4, 35], [4, 35], { cts: [{ on: 2 }, { on: 1 }] }],
  crossed_120_one_load: ["network_208", [4, 35], [0, 0], { cts: [{ on: 2 }, { on: 1 }] }],
  both_cts_on_line1: ["split_240", [5, 0], [5, 0], { cts: [{}, { on: 1 }] }],
  ct2_open: ["split_240", [5, 0], [5, 0], { cts: [{}, { on: 0 }] }],
  fuse_l2: ["split_240", [5, 0], [5, 0], { fuses: [true, false] }],
  fuse_l1: ["split_240", [5, 0], [5, 0], { fuses: [false, true] }],
  single_reversed_240: ["single_240", [1, 0], [5, 0], { cts: [{ turned: true }, {}] }],
};

/** The panel that a scenario of the guide shows. */
export function ofScenario(name) {
  const [service, one, two, changes] = SCENARIOS[name];
  const panel = wired(service);
  [one, two].forEach(([amps, degrees], n) => (panel.loads[n] = { amps, degrees }));
  (changes.cts ?? []).forEach((change, n) => Object.assign(panel.cts[n], change));
  panel.fuses = changes.fuses ?? panel.fuses;
  return panel;
}
