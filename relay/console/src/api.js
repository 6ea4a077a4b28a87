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

function send(method, url, body) {
  const headers = {'X-Soracom-Lang': lang.value};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  return fetch(url, {method, headers, body: body === undefined ? undefined : JSON.stringify(body)});
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
  if (localStorage.getItem(signedIn)) {
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

/** Marks a browser with a sign-in, whose cookie no script can see. */
const signedIn = 'signedIn';

function nobody() {
  localStorage.removeItem(signedIn);
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
  localStorage.setItem(signedIn, 'yes');
  expired.value = false;
  signedInAgain?.resolve();
  signedInAgain = undefined;
  await whoAmI();
}

export async function signOut() {
  source?.close();
  await send('DELETE', '/console/session').catch(() => {});
  nobody();
}

let source;

/** Hears of what happens, so that pages are up to date within a second. Only in tabs that are seen: over HTTP/1.1 a browser has six connections to
    an origin for all its tabs together. */
function listen() {
  source?.close();
  if (document.hidden) return;
  source = new EventSource('/console/api/events');
  const note = () => { happened.value++; };
  for (const type of ['ACCESS', 'DENIED', 'CONNECTED', 'CLOSED', 'REFUSED', 'CREATED', 'DELETED', 'EXPIRED', 'EXTENDED']) {
    source.addEventListener(type, note);
  }
  source.onopen = note;
  const mine = source;
  source.onerror = () => { // the browser tries again by itself, unless the answer was an error
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => mine === source && session.value && listen(), 5000);
  };
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) source?.close();
  else if (session.value) listen();
});

/** The address of a WebSocket of the console. */
export function socketURL(kind, mapping) {
  const url = new URL(`/console/${kind}`, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  url.search = new URLSearchParams({mapping, lang: lang.value});
  return url.href;
}
