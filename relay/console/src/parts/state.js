// Small signs that many pages show.
import {html} from 'htm/preact';
import {t} from '../i18n.js';

export function Online({online}) {
  return html`<span class="badge ${online ? 'good' : 'bad'}">${t(online ? 'online' : 'offlineState')}</span>`;
}

export function Loading() {
  return html`<p aria-busy="true" class="muted">${t('loading')}</p>`;
}

export function Failed({error}) {
  return html`<p class="error box" role="alert">${error?.message}</p>`;
}

/** Copies a text to the clipboard and says so. */
export function Copy({text, label}) {
  const copy = async event => {
    const button = event.currentTarget;
    button.dataset.done = t(await toClipboard(text, button) ? 'copied' : 'notCopied');
    setTimeout(() => delete button.dataset.done, 2000);
  };
  return html`<button type="button" class="copy" onClick=${copy} aria-label=${`${t('copy')}: ${label ?? text}`}>${t('copy')}</button>`;
}

async function toClipboard(text, near) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const area = document.createElement('textarea'); // over plain HTTP there is no clipboard but this
  area.value = text;
  near.after(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  near.focus();
  return done;
}
