// Every page in every state that users meet, in an order in which each follows from the one before: what is opened comes first, so that there is a history. Nothing here depends on a language.
import {readFileSync} from 'node:fs';

const shown = (page, selector) => page.waitForSelector(selector);

/** Opens a service of the device in the page, through a new mapping. */
async function visit(page, stage, kind, port, options) {
  stage.last = await stage.mapping(port, options);
  await page.goto(`/console/${stage.device}/${kind}?mapping=${encodeURIComponent(stage.last.endpoint)}`);
}

/** Closes the port under what is open. */
async function end(page, stage) {
  await stage.unmap(stage.last);
  await shown(page, '.ended h2');
}

export const states = {
  async 'signin'(page) {
    await page.goto('/console/');
    await shown(page, '#authKeyId');
  },
  async 'signin-missing'(page) {
    await page.click('form button[type=submit]');
    await shown(page, '#authKeyId-error');
  },
  async 'signin-user'(page) {
    await page.click('.tabs label:nth-of-type(2)');
    await page.fill('#userName', 'nobody');
    await page.fill('#password', 'wrong');
    await page.click('form button[type=submit]');
    await shown(page, 'form .error.box');
  },
  async 'overview'(page, stage) {
    await page.click('.tabs label:nth-of-type(1)');
    await stage.signIn(page);
    await shown(page, '.chart .uplot canvas');
  },
  async 'user-menu'(page) {
    await page.click('details.user summary');
    await shown(page, '#sign-out');
  },
  async 'devices'(page) {
    await page.goto('/console/devices');
    await shown(page, 'tbody th a');
  },
  async 'devices-none'(page) {
    await page.fill('#search', 'no such device');
    await page.waitForFunction(() => !document.querySelector('tbody tr'));
  },
  async 'not-found'(page) {
    await page.goto('/console/nowhere');
    await shown(page, 'main h1');
  },
  async 'no-port'(page, stage) {
    await page.goto(`/console/${stage.device}/vnc`);
    await shown(page, 'main a[role=button]');
  },
  async 'vnc'(page, stage) {
    await visit(page, stage, 'vnc', 5900);
    await shown(page, '.screen.connected canvas');
    await page.click('details.clip summary');
    await page.fill('details.clip textarea', '日本語');
  },
  'vnc-ended': end,
  async 'vnc-password'(page, stage) {
    await visit(page, stage, 'vnc', 5901);
    await shown(page, 'form.login input[name=password]');
  },
  async 'terminal-login'(page, stage) {
    await visit(page, stage, 'ssh', 22, {tls: false});
    await page.click('form.login details summary');
    await shown(page, 'form.login textarea');
  },
  async 'terminal'(page, stage) {
    await page.fill('#ssh-user', stage.sshUser);
    await page.fill('[name=privateKey]', readFileSync(stage.sshKey, 'utf8'));
    await page.click('form.login button');
    await page.waitForSelector('#trust, .terminal[data-state=connected] .xterm-rows');
    if (await page.$('#trust')) await page.click('#trust');
    await shown(page, '.terminal[data-state=connected] .xterm-rows');
  },
  'terminal-ended': end,
  async 'modbus'(page, stage) {
    await visit(page, stage, 'modbus', 502);
    await shown(page, '#registers tbody tr');
  },
  async 'modbus-exception'(page) {
    await page.fill('.filters label:nth-of-type(2) input', '60000');
    await page.press('.filters label:nth-of-type(2) input', 'Enter');
    await shown(page, 'main .error.box');
  },
  'modbus-ended': end,
  async 'device'(page, stage) {
    await page.goto('/console/' + stage.device);
    await shown(page, '.log li');
    await shown(page, '[aria-labelledby=agent] table');
  },
  async 'access-warning'(page) {
    await page.click('#new-access');
    await page.check('#tls');
    await shown(page, '[data-code=W19]');
  },
  async 'access-errors'(page) {
    await page.uncheck('#tls');
    await page.fill('#device-port', '70000');
    await page.fill('#ranges', '10.0.0.0/99');
    await page.click('dialog button[type=submit]');
    await shown(page, '#ranges-error');
  },
  async 'result'(page) {
    await page.fill('#device-port', '22');
    await page.fill('#ranges', '192.0.2.0/24');
    await page.check('#one-time');
    await page.click('dialog button[type=submit]');
    await shown(page, 'dialog .mapping .qr');
  },
  async 'diagnosis'(page) {
    await page.click('dialog header .close');
    await page.click('.mapping [data-action=diagnose]');
    await shown(page, '.chain');
  },
  async 'activity'(page) {
    await page.goto('/console/activity');
    await shown(page, '.log li');
  },
  async 'activity-entry'(page) {
    await page.selectOption('#log-type', 'CLOSED');
    await page.click('.log li summary');
    await shown(page, '.log table.ladder');
  },
  async 'signin-again'(page, stage) {
    await page.goto('/console/' + stage.device);
    await page.click('#new-access');
    await page.context().clearCookies();
    await page.evaluate(() => document.querySelector('dialog button[type=submit]').click()); // a poll may have met the end before
    await shown(page, 'dialog #authKeyId');
  },
};
