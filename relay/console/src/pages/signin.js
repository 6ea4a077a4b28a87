// Signing in with an API key or as a user: the first page, and a dialog over any other when a sign-in has ended.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {useEffect, useRef} from 'preact/hooks';
import {signIn} from '../api.js';
import {t} from '../i18n.js';
import {Field, FormError} from '../parts/field.js';

export function SignIn({again}) {
  const dialog = useRef();
  useEffect(() => {
    if (again) dialog.current.showModal();
    document.querySelector('#authKeyId, #userName').focus();
  }, []);
  if (!again) return html`<main class="signin"><article><h1>${t('signIn')}</h1><${Form} /></article></main>`;
  return html`
    <dialog ref=${dialog} aria-labelledby="signin-title" onCancel=${event => event.preventDefault()}>
      <article><h2 id="signin-title">${t('signInAgain')}</h2><p>${t('signInAgainWhy')}</p><${Form} /></article>
    </dialog>`;
}

// One form each: the names of what is asked for, in order.
const ways = {
  key: [['authKeyId', 'text', 'username'], ['authKey', 'password', 'current-password']],
  user: [['userName', 'text', 'username'], ['password', 'password', 'current-password']],
};

function Form() {
  const way = useSignal(localStorage.getItem('signInWay') ?? 'key');
  const error = useSignal('');
  const missing = useSignal({});
  const busy = useSignal(false);
  const submit = async event => {
    event.preventDefault();
    const given = Object.fromEntries([...new FormData(event.target)].map(([k, v]) => [k, v.trim()]));
    missing.value = Object.fromEntries(ways[way.value].filter(([name]) => !given[name]).map(([name]) => [name, () => t('needed')]));
    error.value = '';
    const [first] = Object.keys(missing.value);
    if (first) {
      event.target.elements[first].focus();
      return;
    }
    busy.value = true;
    try {
      await signIn(given);
    } catch (err) {
      error.value = err.message;
    }
    busy.value = false;
  };
  const choose = name => {
    way.value = name;
    localStorage.setItem('signInWay', name);
    error.value = '';
    missing.value = {};
  };
  return html`
    <form onSubmit=${submit} noValidate key=${way.value}>
      <fieldset class="tabs"><legend class="hidden">${t('signInWith')}</legend>
        ${Object.keys(ways).map(name => html`
          <label><input type="radio" name="" checked=${way.value === name} onChange=${() => choose(name)} />${t('signIn_' + name)}</label>`)}
      </fieldset>
      ${ways[way.value].map(([name, type, complete], i) => html`
        <${Field} id=${name} label=${t(name)} hint=${way.value === 'key' && i === 0 && t('keyHint')} error=${missing.value[name]}>
          ${attrs => html`<input ...${attrs} name=${name} type=${type} autocomplete=${complete} autocapitalize="none" spellcheck=${false} />`}
        <//>`)}
      <${FormError} error=${error.value} />
      <button type="submit" aria-busy=${busy.value} disabled=${busy.value}>${t('signIn')}</button>
    </form>`;
}
