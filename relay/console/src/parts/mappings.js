// Port mappings: what is made, how it is used, and its end.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {useRef} from 'preact/hooks';
import {call, callAll, happened, session} from '../api.js';
import {moment, span, t} from '../i18n.js';
import {go} from '../router.js';
import {Confirm} from './confirm.js';
import {Diagnosis} from './diagnosis.js';
import {Extend} from './extend.js';
import {notice} from './notices.js';
import {useNow} from './poll.js';
import {commands, endpointOf, hostOf, linkOf, serviceOf} from './services.js';
import {Copy} from './state.js';

export const mayOperate = () => session.value?.role !== 'viewer';

export const pathOf = m => `/port_mappings/${encodeURIComponent(m.ipAddress)}/${m.port}`;

/** The mappings of a SIM, the newest first. */
export async function mappingsOf(simId) {
  const all = await callAll('/port_mappings');
  return all.filter(m => (m.simId ?? m.destination.simId) === simId).sort((a, b) => b.createdTime - a.createdTime);
}

export function create(simId, {port, duration, ranges, tls, oneTime}) {
  return call('POST', `/port_mappings/sims/${encodeURIComponent(simId)}`, {
    destination: {port}, duration, tlsRequired: tls, oneTime, source: ranges?.length ? {ipRanges: ranges} : undefined,
  });
}

/** Opens a service of a device here, through a mapping that fits or a new one for this address alone. */
export async function openHere(sim, service, existing) {
  const fits = m => m.destination.port === service.port && !m.oneTime && m.expiredTime > Date.now() + 60_000
    && (service.id !== 'http' || m.tlsRequired);
  const m = existing.find(fits) ?? await create(sim.simId, {port: service.port, duration: 1800, tls: service.tls});
  happened.value++;
  visit(sim.simId, service, m);
}

/** Goes to where a mapping's service is used in the browser. */
export function visit(simId, service, m) {
  if (service.open === 'http') window.open(linkOf(m), '_blank', 'noopener');
  else go(`/console/devices/${encodeURIComponent(simId)}/${service.open}?mapping=${encodeURIComponent(m.endpoint)}`);
}

/** Time left, and what it means when there is none. */
export function Countdown({mapping}) {
  const left = mapping.expiredTime - useNow();
  return html`<span class="countdown ${left < 60_000 ? 'soon' : ''}" title=${moment(mapping.expiredTime)}>
    ${left > 0 ? html`${t('left')} <b>${span(left)}</b>` : t('ended')}</span>`;
}

/** One mapping with everything that can be done with it; commands are shown where expanded. */
export function Mapping({mapping: m, simId, expanded}) {
  const service = serviceOf(m.destination.port);
  const busy = useSignal('');
  const diagnosing = useSignal(false);
  const question = useRef(); // whether to close the port
  const act = async (name, job) => {
    busy.value = name;
    try {
      await job();
      happened.value++;
    } catch (err) {
      notice(err.message, 'bad');
    }
    busy.value = '';
  };
  const openOff = () => act('openOff', async () => {
    const made = await create(simId, {port: m.destination.port, duration: Math.ceil((m.expiredTime - Date.now()) / 1000), ranges: m.source.ipRanges, tls: false, oneTime: m.oneTime});
    notice(t('openedOff', endpointOf(made)));
  });
  const remove = () => act('delete', async () => {
    await call('DELETE', pathOf(m), undefined, {expect: [404]});
    notice(t('deleted'));
  });
  const button = (name, job, kind) => html`
    <button type="button" data-action=${name} class="small ${kind}" onClick=${job} aria-busy=${busy.value === name} disabled=${busy.value !== ''}>${t(name)}</button>`;
  return html`
    <article class="mapping" data-endpoint=${m.endpoint}>
      <header>
        <div><b>${t('service_' + service.id)}</b> <span class="muted">${t('devicePort', m.destination.port)}</span>
          <span class="chip ${m.tlsRequired ? 'on' : ''}">${t(m.tlsRequired ? 'tlsOn' : 'tlsOff')}</span>
          ${m.oneTime && html`<span class="chip">${t(m.spent ? 'oneTimeSpent' : 'oneTime')}</span>`}</div>
        <${Countdown} mapping=${m} />
      </header>
      <dl class="endpoint">
        <div><dt>${t('host')}</dt><dd><code>${hostOf(m)}</code><${Copy} text=${hostOf(m)} label=${t('host')} /></dd></div>
        <div><dt>${t('port')}</dt><dd><code>${m.port}</code><${Copy} text=${String(m.port)} label=${t('port')} /></dd></div>
        <div><dt>${t('from')}</dt><dd>${m.source.ipRanges.join(', ')}</dd></div>
      </dl>
      ${!m.spent && html`<details open=${expanded}><summary>${t('howToConnect')}</summary><${HowTo} mapping=${m} /></details>`}
      ${diagnosing.value && html`<${Diagnosis} path=${pathOf(m)} openOff=${openOff} />`}
      ${mayOperate() && html`<footer class="actions">
        ${!m.spent && service.open && html`<button type="button" class="small" onClick=${() => visit(simId, service, m)}>${t('open_' + service.open)}</button>`}
        ${!m.spent && button('diagnose', () => { diagnosing.value = false; setTimeout(() => { diagnosing.value = true; }); }, 'secondary outline')}
        ${!m.spent && html`<${Extend} mapping=${m} />`}
        ${button('delete', () => question.current.showModal(), 'danger outline')}
      </footer>`}
      <${Confirm} dialog=${question} title=${t('deleteAsk')} text=${t('deleteWhat', endpointOf(m), m.destination.port)} action=${t('delete')} onYes=${remove} />
    </article>`;
}

/** Gives the user a file. */
function save({name, content}) {
  const url = URL.createObjectURL(new Blob([content], {type: 'application/octet-stream'}));
  const a = Object.assign(document.createElement('a'), {href: url, download: name});
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Ready commands, files and the QR code. */
function HowTo({mapping: m}) {
  const {list, files, needsCA, tunnel} = commands(m);
  const link = linkOf(m);
  return html`
    <div class="howto">
      <div>
        ${m.tlsRequired && [22, 3389].includes(m.destination.port) && html`<p class="warning box" data-code="W19"><b>W19</b> ${t('W19')}</p>`}
        ${needsCA && html`<small class="hint"><a download="ca.pem" href="/v1/ca.pem">ca.pem</a> ${t('caHint')} ${tunnel && t('tunnelHint')}</small>`}
        ${list.map(({tool, command}) => html`<figure class="command"><figcaption>${tool}</figcaption>
          <pre tabindex="0">${command}</pre><${Copy} text=${command} label=${tool} /></figure>`)}
        <p class="files">
          ${files.map(f => html`<a href="#" data-file=${f.name} onClick=${event => { event.preventDefault(); save(f); }}>${f.name}</a> `)}
        </p>
      </div>
      <img class="qr" alt=${t('qrOf', link)} width="132" height="132" src=${'/console/qr.svg?text=' + encodeURIComponent(link)} />
    </div>`;
}

