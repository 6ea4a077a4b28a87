// xterm.js on a WebSocket; loaded with the first terminal.
import {FitAddon} from '@xterm/addon-fit';
import {Terminal} from '@xterm/xterm';

/** Shows a shell in a box. onExit gets its status, onEnd comes last. end() takes it away. */
export function open(box, ws, {label, onExit, onEnd}) {
  const term = new Terminal({cursorBlink: true, fontSize: 14, screenReaderMode: false, documentOverride: documentWithStyles()});
  const fit = new FitAddon();
  term.loadAddon(fit);
  box.hidden = false;
  document.createElement = createElement; // its view port asks the window for the document
  try {
    term.open(box);
  } finally {
    delete document.createElement;
  }
  term.textarea.setAttribute('aria-label', label);
  fit.fit();
  const say = size => ws.readyState === WebSocket.OPEN && ws.send(JSON.stringify({cols: size.cols, rows: size.rows}));
  say(term);
  term.onResize(say);
  const encoder = new TextEncoder();
  term.onData(data => ws.readyState === WebSocket.OPEN && ws.send(encoder.encode(data)));
  // Shift+Esc gives the keyboard back to the page.
  term.attachCustomKeyEventHandler(event => {
    if (event.type !== 'keydown' || event.key !== 'Escape' || !event.shiftKey) return true;
    term.blur();
    document.querySelector('main h1').focus();
    return false;
  });
  const watch = new ResizeObserver(() => fit.fit());
  watch.observe(box);
  ws.onmessage = ({data}) => {
    if (typeof data !== 'string') {
      term.write(new Uint8Array(data));
      return;
    }
    const message = JSON.parse(data);
    if (message.type === 'exit') onExit(message.status);
  };
  ws.onclose = onEnd;
  term.focus();
  return {end() {
    watch.disconnect();
    ws.onclose = null;
    ws.close();
    term.dispose();
  }};
}

/** The document as xterm.js sees it. It writes rules into style elements and style attributes, which the console's policy forbids. Here it gets an
    element without effect in place of the first, whose text is kept in a style sheet of the document, and the second are set as properties. */
function documentWithStyles() {
  return new Proxy(document, {
    get(target, name) {
      if (name === 'createElement') return createElement;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function createElement(tag) {
  return tag === 'style' ? sheetElement() : Object.assign(Document.prototype.createElement.call(document, tag), {setAttribute});
}

function setAttribute(name, value) {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

function sheetElement() {
  const element = document.createElement('template');
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, 'textContent', {get: () => '', set: text => sheet.replaceSync(text)});
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter(s => s !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}
