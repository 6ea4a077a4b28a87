// The application: a frame with the navigation, and the page that the path names. Pages with much code of their own are loaded when they are needed.
import '@picocss/pico/css/pico.min.css';
import '@xterm/xterm/css/xterm.css'; // of parts that are loaded later: only their code is large
import 'uplot/dist/uPlot.min.css';
import './style.css';
import {computed} from '@preact/signals';
import {html, render} from 'htm/preact';
import {useEffect} from 'preact/hooks';
import {expired, offline, session, signOut, whoAmI} from './api.js';
import {lang, setLang, t} from './i18n.js';
import {match, place} from './router.js';
import {Notices} from './parts/notices.js';
import {nextTheme, theme} from './parts/theme.js';
import {Activity} from './pages/activity.js';
import {Device} from './pages/device.js';
import {Devices} from './pages/devices.js';
import {Modbus} from './pages/modbus.js';
import {Overview} from './pages/overview.js';
import {SignIn} from './pages/signin.js';
import {Terminal} from './pages/terminal.js';
import {VNC} from './pages/vnc.js';

/** Pattern, page, its section in the navigation, and the parameter of the query without which the page has nothing to show. */
const routes = [
  ['/console/', Overview, 'overview'],
  ['/console/devices', Devices, 'devices'],
  ['/console/devices/:sim', Device, 'devices'],
  ['/console/devices/:sim/vnc', VNC, 'devices', 'mapping'],
  ['/console/devices/:sim/ssh', Terminal, 'devices', 'mapping'],
  ['/console/devices/:sim/modbus', Modbus, 'devices', 'mapping'],
  ['/console/activity', Activity, 'activity'],
];

const page = computed(() => {
  const url = new URL(place.value, location.href);
  for (const [pattern, Page, section, needs] of routes) {
    const params = match(pattern, url.pathname);
    if (!params) continue;
    const query = Object.fromEntries(url.searchParams);
    return {Page: needs && !query[needs] ? NoPort : Page, section, params, query, key: url.pathname};
  }
  return {Page: NotFound, params: {}, query: {}, key: 'none'};
});

function NotFound() {
  return html`<h1 tabindex="-1">${t('notFound')}</h1><p><a href="/console/devices">${t('devices')}</a></p>`;
}

function NoPort({sim}) {
  return html`<h1 tabindex="-1">${t('noPort')}</h1><p>${t('noPortWhy')}</p>
    <p class="actions"><a role="button" href="/console/devices/${encodeURIComponent(sim)}">${t('backToDevice')}</a>
      <a role="button" class="secondary outline" href="/console/devices">${t('devices')}</a></p>`;
}

function Switches() {
  const other = lang.value === 'ja' ? 'en' : 'ja';
  return html`
    <button class="quiet" onClick=${nextTheme} title=${t('theme')} aria-label=${`${t('theme')}: ${t('theme_' + theme.value)}`}>
      <span aria-hidden="true">${{'': '◐', dark: '☾', light: '☀'}[theme.value]}</span></button>
    <button class="quiet" lang=${other} id="language" onClick=${() => setLang(other)}>${other === 'ja' ? '日本語' : 'English'}</button>`;
}

function Frame() {
  const {Page, section, params, query, key} = page.value;
  const link = (to, name) => html`
    <a href=${to} aria-current=${section === name ? 'page' : null}>${t(name)}</a>`;
  useEffect(() => { document.querySelector('main h1')?.focus({preventScroll: true}); }, [key]);
  return html`
    <a class="skip" href="#main" onClick=${event => { event.preventDefault(); document.querySelector('main h1')?.focus(); }}>${t('skip')}</a>
    <header class="bar">
      <a class="brand" href="/console/"><${Mark} />Minato</a>
      <nav aria-label=${t('navigation')}>${link('/console/', 'overview')}${link('/console/devices', 'devices')}${link('/console/activity', 'activity')}</nav>
      <div class="tools">
        <${Switches} />
        <details class="dropdown user"><summary class="quiet"><span>${session.value.name || session.value.authKeyId}</span></summary>
          <ul dir="rtl"><li dir="ltr"><small>${t('role_' + session.value.role)}</small></li>
          <li dir="ltr"><button class="quiet" id="sign-out" onClick=${signOut}>${t('signOut')}</button></li></ul>
        </details>
      </div>
    </header>
    <${Banner} />
    <main id="main"><${Page} key=${key} ...${params} query=${query} /></main>
    <${Notices} />
    ${expired.value && html`<${SignIn} again />`}`;
}

function Mark() {
  return html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 2a3 3 0 0 0-1 5.8V10H7v2h4v7.9A7 7 0 0 1 5.1 14H7l-3.5-4L0 14h3a9 9 0 0 0 18 0h3l-3.5-4L17
    14h1.900A7 7 0 0 1 13 19.900V12h4v-2h-4V7.800A3 3 0 0 0 12 2Z"/></svg>`;
}

function Banner() {
  return html`<div class="banner" role="status">${offline.value && html`<p id="offline">${t('offline')}</p>`}</div>`;
}

function App() {
  useEffect(() => { document.title = `${t(page.value.section ?? 'notFound')} – Minato`; });
  if (session.value === undefined) return html`<${Banner} />`;
  if (session.value === null) {
    return html`<header class="bar"><span class="brand"><${Mark} />Minato</span><div class="tools"><${Switches} /></div></header><${Banner} /><${SignIn} />`;
  }
  return html`<${Frame} />`;
}

render(html`<${App} />`, document.getElementById('app'));
whoAmI();
