// Live refresh, keys, local times and copying. Every page works without this file.
const $ = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

// Times are relative; their titles have the instant in the reader's time zone and in UTC.
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
function localTimes(root) {
  for (const time of all("time[datetime]", root)) {
    const at = new Date(time.dateTime);
    if (!isNaN(at)) time.title = exact.format(at) + " (" + time.dateTime + ")";
  }
}

function copyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of all("[data-copy]", root)) button.hidden = false;
}

function enhance(root) {
  localTimes(root);
  copyButtons(root);
  for (const box of all("[data-all]", root)) box.hidden = false;
  countTicked();
}

// Rows can be ticked all at once, and the button for them says how many are.
function countTicked() {
  const n = all("input[name=d]:checked").length;
  for (const button of all("[data-count]")) {
    button.textContent = button.dataset.count + (n ? ` (${n})` : "");
  }
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) {
    for (const box of all("input[name=d]")) box.checked = event.target.checked;
  }
  countTicked();
});

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.textContent = "Copied";
  }
  if (event.target.closest("[data-help]")) $("#help").showModal();
});

// Live: the marked regions are replaced by those of the same page, fetched anew. It rests while
// nobody looks, or while somebody types, selects, ticks or is asked something.
function busy() {
  const focus = document.activeElement;
  const inRegion = focus && focus.closest("[data-swap]");
  return document.hidden || inRegion || (focus && focus.matches("input, select, textarea")) ||
    !getSelection().isCollapsed || $("dialog[open], [data-swap] details[open]") ||
    $("[data-swap] input:checked");
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const text = await answer.text();
  if (busy()) return; // somebody may have begun while it arrived
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = all("[data-swap]", page);
  const old = all("[data-swap]");
  if (fresh.length !== old.length) return;
  old.forEach((region, i) => {
    region.replaceWith(fresh[i]);
    enhance(fresh[i]);
  });
}

function live(seconds) {
  setTimeout(async () => {
    if (!busy()) {
      try {
        await refresh();
      } catch {
        // The host is away for a moment: the next turn tries again.
      }
    }
    live(seconds);
  }, seconds * 1000);
}

// Keys. They can be switched off: speech input and assistive technology may press them by mistake.
const keysOff = "console-keys-off";
const keys = $("#keys");
try {
  keys.checked = !localStorage.getItem(keysOff);
  keys.addEventListener("change", () => localStorage.setItem(keysOff, keys.checked ? "" : "1"));
} catch {
  // A frame may have no storage: then the choice is for this page.
}
function step(by) {
  const rows = all("a.row");
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by;
  rows[Math.min(Math.max(next, 0), rows.length - 1)].focus();
}

// typesIn says whether keys are for an element itself. Not in the help that was just closed, which
// keeps the focus until the page is drawn anew.
function typesIn(element) {
  return element.closest?.("input, select, textarea, dialog") && !element.closest("dialog:not([open])");
}

document.addEventListener("keydown", (event) => {
  const typing = typesIn(event.target);
  if (!keys.checked || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const actions = {
    "/": () => $("#find").focus(),
    j: () => step(1),
    k: () => step(-1),
    "?": () => $("#help").showModal(),
    r: () => {
      const form = $("form[data-redeliver]");
      if (form && confirm("Redeliver this event?")) form.requestSubmit();
    },
  };
  const action = actions[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});

enhance(document);
$("[data-help]").hidden = false;
if (document.body.dataset.live) live(Number(document.body.dataset.live));

// The next step of a replay; not after a reload or a way back, which would repeat one.
const [how] = performance.getEntriesByType("navigation");
if (how?.type === "navigate") $("form[data-go-on]")?.requestSubmit();
