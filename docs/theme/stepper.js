// A bug, step by step: its threads in columns, the line that each has come to.
//
// What it works on, complete without it:
//
//   <div class="stepper" id="stepper-NAME" data-ends="hangs">
//   <ol class="steps"><li data-who="worker" data-line="57" data-waits="false">
//   words</li></ol>
//   <p class="ends">Nobody moves any more: worker waits to be woken.</p>
//   <pre class="code"><span data-line="57">code</span></pre></div>
//
// `data-who` is empty for what no thread does. `data-ends` is hangs, returns
// or panics.
"use strict";

(() => {
  const make = (name, words, attributes = {}) => {
    const element = document.createElement(name);
    element.textContent = words;
    for (const [key, value] of Object.entries(attributes)) {
      element.setAttribute(key, value);
    }
    return element;
  };

  const read = list => [...list.querySelectorAll("li")].map(it => ({
    who: it.dataset.who || "",
    line: it.dataset.line,
    waits: it.dataset.waits === "true",
    words: it.textContent.trim(),
  }));

  // Those whose last word is that they wait.
  const stuck = (steps, threads) => threads
    .map(who => steps.filter(it => it.who === who).at(-1))
    .filter(it => it.waits);

  const start = box => {
    const list = box.querySelector("ol.steps");
    const code = box.querySelector("pre.code");
    const steps = list ? read(list) : [];
    if (!code || steps.length === 0) return;
    const threads = [...new Set(steps.map(it => it.who))].filter(Boolean);
    const left = box.dataset.ends === "hangs" ? stuck(steps, threads) : [];
    const ends = box.querySelector(".ends");
    // 0: nothing has happened; steps.length: all has; one more: how it ends.
    const last = steps.length + (ends ? 1 : 0);
    let at = 0;

    const back = make("button", "Back", { type: "button" });
    const next = make("button", "Next", { type: "button" });
    const count = make("span", "");
    const keys = make("div", "",
      { class: "keys", role: "group", "aria-label": "Steps" });
    keys.append(back, next, count);
    const told = make("p", "", { class: "told", "aria-live": "polite" });
    const lanes = make("table", "", { class: "lanes" });
    lanes.append(make("caption", "What each thread has done"));
    const head = lanes.createTHead().insertRow();
    threads.forEach(who => head.append(make("th", who, { scope: "col" })));
    const rows = lanes.createTBody();

    const mark = here => {
      code.querySelectorAll(".now").forEach(it => {
        it.classList.remove("now");
        it.removeAttribute("aria-current");
      });
      for (const step of here) {
        const line =
          code.querySelector(`[data-line="${CSS.escape(step.line)}"]`);
        if (!line) continue;
        line.classList.add("now");
        line.setAttribute("aria-current", "step");
        const where = line.offsetTop - code.offsetTop;
        code.scrollTop = where - code.clientHeight / 2;
      }
    };

    const tell = () => {
      const step = steps[at - 1];
      if (at === 0) {
        told.replaceChildren("Nothing has happened yet.");
      } else if (step) {
        const waits = step.waits ? " (waits)" : "";
        // A space too: what is read aloud has no margins.
        const who = step.who ? [make("b", step.who), " "] : [];
        told.replaceChildren(...who, step.words + waits);
      } else {
        told.replaceChildren(make("b", ends.textContent));
      }
    };

    const show = () => {
      tell();
      // In the end, all lines at which somebody is left.
      mark(at > steps.length ? left : steps.slice(Math.max(at - 1, 0), at));
      rows.replaceChildren();
      steps.slice(0, at).forEach((step, index) => {
        const row = rows.insertRow();
        const isNow = index === at - 1;
        if (!step.who) {
          row.append(make("td", step.words, { colspan: threads.length }));
        }
        for (const who of step.who ? threads : []) {
          const cell = make("td", who === step.who ? step.words : "");
          cell.classList.toggle("waits", who === step.who && step.waits);
          cell.classList.toggle("now", who === step.who && isNow);
          row.append(cell);
        }
      });
      count.textContent = `step ${at} of ${last}`;
      // Not `disabled`: a button that is loses the keyboard.
      back.setAttribute("aria-disabled", at === 0);
      next.setAttribute("aria-disabled", at === last);
    };

    const go = to => {
      at = Math.min(Math.max(to, 0), last);
      show();
    };
    back.addEventListener("click", () => go(at - 1));
    next.addEventListener("click", () => go(at + 1));
    keys.addEventListener("keydown", event => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
      if (!(event.key in to)) return;
      // The same keys turn the book's pages.
      event.preventDefault();
      event.stopPropagation();
      go(to[event.key]);
    });

    const all = make("details", "");
    all.append(make("summary", "All steps"));
    list.replaceWith(all);
    all.append(list, ...ends ? [ends] : []);
    box.prepend(keys, told);
    code.after(lanes, all);
    box.classList.add("live");
    show();
  };

  document.querySelectorAll("div.stepper").forEach(start);
})();
