// Stories about what is rare: more than a page of a list, a page that is left too early, and what an older console has left in the browser.
import {readFileSync} from 'node:fs';
import {must, patience} from './stage.mjs';

/** The first page of the list of mappings is empty here: what there is stands on the second. */
export async function secondPage(stage) {
  const m = await stage.mapping(8081);
  const page = await stage.page();
  await page.route(url => url.pathname.endsWith('/api/port_mappings'), route => {
    const request = route.request();
    if (request.method() !== 'GET' || new URL(request.url()).searchParams.has('last_evaluated_key')) return route.continue();
    return route.fulfill({json: [], headers: {'X-Soracom-Next-Key': '0'}});
  });
  await page.goto('/console/' + stage.device);
  await stage.signIn(page);
  await page.waitForSelector(`.mapping[data-endpoint="${m.endpoint}"]`);
  await stage.unmap(m);
}

/** The shell is ready only when the page has been left. */
export async function leftTerminal(stage) {
  const m = await stage.mapping(22, {tls: false});
  const page = await stage.page();
  let tellReady, leave;
  const ready = new Promise(resolve => { tellReady = resolve; }), left = new Promise(resolve => { leave = resolve; });
  await page.routeWebSocket(/\/console\/ssh/, socket => {
    let before = Promise.resolve(); // messages keep their order
    socket.connectToServer().onMessage(message => {
      before = before.then(async () => {
        if (typeof message === 'string' && JSON.parse(message).type === 'ready') {
          tellReady();
          await left;
        }
        socket.send(message);
      });
    });
  });
  await page.goto(`/console/${stage.device}/ssh?mapping=${encodeURIComponent(m.endpoint)}`);
  await stage.signIn(page);
  await page.fill('#ssh-user', stage.sshUser);
  await page.click('summary:has-text("Private key")');
  await page.fill('[name=privateKey]', readFileSync(stage.sshKey, 'utf8'));
  await page.getByRole('button', {name: 'Connect', exact: true}).click();
  page.click('#trust').catch(() => {}); // where the host key is not known yet
  await ready;
  await page.click('nav a[href="/console/devices"]');
  await page.waitForSelector('.terminal', {state: 'detached'});
  leave();
  const live = async () => (await stage.api('GET', '/connections')).some(c => c.direction.destinationPort === m.port);
  for (const end = performance.now() + patience; await live();) {
    must(performance.now() < end, 'the shell of a page that was left is still there');
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  await stage.unmap(m);
}

/** What a console that did not seal its cookie has left: nobody is signed in by it, and signing in works. */
export async function oldSession(stage) {
  const page = await stage.page();
  const {apiKey, token} = await stage.signInToAPI();
  await page.context().addCookies([{name: 'minato_session', value: `${apiKey}.${token}`, domain: new URL(stage.url).hostname, path: '/console/', httpOnly: true, sameSite: 'Strict'}]);
  await page.addInitScript(() => localStorage.setItem('signedIn', 'yes'));
  await page.goto('/console/' + stage.device);
  await page.waitForSelector('main.signin #authKeyId');
  must(await page.locator('[role=alert]').allTextContents().then(t => t.join('')) === '', 'the page begins with an error');
  await stage.signIn(page);
}
