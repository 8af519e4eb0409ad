// Two things that Streamlit has no element for: links inside our own HTML that do not reload the
// page, and a copy-link button. Static: no value of the run is ever written into this file.
(() => {
  if (window.subatomicBehaviour) return;
  window.subatomicBehaviour = true;

  // Streamlit reacts to popstate as it does to the Back button: it reads the address and reruns.
  // Without this script the same links work by loading the page anew.
  const go = (address) => {
    const next = new URL(address, document.baseURI);
    const stays = ["sae", "latent", "q", "page", "run"].every(
      (name) =>
        next.searchParams.get(name) === new URLSearchParams(location.search).get(name));
    if (!stays || next.pathname !== location.pathname) {
      document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
    }
    history.pushState({}, "", next);
    window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  };

  document.addEventListener("click", (event) => {
    const copy = event.target.closest?.("button.copy-link");
    if (copy) return void copyLink(copy);
    const link = event.target.closest?.(".stHtml a[href]");
    const plain = event.button === 0 &&
      !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !plain || event.defaultPrevented || link.target) return;
    const next = new URL(link.getAttribute("href"), document.baseURI);
    if (next.origin !== location.origin) return;
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

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, [contenteditable=true]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const box = document.querySelector('.stHtml input[name="q"]');
    if (box) {
      event.preventDefault();
      box.focus();
    }
  });

  const copyLink = async (button) => {
    const address = new URL(button.dataset.href, document.baseURI).href;
    const field = button.parentElement.querySelector("input.link-text");
    field.value = address;
    let done = false;
    try {
      await navigator.clipboard.writeText(address); // absent when not on localhost or https
      done = true;
    } catch {
      field.hidden = false;
      field.select();
      done = document.execCommand("copy");
    }
    field.hidden = done;
    if (!done) field.select(); // the reader can press Ctrl+C
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy link"; }, 2000);
  };
})();
