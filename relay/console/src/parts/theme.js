// Light, dark or as the system says. The document is not drawn before this has run, so that a chosen theme does not flash.
import {effect, signal} from '@preact/signals';

/** Whether the system is dark, for what draws in colours of its own. */
const system = matchMedia('(prefers-color-scheme: dark)');
export const systemDark = signal(system.matches);
system.addEventListener('change', () => { systemDark.value = system.matches; });

export const theme = signal(localStorage.getItem('theme') ?? '');
effect(() => {
  if (theme.value) document.documentElement.dataset.theme = theme.value;
  else delete document.documentElement.dataset.theme;
});

export function nextTheme() {
  theme.value = {'': 'dark', dark: 'light', light: ''}[theme.value];
  if (theme.value) localStorage.setItem('theme', theme.value);
  else localStorage.removeItem('theme');
}
