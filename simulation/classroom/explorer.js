// The page of the explorer: controls on the left, curves that are updated in place on the right. It knows no physiology: what a slider
// stands for, which lines a panel has and what the numbers are comes from simulation/classroom/widget.py.

const SVG = "http://www.w3.org/2000/svg";
const MEMORY = "cramplab-theme";

// ---- small helpers

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((c) => c !== null));
  return element;
}

function draw(parent, tag, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

function say(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// 'I_Na' with its index set lower, as in a book.
function symbol(element, name) {
  if (element.dataset.symbol === name) return;
  element.dataset.symbol = name;
  element.replaceChildren();
  const [head, ...index] = name.split("_");
  const inSvg = element.namespaceURI === SVG;
  const base = inSvg ? draw(element, "tspan", { class: "head" }) : element.appendChild(h("i"));
  base.textContent = head;
  if (index.length) {
    const low = inSvg ? draw(element, "tspan", { dy: "0.28em", class: "index" }) : element.appendChild(h("sub"));
    low.textContent = index.join(",");
  }
}

function decimals(step) {
  return Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
}

function printed(value, step) {
  const text = Number(value).toFixed(decimals(step));
  return Math.abs(Number(text) - value) < 1e-9 ? text : String(Number(Number(value).toPrecision(6)));
}

const minus = (text) => String(text).replace("-", "\u2212");

// Round numbers between two ends, a few of them and two at least.
function ticks(low, high, most) {
  const found = ticksAbout(low, high, most);
  return found.length > 1 || most > 8 ? found : ticks(low, high, most + 1);
}

function ticksAbout(low, high, most) {
  const raw = (high - low) / Math.max(1, most);
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((x) => x * size).find((x) => x >= raw * 0.999);
  const out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) out.push(Number((k * step).toPrecision(12)));
  return out;
}

function decades(low, high) {
  const out = [];
  for (let k = Math.ceil(Math.log10(low) - 1e-9); 10 ** k <= high * 1.0001; k++) out.push(Number((10 ** k).toPrecision(6)));
  return out;
}

// ---- the curves

class Panel {
  constructor(chart, declared, number) {
    this.chart = chart;
    this.declared = declared;
    this.group = draw(chart.svg, "g", { class: "panel", "data-panel": declared.key });
    const clip = `${chart.name}-${number}`;
    this.clip = draw(draw(this.group, "clipPath", { id: clip }), "rect");
    this.title = draw(this.group, "text", { class: "title" });
    this.marks = draw(this.group, "g");
    this.behind = draw(this.group, "g", { "clip-path": `url(#${clip})`, class: "behind" });
    this.front = draw(this.group, "g", { "clip-path": `url(#${clip})` });
    this.axis = draw(this.group, "line", { class: "axis" });
    this.names = draw(this.group, "g");
    this.lines = new Map();
    this.range = null;
    this.title.append(declared.title);
    if (declared.symbol) {
      this.title.append(" ");
      symbol(draw(this.title, "tspan"), declared.symbol);
      const rest = draw(this.title, "tspan", { dy: declared.symbol.includes("_") ? "-0.21em" : "0" });
      rest.textContent = declared.unit ? ` (${declared.unit})` : "";
    } else if (declared.unit) this.title.append(` (${declared.unit})`);
    declared.lines.forEach((line, k) => {
      if (!line.label) return;
      const name = draw(this.names, "g", { class: "name" });
      draw(name, "line", { class: "swatch", "stroke-dasharray": line.dash, style: line.style });
      symbol(draw(name, "text", { class: "tint", style: line.style }), line.label);
    });
  }

  place(left, top, width, height, em) {
    Object.assign(this, { left, top, width, height, em });
    for (const [name, value] of Object.entries({ x: left, y: top - 2, width, height: height + 4 })) say(this.clip, name, value);
    say(this.title, "x", left);
    say(this.title, "y", top - 0.42 * em);
    for (const [name, value] of Object.entries({ x1: left, x2: left, y1: top, y2: top + height })) say(this.axis, name, value);
    const pitch = Math.min(1.5 * em, (height + 0.6 * em) / Math.max(1, this.names.children.length));
    [...this.names.children].forEach((name, k) => {
      const y = top + (k + 0.5) * pitch;
      const [line, text] = name.children;
      for (const [n, v] of Object.entries({ x1: left + width + 0.6 * em, x2: left + width + 2.4 * em, y1: y, y2: y })) say(line, n, v);
      say(text, "x", left + width + 2.9 * em);
      say(text, "y", y + 0.33 * em);
    });
  }

  // The axis moves as seldom as it can, so that it is the curve that is seen to move.
  fit(all) {
    const { base, least, log } = this.declared;
    let low = Infinity, high = -Infinity;
    for (const y of all) for (const v of y) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
    this.ends = low <= high ? [low, high] : [];
    if (base) [low, high] = [Math.min(low, base[0]), Math.max(high, base[1])];
    if (!(low <= high)) [low, high] = [0, 1];
    if (log) {
      low = Math.max(low, 1e-3);
      this.range = [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high))];
      return;
    }
    if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
    const now = this.range;
    if (now && low >= now[0] - 1e-9 && high <= now[1] + 1e-9 && (base || high - low > 0.45 * (now[1] - now[0]))) return;
    const room = base ? 0 : 0.08 * (high - low);
    const step = 10 ** Math.floor(Math.log10(high - low)) / 5;
    this.range = [Math.floor((low - room) / step + 1e-9) * step, Math.ceil((high + room) / step - 1e-9) * step];
  }

  y(value) {
    const [low, high] = this.range;
    const share = this.declared.log ? Math.log(Math.max(value, 1e-9) / low) / Math.log(high / low) : (value - low) / (high - low);
    return this.top + this.height * (1 - share);
  }

  scale() {
    const { declared, em } = this;
    const [low, high] = this.range;
    const most = Math.max(2, Math.min(declared.most || 6, Math.floor(this.height / (2.2 * em))));
    const at = declared.ends ? [...new Set(this.ends)].sort((a, b) => a - b) : declared.log ? decades(low, high) : ticks(low, high, most);
    pool(this.marks, "text", at.length, { class: "tick", "text-anchor": "end" }).forEach((text, k) => {
      say(text, "x", this.left - 0.5 * em);
      say(text, "y", (this.y(at[k]) + 0.35 * em).toFixed(1));
      write(text, minus(Number(at[k].toPrecision(6))));
    });
    const zero = !declared.log && low < 0 && high > 0 ? [0] : [];
    pool(this.marks, "line", zero.length, { class: "zero" }).forEach((line) => {
      for (const [n, v] of Object.entries({ x1: this.left, x2: this.left + this.width, y1: this.y(0), y2: this.y(0) })) say(line, n, v);
    });
  }

  line(key, kind, style, dash, data, x) {
    let line = this.lines.get(key);
    if (!line) {
      line = draw(kind === "control" ? this.behind : this.front, "polyline", { class: `curve ${kind}`, "data-line": key });
      this.lines.set(key, line);
    }
    say(line, "style", style);
    say(line, "stroke-dasharray", dash || "none");
    if (!data) {
      say(line, "points", "");
      return;
    }
    const [t, y] = data;
    const out = new Array(t.length);
    for (let i = 0; i < t.length; i++) out[i] = `${x(t[i]).toFixed(1)},${Math.max(-9999, Math.min(9999, this.y(y[i]))).toFixed(1)}`;
    say(line, "points", out.join(" "));
  }
}

