// A question before what cannot be taken back.
import {html} from 'htm/preact';
import {t} from '../i18n.js';

/** A dialog that is asked with showModal() of its ref, with the keyboard at Cancel; action names what is done. It is there before it is shown, so
    that a second click of a double click meets it. */
export function Confirm({dialog, title, text, action, onYes}) {
  const answer = then => () => {
    dialog.current.close();
    then?.();
  };
  return html`
    <dialog ref=${dialog} class="confirm" role="alertdialog" aria-label=${title}>
      <article>
        <h2>${title}</h2>
        <p>${text}</p>
        <footer><button type="button" class="secondary" onClick=${answer()}>${t('cancel')}</button>
          <button type="button" class="danger" onClick=${answer(onYes)}>${action}</button></footer>
      </article>
    </dialog>`;
}
