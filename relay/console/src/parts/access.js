// The dialog "On-demand remote access": what to open, for how long and for whom, then how to use it.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {useEffect, useRef} from 'preact/hooks';
import {callAll, happened, session} from '../api.js';
import {t} from '../i18n.js';
import {durations} from './extend.js';
import {Field, FormError} from './field.js';
import {create, Mapping} from './mappings.js';
import {defaultTLS, parseRanges, services, warnings} from './services.js';
import {usePoll} from './poll.js';

export function Access({sim, onClose}) {
  const dialog = useRef();
  const made = useSignal(null);
  useEffect(() => { dialog.current.showModal(); }, []);
  return html`
    <dialog ref=${dialog} class="access" aria-labelledby="access-title" onClose=${onClose}>
      <article>
        <header><h2 id="access-title" tabindex="-1">${t('access')}</h2>
          <button class="close" aria-label=${t('close')} onClick=${() => dialog.current.close()}></button></header>
        ${made.value
          ? html`<${Made} mapping=${made.value} simId=${sim.simId} onEnd=${() => dialog.current.close()} />`
          : html`<${Form} sim=${sim} onMade=${m => { made.value = m; happened.value++; }} />`}
      </article>
    </dialog>`;
}

function Form({sim, onMade}) {
  const service = useSignal('ssh');
  const port = useSignal('22');
  const tls = useSignal(false);
  const touched = useSignal(false); // the TLS option was chosen by hand
  const ranges = useSignal('');
  const duration = useSignal(1800);
  const oneTime = useSignal(false);
  const errors = useSignal({});
  const busy = useSignal(false);

  const choose = s => {
    service.value = s.id;
    if (s.port) port.value = String(s.port);
    touched.value = false;
    tls.value = s.port ? s.tls : defaultTLS(Number(port.value));
  };
  const typePort = text => {
    port.value = text;
    const known = services.find(s => s.port === Number(text));
    service.value = known?.id ?? 'other';
    if (!touched.value) tls.value = defaultTLS(Number(text));
  };
  const parsed = parseRanges(ranges.value);
  const codes = warnings({port: Number(port.value), tls: tls.value, ranges: parsed.ranges});
  const submit = async event => {
    event.preventDefault();
    const n = Number(port.value), wrong = {};
    if (!Number.isInteger(n) || n < 1 || n > 65535) wrong.port = () => t('badPort');
    if (parsed.bad) wrong.ranges = () => t('badRange', parsed.bad);
    errors.value = wrong;
    if (Object.keys(wrong).length) {
      document.getElementById(wrong.port ? 'device-port' : 'ranges').focus();
      return;
    }
    busy.value = true;
    try {
      onMade(await create(sim.simId, {port: n, duration: duration.value, ranges: parsed.ranges, tls: tls.value, oneTime: oneTime.value}));
    } catch (err) {
      const field = {'destination.port': 'port', duration: 'duration', 'source.ipRanges': 'ranges'}[err.field] ?? 'form';
      errors.value = {[field]: err.message};
    }
    busy.value = false;
  };
  return html`
    <form onSubmit=${submit} noValidate>
      <fieldset class="services"><legend>${t('service')}</legend>
        ${services.map(s => html`<label class=${service.value === s.id ? 'chosen' : ''}>
          <input type="radio" name="service" value=${s.id} checked=${service.value === s.id} onChange=${() => choose(s)} />
          <span>${t('service_' + s.id)}</span><small>${s.port ?? '…'}</small></label>`)}
      </fieldset>
      <div class="two">
        <${Field} id="device-port" label=${t('devicePortLabel')} error=${errors.value.port}>
          ${attrs => html`<input ...${attrs} inputmode="numeric" value=${port.value} onInput=${e => typePort(e.target.value.trim())} />`}<//>
        <${Field} id="duration" label=${t('duration')} error=${errors.value.duration}>
          ${attrs => html`<select ...${attrs} value=${duration.value} onChange=${e => { duration.value = Number(e.target.value); }}>
            ${durations.map(d => html`<option value=${d}>${t('span', d)}</option>`)}</select>`}<//>
      </div>
      <label class="check"><input type="checkbox" id="one-time" checked=${oneTime.value} onChange=${e => { oneTime.value = e.target.checked; }} />
        <span>${t('oneTime')}</span> <small class="muted">${t('oneTimeHint')}</small></label>
      <${Field} id="ranges" label=${t('ranges')} hint=${t('rangesHint', session.value?.address)} error=${errors.value.ranges}>
        ${attrs => html`<input ...${attrs} value=${ranges.value} placeholder=${session.value?.address} spellcheck=${false} onInput=${e => { ranges.value = e.target.value; }} />`}<//>
      <label class="check"><input type="checkbox" role="switch" id="tls" checked=${tls.value} aria-describedby="tls-hint"
          onChange=${e => { tls.value = e.target.checked; touched.value = true; }} /><span>${t('tlsOption')}</span></label>
      <small id="tls-hint" class="hint">${t(tls.value ? 'tlsOnHint' : 'tlsOffHint')}</small>
      <div role="alert">${codes.map(code => html`<p class="warning box" data-code=${code}><b>${code}</b> ${t(code)}</p>`)}</div>
      <${FormError} error=${errors.value.form} />
      <footer><button type="submit" class=${codes.length ? 'danger' : ''} aria-busy=${busy.value} disabled=${busy.value}>
        ${t(codes.length ? 'createAnyway' : 'create')}</button></footer>
    </form>`;
}

/** The mapping that was made, as it is now: it may be extended, or end, while the dialog is open. */
function Made({mapping, simId, onEnd}) {
  const state = usePoll(async () => (await callAll('/port_mappings')).find(m => m.endpoint === mapping.endpoint) ?? null);
  const now = state.value.data === undefined ? mapping : state.value.data;
  useEffect(() => { document.getElementById('access-title').focus(); }, []);
  return html`
    <p role="status" class="box good">${t('made')}</p>
    ${/* the mapping itself shows W19 */ mapping.warnings?.filter(w => w.code !== 'W19').map(w => html`<p class="warning box"><b>${w.code}</b> ${w.message}</p>`)}
    ${now ? html`<${Mapping} mapping=${now} simId=${simId} expanded />` : html`<p class="box">${t('mappingEnded')}</p>`}
    <footer><button type="button" class="secondary" onClick=${onEnd}>${t('done')}</button></footer>`;
}
