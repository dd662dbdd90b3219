// The meter's own thread: MicroPython with the firmware and its virtual board, moved in slices of simulated time.
// Totals cross as text; a whole number of the interpreter is cut to 32 bits on its way here.

import { loadMicroPython } from "./micropython.mjs";

const HEAP_BYTES = 16 * 1024 * 1024;
const SLICE_US = 100_000; // between two slices the interpreter can collect its garbage
const BUSY_MS = 20; // of work before messages are looked at
const LOOK_MS = 50; // between two pictures of the meter
const BEHIND_S = 0.5; // of wall time: farther behind its pace than this the meter does not try to catch up

let interpreter = null;
let engine = null;
let nowUs = 0;
let rate = 1; // simulated seconds per second; null: all it can
let untilUs = null; // of a run to a fixed time
let paceFrom = null; // [wall ms, simulated us] from which the pace counts
let lookedMs = 0;
let waiting = false;

const later = new MessageChannel();
later.port1.onmessage = () => {
  waiting = false;
  work();
};

function again(ms) {
  if (waiting) return;
  waiting = true;
  if (ms > 0) setTimeout(() => later.port2.postMessage(0), ms);
  else later.port2.postMessage(0);
}

async function load(sources) {
  interpreter = await loadMicroPython({ heapsize: HEAP_BYTES, stdout: () => {} });
  for (let at = 0; at < sources.length; at += 2) {
    const [path, text] = sources.slice(at, at + 2);
    interpreter.FS.mkdirTree("/meter/" + path.slice(0, path.lastIndexOf("/")));
    interpreter.FS.writeFile("/meter/" + path, text);
  }
  interpreter.runPython("import sys\nsys.path[:] = ['/meter', '/meter/firmware', '/meter/parts']\n");
  interpreter.runPython("from boards.virtual.engine.sliced import SlicedEngine");
}

function start(config, items) {
  nowUs = 0;
  untilUs = null;
  paceFrom = null;
  engine = null;
  interpreter.runPython("engine = None");
  interpreter.globals.set("config", JSON.stringify(config));
  interpreter.runPython("engine = SlicedEngine(config)");
  engine = interpreter.globals.get("engine");
  feed(items);
}

function feed(items) {
  engine.feed(JSON.stringify(items.map((item) => (item[1] === null ? item.with(1, nowUs) : item))));
}

function look() {
  lookedMs = performance.now();
  postMessage({ op: "look", text: engine.look() });
}

function goalUs() {
  if (untilUs !== null) return untilUs;
  if (rate === null) return Infinity;
  const wall = performance.now();
  if (paceFrom === null) paceFrom = [wall, nowUs];
  const goal = paceFrom[1] + (wall - paceFrom[0]) * 1000 * rate;
  if (goal - nowUs > BEHIND_S * 1e6 * rate) paceFrom = [wall, nowUs];
  return goal;
}

function work() {
  if (engine === null) return;
  const began = performance.now();
  try {
    const goal = goalUs();
    while (nowUs < goal && performance.now() - began < BUSY_MS) {
      nowUs = Number(engine.advance(String(Math.floor(Math.min(nowUs + SLICE_US, goal)))));
    }
    const done = untilUs !== null && nowUs >= untilUs;
    if (done || performance.now() - lookedMs >= LOOK_MS) look();
    if (done) {
      untilUs = null;
      paceFrom = null;
      rate = 0;
      postMessage({ op: "reached", nowUs });
    }
    again(rate === 0 && untilUs === null ? 100 : nowUs < goal ? 0 : 15);
  } catch (error) {
    failed(error);
  }
}

function failed(error) {
  engine = null;
  postMessage({ op: "failed", text: String(error.message ?? error) });
}

const ACTIONS = {
  load: async ({ sources }) => {
    await load(sources);
    postMessage({ op: "ready" });
  },
  start: ({ config, items }) => start(config, items),
  items: ({ items }) => feed(items),
  speed: (message) => {
    rate = message.rate;
    paceFrom = null;
  },
  run: (message) => (untilUs = message.untilUs),
  heap: () => postMessage({ op: "heap", text: engine.heap() }),
  report: () => postMessage({ op: "report", text: engine.finish() }),
};

onmessage = async ({ data }) => {
  try {
    await ACTIONS[data.op](data);
    if (engine !== null) again(0);
  } catch (error) {
    failed(error);
  }
};
