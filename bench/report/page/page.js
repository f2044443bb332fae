"use strict";
// The page: what is chosen, its sentences, its charts and its tables. Every word of a record goes in as text, never as
// markup. Numbers come as the text that every report shows; a table sorts by the number that a text begins with.
(() => {
  const ROWS = 100; // shown at first and with each press of a table's button
  const PANELS = 12; // likewise, of a chart
  const FIRST = "answers"; // the chart that stands with the overview
  const OPEN = new Set(["curves"]); // charts whose table is more than their numbers: accuracy comes before speed
  const MISSING = "—";
  const NUMBERS = /[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g;
  const NUMBER = /^[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?[%×]?$/;

  const data = JSON.parse(document.getElementById("data").textContent);
  const main = document.getElementById("main");
  const folder = (run) => run.files.split("/")[0];
  let chosen = {};
  let watcher = null;
  let views = [];
  let printing = false;
  let leading = false; // whether a link's table is kept in view while charts above it are drawn

  // The rows of a chart or a table, in which repeated words stand once in their column; each is unpacked when shown.
  function unpacked(spec) {
    if (!spec.texts) spec.texts = spec.rows.map((row) => row.map((value, index) => (spec.columns[index].words ? spec.columns[index].words[value] : value)));
    return spec.texts;
  }

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

  const button = (words, onclick, attributes) => element("button", { type: "button", onclick, ...attributes }, words);

  function options(select, items, value) {
    select.replaceChildren(...items.map(([key, words]) => element("option", { value: key }, words)));
    select.value = value;
  }

  // The words of a sentence; what stands between backticks is code.
  const sentence = (text) => text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));

  const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

  // What a cell is sorted by: of a number's text its first number, of a wide spread half of what lies between its ends.
  function value(text, column) {
    if (text === MISSING) return null;
    if (!column.number) return text;
    const found = text.startsWith(">") ? null : text.replaceAll(",", "").match(NUMBERS);
    if (!found) return null;
    const [first, second] = found.map(Number);
    if (column.key.endsWith("_spread") && found.length > 1) return (second - first) / 2;
    return text.includes("×") && !text.includes("%") ? 100 * (first - 1) : first;
  }

  const bad = new Set(["failed", "slower", "FAILED"]);
  const good = new Set(["passed", "faster", "same"]);

  // Tables: sorted and filtered as values, drawn a page at a time.

  function table(spec, open) {
    const kept = [["recipe", () => chosen.recipe], ["view", () => data.views[chosen.view]]]
      .map(([key, wanted]) => [spec.columns.findIndex((column) => column.key === key), wanted])
      .filter(([place]) => place >= 0);
    const body = element("tbody");
    const count = element("span", { role: "status", class: "quiet" });
    const more = button("", () => ((limit += ROWS), draw()));
    const all = unpacked(spec);
    const order = all.map((_, index) => index);
    let limit = ROWS;
    let needle = "";

    const heads = spec.columns.map((column, index) =>
      element("th", { scope: "col", "aria-sort": "none", class: kind(column) }, button(column.heading, () => sort(index))),
    );

    function kind(column) {
      return [column.number && "number", column.answer && "answer"].filter(Boolean).join(" ") || null;
    }

    function sort(index) {
      const down = heads[index].getAttribute("aria-sort") === "ascending";
      heads.forEach((head, at) => head.setAttribute("aria-sort", at === index ? (down ? "descending" : "ascending") : "none"));
      const of = (row) => value(all[row][index], spec.columns[index]);
      order.sort((a, b) => compared(of(a), of(b), down ? -1 : 1) || a - b);
      draw();
    }

    // The rows of what is chosen that have every word of the filter, in their order.
    function found() {
      const wanted = needle.split(" ").filter(Boolean);
      return order.filter((row) => {
        if (kept.some(([place, wants]) => wants() && all[row][place] !== wants())) return false;
        const line_ = wanted.length ? all[row].join(" ").toLowerCase() : "";
        return wanted.every((word) => line_.includes(word));
      });
    }

    function draw() {
      const rows = found();
      body.replaceChildren(...rows.slice(0, limit).map((row) => element("tr", {}, ...all[row].map(cell))));
      count.textContent = `${whole.format(rows.length)} of ${whole.format(all.length)} rows`;
      const left = rows.length - limit;
      more.hidden = left <= 0;
      more.textContent = `Show ${Math.min(ROWS, left)} more rows`;
    }

    function cell(text, index) {
      const column = spec.columns[index];
      const first = text.split(" ")[0];
      const looks = column.number ? "number" : bad.has(first) || text.includes("FAILED") ? "bad" : good.has(first) ? "good" : text.length > 60 ? "long" : "";
      const classes = [looks, column.answer && "answer"].filter(Boolean).join(" ") || null;
      return index ? element("td", { class: classes }, text) : element("th", { scope: "row" }, text);
    }

    // The headings and all rows that the filter leaves, as a spreadsheet takes them.
    const lines = () => [
      spec.columns.map((column) => column.heading),
      ...found().map((row) => all[row].map((text, index) => plain(text, spec.columns[index]))),
    ];

    const filter = element("input", {
      type: "search",
      "aria-label": `Filter the rows of ${spec.title}`,
      placeholder: "words of a row",
      oninput: (event) => ((needle = event.target.value.toLowerCase()), (limit = ROWS), draw()),
    });
    const named = (words) => ({ "aria-label": `${words} the table ${spec.title}` });
    const tools = [
      element("label", {}, "Filter ", filter),
      count,
      button("Copy", (event) => copy(lines().map((line) => line.join("\t")).join("\n"), event.target), named("Copy")),
      button("CSV", () => save(csv(lines()), `${chosen.run}-${spec.key}.csv`), named("Download as CSV")),
      button("Link", (event) => linked(spec.key, event.target), named("Copy a link to")),
    ];
    const parts = [
      element("p", { class: "caption" }, spec.caption),
      element(
        "div",
        { class: "scroll", role: "region", "aria-label": `${spec.title}, a table`, tabindex: "0" },
        element("table", { id: `table-${spec.key}` }, element("thead", {}, element("tr", {}, ...heads)), body),
      ),
      element("div", { class: "tools" }, more),
      ...spec.notes.map((note) => element("p", { class: "notes" }, note)),
    ];
    parts.splice(1, 0, element("div", { class: "tools" }, ...tools));
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

  // A cell for a spreadsheet: no separators in a number, and no text that would be taken for a formula.
  function plain(text, column) {
    if (text === MISSING) return "";
    const found = column.number ? text.replaceAll(",", "") : text;
    return /^[-=+@\t\r]/.test(found) && !NUMBER.test(found) ? `'${found}` : found;
  }

  const csv = (lines) =>
    lines.map((line) => line.map((text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(",")).join("\r\n") + "\r\n";

  function save(text, name) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    element("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  async function copy(text, from) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // A browser without a clipboard for files from disk: by a selection.
      const box = element("textarea", { "aria-hidden": "true" }, text);
      document.body.append(box);
      box.select();
      document.execCommand("copy");
      box.remove();
    }
    const words = from.textContent;
    from.textContent = "Copied";
    setTimeout(() => (from.textContent = words), 1_500);
  }

  function linked(key, from) {
    chosen.table = key;
    write();
    copy(location.href, from);
  }

  // Charts: one specification a panel, drawn when it comes near the window.

  function chart(spec, run) {
    const panels = spec.panels.filter(
      (one) => (!chosen.recipe || !one.recipe || one.recipe === chosen.recipe) && (!chosen.view || !one.view || one.view === chosen.view),
    );
    const grid = element("div", { class: "panels" });
    const more = button("", draw, { class: "more" });
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
      spec.panels.some((one) => one.view) ? switched() : null,
      panels.length ? grid : element("p", { class: "quiet" }, "Nothing of this recipe."),
      element("div", { class: "tools" }, more),
      own ? table(own, OPEN.has(spec.key)) : null,
    );
  }

  // The switch between the views of the answer.
  function switched() {
    const turn = (view) => () => ((chosen.view = view), write(), show(), document.querySelector("#views [aria-pressed=true]").focus());
    const one = ([view, words]) => button(words, turn(view), { "aria-pressed": String((chosen.view || "") === view) });
    return element("div", { id: "views", class: "tools", role: "group", "aria-label": "View" }, ...[["", "Both"], ...Object.entries(data.views)].map(one));
  }

  function panel(spec, one) {
    const before = spec.panels.slice(0, spec.panels.indexOf(one)).reduce((sum, other) => sum + other.count, 0);
    const every = unpacked(spec)
      .slice(before, before + one.count)
      .map((row) => Object.fromEntries(row.map((value, index) => [spec.columns[index].key, value])));
    const rows = one.recipe || !chosen.recipe ? every : every.filter((row) => row.recipe === chosen.recipe || row.head);
    const label = `${spec.title}, ${one.title}: ${rows.length} points, which the table lists. ${spec.sentence}`;
    const drawing = element("div", { class: "drawing", role: "img", "aria-label": label }, element("div"));
    const box = element("div", { class: "panel" }, element("h4", {}, one.title), drawing);
    box.draw = () => draw(drawing, spec, one.axis || spec.axis, rows);
    watcher.observe(box);
    return box;
  }

  function draw(drawing, chart_, axis, rows) {
    const dark = isDark();
    const spec = prepared(data.specs[chart_.key], { rows, dark, axis, domain: chart_.domain });
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
      if (leading) lead();
    });
  }

  // Return the template with these rows, their targets' colours, the chart's scale and the palette of the theme.
  function prepared(template, { rows, dark, axis, domain }) {
    const targets = [...new Set(rows.map((row) => row.target))];
    const range = targets.map((target) => data.colours[String(target).split("@")[0].split("-")[0]] || data.other);
    return JSON.parse(JSON.stringify(template), (key, value) => {
      if (value && typeof value === "object" && value.field === "target" && value.scale && value.scale.domain)
        return { ...value, scale: { domain: targets, range: dark ? range.map((c) => data.dark[c] || c) : range } };
      if (key === "datasets") return Object.fromEntries(Object.keys(value).map((dataset) => [dataset, rows]));
      if (data.frame.includes(value)) return domain[data.frame.indexOf(value)];
      if (typeof value === "string" && value.includes(data.axis)) return value.replaceAll(data.axis, axis);
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
    const first = run.charts.find((one) => one.key === FIRST);
    const bound = new Set(run.charts.map((one) => one.table));
    const own = run.tables.find((one) => one.key === "recipes");
    const rest = run.tables.filter((one) => !bound.has(one.key) && one !== own);
    main.replaceChildren(
      overview(run, first),
      section("compared", "What is compared", [own ? table(own, true) : null, ...paths(run)].filter(Boolean)),
      section("charts", "Charts", run.charts.filter((one) => one !== first).map((one) => chart(one, run))),
      section("tables", "Tables", rest.map((one) => table(one, true))),
      section("machines", "Across machines", data.machines.rows.length ? [table(data.machines, true)] : []),
    );
    lead();
  }

  // Bring the table that a link names into view.
  function lead() {
    const found = chosen.table && document.getElementById(`table-${chosen.table}`);
    if (!found) return;
    const details = found.closest("details");
    if (details) details.open = true;
    if (leading) found.closest(".table").scrollIntoView({ behavior: "instant" });
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

  function overview(run, first) {
    const facts = run.facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
    return element(
      "section",
      { id: "overview", "aria-labelledby": "overview-title" },
      element("h2", { id: "overview-title" }, ...sentence(run.headline)),
      run.warnings.length ? element("p", { class: "warning", role: "note" }, `Do not rely on it: ${run.warnings.join("; ")}.`) : null,
      run.newer ? element("p", { class: "quiet" }, `Superseded by the run of ${run.newer}.`) : null,
      first ? chart(first, run) : null,
      element("ul", { class: "overview" }, ...run.overview.map((words) => element("li", {}, ...led(words)))),
      element(
        "p",
        { class: "citation" },
        element("span", { id: "citation" }, run.citation),
        " ",
        button("Copy", (event) => copy(run.citation, event.target), { "aria-label": "Copy the citation" }),
      ),
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

  // The paths that were timed, with the lines that a user writes for each.
  function paths(run) {
    const among = (names) => data.paths.filter(([phase, name]) => names.includes(`${phase} ${name}`));
    const answered = among(run.answered);
    const used = among(run.used).filter((one) => !answered.includes(one));
    if (!answered.length && !used.length) return [];
    const one = ([phase, name, summary, code]) =>
      element("div", { class: "path" }, element("h4", {}, `${phase}: `, element("code", {}, name)), element("p", {}, summary), code ? element("pre", { tabindex: "0" }, code) : null);
    const told = "A path is a way to drive Keras. The names are the user's own: model, x, y; order holds the rows of each step, (steps, batch).";
    const shown = (some) => element("div", { class: "paths" }, ...some.map(one));
    const more = used.length ? element("details", {}, element("summary", {}, `${used.length} other paths that were timed`), shown(used)) : null;
    return [element("h3", {}, "Paths"), element("p", { class: "caption" }, told), shown(answered), more].filter(Boolean);
  }

  // Let what a sentence is about, up to its colon, stand out.
  function led(text) {
    const end = text.indexOf(":");
    return end < 0 || end > 60 ? sentence(text) : [element("strong", {}, text.slice(0, end + 1)), ...sentence(text.slice(end + 1))];
  }

  function isDark() {
    if (printing) return false;
    return chosen.theme ? chosen.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function themed() {
    if (chosen.theme) document.documentElement.dataset.theme = chosen.theme;
    else delete document.documentElement.dataset.theme;
    document.getElementById("theme").textContent = isDark() ? "Light theme" : "Dark theme";
  }

  // What is chosen: from the fragment of the address, so that a link leads to it, and by the form.

  const FIELDS = ["machine", "run", "recipe", "view", "table", "theme"];

  function read() {
    const found = new URLSearchParams(location.hash.slice(1));
    leading = Boolean(found.get("table"));
    choose(Object.fromEntries(FIELDS.map((name) => [name, found.get(name) || ""])));
  }

  function write() {
    const found = FIELDS.filter((name) => chosen[name]).map((name) => [name, chosen[name]]);
    history.replaceState(null, "", `#${new URLSearchParams(found)}`);
  }

  // Choose what of ``wanted`` there is, and what the page opens on for the rest.
  function choose(wanted) {
    const asked = data.runs.find((one) => one.id === wanted.run);
    const first = data.runs.find((one) => one.id === data.first) || data.runs[0];
    const machines = new Map(data.runs.map((one) => [folder(one), one.machine]));
    const machine = asked ? folder(asked) : machines.has(wanted.machine) ? wanted.machine : first ? folder(first) : "";
    const here = data.runs.filter((one) => folder(one) === machine);
    const run = asked || here.find((one) => one === first) || here.find((one) => one.id === data.fullest[machine]) || here[0];
    const recipes = run ? run.recipes : [];
    chosen = {
      machine,
      run: run ? run.id : "",
      recipe: recipes.includes(wanted.recipe) ? wanted.recipe : "",
      view: Object.hasOwn(data.views, wanted.view) ? wanted.view : "",
      table: wanted.table || "",
      theme: ["light", "dark"].includes(wanted.theme) ? wanted.theme : "",
    };
    options(document.getElementById("machine"), [...machines], machine);
    options(document.getElementById("run"), here.map((one) => [one.id, one.title]), chosen.run);
    options(document.getElementById("recipe"), [["", "all recipes"], ...recipes.map((name) => [name, name])], chosen.recipe);
    themed();
    show();
  }

  function changed(more) {
    choose({ ...chosen, table: "", ...more });
    write();
  }

  // On paper every chart is drawn, in the colours of a light page.
  function print(begins) {
    printing = begins;
    for (const more of document.querySelectorAll(".chart .more")) while (begins && !more.hidden) more.click();
    for (const box of document.querySelectorAll(".panel")) box.draw();
  }

  for (const act of ["wheel", "touchstart", "pointerdown", "keydown"])
    window.addEventListener(act, () => (leading = false), { passive: true });
  const changes = {
    machine: (machine) => changed({ machine, run: "" }),
    run: (run) => changed({ run }),
    recipe: (recipe) => changed({ recipe }),
  };
  for (const [name, change] of Object.entries(changes))
    document.getElementById(name).addEventListener("change", (event) => change(event.target.value));
  document.getElementById("theme").addEventListener("click", () => changed({ theme: isDark() ? "light" : "dark" }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (themed(), show()));
  window.addEventListener("hashchange", () => location.hash.includes("=") && read());
  window.addEventListener("beforeprint", () => print(true));
  window.addEventListener("afterprint", () => print(false));
  read();
  if (data.older)
    document.querySelector("footer").append(element("p", {}, `${data.older} older runs are in README.md beside this page.`));
  performance.mark("usable");
})();
