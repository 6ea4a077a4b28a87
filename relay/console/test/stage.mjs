// A browser and what a story needs in it.
import {mkdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {chromium} from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** How long something may take that must happen: it only ends a story that has failed. */
export const patience = 60_000;

const desktop = {width: 1280, height: 860};

/** The looks. Each language is judged on the desktop in one of the colour schemes and on the phone; the first of a look is photographed. */
const looks = {
  light: {languages: ['en'], colorScheme: 'light', viewport: desktop},
  dark: {languages: ['ja'], colorScheme: 'dark', viewport: desktop},
  phone: {languages: ['ja', 'en'], colorScheme: 'light', viewport: {width: 375, height: 740}},
};

/** Runs in the page: turns it to a language, also behind a dialog. */
function inLanguage(language) {
  if (document.documentElement.lang !== language) document.getElementById('language').click();
}

export class Stage {
  pages = [];
  complaints = []; // what the browser reported and what left the relay's origin, in this story

  static async open(setting) {
    const stage = new Stage();
    Object.assign(stage, setting);
    mkdirSync(stage.out, {recursive: true});
    stage.browser = await chromium.launch({executablePath: setting.chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync']});
    return stage;
  }

  /** A new browser profile; options are playwright's. */
  async page(options = {}) {
    const context = await this.browser.newContext({viewport: desktop, locale: 'en-GB', baseURL: this.url, ...options});
    context.setDefaultTimeout(patience);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    context.on('request', request => {
      const {origin, protocol} = new URL(request.url());
      if (origin !== this.url && protocol !== 'data:' && protocol !== 'blob:') this.complaints.push(`a request leaves the origin: ${request.url()}`);
    });
    const page = await context.newPage();
    page.on('pageerror', err => this.complaints.push(`an error in the page: ${err.stack}`));
    page.on('console', message => {
      // A call that is refused on purpose, or while offline on purpose, is logged by the browser itself.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) this.complaints.push(`the browser's console: ${message.text()}`);
    });
    this.pages.push(page);
    return page;
  }

  /** A page that is signed in, at a path below /console/. */
  async signedIn(path = '', options = {}) {
    const page = await this.page(options);
    await page.goto('/console/' + path);
    await this.signIn(page);
    return page;
  }

  async signIn(page) {
    await page.fill('#authKeyId', this.keyId);
    await page.fill('#authKey', this.key);
    await page.click('form button[type=submit]');
    await page.waitForSelector('main h1:not(.signin h1), nav a[aria-current]');
  }

  get device() { return `devices/${this.sim}`; }

  /** What only the world outside can do. */
  async outside(method, path) {
    const response = await fetch(this.world + path, {method});
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response;
  }

  /** A call of the relay's API as any user makes it. */
  async api(method, path, body) {
    const {apiKey, token} = await this.signInToAPI();
    return this.call(method, path, body, {'X-Soracom-API-Key': apiKey, 'X-Soracom-Token': token});
  }

  /** The API's two credentials. */
  async signInToAPI() {
    this.credentials ??= await this.call('POST', '/auth', {authKeyId: this.keyId, authKey: this.key});
    return this.credentials;
  }

  async call(method, path, body, headers) {
    const response = await fetch(this.url + '/v1' + path, {method, headers, body: body && JSON.stringify(body)});
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  }

  mapping(port, {tls = true, ...more} = {}) {
    return this.api('POST', '/port_mappings', {destination: {simId: this.sim, port}, tlsRequired: tls, ...more});
  }

  unmap(m) { return this.api('DELETE', `/port_mappings/${m.ipAddress}/${m.port}`); }

  async photograph(page, name) {
    await page.screenshot({path: join(this.out, name + '.png'), animations: 'disabled', fullPage: !await page.$('dialog[open]')}); // a dialog covers what is seen, no more
  }

  async photographFailure(story) {
    const page = this.pages.at(-1);
    await page?.screenshot({path: join(this.out, `failed-${story.replace(/\W+/g, '-')}.png`)}).catch(() => {});
  }

  /** Holds the page as it is to what axe-core finds (WCAG 2.2 A and AA, and its best practices) and to the window's width, in each look and
      language, and photographs it in each look. Gives what is wrong. */
  async judge(page, name) {
    const problems = [];
    const before = await page.evaluate(() => document.documentElement.lang);
    for (const [look, {languages, colorScheme, viewport}] of Object.entries(looks)) {
      await page.emulateMedia({colorScheme, reducedMotion: 'reduce'}); // nothing is judged on its way from one look to another
      await page.setViewportSize(viewport);
      for (const [i, language] of languages.entries()) {
        await page.evaluate(inLanguage, language);
        if (i === 0) await this.photograph(page, `${name}-${look}`);
        if (!await page.evaluate(() => Boolean(window.axe))) await page.evaluate(axe);
        const found = await page.evaluate(async () => {
          const {violations} = await window.axe.run(document, {resultTypes: ['violations']});
          const width = document.documentElement.scrollWidth;
          return [...violations.map(v => `${v.id}: ${v.help}\n` + v.nodes.slice(0, 3).map(n => `    ${n.html}\n    ${n.failureSummary.replaceAll('\n', ' ')}`).join('\n')),
            ...width > innerWidth ? [`${width} pixels wide`] : []];
        });
        problems.push(...found.map(f => `${name}, ${look}, ${language}: ${f}`));
      }
    }
    await page.evaluate(inLanguage, before);
    await page.emulateMedia({colorScheme: null, reducedMotion: null});
    await page.setViewportSize(desktop);
    return problems;
  }

  async mustBeGood(page, name) {
    const problems = await this.judge(page, name);
    if (problems.length) throw new Error(problems.join('\n'));
  }

  mustBeClean() {
    if (this.complaints.length) throw new Error(this.complaints.join('\n'));
  }

  async clear() {
    await Promise.all(this.pages.map(page => page.context().close()));
    this.pages = [];
    this.complaints = [];
  }

  close() { return this.browser.close(); }
}

export function must(condition, what) {
  if (!condition) throw new Error(what);
}
