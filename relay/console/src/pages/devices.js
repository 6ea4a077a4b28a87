// The devices: the SIMs that the user may see, with their states.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {useEffect} from 'preact/hooks';
import {callAll} from '../api.js';
import {lang, moment, number, t} from '../i18n.js';
import {usePoll} from '../parts/poll.js';
import {Failed, Loading, Online} from '../parts/state.js';

/** All pages of the list of SIMs. */
export const allSIMs = () => callAll('/sims');

export const nameOf = sim => sim.tags.name || sim.simId;

/** Gives a function from a SIM's id to its device's name, as names were when the page came up; until they are known, and without one, it is the id. */
export function useNames() {
  const names = useSignal(new Map());
  useEffect(() => { allSIMs().then(list => { names.value = new Map(list.map(sim => [sim.simId, nameOf(sim)])); }, () => {}); }, []); // the page itself says what does not work
  return id => names.value.get(id) ?? id;
}

const mostRows = 200; // a browser draws them at once; the search narrows the rest

export function Devices() {
  const sims = usePoll(allSIMs);
  const search = useSignal('');
  const state = useSignal('all');
  const tag = useSignal('');
  const {data, error} = sims.value;
  if (!data) return html`<h1 tabindex="-1">${t('devices')}</h1><${error ? Failed : Loading} error=${error} />`;
  const tags = [...new Set(data.flatMap(sim => Object.entries(sim.tags).filter(([k]) => k !== 'name').map(([k, v]) => `${k}: ${v}`)))].sort();
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = data.filter(sim => {
    const {online, imsi = '', ueIpAddress = ''} = sim.sessionStatus;
    const all = [sim.simId, imsi, ueIpAddress, ...Object.entries(sim.tags).map(([k, v]) => `${k}: ${v}`)].join('\n').toLowerCase();
    return (state.value === 'all' || (state.value === 'online') === online)
      && (!tag.value || Object.entries(sim.tags).some(([k, v]) => `${k}: ${v}` === tag.value))
      && words.every(w => all.includes(w));
  }).sort((a, b) => nameOf(a).localeCompare(nameOf(b), lang.value));
  return html`
    <h1 tabindex="-1">${t('devices')}</h1>
    <form class="filters" role="search" onSubmit=${event => event.preventDefault()}>
      <label>${t('search')}<input type="search" id="search" value=${search.value} onInput=${e => { search.value = e.target.value; }} placeholder=${t('searchHint')} /></label>
      <label>${t('state')}<select value=${state.value} onChange=${e => { state.value = e.target.value; }}>
        ${['all', 'online', 'offline'].map(s => html`<option value=${s}>${t('state_' + s)}</option>`)}</select></label>
      ${tags.length > 0 && html`<label>${t('tag')}<select value=${tag.value} onChange=${e => { tag.value = e.target.value; }}>
        <option value="">${t('state_all')}</option>${tags.map(x => html`<option>${x}</option>`)}</select></label>`}
    </form>
    <p class="muted" role="status">${t('countDevices', number(found.length), number(data.length))}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${t('devices')}><table class="cards">
      <thead><tr><th scope="col">${t('name')}</th><th scope="col">${t('state')}</th><th scope="col">${t('address')}</th><th scope="col">IMSI</th><th scope="col">${t('tag')}</th></tr></thead>
      <tbody>${found.slice(0, mostRows).map(sim => html`<tr key=${sim.simId}>
        <th scope="row"><a href="/console/devices/${encodeURIComponent(sim.simId)}">${nameOf(sim)}</a></th>
        <td data-label=${t('state')}><${Online} online=${sim.sessionStatus.online} />
          ${sim.sessionStatus.lastUpdatedAt ? html`<small class="muted">${t('since', moment(sim.sessionStatus.lastUpdatedAt))}</small>` : null}</td>
        <td data-label=${t('address')}>${sim.sessionStatus.ueIpAddress ?? '–'}</td>
        <td data-label="IMSI">${sim.sessionStatus.imsi ?? '–'}</td>
        <td data-label=${t('tag')}>${Object.entries(sim.tags).filter(([k]) => k !== 'name').map(([k, v]) => html`<span class="chip">${k}: ${v}</span>`)}</td>
      </tr>`)}</tbody>
    </table></div>
    ${found.length > mostRows && html`<p class="muted">${t('narrow', mostRows)}</p>`}`;
}
