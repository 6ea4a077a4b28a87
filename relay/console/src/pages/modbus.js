// The registers of the device, live: one connection through a port mapping, read each second, written on request.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {useEffect, useRef} from 'preact/hooks';
import {said, t} from '../i18n.js';
import {connect, tellEnd} from '../parts/channel.js';
import {Ended, Here, useHere} from '../parts/here.js';
import {notice} from '../parts/notices.js';

const tables = {holding: {write: true, most: 125}, input: {most: 125}, coils: {write: true, bits: true, most: 2000}, discrete: {bits: true, most: 2000}};
const interval = 1000;

export function Modbus({sim: simId, query}) {
  const here = useHere(simId, query.mapping);
  const state = useSignal('connecting');
  const why = useSignal({});
  const attempt = useSignal(0);
  const what = useSignal({table: 'holding', address: 0, quantity: 16, unit: 1});
  const values = useSignal([]);
  const changed = useSignal(new Set());
  const problem = useSignal(''); // of the last reading
  const channel = useRef();

  useEffect(() => {
    let alive = true, timer;
    state.value = 'connecting';
    (async () => {
      try {
        const {ws, id} = await connect('modbus', query.mapping);
        if (!alive) {
          ws.close();
          return;
        }
        const waiting = new Map();
        let last = 0;
        const ask = request => new Promise(resolve => {
          waiting.set(++last, resolve);
          ws.send(JSON.stringify({id: last, ...request}));
        });
        ws.onmessage = ({data}) => {
          const answer = JSON.parse(data);
          waiting.get(answer.id)?.(answer);
          waiting.delete(answer.id);
        };
        ws.onclose = () => {
          clearTimeout(timer);
          channel.current = undefined;
          problem.value = '';
          if (!alive) return;
          state.value = 'ended';
          tellEnd(why, simId, id);
        };
        let wanted, quantity; // few devices have as many as are wanted
        const read = async () => {
          const request = what.value;
          if (request !== wanted) quantity = request.quantity;
          wanted = request;
          const answer = await ask({...request, quantity});
          if (request === what.value) {
            if (answer.exception === 2 && quantity > 1) {
              quantity >>= 1;
              timer = setTimeout(read);
              return;
            }
            problem.value = explain(answer);
            if (answer.values) {
              changed.value = new Set(answer.values.flatMap((v, i) => values.value.length && values.value[i] !== v ? [i] : []));
              values.value = answer.values;
            }
          }
          timer = setTimeout(read, interval);
        };
        channel.current = {ws, ask};
        state.value = 'connected';
        read();
      } catch (err) {
        if (!alive) return;
        why.value = {title: 'notConnected', code: err.code, message: err.message, detail: err.detail};
        state.value = 'ended';
      }
    })();
    return () => {
      alive = false;
      clearTimeout(timer);
      channel.current?.ws.close();
    };
  }, [query.mapping, attempt.value]);

  const explain = a => a.exception ? () => t('modbusException', a.exception) : a.error ?? '';
  const set = (name, value) => {
    values.value = [];
    changed.value = new Set();
    what.value = {...what.value, [name]: value};
  };
  const number = (name, low, high) => html`<${Whole} label=${t('modbus_' + name)} low=${low} high=${high} value=${what.value[name]} onChange=${n => set(name, n)} />`;
  const table = tables[what.value.table];
  const write = async (address, value) => {
    const {unit, table: name} = what.value;
    const answer = await channel.current?.ask({unit, table: name, address, values: [value]});
    if (!answer) return () => t('socketClosed');
    const refused = explain(answer);
    if (!refused) notice(t('written', value, address));
    return refused;
  };
  const few = values.value.length > 0 && values.value.length < what.value.quantity;
  return html`
    <${Here} simId=${simId} title=${t('open_modbus')} here=${here}>
      <form class="filters" onSubmit=${e => e.preventDefault()}>
        <label>${t('modbus_table')}<select id="modbus-table" value=${what.value.table} onChange=${e => set('table', e.target.value)}>
          ${Object.keys(tables).map(name => html`<option value=${name}>${t('modbus_' + name)}</option>`)}</select></label>
        ${number('address', 0, 65535)}${number('quantity', 1, Math.min(table.most, 125))}${number('unit', 0, 255)}
      </form>
      ${problem.value && html`<p class="error box" role="alert">${said(problem.value)}</p>`}
      ${state.value === 'connecting' && html`<p aria-busy="true" class="muted">${t('vnc_connecting')}</p>`}
      ${state.value === 'ended' && html`<${Ended} why=${why.value} simId=${simId} onAgain=${here.mapping && (() => { attempt.value++; })} />`}
      ${few && html`<p class="muted" id="few" role="status">${t('fewRegisters', what.value.quantity, values.value.length)}</p>`}
      ${values.value.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label=${t('open_modbus')}><table class="registers" id="registers">
        <thead><tr><th scope="col">${t('modbus_address')}</th><th scope="col">${t('value')}</th>
          ${!table.bits && html`<th scope="col">${t('signed')}</th><th scope="col" class="hex">hex</th>`}${table.write && html`<th scope="col">${t('write')}</th>`}</tr></thead>
        <tbody>${values.value.map((v, i) => html`<tr class=${changed.value.has(i) ? 'changed' : ''} data-address=${what.value.address + i}>
          <th scope="row">${what.value.address + i}</th><td class="value">${v}</td>
          ${!table.bits && html`<td>${v > 32767 ? v - 65536 : v}</td><td class="hex"><code>${v.toString(16).padStart(4, '0')}</code></td>`}
          ${table.write && html`<td><${Write} bits=${table.bits} address=${what.value.address + i} value=${v} write=${write} /></td>`}</tr>`)}</tbody>
      </table></div>`}
    <//>`;
}

/** A number that is set when it is complete: what is typed stays while the page is drawn anew. */
function Whole({label, low, high, value, onChange}) {
  const typed = useSignal(null);
  const change = () => {
    if (typed.value === null) return;
    onChange(Math.min(high, Math.max(low, Math.trunc(Number(typed.value)) || low)));
    typed.value = null;
  };
  return html`<label>${label}<input type="number" min=${low} max=${high} value=${typed.value ?? value}
    onInput=${e => { typed.value = e.target.value; }} onChange=${change} /></label>`;
}

/** What writes to one address. Why the device refused stands there until the next write, beside what was typed. */
function Write({bits, address, value, write}) {
  const refused = useSignal('');
  const id = `refused-${address}`;
  const attrs = {'aria-label': t('writeTo', address), 'aria-invalid': refused.value ? 'true' : null, 'aria-describedby': refused.value ? id : null};
  const error = refused.value && html`<small class="error" id=${id} role="alert">${said(refused.value)}</small>`;
  const put = async n => {
    refused.value = await write(address, n);
    return !refused.value;
  };
  if (bits) return html`<input type="checkbox" role="switch" checked=${value !== 0} ...${attrs} onChange=${e => put(e.target.checked ? 1 : 0)} />${error}`;
  const submit = async event => {
    event.preventDefault();
    const input = event.target.elements[0], text = input.value, n = Number(text);
    if (text.trim() === '' || !Number.isInteger(n) || n < -32768 || n > 65535) refused.value = () => t('badRegister');
    else if (await put(n & 0xffff) && input.value === text) input.value = '';
  };
  return html`<form class="inline" onSubmit=${submit}><input inputmode="numeric" ...${attrs} /><button class="small secondary outline">${t('write')}</button></form>${error}`;
}
