// "What is wrong here?": a panel behind its cover with one random fault, the glass only, and the fault to be named.

import { ALIKE, FAULTS, wired } from "./panel.js";

const SERVICES = ["split_240", "network_208"];
const CHOICES = 5;

const any = (list) => list[Math.floor(Math.random() * list.length)];

/** A question: {panel, fault, choices}; the faults by their names in panel.js. */
export function question() {
  const service = any(SERVICES);
  const possible = Object.keys(FAULTS).filter((name) => FAULTS[name].services.includes(service));
  const fault = any(possible);
  const panel = wired(service);
  panel.loads.forEach((load, n) => (load.amps = Math.round(4 + 8 * Math.random() + n)));
  FAULTS[fault].change(panel);
  const choices = new Set([fault]);
  while (choices.size < Math.min(CHOICES, possible.length)) choices.add(any(possible));
  return { panel, fault, choices: [...choices].sort(() => Math.random() - 0.5) };
}

/** Whether an answer is right: a fault that looks the same on the glass counts as well. */
export function right(asked, answer) {
  return answer === asked.fault || (ALIKE[asked.fault] ?? []).includes(answer);
}
