// The glass: every dot with its true shape, and its text for those who do not see it.

const NS = "http://www.w3.org/2000/svg";

/** An element of the drawing with these attributes. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export class Glass {
  /** Draws into `place`; `shapes` as in data.json: width, height, dots by name. */
  constructor(place, shapes) {
    const rim = 14;
    const view = [-rim, -rim, shapes.width + 2 * rim, shapes.height + 2 * rim].join(" ");
    const drawing = svg("svg", { viewBox: view, class: "glass", "aria-hidden": "true" });
    drawing.append(svg("rect", { width: shapes.width, height: shapes.height, rx: 7, class: "pane" }));
    this.dots = new Map();
    for (const [name, d] of Object.entries(shapes.dots)) {
      const dot = svg("path", { d, class: "dot" });
      this.dots.set(name, dot);
      drawing.append(dot);
    }
    place.append(drawing);
    this.lit = new Set();
  }

  /** Light these dots, by name, and no others. */
  show(names) {
    const lit = new Set(names);
    for (const name of this.lit) if (!lit.has(name)) this.dots.get(name)?.classList.remove("lit");
    for (const name of lit) if (!this.lit.has(name)) this.dots.get(name)?.classList.add("lit");
    this.lit = lit;
  }
}

/** The glass in words: `lcd` as the engine tells it, `say` gives the words of the language. */
export function inWords(lcd, say) {
  if (!lcd.screen) return say("glass_dark");
  const unit = ["k", "W", "h"].filter((symbol) => lcd.symbols.includes(symbol)).join("");
  const words = [`${say("glass_screen")} ${lcd.screen}: ${lcd.text}${unit ? " " + unit : ""}`];
  if (lcd.symbols.includes("MAX")) words.push("MAX");
  words.push(say(`glass_bar_${lcd.bar}`));
  const blinking = lcd.blinking.filter((what) => what === "L1" || what === "L2");
  if (blinking.length) words.push(`${blinking.join(", ")} ${say("glass_blinking")}`);
  if (lcd.blinking.includes("id")) words.push(say("glass_failure"));
  return words.join(", ");
}
