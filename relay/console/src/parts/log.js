// The audit log: what happened, and for each refusal its code, reason and cure, with the ladder of events.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {call} from '../api.js';
import {bytes, clock, day, moment, t, words} from '../i18n.js';
import {usePoll} from './poll.js';
import {serviceOf} from './services.js';
import {Failed, Loading} from './state.js';

const types = ['ACCESS', 'CONNECTED', 'DENIED', 'REFUSED', 'CLOSED', 'CREATED', 'EXTENDED', 'DELETED', 'EXPIRED'];
const codes = Array.from({length: 18}, (_, i) => 'R' + String(i + 1).padStart(2, '0'));

/** How much of the log is fetched for one page of it. */
const pageSize = 50;

/** name gives the name of a SIM's device; without it the log is of one device, whose name the page tells. */
export function Log({simId, name, compact}) {
  const filter = useSignal({sim: '', type: '', code: '', from: '', to: ''});
  const older = useSignal([]); // pages behind the first
  const next = useSignal('');
  const query = after => {
    const f = filter.value, q = new URLSearchParams({limit: compact ? 20 : pageSize});
    const sim = simId ?? f.sim.trim();
    if (sim) q.set(/^440\d{12}$|^\d{15}$/.test(sim) ? 'resource_id' : 'sim_id', sim);
    if (f.type) q.set('type', f.type);
    if (f.code) q.set('code', f.code);
    if (f.from) q.set('from', Date.parse(f.from));
    if (f.to) q.set('to', Date.parse(f.to));
    if (after) q.set('last_evaluated_key', after);
    return '/audit_logs/connections?' + q;
  };
  const first = usePoll(async () => {
    const list = await call('GET', query());
    if (older.value.length === 0) next.value = list.next ?? '';
    return list;
  }, [simId, JSON.stringify(filter.value)]);
  const more = async () => {
    const list = await call('GET', query(next.value));
    older.value = [...older.value, ...list];
    next.value = list.next ?? '';
  };
  const set = (name, value) => {
    older.value = [];
    filter.value = {...filter.value, [name]: value};
  };
  const {data, error} = first.value;
  return html`
    ${!compact && html`<form class="filters" onSubmit=${e => e.preventDefault()} aria-label=${t('filters')}>
      <label>${t('simOrIMSI')}<input type="search" value=${filter.value.sim} onChange=${e => set('sim', e.target.value)} /></label>
      <label>${t('type')}<select id="log-type" value=${filter.value.type} onChange=${e => set('type', e.target.value)}><option value="">${t('state_all')}</option>
        ${types.map(x => html`<option value=${x}>${t('type_' + x)}</option>`)}</select></label>
      <label>${t('code')}<select id="log-code" value=${filter.value.code} onChange=${e => set('code', e.target.value)}><option value="">${t('state_all')}</option>
        ${codes.map(x => html`<option value=${x}>${x} ${t('name_' + x)}</option>`)}</select></label>
      <label>${t('fromTime')}<input type="datetime-local" value=${filter.value.from} onChange=${e => set('from', e.target.value)} /></label>
      <label>${t('toTime')}<input type="datetime-local" value=${filter.value.to} onChange=${e => set('to', e.target.value)} /></label>
    </form>`}
    ${error && html`<${Failed} error=${error} />`}
    ${!data && !error && html`<${Loading} />`}
    ${data && html`
      <ol class="log">${[...data, ...older.value].flatMap((e, i, all) => {
        const date = day(e.createdAt), again = i > 0 && date === day(all[i - 1].createdAt);
        const row = html`<${Entry} key=${`${e.createdAt} ${e.connectionId} ${e.type} ${e.direction.destinationPort}`} entry=${e} name=${name} />`;
        return again ? [row] : [html`<li class="day" key=${date}>${date}</li>`, row];
      })}</ol>
      ${data.length === 0 && html`<p class="muted">${t('nothing')}</p>`}
      ${next.value && !compact && html`<button class="secondary outline" onClick=${more}>${t('more')}</button>`}`}`;
}

function Entry({entry: e, name}) {
  const bad = e.type === 'DENIED' || e.type === 'REFUSED' || (e.code && e.code !== 'R13');
  const from = e.direction.sourceIPAddress ? `${e.direction.sourceIPAddress}${e.connectionId ? ':' + e.direction.sourcePort : ''}` : '';
  const details = e.ladder.length > 0 || e.closeReason || e.protocol;
  const head = html`
    <time datetime=${new Date(e.createdAt).toISOString()} title=${moment(e.createdAt)}>${clock(e.createdAt)}</time>
    <span class="badge ${bad ? 'bad' : e.type === 'CONNECTED' ? 'good' : ''}">${t('type_' + e.type)}</span>
    <span>${[e.devicePort && serviceName(e.devicePort), name?.(e.simId)].filter(Boolean).join(', ')}</span>
    <span class="who muted">${from && html`<span>${from}</span> → `}<span>${e.direction.destinationIPAddress}:${e.direction.destinationPort}</span></span>
    ${e.count > 1 && html`<span class="chip">×${e.count}</span>`}
    ${e.bytesUp || e.bytesDown ? html`<span class="muted">↑ ${bytes(e.bytesUp ?? 0)} ↓ ${bytes(e.bytesDown ?? 0)}</span>` : null}
    ${e.code && html`<span class="reason"><b>${e.code}</b> ${e.reason}</span>`}`;
  return html`
    <li class=${bad ? 'refused' : ''} data-code=${e.code}>
      ${details ? html`<details><summary>${head}</summary><${Details} entry=${e} name=${name} /></details>` : html`<div class="plain">${head}</div>`}
    </li>`;
}

const lanes = ['client', 'relay', 'device'];

const serviceName = port => {
  const {id} = serviceOf(port);
  return id === 'other' ? t('devicePort', port) : t('service_' + id);
};

function Details({entry: e, name}) {
  const facts = [
    [t('device'), name && e.simId && html`<a href="/console/devices/${encodeURIComponent(e.simId)}">${name(e.simId)}</a>`],
    ['SIM', e.simId], [t('devicePortLabel'), e.devicePort], [t('clientSpoke'), e.protocol], [t('deviceSpoke'), e.deviceProtocol], ['TLS', e.tlsVersion], ['SNI', e.sni],
    [t('lasted'), e.durationMs !== undefined && `${(e.durationMs / 1000).toFixed(1)} s`], [t('endedBy'), e.closeCode && words(e.closeCode, e.closeArgs, e.closeReason)],
  ].filter(([, v]) => v);
  return html`
    <dl class="facts small">${facts.map(([k, v]) => html`<div><dt>${k}</dt><dd>${v}</dd></div>`)}</dl>
    ${e.ladder.length > 0 && html`
      <div class="scroll" tabindex="0" role="region" aria-label=${t('ladder')}><table class="ladder"><caption class="hidden">${t('ladder')}</caption>
        <thead><tr><th scope="col">ms</th>${lanes.map(l => html`<th scope="col">${t('lane_' + l)}</th>`)}</tr></thead>
        <tbody>${e.ladder.map(s => html`<tr><td>${s.afterMs}</td>
          ${lanes.map(l => html`<td class=${l === s.from ? 'step ' + l : 'line'}>${l === s.from && html`<span>${words(s.code, s.args, s.what)}${s.bytes ? ` (${bytes(s.bytes)})` : ''}</span>`}</td>`)}</tr>`)}</tbody>
      </table></div>`}`;
}
