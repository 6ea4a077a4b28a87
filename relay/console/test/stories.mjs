// What users do, each told once. A story fails by throwing; what it returns is noted in the report.
import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {must} from './stage.mjs';
import {awaitSameScreen, canvasData} from './screen.mjs';
import {leftTerminal, oldSession, secondPage} from './edges.mjs';
import {accessible, japanese, loads} from './pages.mjs';

/** Waits until the page says something. */
const said = (page, text) => page.getByText(text).first().waitFor();

const deviceName = async stage => (await stage.api('GET', `/sims/${stage.sim}`)).tags.name;

/** Runs OpenSSH as a user would, and gives its exit status. */
function ssh(stage, port) {
  return new Promise(resolve => {
    execFile(stage.ssh, ['-F', 'none', '-i', stage.sshKey, '-p', String(port), '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null',
      '-o', 'BatchMode=yes', `${stage.sshUser}@127.0.0.1`, 'true'], {timeout: 60_000}, err => resolve(err ? err.code : 0));
  });
}

/** Extends (or shortens) a mapping over the API, with the page's own sign-in. */
function setEnd(page, m, seconds) {
  return page.evaluate(async ([ip, port, duration]) => {
    const headers = {'Content-Type': 'application/json', 'X-Minato-Session-Key': localStorage.getItem('sessionKey')};
    const r = await fetch(`/console/api/port_mappings/${ip}/${port}/extend`, {method: 'POST', headers, body: JSON.stringify({duration})});
    return r.status;
  }, [m.ipAddress, m.port, seconds]);
}

const screenPage = (stage, m) => `${stage.device}/vnc?mapping=${encodeURIComponent(m.endpoint)}`;
const connected = page => page.waitForSelector('.screen.connected canvas');

