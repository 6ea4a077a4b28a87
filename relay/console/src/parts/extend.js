// A later end for a mapping: as long from now as may be asked for, where that is later than its end.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {call, happened} from '../api.js';
import {t} from '../i18n.js';
import {pathOf} from './mappings.js';
import {notice} from './notices.js';

/** Times that a mapping is made for, in seconds; the last is the most that Napter allows. */
export const durations = [1800, 3600, 7200, 14400, 28800];

export function Extend({mapping: m}) {
  const chosen = useSignal(3600);
  const busy = useSignal(false);
  const longer = durations.filter(d => Date.now() + d * 1000 > m.expiredTime + 60_000);
  if (!longer.length) return null;
  const duration = longer.includes(chosen.value) ? chosen.value : longer[0];
  const extend = async event => {
    event.preventDefault();
    busy.value = true;
    try {
      await call('POST', pathOf(m) + '/extend', {duration});
      happened.value++;
      notice(t('extended', t('span', duration)));
    } catch (err) {
      notice(err.message, 'bad');
    }
    busy.value = false;
  };
  return html`
    <form class="inline extend" onSubmit=${extend}>
      <select aria-label=${t('newEnd')} value=${duration} onChange=${e => { chosen.value = Number(e.target.value); }}>
        ${longer.map(d => html`<option value=${d}>${t('fromNow', t('span', d))}</option>`)}</select>
      <button data-action="extend" class="small secondary outline" aria-busy=${busy.value} disabled=${busy.value}>${t('extend')}</button>
    </form>`;
}
