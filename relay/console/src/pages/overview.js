// How things stand: figures, charts of the last day or week, and why clients were refused.
import {useSignal} from '@preact/signals';
import {html} from 'htm/preact';
import {useEffect, useRef} from 'preact/hooks';
import {call, callAll} from '../api.js';
import {bytes, chartTime, lang, number, t} from '../i18n.js';
import {usePoll} from '../parts/poll.js';
import {Failed, Loading} from '../parts/state.js';
import {systemDark, theme} from '../parts/theme.js';
import {allSIMs} from './devices.js';

const ranges = {hour: 3600_000, day: 86_400_000, week: 7 * 86_400_000};

export function Overview() {
  const range = useSignal('hour');
  const now = usePoll(async () => {
    const [sims, mappings, connections, health] = await Promise.all([
      allSIMs(), callAll('/port_mappings'), call('GET', '/connections'), fetch('/v1/health').then(r => r.json()),
    ]);
    return {sims, mappings, connections, health};
  });
  const stats = usePoll(() => call('GET', `/stats/connections?buckets=60&from=${Date.now() - ranges[range.value]}`), [range.value], 10_000);
  const {data, error} = now.value;
  if (!data) return html`<h1 tabindex="-1">${t('overview')}</h1><${error ? Failed : Loading} error=${error} />`;
  const refused = stats.value.data?.refusals.reduce((n, r) => n + r.count, 0);
  const tiles = [
    ['devicesOnline', `${number(data.sims.filter(s => s.sessionStatus.online).length)} / ${number(data.sims.length)}`, '/console/devices'],
    ['openMappings', number(data.mappings.length), '/console/devices'],
    ['live', number(data.connections.length), '/console/activity'],
    ['refusals', refused === undefined ? '…' : number(refused), '/console/activity'],
    ['health', t(data.health.status === 'ok' ? 'healthGood' : 'healthBad'), null],
  ];
  return html`
    <h1 tabindex="-1">${t('overview')}</h1>
    <ul class="tiles">${tiles.map(([name, value, to]) => html`<li class=${name === 'health' && data.health.status !== 'ok' ? 'bad' : ''}>
      <span class="figure">${value}</span>${to ? html`<a href=${to}>${t(name)}</a>` : html`<span>${t(name)}</span>`}</li>`)}</ul>
    <fieldset class="tabs inline"><legend class="hidden">${t('range')}</legend>${Object.keys(ranges).map(r => html`
      <label><input type="radio" name="range" checked=${range.value === r} onChange=${() => { range.value = r; }} />${t('range_' + r)}</label>`)}</fieldset>
    ${stats.value.error && html`<${Failed} error=${stats.value.error} />`}
    ${stats.value.data && html`<${Charts} stats=${stats.value.data} />`}`;
}

function Charts({stats}) {
  const sum = name => stats.buckets.reduce((n, b) => n + b[name], 0);
  const most = Math.max(1, ...stats.refusals.map(r => r.count));
  return html`
    ${!stats.complete && html`<p class="muted">${t('incomplete')}</p>`}
    <div class="charts">
      <${Chart} title=${t('connectionsOverTime')} stats=${stats} series=${['connections', 'refusals']} bars
        summary=${`${t('connections')}: ${number(sum('connections'))}, ${t('refusals')}: ${number(sum('refusals'))}`} />
      <${Chart} title=${t('trafficOverTime')} stats=${stats} series=${['bytesUp', 'bytesDown']} format=${bytes}
        summary=${`${t('bytesUp')}: ${bytes(sum('bytesUp'))}, ${t('bytesDown')}: ${bytes(sum('bytesDown'))}`} />
    </div>
    <section aria-labelledby="reasons"><h2 id="reasons">${t('refusalsByReason')}</h2>
      ${stats.refusals.length === 0 ? html`<p class="muted">${t('noRefusals')}</p>` : html`
        <ul class="reasons">${stats.refusals.map(r => html`<li><b>${r.code}</b><meter min="0" max=${most} value=${r.count} aria-label=${r.code}>${r.count}</meter>
          <span class="count">${number(r.count)}</span><span>${r.reason}</span></li>`)}</ul>`}
    </section>`;
}

/** A chart with its figures in words, for those who do not see it. */
function Chart({title, summary, stats, series, bars, format}) {
  const box = useRef(), chart = useRef();
  useEffect(() => {
    let alive = true;
    import('../parts/chart.js').then(({draw}) => { if (alive) chart.current = draw(box.current, chart.current, {stats, series, bars, format, labels: series.map(s => t(s)), timeLabel: t('range'), time: chartTime}); });
    return () => { alive = false; };
  }, [stats, lang.value, theme.value, systemDark.value]);
  useEffect(() => {
    const place = box.current;
    const watch = new ResizeObserver(() => chart.current?.setSize({width: place.clientWidth, height: chart.current.height}));
    watch.observe(place);
    return () => {
      watch.disconnect();
      chart.current?.destroy();
    };
  }, []);
  return html`<figure class="chart"><figcaption><b>${title}</b> <small class="muted">${summary}</small></figcaption><div ref=${box} role="img" aria-label=${`${title}. ${summary}`}></div></figure>`;
}
