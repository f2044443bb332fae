"use strict";
// The page: what is chosen, its sentences, its charts and its tables. Every word of a record goes in as text, never as
// markup. Numbers come as the text that every report shows, with their values beside.
(() => {
  const ROWS = 100; // shown at first and with each press of a table's button
  const PANELS = 12; // likewise, of a chart
  const FIRST = "best_paths"; // the table that stands with the overview
  const OPEN = new Set(["curves"]); // charts whose table is more than their numbers: accuracy comes before speed
  const MISSING = "—";

  const data = JSON.parse(document.getElementById("data").textContent);
  const main = document.getElementById("main");
  const chosen = { machine: null, run: null, recipe: "" };
  let watcher = null;
  let views = [];

  // Making elements.

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  function options(select, items, value) {
    select.replaceChildren(...items.map(([key, words]) => element("option", { value: key }, words)));
    select.value = value;
  }

  const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

  // A cell is its text, or a number and its text: the page sorts by the number.
  const value = (cell) => (Array.isArray(cell) ? cell[0] : cell === MISSING ? null : cell);
  const words = (cell) => (Array.isArray(cell) ? cell[1] : cell);

  const bad = new Set(["failed", "slower", "FAILED"]);
  const good = new Set(["passed", "faster", "same"]);

  // Tables: sorted and filtered as values, drawn a page at a time.

  function table(spec, open) {
    const place = spec.columns.findIndex((column) => column.key === "recipe");
    const texts = new Map(); // of a row, once it is shown or searched
    const text = (row) => {
      if (!texts.has(row)) texts.set(row, spec.rows[row].map(words));
      return texts.get(row);
    };
    const body = element("tbody");
    const count = element("span", { role: "status", class: "quiet" });
    const more = element("button", { type: "button", onclick: () => (limit += ROWS, draw()) });
    const order = spec.rows.map((_, index) => index);
    let limit = ROWS;
    let needle = "";

    const heads = spec.columns.map((column, index) =>
      element(
        "th",
        { scope: "col", "aria-sort": "none", class: column.number ? "number" : null },
        element("button", { type: "button", onclick: () => sort(index) }, column.heading),
      ),
    );

    function sort(index) {
      const down = heads[index].getAttribute("aria-sort") === "ascending";
      heads.forEach((head, at) => head.setAttribute("aria-sort", at === index ? (down ? "descending" : "ascending") : "none"));
      const sign = down ? -1 : 1;
      order.sort((a, b) => compared(value(spec.rows[a][index]), value(spec.rows[b][index]), sign) || a - b);
      draw();
    }

    function draw() {
      const wanted = needle.split(" ").filter(Boolean);
      const holds = (row) => {
        const line_ = wanted.length ? text(row).join(" ").toLowerCase() : "";
        return wanted.every((word) => line_.includes(word));
      };
      const found = order.filter(
        (row) => (!chosen.recipe || place < 0 || words(spec.rows[row][place]) === chosen.recipe) && holds(row),
      );
      body.replaceChildren(...found.slice(0, limit).map(line));
      count.textContent = `${whole.format(found.length)} of ${whole.format(spec.rows.length)} rows`;
      const left = found.length - limit;
      more.hidden = left <= 0;
      more.textContent = `Show ${Math.min(ROWS, left)} more rows`;
    }

    function line(row) {
      return element("tr", {}, ...text(row).map((shown_, index) => cell(shown_, spec.columns[index], index)));
    }

    function cell(text, column, index) {
      const first = text.split(" ")[0];
      const kind = column.number ? "number" : bad.has(first) || text.includes("FAILED") ? "bad" : good.has(first) ? "good" : text.length > 60 ? "long" : null;
      return index ? element("td", { class: kind }, text) : element("th", { scope: "row" }, text);
    }

    const filter = element("input", {
      type: "search",
      "aria-label": `Filter the rows of ${spec.title}`,
      placeholder: "words of a row",
      oninput: (event) => ((needle = event.target.value.toLowerCase()), (limit = ROWS), draw()),
    });
    const id = `table-${spec.key}`;
    const parts = [
      element("p", { class: "caption" }, spec.caption),
      element("div", { class: "tools" }, element("label", {}, "Filter ", filter), count),
      element(
        "div",
        { class: "scroll", role: "region", "aria-label": `${spec.title}, a table`, tabindex: "0" },
        element("table", { id }, element("thead", {}, element("tr", {}, ...heads)), body),
      ),
      element("div", { class: "tools" }, more),
      ...spec.notes.map((note) => element("p", { class: "notes" }, note)),
    ];
    if (open) {
      draw();
      return element("div", { class: "table" }, element("h3", {}, spec.title), ...parts);
    }
    const details = element("details", {}, element("summary", {}, `Table: ${spec.title}`), ...parts);
    details.addEventListener("toggle", draw, { once: true });
    return element("div", { class: "table" }, details);
  }

  function compared(a, b, sign) {
    if (a === b) return 0;
    if (a === null) return 1; // what is missing comes last, whichever way
    if (b === null) return -1;
    return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  }

  // Charts: one specification a panel, drawn when it comes near the window.

  function chart(spec, run) {
    const panels = spec.panels.filter((one) => !chosen.recipe || one.recipe === chosen.recipe);
    const grid = element("div", { class: "panels" });
    const more = element("button", { type: "button", onclick: draw });
    function draw() {
      const begin = grid.childElementCount;
      for (const one of panels.slice(begin, begin + PANELS)) grid.append(panel(spec, one));
      const left = panels.length - grid.childElementCount;
      more.hidden = left <= 0;
      more.textContent = `Show ${Math.min(PANELS, left)} more charts`;
    }
    draw();
    const own = run.tables.find((one) => one.key === spec.table);
    return element(
      "section",
      { class: "chart", "aria-labelledby": `chart-${spec.key}` },
      element("h3", { id: `chart-${spec.key}` }, spec.title),
      element("p", {}, spec.sentence),
      panels.length ? grid : element("p", { class: "quiet" }, "Nothing of this recipe."),
      element("div", { class: "tools" }, more),
      own ? table(own, OPEN.has(spec.key)) : null,
    );
  }

  function panel(spec, one) {
    const rows = one.rows.map((row) => Object.fromEntries(row.map((value, index) => [spec.columns[index], value])));
    const label = `${spec.title}, ${one.title}: ${rows.length} points, which the table lists. ${spec.sentence}`;
    const drawing = element("div", { class: "drawing", role: "img", "aria-label": label }, element("div"));
    const box = element("div", { class: "panel" }, element("h4", {}, one.title), drawing);
    box.draw = () => draw(drawing, data.specs[spec.key], rows);
    watcher.observe(box);
    return box;
  }

  function draw(drawing, template, rows) {
    const dark = isDark();
    const spec = prepared(template, rows, dark);
    spec.width = "container";
    if (spec.usermeta && spec.usermeta.lines) {
      const lines = new Set(rows.map((row) => row[spec.usermeta.lines]));
      lines.delete("floor"); // drawn across all others
      spec.height = spec.usermeta.step * Math.max(1, lines.size);
    }
    spec.autosize = { type: "fit-x", contains: "padding" };
    vegaEmbed(drawing.firstChild, spec, {
      mode: "vega-lite",
      renderer: "svg",
      actions: false,
      logLevel: 1, // errors
      ast: true, // expressions are interpreted: the page's policy allows no eval
      defaultStyle: false,
      tooltip: tip,
      config: { ...data.config, ...colours(dark), aria: false },
    }).then((found) => {
      views.push(found);
      drawing.classList.add("drawn");
      drawing.querySelector("svg").setAttribute("aria-hidden", "true"); // the drawing's own label and table say it
    });
  }

  // Return the template with these rows, their targets' colours, and the palette of the theme.
  function prepared(template, rows, dark) {
    const targets = [...new Set(rows.map((row) => row.target))];
    const range = targets.map((target) => data.colours[String(target).split("@")[0].split("-")[0]] || data.other);
    return JSON.parse(JSON.stringify(template), (key, value) => {
      if (value && typeof value === "object" && value.field === "target" && value.scale && value.scale.domain)
        return { ...value, scale: { domain: targets, range: dark ? range.map((c) => data.dark[c] || c) : range } };
      if (key === "datasets") return Object.fromEntries(Object.keys(value).map((dataset) => [dataset, rows]));
      return dark && typeof value === "string" && data.dark[value] ? data.dark[value] : value;
    });
  }

  function colours(dark) {
    const [text, line] = dark ? ["#e7eaee", "#39414d"] : ["#1b1f24", "#dbe0e6"];
    return {
      background: "transparent",
      axis: { ...data.config.axis, labelColor: text, titleColor: text, gridColor: line, domainColor: line, tickColor: line },
      legend: { ...data.config.legend, labelColor: text, titleColor: text },
      title: { ...data.config.title, color: text },
      style: { "guide-label": { fill: text }, "guide-title": { fill: text } },
    };
  }

  function tip(handler, event, item, value) {
    let box = document.getElementById("tip");
    if (box) box.remove();
    if (!value) return;
    const lines = Object.entries(value).map(([key, words_]) => `${key}: ${words_}`);
    box = element("div", { id: "tip", "aria-hidden": "true" }, lines.join("\n"));
    document.body.append(box);
    const left = Math.min(event.clientX + 14, window.innerWidth - box.offsetWidth - 8);
    box.style.left = `${Math.max(0, left)}px`;
    box.style.top = `${Math.min(event.clientY + 14, window.innerHeight - box.offsetHeight - 8)}px`;
  }

  // The whole.

  function show() {
    for (const view of views) view.finalize();
    views = [];
    if (watcher) watcher.disconnect();
    watcher = new IntersectionObserver(near, { rootMargin: "400px" });
    const run = data.runs.find((one) => one.id === chosen.run);
    if (!run) {
      main.replaceChildren(
        element("section", { id: "overview" }, element("h2", {}, "Nothing is published yet"), element("p", {}, data.empty)),
      );
      return;
    }
    const bound = new Set(run.charts.map((one) => one.table));
    main.replaceChildren(
      overview(run),
      section("charts", "Charts", run.charts.map((one) => chart(one, run))),
      section("tables", "Tables", run.tables.filter((one) => !bound.has(one.key) && one.key !== FIRST).map((one) => table(one, true))),
    );
  }

  function near(entries) {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      entry.target.draw();
    }
  }

  function section(id, title, children) {
    if (!children.length) return "";
    return element("section", { id, "aria-labelledby": `${id}-title` }, element("h2", { id: `${id}-title` }, title), ...children);
  }

  function overview(run) {
    const best = run.tables.find((one) => one.key === FIRST);
    const facts = run.facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
    return element(
      "section",
      { id: "overview", "aria-labelledby": "overview-title" },
      element("h2", { id: "overview-title" }, run.question),
      run.warnings.length ? element("p", { class: "warning", role: "note" }, `Published anyway, do not rely on it: ${run.warnings.join("; ")}.`) : null,
      run.newer ? element("p", { class: "quiet" }, `Superseded by the run of ${run.newer}.`) : null,
      element("ul", { class: "overview" }, ...run.overview.map(([kind, words_]) => element("li", { class: kind }, ...led(words_)))),
      best ? table(best, true) : null,
      element(
        "dl",
        { class: "facts" },
        ...facts,
        element("dt", {}, "again"),
        element("dd", {}, element("code", {}, run.again)),
        element("dt", {}, "files"),
        element("dd", {}, ...["md", "csv", "json"].flatMap((end) => [element("a", { href: `${run.files}.${end}` }, end), " "])),
      ),
    );
  }

  // Let what a sentence is about, up to its colon, stand out.
  function led(sentence) {
    const end = sentence.indexOf(":");
    return end < 0 || end > 60 ? [sentence] : [element("strong", {}, sentence.slice(0, end + 1)), sentence.slice(end + 1)];
  }

  function isDark() {
    const theme = document.documentElement.dataset.theme;
    return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function toggle() {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    named();
    show();
  }

  function named() {
    document.getElementById("theme").textContent = isDark() ? "Light theme" : "Dark theme";
  }

  function choose(machine, run) {
    const machines = [...new Set(data.runs.map((one) => one.machine))];
    const first = data.runs.find((one) => !one.comparison && !one.warnings.length) || data.runs[0];
    chosen.machine = machine || (first ? first.machine : "");
    const here = data.runs.filter((one) => one.machine === chosen.machine);
    const best = here.find((one) => !one.comparison && !one.warnings.length) || here[0];
    chosen.run = run || (best ? best.id : "");
    const now = here.find((one) => one.id === chosen.run);
    const recipes = now ? now.recipes : [];
    if (!recipes.includes(chosen.recipe)) chosen.recipe = "";
    options(document.getElementById("machine"), machines.map((name) => [name, name]), chosen.machine);
    options(document.getElementById("run"), here.map((one) => [one.id, one.title]), chosen.run);
    options(document.getElementById("recipe"), [["", "all recipes"], ...recipes.map((name) => [name, name])], chosen.recipe);
    show();
  }

  document.getElementById("machine").addEventListener("change", (event) => choose(event.target.value, null));
  document.getElementById("run").addEventListener("change", (event) => choose(chosen.machine, event.target.value));
  document.getElementById("recipe").addEventListener("change", (event) => {
    chosen.recipe = event.target.value;
    show();
  });
  document.getElementById("theme").addEventListener("click", toggle);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (named(), show()));
  named();
  choose(null, null);
  if (data.older)
    document.querySelector("footer").append(element("p", {}, `${data.older} older runs are in README.md beside this page.`));
  performance.mark("usable");
})();
