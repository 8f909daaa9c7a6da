// A queue that one turns: how busy, how many workers, how even the jobs; and
// how long one waits. It shows rows of the table below it, and reckons nothing
// but how many wait (Little's law).
//
// What it works on, complete without it: rows of <table class="queue"> with
// data-utilisation (0.95), data-workers (4), data-variability (a word),
// data-wait (mean wait, in service times) and data-p99 (the same).
"use strict";

(() => {
  const make = (name, attributes = {}, ...within) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      element.setAttribute(key, value);
    }
    element.append(...within);
    return element;
  };

  const number = value => {
    const digits = value < 0.1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0;
    return String(Number(value.toFixed(digits)));
  };
  const many = (count, word) => `${count} ${word}${count === "1" ? "" : "s"}`;

  // As many squares as fit; the words say how many there are.
  const MOST = 60;
  const square = (at, kind) => `<rect class="${kind}" width="9" height="9"
    x="${(at % 20) * 12}" y="${Math.floor(at / 20) * 12}"/>`;

  const draw = (workers, waiting) => {
    const jobs = Math.min(Math.round(waiting), MOST);
    const rows = Math.ceil(MOST / 20) * 12;
    let parts = "";
    for (let at = 0; at < workers; at += 1) parts += square(at, "busy");
    parts += "<g transform='translate(0 16)'>";
    for (let at = 0; at < jobs; at += 1) parts += square(at, "job");
    return `<svg viewBox="0 0 240 ${16 + rows}" aria-hidden="true">` +
      `${parts}</g></svg>`;
  };

  let made = 0;
  const dial = (label, input) => {
    made += 1;
    input.id = `queue-dial-${made}`;
    return make("div", {}, make("label", { for: input.id }, label), input);
  };

  const start = table => {
    const rows = [...table.querySelectorAll("tr[data-wait]")]
      .map(it => it.dataset);
    const values = key => [...new Set(rows.map(it => it[key]))];
    const sorted = key => values(key).sort((one, other) => one - other);
    const busy = sorted("utilisation");
    const counts = sorted("workers");
    const kinds = values("variability");
    if (rows.length === 0) return;

    const range = (all, at) => {
      const input = make("input",
        { type: "range", min: 0, max: all.length - 1, step: 1 });
      input.value = at;
      return input;
    };
    const utilisation = range(busy, Math.max(busy.indexOf("0.8"), 0));
    const workers = range(counts, 0);
    const variability = make("select", {},
      ...kinds.map(kind => make("option", { value: kind }, kind)));
    if (kinds.includes("exponential")) variability.value = "exponential";

    const words = make("p", { "aria-live": "polite" });
    const picture = make("div", { class: "waiting" });
    const dials = make("div", { class: "dials" },
      dial("How busy the workers are", utilisation),
      dial("How many workers", workers),
      dial("How long the jobs take", variability));
    const box = make("div",
      { class: "queue-dial", role: "group", "aria-label": "A queue" },
      dials, words, picture);

    const show = () => {
      const [rho, count] = [busy[utilisation.value], counts[workers.value]];
      const percent = `${number(100 * rho)} %`;
      utilisation.setAttribute("aria-valuetext", percent);
      workers.setAttribute("aria-valuetext", many(count, "worker"));
      const row = rows.find(it => it.utilisation === rho &&
        it.workers === count && it.variability === variability.value);
      if (!row) {
        words.textContent = "The table has no such queue.";
        picture.replaceChildren();
        return;
      }
      // Jobs come at utilisation × workers a service time.
      const waiting = rho * count * row.wait;
      const about = number(waiting);
      words.textContent = `${many(count, "worker")}, ${percent} busy, ` +
        `times ${row.variability}: a job waits ` +
        `${number(Number(row.wait))} service times on average, one in a ` +
        `hundred more than ${number(Number(row.p99))}. On average ${about} ` +
        `${about === "1" ? "job stands" : "jobs stand"} in the queue` +
        (waiting > MOST ? ` (${MOST} are drawn).` : ".");
      picture.innerHTML = draw(Number(count), waiting);
    };
    for (const input of [utilisation, workers, variability]) {
      input.addEventListener("input", show);
      // The same keys turn the book's pages.
      input.addEventListener("keydown", event => {
        if (event.key.startsWith("Arrow")) event.stopPropagation();
      });
    }
    const place = table.closest(".table-wrapper, .wide") ?? table;
    place.before(box);
    show();
  };

  document.querySelectorAll("table.queue").forEach(start);
})();
