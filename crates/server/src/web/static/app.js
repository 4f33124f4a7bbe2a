// The keyboard, the buttons that change something, exports and saliency maps.
// Everything else works without this script.
"use strict";

const CSRF = { "x-geti-csrf-protection": "1" };

function say(text) {
  const notice = document.getElementById("notice");
  notice.textContent = text;
  notice.classList.toggle("shown", Boolean(text));
}

// Notes what to say on the next page.
function sayNext(text) {
  try { sessionStorage.setItem("notice", text); } catch { /* private mode: say nothing */ }
}

async function send(url, body) {
  const headers = { ...CSRF };
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(url, { method: "POST", headers, body });
  const isJson = (answer.headers.get("content-type") || "").startsWith("application/json");
  const content = isJson ? await answer.json() : {};
  if (!answer.ok) {
    throw new Error(content.message || `The server answered ${answer.status}`);
  }
  return content;
}

async function press(button) {
  button.disabled = true;
  try {
    const answer = await send(button.dataset.post, button.dataset.body);
    if (answer.message) sayNext(answer.message);
    const then = answer.then || button.dataset.then;
    if (then) location.assign(then); else location.reload();
  } catch (error) {
    say(error.message);
    button.disabled = false;
  }
}

// The address with what the fields beside the button say.
function exportAddress(button) {
  const address = new URL(button.dataset.export, location.href);
  for (const field of document.querySelectorAll("[data-export-key]")) {
    if (field.type === "checkbox" ? field.checked : field.value) {
      address.searchParams.set(field.dataset.exportKey, field.value);
    }
  }
  return address;
}

async function exportInto(button) {
  button.disabled = true;
  try {
    const address = exportAddress(button);
    say("The export is being written");
    const { job_id: id } = await send(address);
    const jobs = address.pathname.replace(/\/projects\/.*$/, "/jobs/");
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const job = await (await fetch(jobs + id)).json();
      if (job.state === "finished") {
        const what = job.metadata.message;
        say(what ? `The export is ready: ${what}` : "The export is ready");
        location.assign(job.metadata.download_url);
        break;
      }
      if (job.state === "failed") throw new Error(job.steps[0]?.message || "The export failed");
    }
  } catch (error) {
    say(error.message);
  }
  button.disabled = false;
}

async function saliency(button) {
  const stage = document.getElementById("stage");
  const shown = stage.querySelector(".saliency");
  if (shown) { shown.remove(); return; }
  button.disabled = true;
  try {
    const { maps } = await send(button.dataset.saliency, button.dataset.body);
    if (!maps.length) throw new Error("The model gives no saliency map");
    const map = document.createElement("img");
    map.className = "saliency";
    map.alt = "What the model looked at";
    map.src = `data:image/png;base64,${maps[0].data}`;
    stage.append(map);
  } catch (error) {
    say(error.message);
  }
  button.disabled = false;
}

// Fills the neighbours of an image in, and asks again while there are images to compare.
async function loadNeighbours(place) {
  const address = place.dataset.load;
  for (;;) {
    const answer = await fetch(address, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = answer.ok && page.getElementById("nearest");
    if (!found) return; // The link to the page of its own says why.
    const isMore = found.hasAttribute("data-more");
    place.replaceWith(found);
    place = found;
    if (!isMore) return;
  }
}

async function logIn(secret) {
  try {
    await send("/login", JSON.stringify({ secret }));
    location.replace("/");
  } catch (error) {
    say(error.message.includes("429") ? error.message : "This token or code is not valid");
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.post) press(button);
  else if (button.dataset.export) exportInto(button);
  else if (button.dataset.saliency) saliency(button);
});

function isTyping(target) {
  return target.closest("input, select, textarea") !== null;
}

// In the grid the arrows move between the tiles as they are laid out.
function moveInGrid(key) {
  const tiles = [...document.querySelectorAll("[data-grid] a")];
  if (!tiles.length) return false;
  const current = tiles.indexOf(document.activeElement);
  const top = tiles[0].offsetTop;
  const columns = Math.max(1, tiles.filter((tile) => tile.offsetTop === top).length);
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  const next = current < 0 ? 0 : current + steps[key];
  if (!tiles[next]) return false;
  tiles[next].focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (target) {
    event.preventDefault();
    target.click();
  } else if (event.key.startsWith("Arrow") && moveInGrid(event.key)) {
    event.preventDefault();
  }
});

try {
  const text = sessionStorage.getItem("notice");
  sessionStorage.removeItem("notice");
  if (text) say(text);
} catch { /* private mode */ }

const neighbours = document.querySelector("[data-load]");
if (neighbours) loadNeighbours(neighbours).catch(() => {});

const login = document.getElementById("login");
if (login) {
  login.addEventListener("submit", (event) => {
    event.preventDefault();
    logIn(document.getElementById("token").value);
  });
  const useCode = () => {
    const code = location.hash.slice(1);
    if (!code) return;
    history.replaceState(null, "", location.pathname);
    logIn(code);
  };
  addEventListener("hashchange", useCode);
  useCode();
}
