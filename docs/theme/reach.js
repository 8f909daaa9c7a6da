// What one can click or scroll can be reached by keyboard, and says what it is.
"use strict";

(() => {
  const name = box => {
    if (box.getAttribute("aria-label")) return;
    const kind = box.querySelector("table") ? "Table" : "Code";
    const headings = [...document.querySelectorAll("main :is(h1, h2, h3)")];
    const above = headings.filter(it =>
      it.compareDocumentPosition(box) & Node.DOCUMENT_POSITION_FOLLOWING);
    const words = above.length ? ": " + above.at(-1).textContent.trim() : "";
    box.setAttribute("aria-label", kind + words);
  };

  const look = () => {
    const boxes = "main pre, main pre > code, main .table-wrapper, main .wide";
    for (const box of document.querySelectorAll(boxes)) {
      const style = getComputedStyle(box);
      const scrolls = ["auto", "scroll"].includes(style.overflowX) &&
        (box.scrollWidth > box.clientWidth ||
          box.scrollHeight > box.clientHeight);
      if (!scrolls) {
        if (box.dataset.reached) box.removeAttribute("tabindex");
        continue;
      }
      box.dataset.reached = "yes";
      box.tabIndex = 0;
      if (!box.getAttribute("role")) box.setAttribute("role", "group");
      name(box);
    }
  };

  // A table of raw HTML has no box of its own from mdBook.
  for (const table of document.querySelectorAll("main table")) {
    if (table.closest(".table-wrapper, .wide, .sides, .stepper")) continue;
    const box = document.createElement("div");
    box.className = "wide";
    table.replaceWith(box);
    box.append(table);
  }

  // mdBook's switch of the sidebar is a label, which the keyboard passes by.
  const side = document.getElementById("mdbook-sidebar-toggle");
  if (side) {
    side.setAttribute("role", "button");
    side.tabIndex = 0;
    side.addEventListener("keydown", event => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      side.click();
    });
  }

  look();
  addEventListener("load", look);
  addEventListener("resize", look);
  addEventListener("toggle", look, true);
})();
