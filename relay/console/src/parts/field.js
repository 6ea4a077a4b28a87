// A labelled input with its hint and its error beside it, tied together for screen readers.
import {html} from 'htm/preact';
import {said} from '../i18n.js';

/** children is a function that gets the attributes which tie the input to its label, hint and error. */
export function Field({id, label, hint, error, children}) {
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      ${children({id, 'aria-describedby': described || null, 'aria-invalid': error ? 'true' : null})}
      ${hint && html`<small id="${id}-hint">${hint}</small>`}
      ${error && html`<small id="${id}-error" class="error" role="alert">${said(error)}</small>`}
    </div>`;
}

/** An error that belongs to no field. */
export function FormError({error}) {
  return error ? html`<p class="error box" role="alert">${said(error)}</p>` : null;
}
