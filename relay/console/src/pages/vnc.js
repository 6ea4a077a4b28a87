// The device's screen: noVNC speaks RFB over a WebSocket that goes through a port mapping.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {useEffect, useRef} from 'preact/hooks';
import {t} from '../i18n.js';
import {connect, tellEnd} from '../parts/channel.js';
import {Ended, Here, useHere} from '../parts/here.js';
import {notice} from '../parts/notices.js';

/** What RFB's own clipboard cannot carry (RFC 6143 section 7.5.6); a device may know the extension that can, which most do not. */
const notLatin1 = /[^\0-\xff]/;

export function VNC({sim: simId, query}) {
  const here = useHere(simId, query.mapping);
  const state = useSignal('connecting');
  const why = useSignal({});
  const attempt = useSignal(0);
  const viewOnly = useSignal(false);
  const fit = useSignal(true);
  const clip = useSignal('');
  const secrets = useSignal(null); // what the device asks for
  const screen = useRef(), rfb = useRef(), tools = useRef();

  useEffect(() => {
    let alive = true, channel;
    state.value = 'connecting';
    secrets.value = null;
    (async () => {
      try {
        const {default: RFB} = await import('@novnc/novnc'); // first: the device speaks as soon as it is connected
        channel = await connect('vnc', query.mapping);
        if (!alive) {
          channel.ws.close();
          return;
        }
        const v = rfb.current = new RFB(screen.current, channel.ws, {shared: true});
        v.scaleViewport = fit.value;
        v.background = 'transparent';
        v.addEventListener('connect', () => {
          state.value = 'connected';
          secrets.value = null;
          const canvas = screen.current.querySelector('canvas');
          canvas.setAttribute('role', 'application');
          canvas.setAttribute('aria-label', t('vncCanvas'));
          canvas.tabIndex = 0;
        });
        v.addEventListener('credentialsrequired', event => { secrets.value = event.detail.types; });
        v.addEventListener('securityfailure', event => { why.value = {title: 'vncDenied', message: event.detail.reason ?? ''}; });
        v.addEventListener('clipboard', event => { clip.value = event.detail.text; });
        v.addEventListener('disconnect', () => {
          rfb.current = undefined;
          if (!alive) return;
          const was = state.value;
          state.value = 'ended';
          if (was === 'connected' || !why.value.message) tellEnd(why, simId, channel.id); // else the device has said why
        });
      } catch (err) {
        if (!alive) return;
        why.value = {title: 'notConnected', code: err.code, message: err.message, detail: err.detail};
        state.value = 'ended';
      }
    })();
    return () => {
      alive = false;
      rfb.current?.disconnect();
      channel?.ws.close();
    };
  }, [query.mapping, attempt.value]);

  useEffect(() => { // once it is seen, which it must be to take the keyboard
    if (state.value === 'connected') rfb.current?.focus();
  }, [state.value]);

  useEffect(() => {
    if (!rfb.current) return;
    rfb.current.viewOnly = viewOnly.value;
    rfb.current.scaleViewport = fit.value;
  }, [viewOnly.value, fit.value]);

  // The screen takes every key; Shift+Esc gives the keyboard back to the page.
  const escape = event => {
    if (event.key !== 'Escape' || !event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    rfb.current?.blur();
    tools.current.querySelector('button').focus();
  };
  useEffect(() => {
    const el = screen.current;
    el?.addEventListener('keydown', escape, true);
    return () => el?.removeEventListener('keydown', escape, true);
  });
  const login = event => {
    event.preventDefault();
    rfb.current.sendCredentials(Object.fromEntries(new FormData(event.target)));
    secrets.value = null;
  };
  const send = () => {
    rfb.current.clipboardPasteFrom(clip.value);
    notice(t('clipboardSent'));
  };
  const connected = state.value === 'connected';
  return html`
    <${Here} simId=${simId} title=${t('open_vnc')} here=${here}>
      <div class="tools-row" ref=${tools} hidden=${state.value === 'ended'} role="toolbar" aria-label=${t('screenTools')}>
        <button class="small secondary outline" disabled=${!connected} onClick=${() => { rfb.current.sendCtrlAltDel(); rfb.current.focus(); }}>Ctrl+Alt+Del</button>
        <button class="small secondary outline" onClick=${() => screen.current.requestFullscreen?.()}>${t('fullscreen')}</button>
        <label class="check"><input type="checkbox" checked=${fit.value} onChange=${e => { fit.value = e.target.checked; }} />${t('fit')}</label>
        <label class="check"><input type="checkbox" checked=${viewOnly.value} onChange=${e => { viewOnly.value = e.target.checked; }} />${t('viewOnly')}</label>
        <details class="clip"><summary>${t('clipboard')}</summary>
          <div class="panel"><textarea aria-label=${t('clipboard')} value=${clip.value} onInput=${e => { clip.value = e.target.value; }}></textarea>
            <div role="status">${notLatin1.test(clip.value) && html`<p class="warning box">${t('clipboardLatin1')}</p>`}</div>
            <button class="small" disabled=${!connected} onClick=${send}>${t('sendClipboard')}</button></div></details>
        <small class="muted">${t('escapeHint')}</small>
      </div>
      <p class="hidden" role="status">${t('vnc_' + state.value)}</p>
      ${secrets.value && html`<form class="login" onSubmit=${login}><h2>${t('vncLogin')}</h2>
        ${secrets.value.map(name => html`<label>${t(name)}<input name=${name} type=${name === 'password' ? 'password' : 'text'} autocomplete="off" /></label>`)}
        <button>${t('connect')}</button></form>`}
      ${state.value === 'connecting' && !secrets.value && html`<p aria-busy="true" class="muted">${t('vnc_connecting')}</p>`}
      <div class="screen ${state.value}" ref=${screen} data-state=${state.value}></div>
      ${state.value === 'ended' && html`<${Ended} why=${why.value} simId=${simId} onAgain=${here.mapping && (() => { why.value = {}; attempt.value++; })} />`}
    <//>`;
}