export const stories = {
  'first load: small, fast, strict': loads,

  async 'sign in: a wrong key is explained beside the form, the right one opens the console'(stage) {
    const page = await stage.page();
    await page.goto('/');
    await page.click('form button[type=submit]');
    must(await page.getAttribute('#authKeyId', 'aria-invalid') === 'true', 'an empty field is not marked');
    await page.fill('#authKeyId', stage.keyId);
    await page.fill('#authKey', 'secret-wrong');
    await page.click('form button[type=submit]');
    await said(page, 'the authentication key is not known, or its secret is wrong');
    must(await page.inputValue('#authKeyId') === stage.keyId, 'what was typed is lost');
    await stage.signIn(page);
    must(!page.url().includes('secret') && !page.url().includes('keyId'), `the address tells a secret: ${page.url()}`);
    const cookies = await page.context().cookies();
    must(cookies.length === 1 && cookies[0].httpOnly && cookies[0].sameSite === 'Strict', `the cookie is ${JSON.stringify(cookies.map(c => ({...c, value: '…'})))}`);
    const calls = key => page.evaluate(key => fetch('/console/api/sims', {headers: key && {'X-Minato-Session-Key': key}}).then(r => r.status), key);
    const key = await page.evaluate(() => localStorage.getItem('sessionKey'));
    must(await calls(key) === 200, 'the cookie and the key are not the session');
    must(await calls() === 401, 'the cookie alone is the session');
    await page.click('details.user summary');
    await page.click('#sign-out');
    await page.waitForSelector('#authKeyId');
    must((await page.context().cookies()).length === 0, 'signing out leaves the cookie');
    must(await page.evaluate(() => localStorage.getItem('sessionKey')) === null, 'signing out leaves the key');
    await page.context().addCookies(cookies);
    must(await calls(key) === 401, 'after signing out both are still the session');
  },

  'a sign-in of before an upgrade: the page asks to sign in': oldSession,

  async 'sign in as a user: what the role may not do is not offered'(stage) {
    const password = 'Correct-horse-7';
    await stage.api('POST', '/users', {userName: 'viewer', password, role: 'viewer'});
    const page = await stage.page();
    await page.goto('/console/');
    await page.getByText('User', {exact: true}).click();
    await page.getByLabel('User name').fill('viewer');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', {name: 'Sign in'}).click();
    await said(page, 'the user is not known, or the password is wrong');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', {name: 'Sign in'}).click();
    await page.locator('details.user summary').getByText('viewer').waitFor();
    await page.goto('/console/' + stage.device); // the sign-in stays
    await said(page, 'Your role may look, but not open devices.');
    must(await page.locator('#new-access, .openers, .mapping [data-action]').count() === 0, 'a viewer is offered what a viewer may not do');
  },

  async 'RDP: TLS option OFF, and a file that opens the PC’s client'(stage) {
    const page = await stage.signedIn(stage.device);
    await page.click('#new-access');
    await page.click('.services label:has-text("RDP")');
    must(!await page.isChecked('#tls'), 'the TLS option is ON for RDP');
    await page.click('dialog button[type=submit]');
    const card = page.locator('dialog .mapping');
    await card.waitFor();
    const endpoint = await card.getAttribute('data-endpoint');
    const [download] = await Promise.all([page.waitForEvent('download'), card.getByText('device.rdp').click()]);
    must(download.suggestedFilename() === 'device.rdp', `the file is ${download.suggestedFilename()}`);
    const file = readFileSync(await download.path(), 'utf8');
    must(file.split('\r\n').includes(`full address:s:${endpoint}`), `device.rdp is ${file}`);
    await card.getByText(`mstsc /v:${endpoint}`).waitFor();
  },

  async 'HTTPS: TLS option OFF is chosen with the service; the agent’s signal is told with its unit'(stage) {
    const page = await stage.signedIn(stage.device);
    await page.locator('[aria-labelledby=agent]').getByText(/RS[A-Z]+ -\d+ dBm/).waitFor();
    await page.click('#new-access');
    await page.click('.services label:has-text("HTTPS")');
    must(await page.inputValue('#device-port') === '443' && !await page.isChecked('#tls'), 'HTTPS is not 443 with the TLS option OFF');
  },

  async 'copy: host, port and command are in the clipboard as they are shown'(stage) {
    const m = await stage.mapping(22, {tls: false});
    const page = await stage.signedIn(stage.device);
    const card = page.locator(`.mapping[data-endpoint="${m.endpoint}"]`);
    const copied = async (button, want) => {
      await card.getByRole('button', {name: button}).click();
      await card.locator(`[aria-label="${button}"][data-done=Copied]`).waitFor();
      const got = await page.evaluate(() => navigator.clipboard.readText());
      must(got === want, `${button} copies ${got}, not ${want}`);
    };
    await copied('Copy: Host', m.ipAddress);
    await copied('Copy: Port', String(m.port));
    await card.getByText('How to connect').click();
    await copied('Copy: ssh', await card.locator('.command', {hasText: 'ssh -p'}).locator('pre').textContent());
    const plain = await stage.signedIn(stage.device); // a page of plain HTTP from another machine has no clipboard of this kind
    await plain.evaluate(() => Object.defineProperty(navigator, 'clipboard', {value: undefined}));
    await plain.bringToFront();
    await plain.locator(`.mapping[data-endpoint="${m.endpoint}"]`).getByRole('button', {name: 'Copy: Port'}).click();
    await plain.locator('[data-done=Copied]').waitFor();
    await page.bringToFront();
    must(await page.evaluate(() => navigator.clipboard.readText()) === String(m.port), 'without the clipboard of scripts nothing is copied');
  },

  async 'one time: the first connection is the only one, and the port is shown as used, then closed'(stage) {
    const page = await stage.signedIn(stage.device);
    await page.click('#new-access');
    await page.click('.services label:has-text("VNC")');
    await page.getByLabel('One time').check();
    await page.click('dialog button[type=submit]');
    const card = page.locator('dialog .mapping');
    await card.getByText('One time', {exact: true}).waitFor();
    const endpoint = await card.getAttribute('data-endpoint');
    await card.getByRole('button', {name: 'Screen'}).click();
    await connected(page);
    const list = await stage.signedIn(stage.device);
    const used = list.locator(`.mapping[data-endpoint="${endpoint}"]`);
    await used.getByText('One time: used').waitFor();
    must(await used.locator('.actions button').allTextContents().then(t => t.join()) === 'Close port', 'a used port is offered again');
    const second = await stage.signedIn(`${stage.device}/vnc?mapping=${encodeURIComponent(endpoint)}`);
    await second.waitForSelector('.ended[data-code=R13]');
    await said(second, 'its one connection was used');
    await page.close(); // the connection ends, and the mapping with it
    await list.bringToFront();
    await used.waitFor({state: 'detached'});
    await list.locator('.log li').getByText('expired').first().waitFor();
  },

  async 'VNC with a password: asked for in the page; a wrong one is refused in words'(stage) {
    const m = await stage.mapping(5901);
    const page = await stage.signedIn(screenPage(stage, m));
    const password = page.getByRole('heading', {name: 'The device asks who you are'});
    await password.waitFor();
    await page.getByLabel('Password').fill('wrong');
    await page.keyboard.press('Enter');
    await page.locator('.ended').getByText('The device refused').waitFor();
    stage.complaints = stage.complaints.filter(c => !c.includes('authentication failed')); // noVNC logs it
    await page.getByRole('button', {name: 'Connect again'}).click();
    await password.waitFor();
    await page.getByLabel('Password').fill(stage.vncPassword);
    await page.keyboard.press('Enter');
    await connected(page);
  },

  async 'VNC, TLS option ON: the screen in the page is the device’s, and what is typed appears on it'(stage) {
    const page = await stage.signedIn(stage.device);
    await page.click('#new-access');
    await page.click('.services label:has-text("VNC")');
    must(await page.isChecked('#tls'), 'the TLS option is not ON for VNC');
    await page.click('dialog button[type=submit]');
    const card = page.locator('dialog .mapping');
    await card.waitFor();
    const endpoint = await card.getAttribute('data-endpoint');
    await card.getByRole('button', {name: 'Screen'}).click();
    await connected(page);
    const equal = await awaitSameScreen(stage, page, endpoint);
    const before = await canvasData(page);
    await page.keyboard.type('Hello, device');
    await page.waitForFunction(old => document.querySelector('.screen canvas').toDataURL() !== old, before);
    await awaitSameScreen(stage, page, endpoint, before);
    return `${(100 * equal).toFixed(2)} % of the pixels as go-vnc sees them`;
  },

  async 'the SSH mistake: warned of, forced, made with a real ssh, and explained within a second'(stage) {
    const page = await stage.signedIn(stage.device);
    const log = await stage.signedIn('activity');
    await page.bringToFront();
    await page.click('#new-access');
    await page.click('.services label:has-text("SSH")');
    must(!await page.isChecked('#tls'), 'the TLS option is ON for SSH');
    await page.check('#tls');
    await page.waitForSelector('[data-code=W19]');
    await page.getByRole('button', {name: 'Open anyway'}).click();
    const card = page.locator('dialog .mapping');
    await card.waitFor();
    const endpoint = await card.getAttribute('data-endpoint');
    const warned = page.locator('dialog .warning');
    must(await warned.count() === 1 && /directly, only through a tunnel/.test(await warned.textContent()), `the warning is ${await warned.allTextContents()}`);
    await card.getByText('tunnel --accept 127.0.0.1:2222 ').waitFor(); // no user but root may listen below 1024
    await card.getByText('ssh -p 2222 USER@127.0.0.1').waitFor();
    await card.getByText('save it in the folder').waitFor();
    await stage.mustBeGood(page, 'result-tls');
    await log.bringToFront();
    const status = await ssh(stage, endpoint.split(':')[1]);
    must(status === 255, `ssh ended with ${status}`);
    const began = performance.now();
    const refused = log.locator('li.refused[data-code=R01]').first();
    await refused.waitFor();
    const took = performance.now() - began;
    await refused.getByText('make the mapping with the TLS option OFF').waitFor();
    await log.locator('.log > li').first().and(log.locator('.day')).waitFor(); // the date, said once
    await refused.locator('summary').getByText('SSH, ' + await deviceName(stage)).waitFor();
    await refused.getByText('make the mapping with the TLS option OFF').click();
    await refused.getByText('first bytes (ssh)').waitFor();
    await refused.locator(`a[href$="${stage.sim}"]`).getByText(await deviceName(stage)).waitFor();
    await log.click('#language');
    await refused.getByText('最初のデータ (ssh)').waitFor();
    await refused.getByText('何も送らずに終了: TLS ON に SSH').waitFor();
    await page.bringToFront();
    await card.getByRole('button', {name: 'Diagnose'}).click();
    await card.getByText('the device speaks SSH, which encrypts itself').waitFor();
    must(!/\d{4}-\d\d-\d\dT/.test(await card.locator('.chain').textContent()), 'a time is not as the user reads it');
    await card.getByRole('button', {name: 'Open again with TLS OFF'}).click();
    const open = await page.getByText('A port with the TLS option OFF is open').textContent();
    const cured = await ssh(stage, /:(\d+)\.$/.exec(open)[1]);
    await page.click('dialog header .close');
    await page.click('nav a[href="/console/devices"]');
    await page.getByRole('heading', {name: 'Devices'}).waitFor();
    must(await page.locator('.notices p').count() === 0, 'what was said of one page is said on the next');
    must(cured !== 255, `ssh through the port with the option OFF ended with ${cured}`);
    return `explained ${took.toFixed(0)} ms after ssh gave up`;
  },

  async 'SSH in the page: the host key is shown once and pinned, a shell answers'(stage) {
    const page = await stage.signedIn(stage.device);
    const login = async () => {
      await page.fill('#ssh-user', stage.sshUser);
      await page.click('summary:has-text("Private key")');
      await page.fill('[name=privateKey]', readFileSync(stage.sshKey, 'utf8'));
      await page.getByRole('button', {name: 'Connect', exact: true}).click();
    };
    await page.click('#open-ssh');
    await login();
    await page.getByText('SHA256:').waitFor();
    await stage.mustBeGood(page, 'terminal-hostkey');
    await page.click('#trust');
    await page.waitForSelector('.terminal[data-state=connected] .xterm-rows');
    await page.keyboard.type('echo 42\n');
    await page.waitForFunction(() => [...document.querySelectorAll('.xterm-rows > div')].some(row => row.textContent.trim() === '42'));
    await page.keyboard.type('exit 3\n');
    await said(page, 'The shell has ended.');
    await said(page, /last command, was 3\.$/);
    await page.getByRole('button', {name: 'Connect again'}).click();
    await page.getByRole('button', {name: 'Connect', exact: true}).click(); // the form is as it was
    await page.waitForSelector('.terminal[data-state=connected] .xterm-rows'); // no question about the host key
  },

  'SSH in the page: a login that is left leaves no shell': leftTerminal,

  'more mappings than one page of the list: all are shown': secondPage,

  async 'SSH in the page: that the device takes keys only is said'(stage) {
    const page = await stage.signedIn(stage.device);
    await page.click('#open-ssh');
    await page.fill('#ssh-user', 'nobody');
    await page.fill('#ssh-password', 'wrong');
    await page.getByRole('button', {name: 'Connect', exact: true}).click();
    await page.waitForSelector('#trust, .ended');
    if (await page.$('#trust')) await page.click('#trust'); // in a run of this story alone
    await said(page, 'The device takes no password: it wants a key.');
    must(!await page.isVisible('.terminal'), 'an empty terminal is shown');
  },

  async 'Modbus: registers live, a written one is read back, an exception is explained'(stage) {
    const page = await stage.signedIn(stage.device);
    await page.click('#open-modbus');
    await page.waitForSelector('#registers tr[data-address="0"]');
    const {address, value} = await writable(page);
    const input = page.locator(`#registers tr[data-address="${address}"] input`);
    await input.fill(String(value));
    await input.press('Enter');
    await page.waitForFunction(([a, v]) => document.querySelector(`#registers tr[data-address="${a}"] .value`)?.textContent === v, [String(address), String(value)]);
    await said(page, `${value} is written to address ${address}.`);
    must(await input.inputValue() === '', 'what was written is still in its box');
    const box = name => page.locator(`.filters label:has-text("${name}") input`);
    const few = page.locator('#few');
    await few.getByText(/does not have 16 .*: \d+ are read/).waitFor();
    must(await box('Quantity').inputValue() === '16', 'the quantity changes by itself');
    await box('Address').fill('60000');
    await box('Address').press('Enter');
    await said(page, 'Exception 2');
    await box('Address').fill('0');
    await box('Address').press('Tab');
    await few.waitFor(); // as many as before, not as few as were left of the exception
    must(await box('Quantity').inputValue() === '16', 'an exception changes the quantity');
    must(await page.locator('#registers tbody tr').count() > 1, 'after an exception one register is read');
  },

  async 'Modbus: what is typed stays while registers are read; a refused value stays with the reason until the next'(stage) {
    const m = await stage.mapping(502);
    const page = await stage.signedIn(stage.device);
    const [ws] = await Promise.all([page.waitForEvent('websocket'), page.goto(`/console/${stage.device}/modbus?mapping=${encodeURIComponent(m.endpoint)}`)]);
    await page.waitForSelector('#registers tr[data-address="0"]');
    const poll = async () => { // a whole reading, and the page drawn after it
      for (let i = 0; i < 2; i++) await ws.waitForEvent('framereceived');
      await page.evaluate(() => new Promise(requestAnimationFrame));
    };
    for (const [name, text] of [['Address', '100'], ['Quantity', '9'], ['Unit', '7']]) {
      const box = page.locator(`.filters label:has-text("${name}") input`);
      const was = await box.inputValue();
      await box.fill(text);
      await poll();
      must(await box.inputValue() === text, `${name} takes ${await box.inputValue()}, not ${text}`);
      await box.fill(was);
    }
    const row = page.locator('#registers tr[data-address="0"]');
    const input = row.locator('input');
    const write = async (text, why) => {
      await input.fill(text);
      await input.press('Enter');
      await row.locator('.error').getByText(why).waitFor();
      await poll();
      must(await row.locator('.error').isVisible(), 'the next reading takes the reason away');
      must(await input.inputValue() === text, `of ${text} the box keeps ${await input.inputValue()}`);
    };
    await write('65536', 'from -32768 to 65535');
    await write('5000', /Exception \d/); // the plant takes 0 to 1000
    await stage.mustBeGood(page, 'modbus-refused');
    await input.fill('600');
    await input.press('Enter');
    await said(page, '600 is written to address 0.');
    await row.locator('.error').waitFor({state: 'detached'});
  },

  async 'the web page opens in a new tab, through TLS'(stage) {
    const page = await stage.signedIn(stage.device, {ignoreHTTPSErrors: true});
    const [tab] = await Promise.all([page.context().waitForEvent('page'), page.click('#open-http')]);
    await tab.waitForLoadState();
    must(tab.url().startsWith('https://'), `the tab is at ${tab.url()}`);
    must((await tab.content()).length > 100, 'the page is empty');
    stage.complaints = stage.complaints.filter(c => !c.includes(new URL(tab.url()).origin));
  },

  async 'expiry: the session ends with the mapping, and the page says so'(stage) {
    const m = await stage.mapping(5900);
    const page = await stage.signedIn(screenPage(stage, m));
    await connected(page);
    must(await setEnd(page, m, 2) === 200, 'the mapping cannot be shortened');
    await page.waitForSelector('.ended[data-code=R13]');
    await said(page, 'the mapping has ended');
  },

  async 'a port that somebody closes: the page says that, and until then that the relay does not answer'(stage) {
    const m = await stage.mapping(5900);
    const page = await stage.signedIn(screenPage(stage, m));
    await connected(page);
    await page.waitForSelector('.countdown');
    await page.route('**/console/api/**', route => route.abort());
    await stage.unmap(m);
    await page.locator('.ended').getByText('The connection to the relay ended.').waitFor();
    must(await page.locator('.countdown').count() === 0, 'what may be over is counted down');
    await page.unroute('**/console/api/**');
    await page.locator('.ended').getByText('The port was closed.').waitFor();
  },

  async 'an address without a port says what it lacks'(stage) {
    const page = await stage.signedIn(stage.device + '/vnc');
    await said(page, 'It lacks “?mapping=”');
    await page.getByRole('button', {name: 'Back to the device'}).or(page.getByRole('link', {name: 'Back to the device'})).click();
    await page.waitForSelector('#open-vnc');
  },

  async 'the clipboard: the screen keeps its place, what cannot be sent is said before, what is sent after'(stage) {
    const page = await stage.signedIn(screenPage(stage, await stage.mapping(5900)));
    await connected(page);
    const before = await page.locator('.screen').boundingBox();
    await page.click('.clip summary');
    await page.fill('.clip textarea', 'Grüße');
    must((await page.locator('.screen').boundingBox()).y === before.y, 'the clipboard moves the screen');
    must(await page.getByText('Latin-1').count() === 0, 'a good text is warned of');
    await page.fill('.clip textarea', '日本語');
    await said(page, 'takes Latin-1 only');
    await page.click('.clip button');
    await said(page, 'The text is sent to the device’s clipboard.');
  },

  async 'cut: a live connection is seen with its bytes, and cut'(stage) {
    const m = await stage.mapping(5900);
    const page = await stage.signedIn(screenPage(stage, m));
    await connected(page);
    const log = await stage.signedIn('activity');
    await log.bringToFront();
    const row = log.locator('#live-connections tbody tr').filter({hasText: '5900'});
    await row.getByRole('button', {name: 'Cut'}).click();
    await page.bringToFront();
    await page.locator('.ended').getByText('The connection was cut.').waitFor();
  },

  async 'bad input: each error stands beside its field'(stage) {
    const page = await stage.signedIn(stage.device);
    await page.click('#new-access');
    await page.fill('#device-port', '70000');
    await page.click('dialog button[type=submit]');
    await page.locator('#device-port-error').waitFor();
    await page.fill('#device-port', '8022');
    await page.fill('#ranges', '10.0.0.0/99');
    await page.click('dialog button[type=submit]');
    await page.locator('#ranges-error').waitFor();
    await page.fill('#ranges', '::ffff:10.0.0.1/128'); // good here, but not for the API
    await page.click('dialog button[type=submit]');
    await page.locator('#ranges-error').getByText('CIDR notation').waitFor();
    await page.fill('#ranges', '192.0.2.0/24');
    await page.click('dialog button[type=submit]');
    await page.locator('dialog .mapping').getByText('192.0.2.0/24').waitFor();
    await said(page, 'W23'); // our own address is not in it
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('dialog [data-file="stunnel.conf"]')]);
    const conf = readFileSync(await download.path(), 'utf8');
    must(/^connect = 127\.0\.0\.1:\d+$/m.test(conf), `stunnel.conf is ${conf}`);
    await page.locator('dialog').getByRole('button', {name: 'Close port'}).click();
    await page.click('dialog.confirm[open] .danger');
    await said(page, 'The mapping has ended.');
  },

  async 'closing a port: asked first, with the keyboard at Cancel, done once and said once'(stage) {
    const m = await stage.mapping(5900);
    const page = await stage.signedIn(stage.device);
    const card = page.locator(`.mapping[data-endpoint="${m.endpoint}"]`);
    const close = card.getByRole('button', {name: 'Close port'});
    await close.hover();
    await page.waitForFunction(b => getComputedStyle(b).backgroundColor === 'rgb(140, 29, 24)', await close.elementHandle()); // red also under the mouse
    await close.dblclick();
    const ask = page.getByRole('alertdialog', {name: 'Close this port?'});
    await ask.getByText(m.endpoint).waitFor();
    await stage.mustBeGood(page, 'close-port');
    await page.keyboard.press('Escape');
    await ask.waitFor({state: 'hidden'});
    await close.press('Enter');
    await ask.waitFor();
    must(await page.evaluate(() => document.activeElement.textContent) === 'Cancel', 'the keyboard is not at Cancel');
    await page.keyboard.press('Enter');
    await ask.waitFor({state: 'hidden'});
    must((await stage.api('GET', '/port_mappings')).some(other => other.endpoint === m.endpoint), 'the port is closed without an answer');
    must(await close.evaluate(b => b === document.activeElement), 'the keyboard is not back at the button');
    await close.click();
    await page.locator('dialog.confirm[open] .danger').dblclick();
    await card.waitFor({state: 'detached'}); // at the event, which may come before the answer to the page's own call
    await said(page, 'The port is closed.');
    must(await page.locator('.notices p').count() === 1, `${await page.locator('.notices p').count()} notices`);
  },

  async 'extending: never to an earlier end, and not offered where no later one is possible'(stage) {
    const m = await stage.mapping(502, {duration: 3600});
    const page = await stage.signedIn(stage.device);
    const extend = page.locator(`.mapping[data-endpoint="${m.endpoint}"] .extend`);
    const offered = () => extend.locator('option').allTextContents().then(t => t.join());
    await extend.waitFor();
    must(await offered() === 'to 2 hours from now,to 4 hours from now,to 8 hours from now', `offered is ${await offered()}`);
    await extend.locator('select').selectOption({label: 'to 4 hours from now'});
    await extend.getByRole('button', {name: 'Extend'}).click();
    await said(page, 'The port is open for another 4 hours from now.');
    await page.waitForFunction(e => e.querySelectorAll('option').length === 1, await extend.elementHandle());
    must(await offered() === 'to 8 hours from now', `offered is ${await offered()}`);
    await page.goto(`/console/${stage.device}/modbus?mapping=${encodeURIComponent(m.endpoint)}`);
    await page.getByRole('button', {name: 'Extend'}).click();
    await page.locator('.extend').waitFor({state: 'detached'});
    const {expiredTime} = (await stage.api('GET', '/port_mappings')).find(other => other.endpoint === m.endpoint);
    must(expiredTime > Date.now() + 7 * 3600_000, 'the mapping is shorter than was chosen');
  },

  async 'a lost connection is said and tried again; nothing typed is lost'(stage) {
    const page = await stage.signedIn(stage.device);
    await page.click('#new-access');
    await page.fill('#device-port', '8022');
    await page.fill('#ranges', '192.0.2.7');
    await page.context().setOffline(true);
    await page.click('dialog button[type=submit]');
    await said(page, 'Nothing that you typed is lost');
    await page.locator('#offline').waitFor({state: 'attached'});
    await stage.mustBeGood(page, 'offline');
    await page.context().setOffline(false);
    await page.locator('#offline').waitFor({state: 'detached'});
    must(await page.inputValue('#ranges') === '192.0.2.7', 'the ranges are lost');
    await page.click('dialog button[type=submit]');
    await page.locator('dialog .mapping').getByText('192.0.2.7/32').waitFor();
  },

  async 'an ended sign-in: signing in again leads back to the same place'(stage) {
    const page = await stage.signedIn(stage.device);
    await page.click('#new-access');
    await page.fill('#device-port', '8023');
    let go;
    const clicked = new Promise(resolve => { go = resolve; });
    await page.route('**', async route => { // what the page asks for of itself must not notice the ended sign-in before the click does
      if (route.request().method() === 'GET') await clicked;
      await route.continue();
    });
    await page.context().clearCookies();
    await page.click('dialog button[type=submit]');
    await said(page, 'Your sign-in has ended');
    go();
    await page.fill('#authKeyId', stage.keyId);
    await page.fill('#authKey', stage.key);
    await page.locator('dialog:has(#authKey) button[type=submit]').click();
    await page.locator('dialog .mapping').getByText('port 8023', {exact: true}).waitFor(); // what was asked for is done
    must(page.url().endsWith(stage.device), `the page is ${page.url()}`);
  },

  async 'the keyboard alone: from signing in to typing on the device’s screen'(stage) {
    const page = await stage.page();
    await page.addInitScript(() => addEventListener('pointerdown', () => { window.pointed = true; }, true));
    await page.goto('/console/devices');
    const tabTo = async (what, limit = 60) => {
      for (let i = 0; i < limit; i++) {
        if (await page.evaluate(s => document.activeElement?.matches(s), what)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`Tab does not lead to ${what}`);
    };
    await page.waitForFunction(() => document.activeElement?.id === 'authKeyId');
    await page.keyboard.type(stage.keyId);
    await page.keyboard.press('Tab');
    await page.keyboard.type(stage.key);
    await page.keyboard.press('Enter');
    await page.waitForSelector('tbody th a');
    await tabTo('tbody th a');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#open-vnc');
    await tabTo('#open-vnc');
    await page.keyboard.press('Enter');
    await connected(page);
    await page.waitForFunction(() => document.activeElement?.matches('.screen canvas'));
    const before = await canvasData(page);
    await page.keyboard.type('keys');
    await page.waitForFunction(old => document.querySelector('.screen canvas').toDataURL() !== old, before);
    await page.keyboard.press('Shift+Escape');
    await page.waitForFunction(() => document.activeElement?.matches('.tools-row button'));
    must(await page.evaluate(() => !window.pointed), 'a pointer was used');
  },

  'every page in every state: accessible in both languages, at phone width, light and dark': accessible,

  'Japanese is drawn': japanese,

  async 'an offline device: said before, explained after, and diagnosed'(stage) {
    const m = await stage.mapping(5900);
    const page = await stage.signedIn(stage.device);
    await stage.outside('POST', '/offline');
    try {
      await page.waitForSelector('#offline-device');
      const card = page.locator(`.mapping[data-endpoint="${m.endpoint}"]`);
      await card.getByRole('button', {name: 'Diagnose'}).click();
      await page.locator('.chain li.failed').getByText('SIM online').waitFor();
      await stage.mustBeGood(page, 'device-offline');
      await card.getByRole('button', {name: 'Screen'}).click();
      await page.waitForSelector('.ended[data-code=R11]');
      await stage.mustBeGood(page, 'vnc-offline');
    } finally {
      await stage.outside('POST', '/online');
    }
    await page.waitForFunction(sim => fetch(`/console/api/sims/${sim}`, {headers: {'X-Minato-Session-Key': localStorage.getItem('sessionKey')}}).then(r => r.json()).then(s => s.sessionStatus.online), stage.sim, {polling: 200});
  },
};

/** A holding register that takes any value: the first that keeps another than it has. */
async function writable(page) {
  return page.evaluate(() => {
    const rows = [...document.querySelectorAll('#registers tbody tr')];
    return {address: Number(rows[0].dataset.address), value: (Number(rows[0].querySelector('.value').textContent) + 1) % 100};
  });
}
