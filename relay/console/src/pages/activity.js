// What happened: the connections that live now, and the audit log.
import {html} from 'htm/preact';
import {call, callAll} from '../api.js';
import {bytes, moment, t} from '../i18n.js';
import {Log} from '../parts/log.js';
import {Countdown, mayOperate} from '../parts/mappings.js';
import {notice} from '../parts/notices.js';
import {usePoll} from '../parts/poll.js';
import {serviceOf} from '../parts/services.js';
import {Failed, Loading} from '../parts/state.js';
import {useNames} from './devices.js';

export function Activity() {
  const name = useNames();
  return html`
    <h1 tabindex="-1">${t('activity')}</h1>
    <section aria-labelledby="live"><h2 id="live">${t('live')}</h2><${Live} name=${name} /></section>
    <section aria-labelledby="log"><h2 id="log">${t('auditLog')}</h2><${Log} name=${name} /></section>`;
}

function Live({name}) {
  const state = usePoll(async () => {
    const [connections, mappings] = await Promise.all([call('GET', '/connections'), callAll('/port_mappings')]);
    return connections.map(c => ({...c, mapping: mappings.find(m => m.ipAddress === c.direction.destinationIPAddress && m.port === c.direction.destinationPort)}));
  }, [], 2000);
  const {data, error} = state.value;
  if (!data) return html`<${error ? Failed : Loading} error=${error} />`;
  if (data.length === 0) return html`<p class="muted">${t('noLive')}</p>`;
  const cut = async c => {
    try {
      await call('DELETE', `/connections/${encodeURIComponent(c.connectionId)}`, undefined, {expect: [404]});
      notice(t('cutDone'));
    } catch (err) {
      notice(err.message, 'bad');
    }
  };
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${t('live')}><table class="cards" id="live-connections">
      <thead><tr><th scope="col">${t('client')}</th><th scope="col">${t('device')}</th><th scope="col">${t('since', '')}</th><th scope="col">↑ ↓</th><th scope="col">${t('timeLeft')}</th><th scope="col"><span class="hidden">${t('cut')}</span></th></tr></thead>
      <tbody>${data.map(c => html`<tr key=${c.connectionId}>
        <th scope="row">${c.direction.sourceIPAddress}:${c.direction.sourcePort}</th>
        <td data-label=${t('device')}><a href="/console/devices/${encodeURIComponent(c.simId)}">${name(c.simId)}</a> ${t('service_' + serviceOf(c.devicePort).id)} ${c.devicePort}</td>
        <td data-label=${t('since', '')}>${moment(c.createdAt)}</td>
        <td data-label="↑ ↓">${bytes(c.bytesUp)} / ${bytes(c.bytesDown)}</td>
        <td data-label=${t('timeLeft')}>${c.mapping && html`<${Countdown} mapping=${c.mapping} />`}</td>
        <td>${mayOperate() && html`<button class="small danger outline" onClick=${() => cut(c)}>${t('cut')}</button>`}</td></tr>`)}</tbody>
    </table></div>`;
}
