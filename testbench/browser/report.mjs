// Opens a report from disk in real Chromium, as REPORT_TEST tells, and prints a line of JSON for each look at it: testbench/browser runs this and judges.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

const setting = JSON.parse(process.env.REPORT_TEST);
const modules = createRequire(join(setting.modules, 'package.json'));
const {chromium} = modules('playwright-core');
const axe = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8');

const looks = {
  light: {viewport: {width: 1280, height: 860}, colorScheme: 'light'},
  dark: {viewport: {width: 1280, height: 860}, colorScheme: 'dark'},
  phone: {viewport: {width: 375, height: 740}, colorScheme: 'dark', hasTouch: true},
};

// What has to be seen, each with the least number of it.
const parts = ['.path .hop', '.path .link', '.table summary', '.badge.pass', '.badge.fail', '.badge.skip', '.ladder g', '.timeline rect', '.timeline .signal',
  '.timeline .down', '.timeline .up', '.log td', '.files a'];

const browser = await chromium.launch({executablePath: setting.chromium, args: ['--no-sandbox', '--disable-gpu', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync']});
for (const [look, options] of Object.entries(looks)) {
  const context = await browser.newContext({...options, locale: 'en-GB', offline: true});
  const requests = [], complaints = [];
  context.on('request', request => requests.push(request.url()));
  const page = await context.newPage();
  page.on('pageerror', err => complaints.push(String(err.stack)));
  page.on('console', message => complaints.push(`${message.type()}: ${message.text()}`));
  await page.goto(pathToFileURL(setting.report).href);
  await page.screenshot({path: join(setting.out, `${look}-closed.png`)});
  await page.click('#unfold');
  const seen = await page.evaluate(parts => {
    const number = Object.fromEntries(parts.map(part => [part, [...document.querySelectorAll(part)].filter(e => {
      const box = e.getBoundingClientRect();
      return box.width + box.height > 0 && getComputedStyle(e).visibility === 'visible';
    }).length]));
    const root = document.documentElement;
    const path = document.querySelector('.path').getBoundingClientRect();
    return {
      number, background: getComputedStyle(document.body).backgroundColor, overflow: root.scrollWidth - root.clientWidth,
      path: {x: path.x + scrollX, y: path.y + scrollY, width: path.width, height: path.height},
    };
  }, parts);
  const file = join(setting.out, `${look}.png`);
  await page.screenshot({path: file, fullPage: true});
  // Only now: axe-core is a script of ours in the page, and may log.
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}));
  console.log(JSON.stringify({look, ...seen, file, requests, complaints,
    violations: violations.map(v => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary.replaceAll('\n', ' ')).join(' | ')}`)}));
  await context.close();
}
await browser.close();
