// Data of the relay that a page shows: fetched at once, when something happened, and every few seconds.
import {useSignal, useSignalEffect} from '@preact/signals';
import {useEffect, useRef} from 'preact/hooks';
import {happened} from '../api.js';
import {lang} from '../i18n.js';

/** Gives a signal of {data, error}; data is undefined until the first answer. deps restart it. */
export function usePoll(fetchData, deps = [], interval = 5000) {
  const state = useSignal({});
  const run = useRef();
  useEffect(() => {
    let alive = true, busy = false, again = false, timer;
    run.current = async () => {
      if (busy) {
        again = true;
        return;
      }
      clearTimeout(timer);
      busy = true;
      try {
        const data = await fetchData();
        if (alive) state.value = {data};
      } catch (error) {
        if (alive) state.value = {data: state.value.data, error};
      }
      busy = false;
      if (!alive) return;
      if (again) {
        again = false;
        timer = setTimeout(run.current, 150);
      } else {
        timer = setTimeout(run.current, interval);
      }
    };
    run.current();
    return () => { alive = false; clearTimeout(timer); };
  }, deps);
  useSignalEffect(() => {
    happened.value;
    lang.value;
    run.current?.();
  });
  return state;
}

/** The time in milliseconds, each second anew. */
export function useNow() {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => { now.value = Date.now(); }, 1000);
    return () => clearInterval(timer);
  }, []);
  return now.value;
}
