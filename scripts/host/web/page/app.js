// The page: what a person changes goes to the meter's thread as stimulus, what the meter says is shown.

import { Glass, inWords } from "./glass.js";
import { draw } from "./drawing.js";
import { SERVICES, mainsItem, ofScenario, wired } from "./panel.js";
import { Plots } from "./plots.js";
import { question, right } from "./quiz.js";

const SPEEDS = [["pause", 0], ["1 x", 1], ["10 x", 10], ["60 x", 60], ["max", null]];
const LOAD_12V_MA = 60;
const QUARTER_S = 900;
const MOST_AMPS = 120;
const LOG_LINES = 200;
const QUIZ_SPEED = 10;

const place = (id) => document.getElementById(id);
let data;
let language = "en";
let worker;
let panel = wired("split_240");
let asked = null; // the question of "What is wrong here?"
let glass;
let plots;
let snap = null;
let quarter = -1;
let rate = 1;
let wordsShown = "";
let waiting = {}; // who waits for the next word of the worker
let kept = null; // all that comes out of the meter, while a report is made

const say = (key) => data.strings[language][key] ?? data.strings.en[key] ?? key;

function send(message) {
  worker.postMessage(message);
}

/** A board as the panel's service needs it, and the mains as they are now. */
function start(config = null, items = null) {
  const { model, service } = SERVICES[panel.service];
  snap = null;
  quarter = -1;
  plots.clear();
  place("log").replaceChildren();
  const items0 = [mainsItem(panel, 0)];
  if (!panel.mains) items0.push(["power", 0, 0]);
  if (panel.short12v) items0.push(["load12v", 0, LOAD_12V_MA]);
  const board = { model, service, seed: 1, board: {}, memory: {} };
  send({ op: "start", config: { ...(config ?? board), live: true }, items: items ?? items0 });
}

/** Tell the meter of a changed panel. */
function changed() {
  send({ op: "items", items: [mainsItem(panel, null)] });
  show();
}

function option(value, text) {
  return Object.assign(document.createElement("option"), { value, textContent: text });
}

function button(text, press, pressed = null) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick: press });
  if (pressed !== null) made.setAttribute("aria-pressed", pressed);
  return made;
}

function labelled(text, control) {
  const label = document.createElement("label");
  label.append(text, " ", control);
  return label;
}

function choice(options, value, change) {
  const select = document.createElement("select");
  select.append(...options.map(([key, text]) => option(key, text)));
  select.value = value;
  select.onchange = () => change(select.value);
  return select;
}

function tick(checked, change) {
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked });
  box.onchange = () => change(box.checked);
  return box;
}

