// What Streamlit has no element for: links inside our own HTML that do not reload the page, buttons
// that copy, keys, exact values of shaded tokens. Static: no value of the run is in this file. No
// tag may stand in it either: Streamlit cleans what it loads, and would drop the whole script.
(() => {
  if (window.subatomicBehaviour) return;
  window.subatomicBehaviour = true;

  const VALUED = ".tok[title], .tok[data-title]";
  const GO_SECONDS = 1.5; // after g, for the letter of a page
  const PAGES = { o: "./", s: "search", a: "ask", c: "compare", m: "map", y: "text",
    i: "stitching", p: "splitting", t: "trust", x: "experiments", d: "data" };
  const KEYS = [
    ["/", "search"],
    ["j, k", "next and previous: latent, or hit or member of the list that the page shows"],
    ["n, p", "next and previous latent, also where there is a list"],
    ["Enter", "open the link with the focus"],
    ["v, Shift+v", "next and previous shaded token, with its exact activation"],
    ["e", "next row of downloads"],
    ["g, then a letter", "o overview, s search, a ask, c compare, m map, y your text, " +
      "i stitching, p splitting, t trust, x experiments, d data"],
    ["?", "this list"],
    ["Esc", "close what is open"],
  ];
  const find = (selector) => document.querySelector(selector);
  const isEmbedded = () => find(".streamlit-embedded") !== null;
  const made = (tag, words = "") =>
    Object.assign(document.createElement(tag), { textContent: words });
  const isShown = (element) => element.getClientRects().length > 0;

  // Streamlit reacts to popstate as it does to the Back button: it reads the address and reruns.
  // Without this script the same links work by loading the page anew.
  const go = (address) => {
    const next = new URL(address, document.baseURI);
    const now = new URLSearchParams(location.search);
    if (isEmbedded()) {
      for (const name of ["embed", "embed_options"]) {
        next.searchParams.delete(name);
        for (const value of now.getAll(name)) next.searchParams.append(name, value);
      }
    }
    const stays = ["sae", "latent", "q", "page", "run"].every(
      (name) => next.searchParams.get(name) === now.get(name));
    if (!stays || next.pathname !== location.pathname) {
      find('[data-testid="stMain"]')?.scrollTo(0, 0);
    }
    hideValue();
    history.pushState({}, "", next);
    window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  };

  document.addEventListener("click", (event) => {
    const copy = event.target.closest?.("button.copy-link");
    if (copy) return void copyLink(copy);
    if (event.target.closest?.("button.keys-hint")) return openKeys();
    const token = event.target.closest?.(VALUED);
    if (token && event.pointerType === "touch") {
      event.preventDefault(); // else the context around it would unfold
      return focusToken(token);
    }
    const link = event.target.closest?.(".stHtml a[href]");
    const plain = event.button === 0 &&
      !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !plain || event.defaultPrevented || link.target) return;
    if (link.hasAttribute("download")) return;
    const next = new URL(link.getAttribute("href"), document.baseURI);
    if (next.origin !== location.origin || link.classList.contains("outside")) {
      // st.html drops both; without an opener the new page cannot reach this one
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      return;
    }
    event.preventDefault();
    go(next);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest?.(".stHtml form[action]");
    if (!form) return;
    event.preventDefault();
    const next = new URL(form.getAttribute("action"), document.baseURI);
    next.search = new URLSearchParams(new FormData(form)).toString();
    document.activeElement?.blur();
    go(next);
  });

  const embedCode = (address) => {
    const source = new URL(address);
    source.searchParams.set("embed", "true");
    const frame = made("iframe");
    for (const [name, value] of [
      ["src", source.href], ["width", "800"], ["height", "500"], ["loading", "lazy"],
      ["style", "border: 1px solid #ccc"], ["title", document.title],
    ]) frame.setAttribute(name, value);
    return frame.outerHTML; // quotes and ampersands of the address are escaped
  };

  const copyLink = async (button) => {
    const address = new URL(button.dataset.href, document.baseURI).href;
    const field = button.parentElement.querySelector("input.link-text");
    const words = button.dataset.words ?? button.textContent;
    button.dataset.words = words;
    field.value = button.classList.contains("embed-code") ? embedCode(address) : address;
    let done = false;
    try {
      await navigator.clipboard.writeText(field.value); // absent when not on localhost or https
      done = true;
    } catch {
      field.hidden = false;
      field.select();
      done = document.execCommand("copy");
    }
    field.hidden = done;
    if (!done) field.select(); // the reader can press Ctrl+C
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = words; }, 2000);
  };

  // One box for the value of a shaded token. It lies above everything, because a context cuts off
  // what leaves it. Without this script the browser shows the same words from `title`.
  let box = null, valued = null;
  const showValue = (token) => {
    if (token.title) {
      token.dataset.title = token.title; // else the browser would show it a second time
      token.removeAttribute("title");
    }
    if (!box?.isConnected) {
      box = made("div");
      box.className = "value-box";
      box.id = "value-box";
      box.role = "tooltip";
      (find(".stApp") ?? document.body).append(box);
    }
    box.textContent = token.dataset.title;
    box.hidden = false;
    token.setAttribute("aria-describedby", "value-box");
    valued = token;
    const place = token.getClientRects()[0] ?? token.getBoundingClientRect();
    const size = box.getBoundingClientRect();
    const below = place.bottom + 6 + size.height < innerHeight;
    box.style.left = `${Math.max(4, Math.min(place.left, innerWidth - size.width - 4))}px`;
    box.style.top = `${below ? place.bottom + 6 : place.top - size.height - 6}px`;
  };
  const hideValue = () => box && (box.hidden = true);
  const focusToken = (token) => {
    token.tabIndex = -1; // reached by v and by touch, so that Tab need not pass every token
    reach(token);
    showValue(token);
  };
  document.addEventListener("pointerover", (event) => {
    const token = event.target.closest?.(VALUED);
    if (token) showValue(token);
    else if (!document.activeElement?.matches(".tok")) hideValue();
  });
  document.addEventListener("focusout", hideValue);
  document.addEventListener("scroll", () => { // a step to a token scrolls to it
    if (box?.hidden === false && valued.matches(":hover, :focus")) showValue(valued);
    else hideValue();
  }, true);

  const openKeys = () => {
    let sheet = find("dialog.keys");
    if (!sheet) {
      sheet = made("dialog"); // traps the focus and closes on Esc by itself
      sheet.className = "keys stHtml";
      sheet.setAttribute("aria-label", "Keys");
      const list = made("dl");
      for (const [key, what] of KEYS) list.append(made("dt", key), made("dd", what));
      const close = made("button", "Close");
      close.autofocus = true;
      sheet.append(made("h2", "Keys"), list, close);
      sheet.addEventListener("click", (event) => {
        if (event.target === sheet || event.target === close) sheet.close(); // or beside it
      });
      (find(".stApp") ?? document.body).append(sheet);
    }
    if (!sheet.open) sheet.showModal();
  };

  const step = (rel) => {
    const link = find(`.actions a[rel="${rel}"]`);
    link?.click();
    return link !== null;
  };
  const reach = (element) => {
    element.focus();
    element.scrollIntoView({ block: "nearest" });
  };
  const walk = (elements, by, arrive) => {
    const shown = [...elements].filter(isShown);
    const at = shown.indexOf(document.activeElement);
    const next = at < 0 ? (by > 0 ? 0 : shown.length - 1) : at + by;
    if (shown[next]) arrive(shown[next]);
    return shown.length > 0;
  };
  const nextOrPrevious = (by) => {
    const isLatent = find(".actions a[rel]");
    const isMeta = location.pathname.endsWith("/meta"); // its members come first
    const rows = document.querySelectorAll(".stMain .hits a.name");
    const listed = rows.length ? rows : document.querySelectorAll(".stMain table.plain tbody th a");
    return ((!isLatent || isMeta) && walk(listed, by, reach)) || step(by > 0 ? "next" : "prev");
  };
  const ACTIONS = {
    "/": () => {
      const search = [...document.querySelectorAll('.stHtml input[name="q"]')].find(isShown);
      search?.focus();
      return search !== undefined;
    },
    "?": () => { openKeys(); return true; },
    j: () => nextOrPrevious(1),
    k: () => nextOrPrevious(-1),
    n: () => step("next"),
    p: () => step("prev"),
    v: () => walk(document.querySelectorAll(".ctx .tok"), 1, focusToken),
    V: () => walk(document.querySelectorAll(".ctx .tok"), -1, focusToken),
    e: () => walk(document.querySelectorAll(".take a:first-of-type"), 1, reach),
    Escape: () => { hideValue(); return false; },
  };

  let goUntil = 0;
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.(
      'input, textarea, select, [contenteditable=true], [role="combobox"], [role="listbox"]');
    const held = event.ctrlKey || event.metaKey || event.altKey || event.isComposing;
    if (typing || held || event.defaultPrevented || isEmbedded() || find("dialog[open]")) return;
    const goes = Date.now() < goUntil;
    goUntil = 0;
    if (goes && Object.hasOwn(PAGES, event.key)) {
      const run = new URLSearchParams(location.search).get("run");
      event.preventDefault();
      go(PAGES[event.key] + (run ? `?${new URLSearchParams({ run })}` : ""));
    } else if (event.key === "g") {
      goUntil = Date.now() + 1000 * GO_SECONDS;
    } else if (Object.hasOwn(ACTIONS, event.key) && ACTIONS[event.key]()) {
      event.preventDefault();
    }
  });
})();