// So many children of a kind, kept from one drawing to the next.
function pool(parent, tag, count, attributes) {
  const there = [...parent.children].filter((c) => c.tagName === tag && c.getAttribute("class") === attributes.class);
  while (there.length < count) there.push(draw(parent, tag, attributes));
  there.splice(count).forEach((c) => c.remove());
  return there;
}

let charts = 0;

class Chart {
  constructor(svg) {
    this.svg = svg;
    this.name = `cramplab-${charts++}`;
    this.panels = [];
  }

  // Panels of a view; made anew only where another view or membrane is shown.
  set(declared, x) {
    if (this.declared === declared) return;
    this.declared = declared;
    this.x = x;
    this.svg.replaceChildren();
    this.panels = declared.map((p, k) => new Panel(this, p, k));
    this.marks = draw(this.svg, "g");
    this.rests = draw(this.svg, "g", { class: "rests" });
    this.label = draw(this.svg, "text", { class: "title", "text-anchor": "middle" });
    this.label.append(`${x.title} `);
    symbol(draw(this.label, "tspan"), x.symbol);
    this.label.append(` (${x.unit})`);
  }

  show(answer, kept) {
    const box = this.svg.getBoundingClientRect();
    if (!box.width || !this.panels.length) return;
    const em = parseFloat(getComputedStyle(this.svg).fontSize);
    const { width, height } = box;
    say(this.svg, "viewBox", `0 0 ${width.toFixed(0)} ${height.toFixed(0)}`);
    const named = this.panels.some((p) => p.declared.lines.some((l) => l.label));
    const left = 4.2 * em, right = named ? 7.2 * em : 1.2 * em, foot = 3.1 * em, head = 1.75 * em;
    const whole = height - foot - head * this.panels.length;
    const shares = this.panels.reduce((sum, p) => sum + p.declared.height, 0);
    const [from, to] = this.x.range || [0, answer.end];
    const x = (v) => left + ((v - from) / (to - from)) * (width - left - right);
    let top = 0;
    for (const panel of this.panels) {
      const tall = (whole * panel.declared.height) / shares;
      top += head;
      panel.place(left, top, width - left - right, tall, em);
      top += tall;
      this.fill(panel, answer, kept, x);
    }
    const bottom = height - foot;
    const at = ticks(from, to, Math.max(3, Math.min(8, Math.floor(width / (6 * em)))));
    pool(this.marks, "line", 1, { class: "axis" }).forEach((line) => {
      for (const [n, v] of Object.entries({ x1: left, x2: width - right, y1: bottom + 4, y2: bottom + 4 })) say(line, n, v);
    });
    pool(this.marks, "text", at.length, { class: "tick", "text-anchor": "middle" }).forEach((text, k) => {
      say(text, "x", x(at[k]).toFixed(1));
      say(text, "y", bottom + 4 + 1.15 * em);
      write(text, minus(at[k]));
    });
    say(this.label, "x", (left + width - right) / 2);
    say(this.label, "y", height - 0.45 * em);
    this.mark_rests(answer, x);
  }

