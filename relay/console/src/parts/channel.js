// A WebSocket to a device through a port mapping: text messages are about the connection, binary ones are the device's.
import {call, offline, openSocket} from '../api.js';
import {sentence, t, words} from '../i18n.js';

/** Opens one. Gives {ws, id} when the device is connected; throws {code, message, detail} when it is not. first is sent at once; other
    messages before that go to ask, whose answer is sent back. */
export function connect(kind, mapping, {first, ask} = {}) {
  return new Promise((resolve, reject) => {
    const ws = openSocket(kind, mapping);
    ws.binaryType = 'arraybuffer';
    let id;
    const ready = () => {
      ws.onmessage = null; // what comes is the caller's, who may have gone
      resolve({ws, id});
    };
    ws.onopen = () => { if (first) ws.send(JSON.stringify(first)); };
    ws.onclose = () => reject({message: () => t('socketClosed')});
    ws.onmessage = async event => {
      const message = JSON.parse(event.data);
      switch (message.type) {
        case 'error':
          reject(explain(message));
          ws.close();
          break;
        case 'connected':
          id = message.connectionId;
          if (!ask) ready();
          break;
        case 'ready':
          ready();
          break;
        default:
          ws.send(JSON.stringify(await ask(message)));
      }
    };
  });
}

/** The console's own codes have words here; the relay's come in the user's language. */
function explain({code, message, detail, detailCode, detailArgs}) {
  return {code, message: code.startsWith('ssh') ? () => t(code) : message, detail: detailCode ? () => words(detailCode, detailArgs, detail) : detail};
}

/** Tells the signal why, which Ended shows, why a connection ended. Its entry in the audit log is written when it has ended, which may be later; a relay
    that has gone says nothing until it is back. An end without a cause is told by what closed the connection. */
export async function tellEnd(why, simId, id) {
  why.value = {title: 'sessionEnded', message: () => t(offline.value ? 'socketClosed' : 'askingWhy')};
  why.value = {title: 'sessionEnded', ...await findEnd(simId, id)};
}

async function findEnd(simId, id) {
  for (let tries = 0; tries < 20; tries++) {
    const entries = await call('GET', `/audit_logs/connections?limit=50&type=CLOSED&sim_id=${encodeURIComponent(simId)}`);
    const e = entries.find(e => e.connectionId === id);
    const detail = e?.closeCode && (() => words(e.closeCode, e.closeArgs, e.closeReason));
    if (e?.reason) return {code: e.code, message: e.reason, detail};
    if (detail) return {message: () => sentence(detail())};
    if (e) break;
    await new Promise(resolve => setTimeout(resolve, 250));
  }
  return {message: () => t('endedByDevice')};
}
