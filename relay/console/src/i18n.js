// Texts in both languages. A text is a string, or a function of what it tells.
import {computed, effect, signal} from '@preact/signals';
import en from './en.js';
import ja from './ja.js';

const languages = {en, ja};

export const lang = signal(localStorage.getItem('lang') ?? (navigator.language.startsWith('ja') ? 'ja' : 'en'));
effect(() => { document.documentElement.lang = lang.value; });

const texts = computed(() => languages[lang.value]);

/** A text of the relay with its times, which are in UTC, as the user reads them. */
export const withTimes = text => text?.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, time => moment(Date.parse(time)));

/** The text of a key in the user's language. */
export function t(key, ...args) {
  const text = texts.value[key] ?? en[key] ?? key;
  return typeof text === 'function' ? text(...args) : text;
}

/** A text that is kept: a string, or a function that says it in the language of the moment. */
export const said = text => typeof text === 'function' ? text() : text;

/** Words that stand alone. */
export const sentence = text => text[0].toUpperCase() + text.slice(1) + (lang.value === 'ja' ? '。' : '.');

/** What the relay says happened, by its code; a cause among the arguments by its name. fallback is what an older relay wrote. */
export function words(code, args = [], fallback = code) {
  const key = 'word_' + code;
  if (!(key in en)) return fallback;
  if (code === 'end') return t(key, words(args[0], args.slice(1)));
  return t(key, ...args.map(a => /^R\d\d$/.test(a) ? t('name_' + a) : withTimes(a)));
}

export function setLang(to) {
  localStorage.setItem('lang', to);
  lang.value = to;
}

const locale = () => lang.value === 'ja' ? 'ja-JP' : 'en-GB';

/** A moment, in milliseconds since 1970, in the browser's time zone. */
export function moment(ms) {
  return ms ? new Date(ms).toLocaleString(locale(), {dateStyle: 'medium', timeStyle: 'medium'}) : '–';
}

/** A mark on the axis of a chart, in seconds: the time of day, or at midnight the day. */
export function chartTime(seconds) {
  const when = new Date(seconds * 1000);
  return when.getHours() || when.getMinutes()
    ? when.toLocaleTimeString(locale(), {hour: '2-digit', minute: '2-digit', hour12: false})
    : when.toLocaleDateString(locale(), {month: 'short', day: 'numeric'});
}

export function day(ms) {
  return new Date(ms).toLocaleDateString(locale(), {dateStyle: 'full'});
}

/** The time of day. */
export function clock(ms) {
  return new Date(ms).toLocaleTimeString(locale(), {hour12: false});
}

export function number(n) {
  return n.toLocaleString(locale());
}

/** Bytes in the largest unit that leaves a figure before the point. */
export function bytes(n) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
  return `${i && n < 100 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

/** A span as h:mm:ss. */
export function span(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const two = n => String(n).padStart(2, '0');
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}
