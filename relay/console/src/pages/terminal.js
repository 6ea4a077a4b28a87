// A shell of the device: the relay speaks SSH, xterm.js shows it. What is typed to log in stays in this page's memory and the relay's.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {useEffect, useRef} from 'preact/hooks';
import {t} from '../i18n.js';
import {connect, tellEnd} from '../parts/channel.js';
import {Field} from '../parts/field.js';
import {Ended, Here, useHere} from '../parts/here.js';

export function Terminal({sim: simId, query}) {
  const here = useHere(simId, query.mapping);
  const state = useSignal('login'); // login, connecting, hostkey, connected, ended
  const why = useSignal({});
  const question = useSignal(null); // {algorithm, fingerprint, known, answer}
  const box = useRef(), shown = useRef(), left = useRef(false);
  useEffect(() => () => {
    left.current = true;
    question.value?.answer(false);
    shown.current?.end();
  }, []);

  const login = async event => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    state.value = 'connecting';
    try {
      const {open} = await import('../parts/xterm.js'); // first: the shell speaks as soon as it is there
      const channel = await connect('ssh', query.mapping, {
        first: {...given, cols: 80, rows: 24},
        ask: key => left.current ? {accept: false} : new Promise(resolve => {
          question.value = {...key, answer: accept => {
            question.value = null;
            state.value = 'connecting';
            resolve({accept});
          }};
          state.value = 'hostkey';
        }),
      });
      if (left.current) {
        channel.ws.close();
        return;
      }
      state.value = 'connected';
      let exit;
      shown.current = open(box.current, channel.ws, {label: t('open_ssh'), onExit: status => { exit = status; }, onEnd: () => {
        state.value = 'ended';
        if (exit === undefined) tellEnd(why, simId, channel.id);
        else why.value = {title: 'sessionEnded', message: () => t('shellExit'), detail: exit ? () => t('shellStatus', exit) : ''};
      }});
    } catch (err) {
      question.value = null;
      why.value = {title: 'notConnected', code: err.code, message: err.message, detail: err.detail};
      state.value = 'ended';
    }
  };
  const again = () => {
    shown.current?.end();
    shown.current = undefined;
    state.value = 'login';
  };
  const loggingIn = state.value === 'login' || state.value === 'connecting' || state.value === 'hostkey';
  return html`
    <${Here} simId=${simId} title=${t('open_ssh')} here=${here}>
      ${state.value === 'ended' && html`<${Ended} why=${why.value} simId=${simId} onAgain=${here.mapping && again} />`}
      <form class="login" onSubmit=${login} hidden=${!loggingIn} autocomplete="off">
        <${Field} id="ssh-user" label=${t('sshUser')}>${a => html`<input ...${a} name="user" required autocapitalize="none" spellcheck=${false} />`}<//>
        <${Field} id="ssh-password" label=${t('password')} hint=${t('sshMemory')}>${a => html`<input ...${a} name="password" type="password" autocomplete="off" />`}<//>
        <details><summary>${t('privateKey')}</summary>
          <label>${t('privateKey')}<textarea name="privateKey" rows="4" spellcheck=${false} placeholder="-----BEGIN OPENSSH PRIVATE KEY-----"></textarea></label>
          <label>${t('passphrase')}<input name="passphrase" type="password" autocomplete="off" /></label></details>
        <button aria-busy=${state.value === 'connecting'} disabled=${state.value !== 'login'}>${t('connect')}</button>
      </form>
      ${question.value && html`<${HostKey} ...${question.value} />`}
      <p class="muted" hidden=${state.value !== 'connected'}><small>${t('escapeHint')}</small></p>
      <div class="terminal" ref=${box} hidden=${loggingIn || !shown.current} data-state=${state.value}></div>
    <//>`;
}

/** Asks for trust in a host key that is new, or not the pinned one. */
function HostKey({algorithm, fingerprint, known, answer}) {
  const dialog = useRef();
  useEffect(() => { dialog.current.showModal(); }, []);
  return html`
    <dialog ref=${dialog} aria-labelledby="hostkey-title" onCancel=${() => answer(false)}><article>
      <h2 id="hostkey-title">${t(known ? 'hostKeyChanged' : 'hostKeyNew')}</h2>
      <p class=${known ? 'error box' : ''}>${t(known ? 'hostKeyChangedWhy' : 'hostKeyNewWhy')}</p>
      <dl class="facts"><div><dt>${algorithm}</dt><dd><code>${fingerprint}</code></dd></div>
        ${known && html`<div><dt>${t('hostKeyKnown')}</dt><dd><code>${known}</code></dd></div>`}</dl>
      <footer><button class="secondary" onClick=${() => answer(false)}>${t('cancel')}</button>
        <button id="trust" class=${known ? 'danger' : ''} onClick=${() => answer(true)}>${t(known ? 'hostKeyReplace' : 'hostKeyTrust')}</button></footer>
    </article></dialog>`;
}
