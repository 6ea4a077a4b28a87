// The way from a client to the device, link by link, with the first broken one marked.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {useEffect} from 'preact/hooks';
import {call} from '../api.js';
import {t, withTimes} from '../i18n.js';
import {Failed, Loading} from './state.js';

/** Causes whose cure is a mapping with the TLS option OFF. */
const cureOff = ['R01', 'R08'];

/** openOff opens the port again with the TLS option OFF. */
export function Diagnosis({path, openOff}) {
  const state = useSignal({});
  useEffect(() => {
    let alive = true;
    call('POST', path + '/diagnose').then(found => { if (alive) state.value = {found}; }, error => { if (alive) state.value = {error}; });
    return () => { alive = false; };
  }, []);
  const {found, error} = state.value;
  if (error) return html`<${Failed} error=${error} />`;
  if (!found) return html`<${Loading} />`;
  return html`
    <section class="diagnosis" aria-label=${t('diagnosis')}>
      <p class="box ${found.ok ? 'good' : 'error'}" role="status">${found.ok ? t('diagnosisGood') : html`<b>${found.code}</b> ${withTimes(found.message)}`}</p>
      ${cureOff.includes(found.code) && html`<p><button type="button" class="small" data-action="openOff" onClick=${openOff}>${t('openOff')}</button></p>`}
      <ol class="chain">${found.steps.map(step => html`
        <li class=${step.result} aria-current=${step.step === found.failedStep ? 'step' : null}>
          <b>${t('step_' + step.step)}</b> <span class="result">${t('result_' + step.result)}</span>
          ${step.finding && html`<small>${withTimes(step.finding)}</small>`}
        </li>`)}</ol>
    </section>`;
}
