// Short messages that a screen reader speaks and that go by themselves.
import {effect, signal} from '@preact/signals';
import {html} from 'htm/preact';
import {place} from '../router.js';

const shown = signal([]);
effect(() => { // what is said of one page has no place on the next
  place.value;
  shown.value = [];
});

export function notice(text, kind = 'ok') {
  const entry = {text, kind};
  shown.value = [...shown.value, entry];
  setTimeout(() => { shown.value = shown.value.filter(e => e !== entry); }, 6000);
}

export function Notices() {
  return html`<div class="notices" role="status" aria-live="polite">${shown.value.map(e => html`<p class=${e.kind}>${e.text}</p>`)}</div>`;
}