  fill(panel, answer, kept, x) {
    const drawn = [];
    for (const line of panel.declared.lines) {
      if (answer.control) drawn.push([`control ${line.key}`, "control", "", line.dash, answer.control[line.key]]);
      if (panel.declared.kept) for (const k of kept) {
        drawn.push([`${k.id} ${line.key}`, "kept", k.style, k.dash, k.shown ? k.lines[line.key] : null]);
      }
      drawn.push([`now ${line.key}`, answer.refused ? "now stale" : "now", line.style || "", line.dash, answer.now && answer.now[line.key]]);
    }
    panel.fit(drawn.filter((d) => d[4]).map((d) => d[4][1]));
    panel.scale();
    const wanted = new Set(drawn.map((d) => d[0]));
    for (const [key, line] of panel.lines) if (!wanted.has(key)) {
      line.remove();
      panel.lines.delete(key);
    }
    for (const [key, kind, style, dash, data] of drawn) {
      panel.line(key, kind, style, dash, data, x);
      say(panel.lines.get(key), "class", `curve ${kind}`);
    }
  }

  // In gate curves: where the membrane rests.
  mark_rests(answer, x) {
    const at = answer.rests || {};
    const same = Math.abs(at.now - at.control) < 1;
    const rests = this.x.range ? Object.entries(at).filter(([kind]) => kind === "now" || !same) : [];
    const first = this.panels[0], last = this.panels[this.panels.length - 1];
    pool(this.rests, "line", rests.length, { class: "rest" }).forEach((line, k) => {
      const [kind, V] = rests[k];
      say(line, "data-kind", kind);
      for (const [n, v] of Object.entries({ x1: x(V), x2: x(V), y1: first.top, y2: last.top + last.height })) say(line, n, v);
    });
    pool(this.rests, "text", rests.length, { class: "restname", "text-anchor": "end" }).forEach((text, k) => {
      const [kind, V] = rests[k];
      say(text, "data-kind", kind);
      say(text, "x", x(V) - 0.3 * first.em);
      say(text, "y", first.top + (kind === "now" ? 1.1 : 2.4) * first.em);
      write(text, kind === "now" ? "rest" : "rest, control");
    });
  }
}

