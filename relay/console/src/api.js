// The relay's API as the console sees it, /console/api/..., and what is known of the connection to it.
//
// A call that meets an ended sign-in waits until the user has signed in again, and is then made again: pages keep what was typed. A relay that
// cannot be reached is said in a banner and asked again every two seconds; calls that only read are made again when it is back.
import {signal} from '@preact/signals';
import {lang, t} from './i18n.js';

/** Who is signed in: undefined until known, null for nobody. */
export const session = signal(undefined);
/** A sign-in that ended while somebody worked. */
export const expired = signal(false);
export const offline = signal(false);
/** Grows when something happened in the relay. */
export const happened = signal(0);

/** An error answer. field is the request's field that it is about, where it names one. */
export class APIError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = /^([a-zA-Z]+(?:\.[a-zA-Z]+)?)(?:\[\d+\])? /.exec(message)?.[1] ?? '';
  }
}

let signedInAgain; // what calls wait for while expired

/** Makes a call; options.expect lists statuses of which the answer is null. */
export async function call(method, path, body, {expect = []} = {}) {
  for (;;) {
    let response;
    try {
      response = await send(method, '/console/api' + path, body);
    } catch {
      const back = lost();
      if (method !== 'GET') throw new APIError(0, 'offline', t('offlineForm'));
      await back;
      continue;
    }
    if (response.status === 401 && session.value) {
      if (!signedInAgain) {
        expired.value = true;
        signedInAgain = Promise.withResolvers();
      }
      await signedInAgain.promise;
      continue;
    }
    if (expect.includes(response.status)) return null;
    if (!response.ok) throw await failure(response);
    if (response.status === 204) return null;
    const answer = await response.json();
    const next = response.headers.get('X-Soracom-Next-Key');
    if (next && Array.isArray(answer)) answer.next = next;
    return answer;
  }
}

/** All pages of a list. */
export async function callAll(path) {
  const all = [];
  for (let after = ''; ;) {
    const page = await call('GET', `${path}?limit=1000${after && '&last_evaluated_key=' + encodeURIComponent(after)}`);
    all.push(...page);
    if (!page.next) return all;
    after = page.next;
  }
}

function send(method, url, body, options) {
  const headers = {'X-Soracom-Lang': lang.value, 'X-Minato-Session-Key': localStorage.getItem(sessionKey) ?? ''};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  return fetch(url, {method, headers, body: body === undefined ? undefined : JSON.stringify(body), ...options});
}

async function failure(response) {
  const {code = '', message = response.statusText} = await response.json().catch(() => ({}));
  return new APIError(response.status, code, message);
}

let recovery; // the one that asks for everybody

/** Waits until the relay answers again. */
function lost() {
  offline.value = true;
  recovery ??= (async () => {
    for (;;) {
      await new Promise(resolve => setTimeout(resolve, 2000));
      const ok = await fetch('/v1/health').then(r => r.ok, () => false);
      if (ok) break;
    }
    offline.value = false;
    recovery = undefined;
    happened.value++;
  })();
  return recovery;
}

/** Learns who is signed in. A browser in which nobody has signed in knows that without asking: its first page is there at once. */
export async function whoAmI() {
  if (localStorage.getItem(sessionKey)) {
    try {
      session.value = await call('GET', '/me');
      listen();
      return;
    } catch (err) {
      if (err.status !== 401) throw err;
    }
  }
  nobody();
}

/** Where the key of the session is kept, without which its cookie is worth nothing. The cookie goes to every port of the host, also to devices' pages,
    but what is stored stays with this one. */
const sessionKey = 'sessionKey';

function nobody() {
  localStorage.removeItem(sessionKey);
  session.value = null;
}

/** Signs in, or throws an APIError. */
export async function signIn(credentials) {
  let response;
  try {
    response = await send('POST', '/console/session', credentials);
  } catch {
    lost();
    throw new APIError(0, 'offline', t('offlineForm'));
  }
  if (!response.ok) throw await failure(response);
  localStorage.setItem(sessionKey, (await response.json()).key);
  expired.value = false;
  signedInAgain?.resolve();
  signedInAgain = undefined;
  await whoAmI();
}

export async function signOut() {
  source?.abort();
  await send('DELETE', '/console/session').catch(() => {});
  nobody();
}

let source; // ends the stream of events

/** Hears of what happens, so that pages are up to date within a second. Only in tabs that are seen: over HTTP/1.1 a browser has six connections to
    an origin for all its tabs together. */
async function listen() {
  source?.abort();
  if (document.hidden) return;
  const mine = source = new AbortController();
  await hear(mine.signal).catch(() => {});
  if (!mine.signal.aborted) setTimeout(() => mine === source && session.value && listen(), 5000);
}

/** Reads the stream to its end. An EventSource could not send the session's key. */
async function hear(signal) {
  const response = await send('GET', '/console/api/events', undefined, {signal});
  happened.value++; // something did before, or why there is no stream is for the pages to find out
  if (!response.ok) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ;) {
    const {value, done} = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    if (lines.some(line => line.startsWith('event:'))) happened.value++;
  }
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) source?.abort();
  else if (session.value) listen();
});

/** Opens a WebSocket of the console. The session's key is the name of a protocol, which unlike the address is in no log. */
export function openSocket(kind, mapping) {
  const url = new URL(`/console/${kind}`, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  url.search = new URLSearchParams({mapping, lang: lang.value});
  return new WebSocket(url, ['minato', 'key.' + localStorage.getItem(sessionKey)]);
}
