// Compares the canvas in the page with what another VNC client sees of the device.
import {patience} from './stage.mjs';

/** How much of the screen must be the same: the plant's figures move between two looks. */
const enough = 0.97;

export const canvasData = page => page.evaluate(() => document.querySelector('.screen canvas').toDataURL());

/** Waits until the canvas shows the device's screen, and gives the share of equal pixels. The part where text is typed must be equal as a whole, and
    differ from the earlier canvas before, if that is given. */
export async function awaitSameScreen(stage, page, endpoint, before) {
  let last;
  for (const end = performance.now() + patience; performance.now() < end;) {
    const response = await stage.outside('GET', `/screen/${endpoint}`);
    const png = `data:image/png;base64,${Buffer.from(await response.arrayBuffer()).toString('base64')}`;
    last = await page.evaluate(compare, [png, before]);
    if (last.same >= enough && last.text && last.differs) return last.same;
  }
  throw new Error(`the page does not show the device's screen: ${JSON.stringify(last)}`);
}

async function compare([png, before]) {
  const pixels = async source => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height);
  };
  const [want, got, old] = await Promise.all([png, document.querySelector('.screen canvas').toDataURL(), before ?? png].map(pixels));
  if (want.width !== got.width || want.height !== got.height) return {same: 0, size: [got.width, got.height]};
  const near = (a, b, i) => [0, 1, 2].every(k => Math.abs(a.data[i + k] - b.data[i + k]) <= 12); // a lossy encoding may round
  const textFrom = Math.floor(want.height * 0.83) * want.width * 4; // the text box is the lowest part of the screen
  let same = 0, text = true, differs = !before;
  for (let i = 0; i < want.data.length; i += 4) {
    const equal = near(want, got, i);
    if (equal) same++;
    else if (i > textFrom) text = false;
    if (i > textFrom && !near(got, old, i)) differs = true;
  }
  return {same: same * 4 / want.data.length, text, differs};
}