// ---- one slider with its marked range

class Row {
  constructor(page, spec) {
    this.page = page;
    this.spec = spec;
    const id = `${page.name}-${spec.name}${spec.of ? `-${spec.of[0]}` : ""}`;
    const share = (v) => Math.max(0, Math.min(1, (v - spec.low) / (spec.high - spec.low)));
    this.range = h("input", { type: "range", id, min: String(spec.low), max: String(spec.high), step: String(spec.step),
      oninput: () => this.move(Number(this.range.value)) });
    this.number = h("input", { type: "number", step: "any", "aria-label": `${spec.label}, as a number`,
      onchange: () => this.number.value !== "" && this.move(Number(this.number.value)) });
    this.state = h("b", { class: "state" });
    this.words = h("span", { class: "words", id: `${id}-words` }, this.state, spec.words || "");
    this.range.setAttribute("aria-describedby", this.words.id);
    const track = h("div", { class: "track" });
    if (spec.normal) {
      const [low, high] = spec.normal.map(share);
      track.append(h("div", { class: "band", style: `--from:${low};--to:${high}` }));
    }
    if (spec.control !== null && spec.control !== undefined) track.append(h("div", { class: "mark", style: `--at:${share(spec.control)}`, title: `control ${spec.control}` }));
    track.append(this.range);
    const label = h("label", { for: id });
    const said = spec.symbol || spec.label === "pH" ? spec.label : spec.label[0].toUpperCase() + spec.label.slice(1);
    if (spec.symbol) symbol(label.appendChild(h("span", { class: "symbol" })), spec.symbol);
    label.append(spec.symbol ? ` ${said}` : said);
    label.title = "Double click: back to control";
    label.addEventListener("dblclick", () => spec.control != null && this.move(spec.control));
    this.element = h("div", { class: "row", "data-slider": spec.name },
      h("div", { class: "above" }, label, this.words, h("span", { class: "value" }, this.number, h("span", { class: "unit" }, spec.unit))), track);
  }

  move(value) {
    if (!Number.isFinite(value)) return;
    this.set(value);
    this.page.changed(this.spec, value);
  }

  set(value) {
    const { spec } = this;
    if (Number(this.range.value) !== value) this.range.value = value;
    if (document.activeElement !== this.number || Number(this.number.value) !== value) this.number.value = printed(value, spec.step);
    let state = "";
    if (spec.normal && spec.kind === "bath") state = value < spec.normal[0] - 1e-9 ? "low " : value > spec.normal[1] + 1e-9 ? "high " : "";
    write(this.state, state ? `${state.trim()}, ` : "");
    this.element.classList.toggle("out", state !== "");
    this.range.setAttribute("aria-valuetext", `${printed(value, spec.step)} ${spec.unit} ${state}`.trim());
  }
}

// ---- the page

let pages = 0;

class Page {
  constructor(model, el) {
    this.model = model;
    this.name = `explorer${pages++}`;
    this.rows = [];
    this.serial = 0;
    this.sent = new Map();
    this.root = h("div", { class: "cramplab" + (model.get("page") ? " whole" : "") });
    el.append(this.root);
    this.build();
    this.theme();
    this.sync();
    this.watch = new ResizeObserver(() => this.paint());
    this.watch.observe(this.svg);
    for (const name of ["scene", "asked", "answer", "kept", "numbers", "view"]) model.on(`change:${name}`, () => this.soon());
    model.on("msg:custom", (content, buffers) => this.told(content, buffers));
  }

