// The pages in headless Chromium: log in, look at strays, label them from the keyboard, undo,
// export; in light and dark and on a phone; with no serious finding of axe-core.
//
//   node collect.mjs SERVER FILLER PHOTOS [SCREENSHOTS]
//
// SERVER and FILLER are the examples serve_for_tests and fill_for_tests.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [program, filler, photos, screenshots] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const store = mkdtempSync(join(tmpdir(), "straylight-browser-"));
const [project, dataset] = execFileSync(filler, [store, photos], { encoding: "utf8" }).trim().split(" ");
if (screenshots) mkdirSync(screenshots, { recursive: true });

const server = spawn(program, [store], { stdio: ["ignore", "pipe", "inherit"] });
const line = await new Promise((resolve) => createInterface(server.stdout).once("line", resolve));
const { url, login_url: loginUrl, token } = JSON.parse(line);
const grid = `${url}/projects/${project}/datasets/${dataset}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const complaints = [];

async function open(options) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error}`));
  page.on("request", (request) => {
    const target = request.url();
    if (!target.startsWith(url) && !target.startsWith("data:")) complaints.push(`loads ${target}`);
  });
  return page;
}

async function shoot(page, name) {
  if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

// No horizontal scrolling, and nothing that axe-core calls serious or critical.
async function examine(page, what) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
  assert(!wide, `${what} is wider than the window`);
  const session = await page.context().newCDPSession(page);
  // The page's policy forbids foreign scripts; the debugger is not bound by it.
  await session.send("Runtime.evaluate", { expression: axe });
  const found = await page.evaluate(() => window.axe.run());
  const serious = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes[0].html}`), [], what);
}

async function press(page, key) {
  await Promise.all([page.waitForNavigation(), page.keyboard.press(key)]);
}

async function logInWithToken(page) {
  await page.goto(`${url}/`);
  assert(page.url().endsWith("/login"), "without a session there is only the login");
  await page.keyboard.press("Tab");
  await page.fill("#token", "wrong");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#notice.shown");
  await page.fill("#token", token);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${url}/`);
}

// What a person does with the strays, without a mouse.
async function label(page) {
  await page.goto(grid);
  assert.equal(await page.locator(".tile").count(), 60);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  await press(page, "Enter");
  const first = page.url();
  await page.goto(`${grid}/view?at=0`);
  const name = await page.locator("h1").innerText();
  await page.waitForSelector("#nearest .tile");
  await page.waitForSelector("#nearest[data-more]", { state: "detached" });
  const alike = (await page.locator("#nearest .tile-facts span:first-child").allInnerTexts()).map(Number);
  assert(alike.length === 6 && alike.every((s, i) => s <= (alike[i - 1] ?? 1)), `neighbours: ${alike}`);
  await press(page, "2");
  assert.match(await page.locator("#notice").innerText(), /is monument/);
  assert.notEqual(await page.locator("h1").innerText(), name, "the next image is shown");
  await press(page, "a");
  await press(page, "x");
  const moved = await page.locator("h1").innerText();
  await press(page, "t");
  assert.match(await page.locator("#notice").innerText(), /training data/);
  await press(page, "u");
  assert.equal(await page.locator("h1").innerText(), moved, "the last decision is undone");
  await page.goto(`${grid}?annotated=yes`);
  assert.equal(await page.locator(".tile").count(), 2);
  await page.goto(`${grid}?review=rejected`);
  assert.equal(await page.locator(".tile").count(), 1);
  await page.goto(`${grid}?min=0.9&sort=ood-asc`);
  const scores = (await page.locator(".score").allInnerTexts()).map(Number);
  assert(scores.length > 0 && scores.every((s, i) => s >= 0.9 && s >= (scores[i - 1] ?? 0)), scores);
  return first;
}

async function exportDataset(page) {
  await page.goto(grid);
  await page.selectOption("#format", "coco");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export" }).click(),
  ]);
  assert.equal(download.suggestedFilename(), "export.zip");
}

const pages = [
  ["projects", "/"],
  ["project", `/projects/${project}`],
  ["grid", `/projects/${project}/datasets/${dataset}`],
  ["image", `/projects/${project}/datasets/${dataset}/view?at=3`],
  ["plots", `/projects/${project}/datasets/${dataset}/plots`],
  ["hooks", "/hooks"],
  ["api", "/docs"],
];

try {
  const desktop = { viewport: { width: 1280, height: 900 } };
  const page = await open({ ...desktop, acceptDownloads: true });
  await logInWithToken(page);
  // The wrong token was answered with 401, which the browser notes.
  complaints.length = 0;
  await label(page);
  await exportDataset(page);
  for (const [name, options] of [
    ["light", desktop],
    ["dark", { ...desktop, colorScheme: "dark" }],
    ["phone", { viewport: { width: 390, height: 800 }, hasTouch: true }],
  ]) {
    const view = await open(options);
    if (name === "light") {
      await view.goto(loginUrl);
      await view.waitForURL(`${url}/`);
    } else {
      await view.context().addCookies(await page.context().cookies());
    }
    for (const [what, path] of pages) {
      await view.goto(url + path, { waitUntil: "networkidle" });
      await shoot(view, `${what}-${name}`);
      await examine(view, `${what} (${name})`);
    }
    await view.context().close();
  }
  await page.goto(`${url}/`);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL(`${url}/login`);
  await examine(page, "login");
  assert.deepEqual(complaints, []);
  console.log("the pages work");
} finally {
  await browser.close();
  server.kill();
  rmSync(store, { recursive: true, force: true });
}
