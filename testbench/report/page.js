"use strict";
(() => {
  const rows = [...document.querySelectorAll("details[data-state]")];
  const filters = [...document.querySelectorAll("[data-show]")];
  const find = document.getElementById("find");
  const unfold = document.getElementById("unfold");
  let show = "all";

  const apply = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = (show !== "all" && row.dataset.state !== show) || !words.every((w) => row.dataset.text.includes(w));
      shown += row.hidden ? 0 : 1;
    }
    document.getElementById("none").hidden = shown > 0 || rows.length === 0;
    for (const f of filters) f.setAttribute("aria-pressed", String(f.dataset.show === show));
  };
  for (const f of filters) f.addEventListener("click", () => { show = f.dataset.show; apply(); });
  find.addEventListener("input", apply);

  unfold.addEventListener("click", () => {
    const open = unfold.getAttribute("aria-pressed") !== "true";
    unfold.setAttribute("aria-pressed", String(open));
    unfold.textContent = open ? "Close all" : "Open all";
    for (const row of rows) if (!row.hidden) row.open = open;
  });

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "/" && document.activeElement !== find) {
      e.preventDefault();
      find.focus();
    } else if (e.key === "Escape" && document.activeElement === find) {
      find.value = "";
      apply();
      find.blur();
    } else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      const heads = rows.filter((r) => !r.hidden).map((r) => r.querySelector("summary"));
      const at = heads.indexOf(document.activeElement);
      if (at < 0) return;
      const next = heads[at + (e.key === "ArrowDown" ? 1 : -1)];
      if (next) {
        e.preventDefault();
        next.focus();
      }
    }
  });

  if (location.hash) {
    const row = document.getElementById(location.hash.slice(1));
    if (row instanceof HTMLDetailsElement) row.open = true;
  }
})();
