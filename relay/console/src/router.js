// Pages are paths below /console/; the relay answers each with the same document.
import {signal} from '@preact/signals';

const here = () => location.pathname + location.search;

/** The path and query of the page that is shown. */
export const place = signal(here());

export function go(to) {
  history.pushState(null, '', to);
  place.value = here();
}

addEventListener('popstate', () => { place.value = here(); });

// Links within the console change the page without loading it.
addEventListener('click', event => {
  const a = event.target.closest?.('a[href^="/console/"]');
  if (!a || a.target || a.download || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(a.getAttribute('href'));
});

/** Parameters of the path for a pattern such as /console/devices/:sim, or null. */
export function match(pattern, path) {
  const want = pattern.split('/'), got = path.split('/');
  if (want.length !== got.length) return null;
  const params = {};
  for (const [i, part] of want.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(got[i]);
    else if (part !== got[i]) return null;
  }
  return params;
}
