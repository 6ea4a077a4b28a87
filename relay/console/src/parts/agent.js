// What minato-agent on the device says of itself, where it offers that in the closed network (its status_port).
import {html} from 'htm/preact';
import {call} from '../api.js';
import {moment, t} from '../i18n.js';
import {usePoll} from './poll.js';

/** A measured value with its unit, which is in its key: rsrp_dbm -90 is RSRP -90 dBm. */
function measure([key, value]) {
  const [name, unit = ''] = key.split('_');
  return `${name.toUpperCase()} ${value} ${unit.replace('db', 'dB')}`.trim();
}

export function AgentStatus({simId, online}) {
  const state = usePoll(() => online ? call('GET', `/sims/${encodeURIComponent(simId)}/agent`, undefined, {expect: [404]}) : null, [simId, online], 30_000);
  const status = state.value.data;
  if (!status) return null;
  const signal = status.signal ?? {};
  const facts = [
    [t('agentState'), status.state === 'online' ? t('online') : status.state], [t('operator'), [status.operator, status.act].filter(Boolean).join(', ')],
    [t('signal'), Object.entries(signal).filter(([, v]) => typeof v === 'number').map(measure).join(', ')],
    [t('modem'), status.modem && [status.modem.manufacturer, status.modem.model].filter(Boolean).join(' ')],
    ['APN', status.apn], [t('connectedSince'), status.connected && moment(Date.parse(status.connected))], ['MTU', status.mtu],
    [t('lastFailure'), status.failure && `${status.failure.code}: ${status.failure.message}`],
  ].filter(([, v]) => v);
  return html`
    <section aria-labelledby="agent"><h2 id="agent">${t('agent')}</h2>
      <dl class="facts">${facts.map(([k, v]) => html`<div><dt>${k}</dt><dd>${v}</dd></div>`)}</dl>
      ${status.services?.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label=${t('services')}><table>
        <thead><tr><th scope="col">${t('services')}</th><th scope="col">${t('port')}</th><th scope="col">${t('state')}</th><th scope="col">${t('connections')}</th></tr></thead>
        <tbody>${status.services.map(s => html`<tr><th scope="row">${s.name}</th><td>${s.port}</td>
          <td><span class="badge ${s.up ? 'good' : 'bad'}">${s.up ? t('result_ok') : s.error || t('result_failed')}</span></td><td>${t('activeTotal', s.active, s.total)}</td></tr>`)}</tbody>
      </table></div>`}
    </section>`;
}
