// Stories about every page: what it weighs, and whether everybody can use it.
import {must} from './stage.mjs';
import {states} from './states.mjs';

const most = 60 * 1024; // bytes of the first load, compressed

export async function loads(stage) {
  const page = await stage.page();
  const files = [];
  page.on('response', response => files.push(response));
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('form button[type=submit]')) return;
      observer.disconnect();
      requestAnimationFrame(() => { window.interactive = performance.now(); });
    }).observe(document, {childList: true, subtree: true});
  });
  const document_ = await page.goto('/console/');
  await page.waitForFunction(() => window.interactive);
  const took = await page.evaluate(() => window.interactive);
  let bytes = 0;
  for (const response of files) {
    const path = new URL(response.url()).pathname;
    if (path.startsWith('/console/api')) continue;
    const {responseBodySize, responseHeadersSize} = await response.request().sizes();
    bytes += responseBodySize + responseHeadersSize;
    const encoding = await response.headerValue('content-encoding');
    must(encoding === 'br' || encoding === 'gzip', `${path} is not compressed`);
    must(path === '/console/' || /immutable/.test(await response.headerValue('cache-control')), `${path} is not cached`);
  }
  must(bytes <= most, `the first load is ${bytes} bytes, more than ${most}`);
  const policy = await document_.headerValue('content-security-policy');
  must(policy && !policy.includes('unsafe') && policy.includes("default-src 'none'"), `the policy is ${policy}`);
  const inline = await page.evaluate(() => document.querySelectorAll('script:not([src]), style, [style], [onclick]').length);
  must(inline === 0, `${inline} inline scripts or styles`);
  return `${(bytes / 1024).toFixed(1)} KB in ${files.length} files, interactive after ${took.toFixed(0)} ms`;
}

/** Every state of every page, held to accessibility and width in each look and language. */
export async function accessible(stage) {
  const page = await stage.page();
  const problems = [];
  for (const m of await stage.api('GET', '/port_mappings')) await stage.unmap(m); // of other stories: a long page takes long to judge
  for (const [name, reach] of Object.entries(states)) {
    await reach(page, stage);
    problems.push(...await stage.judge(page, name));
  }
  must(problems.length === 0, problems.join('\n'));
  return `${Object.keys(states).length} states`;
}

/** Kanji are drawn, each as itself: where no font has them, all are the same box. */
export async function japanese(stage) {
  const page = await stage.page({locale: 'ja-JP'});
  await page.goto('/console/');
  await page.getByRole('button', {name: 'サインイン'}).waitFor();
  const [first, second, none] = await page.evaluate(() => ['港', '端', ' '].map(text => {
    const context = new OffscreenCanvas(64, 64).getContext('2d');
    context.font = `48px ${getComputedStyle(document.body).fontFamily}`;
    context.fillText(text, 8, 52);
    return context.getImageData(0, 0, 64, 64).data.join();
  }));
  const drawn = first !== second && first !== none, cure = 'Japanese is not drawn: install a font that has it (fonts-vlgothic)';
  must(drawn || process.env.CI !== 'true', cure);
  return drawn ? '' : cure;
}
