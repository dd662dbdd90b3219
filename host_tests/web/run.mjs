// Runs boards in slices under Node: run.mjs SITE CASES.json, where CASES is [[config, items, until_us], ...] and the
// answers of `finish`, with all that came out before, are printed as one JSON list.

import fs from "node:fs";

const [site, cases] = process.argv.slice(2);
const { loadMicroPython } = await import(`${site}/micropython.mjs`);
const interpreter = await loadMicroPython({ heapsize: 16 * 1024 * 1024, stdout: () => {} });
const sources = fs.readFileSync(`${site}/sources.txt`, "utf8").split("\0");
for (let at = 0; at < sources.length; at += 2) {
  const [path, text] = sources.slice(at, at + 2);
  interpreter.FS.mkdirTree("/meter/" + path.slice(0, path.lastIndexOf("/")));
  interpreter.FS.writeFile("/meter/" + path, text);
}
interpreter.runPython("import sys\nsys.path[:] = ['/meter', '/meter/firmware', '/meter/parts']\n");
interpreter.runPython("from boards.virtual.engine.sliced import SlicedEngine");
const finals = [];
for (const [config, items, untilUs] of JSON.parse(fs.readFileSync(cases, "utf8"))) {
  interpreter.runPython("engine = None");
  interpreter.globals.set("config", JSON.stringify(config));
  interpreter.runPython("engine = SlicedEngine(config)");
  const engine = interpreter.globals.get("engine");
  engine.feed(JSON.stringify(items));
  const out = [];
  for (let nowUs = 0; nowUs < untilUs; ) {
    nowUs = Number(engine.advance(String(Math.min(nowUs + 100_000, untilUs))));
    out.push(...JSON.parse(engine.look()).out);
  }
  const final = JSON.parse(engine.finish());
  final.heap = Number(engine.heap());
  final.out = [...out, ...final.out];
  finals.push(final);
}
console.log(JSON.stringify(finals));
