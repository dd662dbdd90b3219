"use strict";
// The plots of a run's page: SVG drawn from the JSON in #data, one time axis for all, zoomed by dragging or the wheel.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const column = Object.fromEntries(data.columns.map((name, index) => [name, index]));
  const rows = data.rows;
  const times = rows.map((row) => row[0]);
  const end = data.end_s || 1;
  const WIDTH = 860, LEFT = 70, RIGHT = 36, TOP = 20, BOTTOM = 18;
  const CONDITIONS = { "normal": "#1c7c3c", "unjudged": "#b8c2cc", "low_current": "#d9b64a", "no supply": "#3b4752" };
  const plots = [
    { name: "load, W", height: 170, step: true, from: "before",
      series: [["l1_w", "#7fb0dc", "line 1", 4], ["l2_w", "#b3470b", "line 2", 1.4]].slice(0, data.elements) },
    { name: "energy of the run, net, Wh", height: 150,
      series: [["true_wh", "#c9a227", "true", 4], ["register_wh", "#0b5fa5", "register", 1.4]] },
    { name: "register - true, Wh", height: 90,
      series: [[(row) => row[column.register_wh] - row[column.true_wh], "#b3261e", "difference"]] },
    { name: "demand, W", height: 120, step: true, from: "before",
      series: [["max_w", "#c9a227", "largest", 4], ["interval_w", "#0b5fa5", "interval", 1.4]] },
    { name: "pulses of 10 Wh and counts", height: 110, step: true, from: "after",
      series: [["pulses", "#0b5fa5", "pulses"], ["counts", "#b3470b", "counts of the counter"]] },
    { name: "condition and events", height: 58, bands: true, series: [] },
  ];
  let view = [0, end];
  let picking = null;

  const make = (name, attributes, parent) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (parent) parent.appendChild(element);
    return element;
  };
  const words = (text, attributes, parent) => { make("text", attributes, parent).textContent = text; };
  const value = (key, row) => (typeof key === "function" ? key(row) : row[column[key]]);
  const x = (t) => LEFT + ((t - view[0]) / (view[1] - view[0])) * (WIDTH - LEFT - RIGHT);
  const time = (px) => view[0] + ((px - LEFT) / (WIDTH - LEFT - RIGHT)) * (view[1] - view[0]);
  const clock = (t) => {
    const two = (n) => String(n).padStart(2, "0");
    const whole = Math.floor(t + 1e-9), days = Math.floor(whole / 86400);
    const text = `${two(Math.floor(whole / 3600) % 24)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
    const parts = view[1] - view[0] < 20 ? (t - whole).toFixed(1).slice(1) : "";
    return (days ? `${days} d ` : "") + text + parts;
  };
  const niceStep = (span, count, steps) => {
    const raw = span / count;
    if (steps) { const found = steps.find((s) => s >= raw); if (found) return found; }
    const ten = 10 ** Math.floor(Math.log10(raw));
    return ten * [1, 2, 5, 10].find((f) => f * ten >= raw * 0.999);
  };
  // The first row at or after a time.
  const place = (t) => {
    let low = 0, high = times.length;
    while (low < high) { const middle = (low + high) >> 1; if (times[middle] < t) low = middle + 1; else high = middle; }
    return low;
  };

  const range = (plot, shown) => {
    let low = Infinity, high = -Infinity;
    for (const [key] of plot.series) for (const row of shown) {
      const v = value(key, row);
      if (v !== null) { low = Math.min(low, v); high = Math.max(high, v); }
    }
    if (!Number.isFinite(low)) return [0, 1];
    if (plot.step) { low = Math.min(low, 0); high = Math.max(high, 0); }
    if (high - low < 1e-6) { high += 0.5e-3 + Math.abs(high) * 0.05; low -= 0.5e-3; }
    const room = (high - low) * 0.06;
    return [low - (low < 0 || !plot.step ? room : 0), high + room];
  };

  const line = (plot, key, y, first, last) => {
    let path = "", before = null;
    for (let n = Math.max(0, first - 1); n <= Math.min(rows.length - 1, last + 1); n += 1) {
      const v = value(key, rows[n]);
      if (v === null) continue;
      const begin = n ? times[n - 1] : 0;
      if (plot.from === "before") path += `${path ? "L" : "M"}${x(begin).toFixed(1)},${y(v).toFixed(1)}L${x(times[n]).toFixed(1)},${y(v).toFixed(1)}`;
      else if (before === null || !plot.step) path += `${path ? "L" : "M"}${x(times[n]).toFixed(1)},${y(v).toFixed(1)}`;
      else path += `L${x(times[n]).toFixed(1)},${y(before).toFixed(1)}L${x(times[n]).toFixed(1)},${y(v).toFixed(1)}`;
      before = v;
    }
    return path;
  };

  const bands = (plot, svg, body) => {
    const top = TOP, height = 14;
    let from = 0;
    rows.forEach((row, n) => {
      const now = row[column.condition];
      if (n + 1 < rows.length && rows[n + 1][column.condition] === now) return;
      const begin = from;
      from = row[0];
      if (row[0] < view[0] || begin > view[1]) return;
      const box = make("rect", { x: x(Math.max(begin, view[0])), y: top, height,
        width: Math.max(1, x(Math.min(row[0], view[1])) - x(Math.max(begin, view[0]))), fill: CONDITIONS[now] || "#b3261e" }, body);
      const said = now.replace(/_/g, " ");
      make("title", {}, box).textContent = `${said} from ${clock(begin)} to ${clock(row[0])}`;
      if (+box.getAttribute("width") > 12 + said.length * 6) {
        make("text", { x: +box.getAttribute("x") + 6, y: top + 11, class: "inside" }, body).textContent = said;
      }
    });
    for (const [t, text] of data.events) {
      if (t < view[0] || t > view[1]) continue;
      const mark = make("path", { d: `M${x(t)},${top + height + 4}l4,8h-8z`, fill: "#3b4752" }, body);
      make("title", {}, mark).textContent = `${clock(t)} ${text}`;
    }
  };

  const draw = (plot) => {
    const svg = plot.svg, bottom = plot.height - BOTTOM;
    svg.replaceChildren();
    const clip = make("clipPath", { id: `clip${plot.index}` }, svg);
    make("rect", { x: LEFT, y: 0, width: WIDTH - LEFT - RIGHT, height: plot.height }, clip);
    words(plot.name, { x: LEFT, y: 13, class: "name" }, svg);
    const seconds = niceStep(view[1] - view[0], 8, [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400]);
    for (let t = Math.ceil(view[0] / seconds) * seconds; t <= view[1] + 1e-9; t += seconds) {
      make("line", { x1: x(t), x2: x(t), y1: TOP, y2: bottom, class: "grid" }, svg);
      words(clock(t), { x: x(t), y: plot.height - 5, "text-anchor": "middle" }, svg);
    }
    const body = make("g", { "clip-path": `url(#clip${plot.index})` }, svg);
    if (plot.bands) bands(plot, svg, body);
    else {
      const first = place(view[0]), last = place(view[1]);
      const [low, high] = range(plot, rows.slice(first, Math.min(rows.length, last + 1)));
      const y = (v) => bottom - ((v - low) / (high - low)) * (bottom - TOP);
      const ticks = niceStep(high - low, plot.height > 100 ? 4 : 2);
      for (let v = Math.ceil(low / ticks) * ticks; v <= high; v += ticks) {
        make("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(v), y2: y(v), class: "grid" }, svg);
        words(String(+v.toPrecision(6)), { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end" }, svg);
      }
      svg.appendChild(body);
      let at = LEFT + 240;
      for (const [key, colour, name, width] of plot.series) {
        make("path", { d: line(plot, key, y, first, last), fill: "none", stroke: colour, "stroke-width": width || 1.6 }, body);
        make("rect", { x: at, y: 6, width: 14, height: 4, fill: colour }, svg);
        words(name, { x: at + 19, y: 13 }, svg);
        at += 40 + name.length * 6.5;
      }
    }
    make("rect", { x: LEFT, y: TOP, width: WIDTH - LEFT - RIGHT, height: bottom - TOP, class: "frame" }, svg);
    plot.mark = make("line", { y1: TOP, y2: bottom, class: "at", visibility: "hidden" }, svg);
    plot.pick = make("rect", { y: TOP, height: bottom - TOP, class: "pick", width: 0 }, svg);
  };
  const drawAll = () => plots.forEach(draw);

  const zoom = (begin, finish) => {
    const least = Math.min(end, Math.max(0.5, end / 5000));
    let [a, b] = [Math.max(0, begin), Math.min(end, finish)];
    if (b - a < least) { const middle = (a + b) / 2; a = Math.max(0, middle - least / 2); b = Math.min(end, a + least); }
    view = [a, b];
    drawAll();
  };
  const pixel = (svg, event) => {
    const box = svg.getBoundingClientRect();
    return Math.min(WIDTH - RIGHT, Math.max(LEFT, ((event.clientX - box.left) / box.width) * WIDTH));
  };
  const tell = (t) => {
    const row = rows[Math.min(place(t), rows.length - 1)];
    if (!row) return;
    let glass = "";
    for (const [at, text] of data.glass) { if (at > t) break; glass = text; }
    const watts = [row[column.l1_w], row[column.l2_w]].slice(0, data.elements).map((w) => `${w.toFixed(1)} W`).join(", ");
    document.getElementById("cursor").textContent = `${clock(t)}: ${watts}; register ${row[column.register_wh].toFixed(3)} Wh, ` +
      `true ${row[column.true_wh].toFixed(3)} Wh; demand ${row[column.interval_w].toFixed(1)} W; ${row[column.condition].replace(/_/g, " ")}; glass: ${glass}`;
  };

  plots.forEach((plot, index) => {
    plot.index = index;
    plot.svg = make("svg", { viewBox: `0 0 ${WIDTH} ${plot.height}`, role: "img", "aria-label": plot.name }, document.getElementById("plots"));
    plot.svg.addEventListener("pointerdown", (event) => {
      picking = pixel(plot.svg, event);
      plot.svg.setPointerCapture(event.pointerId);
    });
    plot.svg.addEventListener("pointermove", (event) => {
      const px = pixel(plot.svg, event);
      for (const other of plots) {
        other.mark.setAttribute("visibility", "visible");
        other.mark.setAttribute("x1", px);
        other.mark.setAttribute("x2", px);
        if (picking !== null) {
          other.pick.setAttribute("x", Math.min(px, picking));
          other.pick.setAttribute("width", Math.abs(px - picking));
        }
      }
      tell(time(px));
    });
    plot.svg.addEventListener("pointerup", (event) => {
      const px = pixel(plot.svg, event), from = picking;
      picking = null;
      if (from !== null && Math.abs(px - from) > 4) zoom(time(Math.min(px, from)), time(Math.max(px, from)));
      else plots.forEach((other) => other.pick.setAttribute("width", 0));
    });
    plot.svg.addEventListener("dblclick", () => zoom(0, end));
    plot.svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      const at = time(pixel(plot.svg, event)), factor = event.deltaY > 0 ? 1.25 : 0.8;
      zoom(at - (at - view[0]) * factor, at + (view[1] - at) * factor);
    }, { passive: false });
  });
  document.getElementById("whole").addEventListener("click", () => zoom(0, end));
  drawAll();
})();