  build() {
    this.choice = h("select", { "aria-label": "Membrane", onchange: () => this.ask({ model: this.choice.value }, true) });
    this.title = h("p", { class: "subject" });
    this.toggle = h("button", { class: "theme", type: "button", onclick: () => this.theme(this.root.dataset.theme === "dark" ? "light" : "dark") });
    this.sliders = h("section", { class: "controls", "aria-label": "Bath, conductances and stimulus" });
    this.views = h("div", { class: "views", role: "group", "aria-label": "What is shown" });
    this.status = h("p", { class: "status", role: "status" });
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("class", "chart");
    this.chart = new Chart(this.svg);
    this.body = h("tbody");
    const columns = ["Run", "Rest", "Threshold, 0.5 ms", "Rheobase", "Spikes", "Peak", ""];
    const table = h("table", {}, h("thead", {}, h("tr", {}, ...columns.map((c) => h("th", { scope: "col" }, c)))), this.body);
    this.command = h("code", { tabindex: "0", "aria-label": "The same as a command line" });
    const button = (text, act, title = "") => h("button", { type: "button", onclick: act, title, "data-act": text }, text);
    this.actions = h("div", { class: "actions" },
      button("Keep this run", () => this.model.send({ do: "keep" }), "It stays behind the next ones, in a colour of its own"),
      button("Back to control", () => this.control()),
      button("Figure SVG", () => this.figure("svg"), "The house figure of what is shown, with its origin"),
      button("Figure PNG", () => this.figure("png")));
    this.copy = button("Copy command", () => this.copied(), "The command line that computes this run");
    this.root.append(
      h("header", {}, h("h1", {}, "cramplab", h("small", {}, "a model to try out")), this.choice, this.title, this.toggle),
      h("div", { class: "main" }, this.sliders, h("section", { class: "shown", "aria-label": "What the model does" },
        h("div", { class: "bar" }, this.views, this.actions), this.status, h("div", { class: "figure" }, this.svg),
        h("div", { class: "numbers" }, table), h("div", { class: "line" }, this.command, this.copy))));
  }

