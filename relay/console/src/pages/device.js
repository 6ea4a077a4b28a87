// One device: its state, how to reach it, what its agent says of itself, and its connections so far.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {call} from '../api.js';
import {moment, t} from '../i18n.js';
import {Access} from '../parts/access.js';
import {AgentStatus} from '../parts/agent.js';
import {Log} from '../parts/log.js';
import {Mapping, mappingsOf, mayOperate, openHere} from '../parts/mappings.js';
import {notice} from '../parts/notices.js';
import {usePoll} from '../parts/poll.js';
import {services} from '../parts/services.js';
import {Failed, Loading, Online} from '../parts/state.js';
import {nameOf} from './devices.js';

export function Device({sim: id}) {
  const sim = usePoll(() => call('GET', `/sims/${encodeURIComponent(id)}`), [id]);
  const mappings = usePoll(() => mappingsOf(id), [id]);
  const dialog = useSignal(false);
  const opening = useSignal('');
  const {data, error} = sim.value;
  if (!data) return html`<h1 tabindex="-1">${t('device')}</h1><${error ? Failed : Loading} error=${error} />`;
  const {online, imsi, imei, ueIpAddress, lastUpdatedAt} = data.sessionStatus;
  const list = mappings.value.data ?? [];
  const open = async service => {
    opening.value = service.id;
    try {
      await openHere(data, service, list);
    } catch (err) {
      notice(err.message, 'bad');
    }
    opening.value = '';
  };
  const facts = [
    [t('state'), html`<${Online} online=${online} /> ${lastUpdatedAt ? html`<small class="muted">${t('since', moment(lastUpdatedAt))}</small>` : null}`],
    [t('address'), ueIpAddress], ['SIM', data.simId], ['IMSI', imsi], ['IMEI', imei],
    [t('tag'), Object.entries(data.tags).filter(([k]) => k !== 'name').map(([k, v]) => html`<span class="chip">${k}: ${v}</span>`)],
  ].filter(([, v]) => v && v.length !== 0);
  return html`
    <nav aria-label=${t('breadcrumb')} class="crumbs"><a href="/console/devices">${t('devices')}</a></nav>
    <h1 tabindex="-1">${nameOf(data)}</h1>
    <dl class="facts">${facts.map(([k, v]) => html`<div><dt>${k}</dt><dd>${v}</dd></div>`)}</dl>
    ${!online && html`<p class="warning box" id="offline-device"><b>R11</b> ${t('R11')}</p>`}
    <section aria-labelledby="reach">
      <h2 id="reach">${t('access')}</h2>
      ${mayOperate() ? html`
        <div class="openers">
          ${services.filter(s => s.open).map(s => html`
            <button class="opener" id="open-${s.id}" onClick=${() => open(s)} aria-busy=${opening.value === s.id} disabled=${opening.value !== ''}>
              <b>${t('open_' + s.open)}</b><small>${t('open_' + s.open + '_hint')}</small></button>`)}
          <button class="opener other" id="new-access" onClick=${() => { dialog.value = true; }}><b>${t('newAccess')}</b><small>${t('newAccessHint')}</small></button>
        </div>` : html`<p class="muted">${t('viewerOnly')}</p>`}
      ${mappings.value.error && html`<${Failed} error=${mappings.value.error} />`}
      ${list.map(m => html`<${Mapping} key=${m.endpoint + m.createdTime} mapping=${m} simId=${id} />`)}
      ${mappings.value.data && list.length === 0 && html`<p class="muted">${t('noMappings')}</p>`}
    </section>
    <${AgentStatus} simId=${id} online=${online} />
    <section aria-labelledby="history"><h2 id="history">${t('history')}</h2><${Log} simId=${id} compact /></section>
    ${dialog.value && html`<${Access} sim=${data} onClose=${() => { dialog.value = false; document.getElementById('new-access')?.focus(); }} />`}`;
}
