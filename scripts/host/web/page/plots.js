// Power, register and demand over simulated time. One point a step; the step doubles where a run grows long, so that
// memory does not grow with it.

const MOST = 4000;

export class Plots {
  /** Draws into `place`; `say` gives the words of the language. */
  constructor(place, say) {
    this.place = place;
    this.clear();
    this.name(say);
  }

  /** Forget everything drawn. */
  clear() {
    this.columns = { power: [[], [], []], register: [[], []], demand: [[], [], []] };
    this.step = 1;
    this.nextS = 0;
  }

  /** Take the words of a language (makes the plots anew). */
  name(say) {
    const colours = getComputedStyle(document.documentElement);
    const [one, two, grey] = ["--plot1", "--plot2", "--muted"].map((name) => colours.getPropertyValue(name).trim());
    const time = (u, splits) => splits.map((s) => (s < 600 ? `${s} s` : s < 36000 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`));
    const axes = () => [
      { stroke: grey, values: time, grid: { stroke: "rgba(128,128,128,.15)" } },
      { stroke: grey, size: 62, grid: { stroke: "rgba(128,128,128,.15)" } },
    ];
    const fromZero = (u, least, most) => [Math.min(0, 1.1 * least), Math.max(0.001, 1.1 * most)];
    const make = (title, series, options = {}) => ({
      title, width: this.width(), height: 170, axes: axes(), cursor: { y: false }, scales: { x: { time: false }, y: { range: fromZero } },
      series: [{ label: "s" }, ...series.map(([label, stroke]) => ({ label, stroke, width: 1.5, ...options }))],
    });
    const steps = { paths: window.uPlot.paths.stepped({ align: 1 }) };
    this.place.replaceChildren();
    this.drawn = {
      power: new window.uPlot(make(say("plot_power"), [["L1 W", one], ["L2 W", two]]), this.columns.power, this.place),
      register: new window.uPlot(make(say("plot_register"), [["kWh", one]]), this.columns.register, this.place),
      demand: new window.uPlot(
        make(say("plot_demand"), [[say("plot_interval"), one], [say("plot_max"), two]], steps), this.columns.demand, this.place,
      ),
    };
  }

  width() {
    return Math.max(280, this.place.clientWidth - 4);
  }

  /** Fit the plots to the width of the page. */
  fit() {
    for (const plot of Object.values(this.drawn)) plot.setSize({ width: this.width(), height: 170 });
  }

  /** Take one picture of the meter; draws when it is time for a point. */
  add(seconds, snap) {
    if (seconds < this.nextS) return;
    this.nextS = seconds + this.step;
    const { power, register, demand } = this.columns;
    const watts = (n) => (snap.powered && snap.lines[n] && !snap.lines[n].silent ? snap.lines[n].p_mw / 1000 : null);
    const known = snap.register !== null && snap.register !== undefined;
    const rows = [
      [power, [watts(0), watts(1)]],
      [register, [known ? Number(snap.register.delivered_wh) / 1000 : null]],
      [demand, [snap.demand.interval_mw / 1000, snap.demand.max_mw / 1000]],
    ];
    for (const [columns, values] of rows) {
      columns[0].push(seconds);
      values.forEach((value, k) => columns[k + 1].push(value));
    }
    if (power[0].length > MOST) this.thin();
    for (const [name, plot] of Object.entries(this.drawn)) plot.setData(this.columns[name]);
  }

  thin() {
    this.step *= 2;
    for (const columns of Object.values(this.columns)) {
      columns.forEach((column, k) => (columns[k] = column.filter((_, at) => at % 2 === 0)));
    }
  }
}
