// Tells each story in real Chromium, and prints a line of JSON for each: testbench/browser runs this and reads it.
import {Stage} from './stage.mjs';
import {stories} from './stories.mjs';

const stage = await Stage.open(JSON.parse(process.env.CONSOLE_TEST));
let failed = 0;
for (const [story, tell] of Object.entries(stories)) {
  if (process.env.STORY && !story.includes(process.env.STORY)) continue;
  const began = performance.now();
  const result = {story, ok: true};
  try {
    result.note = await tell(stage) ?? '';
    stage.mustBeClean();
  } catch (err) {
    failed++;
    Object.assign(result, {ok: false, error: err.stack ?? String(err)});
    await stage.photographFailure(story);
  }
  await stage.clear();
  console.log(JSON.stringify({...result, ms: performance.now() - began}));
}
await stage.close();
process.exit(failed ? 1 : 0);
