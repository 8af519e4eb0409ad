// Links to files: saved by the browser, copied as text, or drawn as PNG. Static: no value of the
// run is ever written into this file. Without it the same links save the file.
(() => {
  if (window.subatomicDownloads) return;
  window.subatomicDownloads = true;

  const SCALE = 2; // pixels of a PNG for each pixel of its figure

  // Before the app's own listener, which would take the address for one of a page.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button.take-code");
    if (button) return void copyCode(button);
    const link = event.target.closest?.('.stHtml a[href^="download/"]');
    if (!link) return;
    event.stopPropagation();
    const plain = event.button === 0 &&
      !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    const act = link.matches(".take-copy") ? copyFile : link.matches(".take-png") ? png : null;
    if (!plain || !act) return;
    event.preventDefault();
    act(link).catch(() => { location.assign(address(link)); }); // the file itself, or why not
  }, true);

  const address = (link) => new URL(link.getAttribute("href"), document.baseURI);

  const text = async (link) => {
    const answer = await fetch(address(link));
    if (!answer.ok) throw new Error(answer.status);
    return answer.text();
  };

  // A browser lets a page write to the clipboard for a moment after a click; handing over the
  // promise keeps that moment while the file is on its way.
  const copyFile = async (link) => {
    const coming = text(link);
    if (navigator.clipboard?.write && window.ClipboardItem) {
      const blob = coming.then((body) => new Blob([body], { type: "text/plain" }));
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    } else if (!copyOldWay(await coming)) {
      throw new Error("no clipboard");
    }
    say(link, "Copied");
  };

  const copyCode = async (button) => {
    const pre = button.parentElement.querySelector("pre");
    try {
      await navigator.clipboard.writeText(pre.textContent); // absent when not on localhost or https
    } catch {
      if (!copyOldWay(pre.textContent)) {
        getSelection().selectAllChildren(pre); // the reader can press Ctrl+C
        return say(button, "Press Ctrl+C");
      }
    }
    say(button, "Copied");
  };

  const copyOldWay = (body) => {
    const field = document.createElement("textarea");
    field.value = body;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  };

  const png = async (link) => {
    const drawn = new Blob([await text(link)], { type: "image/svg+xml" });
    const source = URL.createObjectURL(drawn);
    try {
      const image = new Image();
      image.src = source;
      await image.decode();
      const canvas = document.createElement("canvas");
      canvas.width = SCALE * image.naturalWidth;
      canvas.height = SCALE * image.naturalHeight;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      const made = await new Promise((done) => { canvas.toBlob(done, "image/png"); });
      if (!made) throw new Error("no picture");
      const file = URL.createObjectURL(made);
      const save = document.createElement("a");
      const asked = address(link).searchParams;
      save.download = ["run", "sae", "latent"].map((name) => asked.get(name) || "").join("-")
        .replace(/[^\w.-]+/g, "_") + "-decomposition.png";
      save.href = file;
      save.click();
      setTimeout(() => { URL.revokeObjectURL(file); }, 60000);
      say(link, "Saved");
    } finally {
      URL.revokeObjectURL(source);
    }
  };

  const say = (element, words) => {
    const status = element.parentElement.querySelector('[role="status"]');
    const before = element.dataset.words || element.textContent;
    element.dataset.words = before;
    element.textContent = words;
    if (status) status.textContent = `${before}: ${words}`;
    setTimeout(() => {
      element.textContent = before;
      if (status) status.textContent = "";
    }, 2000);
  };
})();
