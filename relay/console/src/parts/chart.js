// Charts over time, drawn by uPlot; loaded with the first one.
import uPlot from 'uplot';

/** Draws stats into a box, in place of the chart that was there. The colours are the theme's. */
export function draw(box, old, {stats, series, bars, format = String, labels, timeLabel, time}) {
  const style = getComputedStyle(box);
  const colors = [style.getPropertyValue('--series-1'), style.getPropertyValue('--series-2')];
  const ink = style.getPropertyValue('--pico-muted-color'), grid = {stroke: style.getPropertyValue('--pico-muted-border-color'), width: 1};
  const data = [stats.buckets.map(b => b.time / 1000), ...series.map(s => stats.buckets.map(b => b[s]))];
  old?.destroy();
  return new uPlot({
    width: box.clientWidth, height: 200, cursor: {drag: {x: false, y: false}},
    scales: {y: {range: (_, low, high) => [0, Math.max(high, 1)]}},
    axes: [{stroke: ink, grid, ticks: grid, values: (_, ticks) => ticks.map(time)}, {stroke: ink, grid, ticks: grid, size: 64, values: (_, ticks) => ticks.map(v => Number.isInteger(v) ? format(v) : '')}],
    series: [{label: timeLabel, value: (_, v) => v == null ? '–' : time(v)}, ...series.map((s, i) => ({
      label: labels[i], stroke: colors[i], width: 2, fill: colors[i] + '33', value: (_, v) => v == null ? '–' : format(v), points: {show: false},
      paths: bars ? uPlot.paths.bars({size: [0.7 - 0.3 * i, 40]}) : uPlot.paths.stepped({align: 1}),
    }))],
  }, data, box);
}