  theme(chosen) {
    const body = document.body;
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const lab = () => (this.model.get("page") || !body.dataset.jpThemeLight ? system.matches : body.dataset.jpThemeLight === "false");
    let kept = null;
    try {
      if (chosen) localStorage.setItem(MEMORY, chosen);
      kept = this.model.get("page") ? localStorage.getItem(MEMORY) : null;
    } catch { kept = null; }
    const dark = (chosen || kept || (lab() ? "dark" : "light")) === "dark";
    this.root.dataset.theme = dark ? "dark" : "light";
    this.toggle.textContent = dark ? "Light" : "Dark";
    this.toggle.setAttribute("aria-label", dark ? "Light page" : "Dark page");
    if (!this.listening) {
      this.listening = new MutationObserver(() => this.theme());
      this.listening.observe(body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
      system.addEventListener("change", () => this.theme());
    }
  }

  // Several changes of one message make one drawing.
  soon() {
    if (this.waiting) return;
    this.waiting = true;
    queueMicrotask(() => {
      this.waiting = false;
      this.sync();
    });
  }

  sync() {
    const get = (name) => this.model.get(name);
    const [scene, asked, answer] = [get("scene"), get("asked"), get("answer")];
    if (!scene.model) return;
    if (scene !== this.scene) this.arrange(scene);
    if (!this.want || (asked.serial || 0) >= this.serial) this.take(asked);
    if (!scene.views.some((v) => v.key === this.view)) this.view = scene.views[0].key;
    if (get("view") !== this.seen) this.view = this.seen = get("view");
    this.answer = answer;
    this.list();
    this.paint();
    const began = this.sent.get(answer.serial);
    if (began !== undefined) {
      this.root.dataset.answered = String(answer.serial);
      this.root.dataset.took = (performance.now() - began).toFixed(1);
      for (const k of this.sent.keys()) if (k <= answer.serial) this.sent.delete(k);
      this.root.classList.remove("busy");
    }
  }

  arrange(scene) {
    const there = this.scene;
    this.scene = scene;
    this.want = null;
    if (!there) {
      const groups = new Map();
      for (const { name, group, label } of scene.subjects) {
        if (!groups.has(group)) groups.set(group, this.choice.appendChild(h("optgroup", { label: group })));
        groups.get(group).append(h("option", { value: name }, label));
      }
    }
    this.choice.value = scene.model;
    write(this.title, `Model: ${scene.title}`);
    this.title.title = scene.note;
    this.rows = [];
    const part = (title, specs, ...more) => {
      const rows = specs.map((spec) => new Row(this, spec));
      this.rows.push(...rows);
      return h("fieldset", { "data-part": title }, h("legend", {}, title), ...more, ...rows.map((r) => r.element));
    };
    this.kinds = h("div", { class: "kinds", role: "group", "aria-label": "Kind of stimulus" }, ...scene.stimuli.map((s) =>
      h("button", { type: "button", "data-kind": s.name, onclick: () => this.ask({ ...this.want, ...s.first, stimulus: s.name }) }, s.label)));
    const length = h("select", { "aria-label": "Length of the run", onchange: () => this.ask({ ...this.want, length: Number(length.value) }) },
      ...scene.lengths.map((ms) => h("option", { value: String(ms) }, `${ms} ms`)));
    this.length = length;
    const kinds = h("div", { class: "stimulus" }, this.kinds, h("label", { class: "length" }, "run ", length));
    this.sliders.replaceChildren(
      part(scene.bath.length > 1 ? "Bath, ionised" : "Bath (no ions in these equations)", scene.bath),
      part("Conductances, times control", scene.scale), part("Stimulus", scene.stimulus, kinds));
    this.views.replaceChildren(...scene.views.map((v) =>
      h("button", { type: "button", "data-view": v.key, onclick: () => this.look(v.key) }, v.label)));
  }

  // Where the sliders stand, as Python says.
  take(asked) {
    const { serial, ...setting } = asked;
    if (!setting.bath) return; // another membrane was asked for and is not ready yet
    this.want = setting;
    this.stand();
  }

  stand() {
    const { want } = this;
    for (const row of this.rows) {
      const { kind, name, control } = row.spec;
      const value = kind === "stimulus" ? want[name] : name in want[kind] ? want[kind][name] : control;
      row.set(value);
      if (kind === "stimulus") row.element.hidden = !row.spec.of.includes(want.stimulus);
    }
    for (const b of this.kinds.children) b.setAttribute("aria-pressed", String(b.dataset.kind === want.stimulus));
    const known = [...this.length.options].some((o) => Number(o.value) === want.length);
    if (!known) this.length.append(h("option", { value: String(want.length) }, `${want.length} ms`));
    this.length.value = String(want.length);
  }

  changed(spec, value) {
    const want = { ...this.want, bath: { ...this.want.bath }, scale: { ...this.want.scale } };
    if (spec.kind === "stimulus") want[spec.name] = value;
    else if (value === spec.control) delete want[spec.kind][spec.name];
    else want[spec.kind][spec.name] = value;
    this.ask(want);
  }

  control() {
    this.ask({ ...this.want, bath: {}, scale: {} });
  }

  ask(want, anew = false) {
    this.serial = Math.max(this.serial, this.model.get("asked").serial || 0) + 1;
    this.sent.set(this.serial, performance.now());
    this.root.classList.add("busy");
    if (anew) write(this.status, "Preparing this membrane; the first time its equations are turned into machine code, which takes some seconds.");
    else {
      this.want = want;
      this.stand();
    }
    this.model.set("asked", { ...want, serial: this.serial });
    this.model.save_changes();
  }

  look(view) {
    this.view = this.seen = view;
    this.model.set("view", view);
    this.model.save_changes();
    this.paint();
  }

  paint() {
    const { scene, answer } = this;
    if (!scene || !answer) return;
    const view = scene.views.find((v) => v.key === this.view) || scene.views[0];
    for (const b of this.views.children) b.setAttribute("aria-pressed", String(b.dataset.view === view.key));
    if (view.x.range && !answer.gates) return; // they are on their way
    this.chart.set(view.panels, view.x);
    const part = view.x.range ? { ...answer, ...(answer.gates || { now: null, control: null }) } : answer;
    this.chart.show(part, this.model.get("kept"));
    say(this.svg, "aria-label", `${view.label} of the model. ${answer.told}`);
    if (answer.serial >= this.serial || !this.root.classList.contains("busy")) write(this.status, answer.told);
    this.status.classList.toggle("refused", Boolean(answer.refused));
    write(this.command, answer.command);
  }

  // The numbers beneath the curves; a row is made once and then rewritten.
  list() {
    const numbers = this.model.get("numbers");
    const kept = this.model.get("kept");
    const wanted = [{ id: "control", name: "control" }, { id: "now", name: "now" }, ...kept];
    const there = new Map([...this.body.children].map((r) => [r.dataset.run, r]));
    wanted.forEach((run, k) => {
      let row = there.get(run.id);
      if (!row) row = this.row(run);
      there.delete(run.id);
      if (this.body.children[k] !== row) this.body.insertBefore(row, this.body.children[k] || null);
      const cells = numbers[run.id] || [];
      [...row.querySelectorAll("td.number")].forEach((cell, i) => write(cell, cells[i] || ""));
      const swatch = row.querySelector(".swatch line");
      say(swatch, "style", run.style || "");
      say(swatch, "stroke-dasharray", run.dash || "none");
      if (run.lines) {
        row.classList.toggle("hidden", !run.shown);
        row.querySelector("input[type=checkbox]").checked = run.shown;
        const name = row.querySelector("input[type=text]");
        if (document.activeElement !== name) name.value = run.name;
        name.title = `${run.membrane}: ${run.name}`;
        write(row.querySelector(".of"), run.membrane === this.scene.model ? "" : run.membrane);
      }
    });
    for (const row of there.values()) row.remove();
  }

  row(run) {
    const swatch = document.createElementNS(SVG, "svg");
    swatch.setAttribute("class", "swatch");
    swatch.setAttribute("aria-hidden", "true");
    draw(swatch, "line", { x1: "0", x2: "34", y1: "6", y2: "6", class: run.lines ? "kept" : run.id });
    const cells = Array.from({ length: 5 }, () => h("td", { class: "number" }));
    const send = (content) => this.model.send({ ...content, id: run.id });
    const own = !run.lines ? [h("span", {}, run.name)] : [
      h("input", { type: "checkbox", "aria-label": "shown", onchange: (e) => send({ do: "show", shown: e.target.checked }) }),
      h("input", { type: "text", "aria-label": "Name of this run", onchange: (e) => send({ do: "rename", name: e.target.value }) }),
      h("span", { class: "of" })];
    const back = !run.lines ? null : h("button", { type: "button", onclick: () => send({ do: "again" }), title: "Put the sliders where they were", "aria-label": "Put the sliders where they were" }, "\u21ba");
    const gone = !run.lines ? null : h("button", { type: "button", onclick: () => send({ do: "drop" }), title: "Let this run go", "aria-label": "Let this run go" }, "\u00d7");
    return h("tr", { "data-run": run.id }, h("th", { scope: "row" }, swatch, ...own), ...cells, h("td", { class: "acts" }, back, gone));
  }

  figure(format) {
    write(this.status, "Drawing the figure \u2026");
    this.model.send({ do: "figure", format });
  }

  async copied() {
    try {
      await navigator.clipboard.writeText(this.command.textContent);
      write(this.status, "The command line is on the clipboard.");
    } catch {
      const range = document.createRange();
      range.selectNodeContents(this.command);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      write(this.status, "The command line is marked: copy it with Ctrl-C.");
    }
  }

  told(content, buffers) {
    if (content.file) {
      const url = URL.createObjectURL(new Blob(buffers, { type: content.type }));
      const link = h("a", { href: url, download: content.file });
      this.root.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    }
    write(this.status, content.told);
    this.status.classList.toggle("refused", Boolean(content.refused));
  }

  close() {
    this.watch.disconnect();
    this.listening.disconnect();
  }
}

export default {
  render({ model, el }) {
    const page = new Page(model, el);
    return () => page.close();
  },
};