function slider(name, least, most, step, value, words, change) {
  const label = document.createElement("label");
  const output = document.createElement("span"); // not <output>: a label belongs to the first control in it
  const input = Object.assign(document.createElement("input"), { type: "range", min: least, max: most, step, value });
  const told = () => {
    output.textContent = words(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.oninput = () => {
    told();
    change(Number(input.value));
  };
  told();
  label.append(`${name} `, output, input);
  return label;
}

// Amps on a scale that is fine where loads are small: 0 to 1 of the slider's way.
const ampsOf = (way) => MOST_AMPS * way ** 3;
const wayOf = (amps) => Math.cbrt(amps / MOST_AMPS);

function lineControls(n) {
  const set = document.createElement("fieldset");
  const ct = panel.cts[n];
  const load = panel.loads[n];
  set.append(Object.assign(document.createElement("legend"), { textContent: `${say("line")} ${n + 1}` }));
  const angle = (degrees) =>
    `${degrees} ° (${say("power_factor")} ${Math.cos((degrees * Math.PI) / 180).toFixed(2)}${degrees ? " " + say(degrees > 0 ? "lag" : "lead") : ""})`;
  set.append(
    slider(`${say("load")} ${n + 1}`, 0, 1, "any", wayOf(load.amps), (way) => `${ampsOf(way).toFixed(2)} A`, (way) => {
      load.amps = ampsOf(way);
      place("day").checked = false;
      changed();
    }),
    slider(say("angle"), -90, 90, 1, load.degrees, angle, (degrees) => {
      load.degrees = degrees;
      changed();
    }),
    labelled(`CT${n + 1}`, choice(
      [["1", `${say("on_line")} 1`], ...(SERVICES[panel.service].elements === 2 ? [["2", `${say("on_line")} 2`]] : []), ["0", say("not_connected")]],
      String(ct.on),
      (value) => {
        ct.on = Number(value);
        changed();
      },
    )),
    labelled(say("line_to_load"), tick(ct.turned, (on) => {
      ct.turned = on;
      changed();
    })),
    labelled(say("swapped"), tick(ct.swapped, (on) => {
      ct.swapped = on;
      changed();
    })),
    labelled(`${say("fuse")} L${n + 1}: ${say("open")}`, tick(!panel.fuses[n], (open) => {
      panel.fuses[n] = !open;
      changed();
    })),
  );
  return set;
}

/** Draw everything that depends on the panel and on the language. */
function show() {
  place("mains").textContent = say(panel.mains ? "cut_mains" : "mains_back");
  place("short12v").textContent = say(panel.short12v ? "short_off" : "short_on");
  place("service").value = panel.service;
  place("cover").hidden = asked === null;
  place("drawing").hidden = asked !== null;
  place("lines").hidden = asked !== null;
  if (asked === null) draw(place("drawing"), panel, say);
}

function controls() {
  const lines = Array.from({ length: SERVICES[panel.service].elements }, (_, n) => lineControls(n));
  place("lines").replaceChildren(...lines);
}

function speeds() {
  const row = place("speeds");
  row.replaceChildren(row.firstElementChild);
  for (const [name, value] of SPEEDS) {
    row.append(button(data.strings[language][`speed_${name}`] ?? name, () => setSpeed(value), String(value === rate)));
  }
}

function setSpeed(value) {
  rate = value;
  send({ op: "speed", rate });
  speeds();
}

/** A panel wired anew: a new meter on it. */
function rewire(next) {
  panel = next;
  asked = null;
  place("answers").replaceChildren();
  place("verdict").textContent = "";
  place("day").checked = false;
  controls();
  show();
  start();
}

function conditionOf(picture) {
  if (!picture.powered) return "dark";
  return picture.status.condition;
}

/** The guide's words for a condition, with the line's number where they have an n. */
function explain(condition, lines) {
  const line = lines.length ? String(lines[0]) : "n";
  const ofLine = (text) => text.replace(/\b(rC|PF|LU|HU|HC|L)?n\b/g, (_, before) => (before ?? "") + line);
  const [looks, means, mend] = (data.conditions[language][condition] ?? ["", say("unjudged"), ""]).map(ofLine);
  const box = place("says");
  const shown = [language, condition, line].join();
  if (box.dataset.shown === shown) return;
  box.dataset.shown = shown;
  box.classList.toggle("bad", !["normal", "unjudged", "low_current"].includes(condition));
  const told = [`${say("now")}: ${means}`, looks && `${say("looks")}: ${looks}`, mend && `${say("mend")}: ${mend}`];
  box.replaceChildren(...told.filter(Boolean).map((text) => Object.assign(document.createElement("p"), { textContent: text })));
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

function logged([, t_us, name, a, b]) {
  const line = document.createElement("li");
  line.textContent = `${clock(t_us / 1e6)}  ${name}${a || b ? `  ${a} ${b}` : ""}`;
  const log = place("log");
  log.prepend(line);
  while (log.children.length > LOG_LINES) log.lastElementChild.remove();
}

/** A quarter of an hour of the household's day begins: its load. */
function followDay(seconds) {
  const now = Math.floor(seconds / QUARTER_S);
  if (!place("day").checked || now === quarter) return;
  quarter = now;
  const { model, service } = SERVICES[panel.service];
  const day = data.days[`${model} ${service}`];
  for (const load of panel.loads) Object.assign(load, { amps: day.amps[now % day.amps.length], degrees: day.degrees });
  controls();
  changed();
}

function looked(text) {
  const message = JSON.parse(text);
  snap = message.snap;
  const seconds = message.t_us / 1e6;
  for (const item of message.out) if (item[0] === "log") logged(item);
  kept?.push(...message.out);
  glass.show(snap.powered ? snap.lcd.lit : []);
  const words = inWords(snap.lcd, say);
  if (words !== wordsShown) place("words").textContent = wordsShown = words;
  for (const name of ["led", "opto10", "opto100", "opto1000", "rail12"]) {
    place(name).classList.toggle("on", Boolean(snap.powered && snap.pins[name]));
  }
  place("wheels").textContent = String(snap.counter % 100000).padStart(5, "0");
  place("clock").textContent = clock(seconds);
  if (asked === null) explain(conditionOf(snap), snap.status?.lines ?? []);
  plots.add(seconds, snap);
  followDay(seconds);
  document.documentElement.dataset.glass = "shown"; // for the tests: the first picture is there
}

function ask() {
  asked = question();
  panel = asked.panel;
  place("scenario").value = "";
  place("says").replaceChildren();
  place("says").dataset.shown = "";
  place("verdict").textContent = "";
  place("answers").replaceChildren(...asked.choices.map((name) => button(say(`fault_${name}`), () => answer(name))));
  place("day").checked = false;
  show();
  start();
  setSpeed(QUIZ_SPEED);
  place("answers").firstElementChild.focus();
}

function answer(name) {
  const told = `${say(right(asked, name) ? "quiz_right" : "quiz_wrong")} ${say(`fault_${asked.fault}`)}. ${say(`why_${asked.fault}`)}`;
  place("verdict").textContent = told;
  for (const [k, made] of [...place("answers").children].entries()) {
    made.disabled = true;
    made.classList.toggle("was", asked.choices[k] === asked.fault);
  }
  asked = null;
  controls();
  show();
  setSpeed(1);
}

function speak() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  place("service").replaceChildren(...Object.keys(SERVICES).map((name) => option(name, say(`service_${name}`))));
  const names = ["", ...data.scenarios.map(({ name }) => name)];
  place("scenario").replaceChildren(...names.map((name) => option(name, name || say("choose"))));
  place("says").dataset.shown = "";
  wordsShown = "";
  speeds();
  controls();
  show();
  plots?.name(say);
}

function events() {
  place("language").onchange = () => {
    language = place("language").value;
    speak();
  };
  place("service").onchange = () => rewire(wired(place("service").value));
  place("scenario").onchange = () => {
    const name = place("scenario").value;
    if (name) rewire(ofScenario(name));
  };
  place("mains").onclick = () => {
    panel.mains = !panel.mains;
    send({ op: "items", items: [["power", null, Number(panel.mains)]] });
    show();
  };
  place("short12v").onclick = () => {
    panel.short12v = !panel.short12v;
    send({ op: "items", items: [["load12v", null, panel.short12v ? LOAD_12V_MA : 0]] });
    show();
  };
  place("again").onclick = () => start();
  place("day").onchange = () => (quarter = -1);
  place("ask").onclick = ask;
  window.addEventListener("resize", () => plots.fit());
}

function heard({ data: message }) {
  if (message.op === "look") looked(message.text);
  else if (message.op === "failed") {
    place("failed").hidden = false;
    place("failed").textContent = `${say("failed")}: ${message.text.trim().split("\n").at(-1)}`;
  }
  waiting[message.op]?.(message);
}

/** Once the worker says `op`, its message. */
function once(op) {
  return new Promise((resolve) => (waiting[op] = (message) => {
    delete waiting[op];
    resolve(message);
  }));
}

async function open() {
  worker = new Worker("worker.js", { type: "module" });
  worker.onmessage = heard;
  const ready = once("ready");
  const sources = fetch("sources.txt").then((answer) => answer.text());
  sources.then((text) => send({ op: "load", sources: text.split("\0") })); // path, text, path, text ...
  data = await (await fetch("data.json")).json();
  language = ["fr", "es"].find((name) => navigator.language.startsWith(name)) ?? "en";
  place("language").value = language;
  glass = new Glass(place("glass"), data.glass);
  speak();
  plots = new Plots(place("plots"), say);
  events();
  await ready;
  start();
  send({ op: "speed", rate });
}

/** Ask the worker, and what it answers. */
function answered(message, op) {
  const answer = once(op);
  send(message);
  return answer;
}

/** For programs that drive the page: a board of their own, run to fixed times at full speed. */
window.openkh = {
  scenarios: () => data.scenarios,
  begin: start,
  run: (untilUs) => answered({ op: "run", untilUs }, "reached"),
  end: async () => (await answered({ op: "report" }, "report")).text,
  heap: async () => (await answered({ op: "heap" }, "heap")).text,
  /** A whole run; what the engine reports at its end, with all that came out before. */
  async report(config, items, untilUs) {
    kept = [];
    start(config, items);
    await this.run(untilUs);
    const final = JSON.parse(await this.end());
    final.out = [...kept, ...final.out];
    kept = null;
    return final;
  },
};

open();
