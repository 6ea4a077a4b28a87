// The frame of what is opened in the page: the device, the mapping that it goes through with its time left, and why it ended.
import {html} from 'htm/preact';
import {call, callAll, offline} from '../api.js';
import {said, t} from '../i18n.js';
import {nameOf} from '../pages/devices.js';
import {Extend} from './extend.js';
import {Countdown} from './mappings.js';
import {usePoll} from './poll.js';

/** Gives {sim, mapping} as they are now; mapping is null once it has ended. */
export function useHere(simId, endpoint) {
  const sim = usePoll(() => call('GET', `/sims/${encodeURIComponent(simId)}`), [simId], 30_000);
  const mapping = usePoll(async () => (await callAll('/port_mappings')).find(m => m.endpoint === endpoint) ?? null, [endpoint]);
  return {sim: sim.value.data, mapping: mapping.value.data};
}

export function Here({simId, title, here, children}) {
  const {sim, mapping} = here;
  return html`
    <nav aria-label=${t('breadcrumb')} class="crumbs"><a href="/console/devices">${t('devices')}</a> / <a href="/console/devices/${encodeURIComponent(simId)}">${sim ? nameOf(sim) : simId}</a></nav>
    <div class="here"><h1 tabindex="-1">${title}</h1>
      ${mapping && !offline.value && html`<div class="actions"><${Countdown} mapping=${mapping} /><${Extend} mapping=${mapping} /></div>`}</div>
    ${children}`;
}

/** Why it is not connected, and the way back. why.title is the key of a text. */
export function Ended({why, onAgain, simId}) {
  return html`
    <div class="ended box ${why.code ? 'error' : ''}" role="alert" data-code=${why.code}>
      <h2>${t(why.title)}</h2>
      <p>${why.code && html`<b>${why.code}</b> `}${said(why.message)}</p>
      ${said(why.detail) && html`<p class="muted"><small>${said(why.detail)}</small></p>`}
      <p class="actions">${onAgain && html`<button onClick=${onAgain}>${t('connectAgain')}</button>`}
        <a role="button" class="secondary outline" href="/console/devices/${encodeURIComponent(simId)}">${t('backToDevice')}</a></p>
    </div>`;
}
