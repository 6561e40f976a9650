'use strict';

// Three people use the chat example, each in a browser of their own: Ada and Bob talk in a room,
// Eve is in another one and comes over later. Everything goes through the page, as a person would
// do it, and the result is what each of them reads there.

const join = async (page, nickname, room) => {
  await page.fill('#nickname', nickname);
  await page.fill('#room', room);
  await page.click('#join');
  await page.waitForSelector(`#people li[data-nick="${nickname}"]`);
};

const say = async (page, text) => {
  await page.fill('#message', text);
  await page.click('#send');
};

const readable = (kind, nickname) => `#log .message[data-kind="${kind}"][data-nick="${nickname}"] .text`;

// The texts of all messages of that kind, or of all but the announcements.
const read = (page, kind) => page.$$eval(
  kind ? `#log .message[data-kind="${kind}"] .text`
    : '#log .message:not([data-kind="announcement"]) .text',
  (texts) => texts.map((text) => text.textContent));

const people = (page) => page.$$eval('#people li', (items) => items.map((item) => item.dataset.nick));

const talk = async (openPage, { url, transport, texts, secret, welcome }) => {
  const enter = async (nickname, room) => {
    const page = await openPage();
    // Not "load": a poll that jsonp-polling begins before it, as a script, keeps it waiting.
    await page.goto(`${url}?transport=${transport}`, { waitUntil: 'domcontentloaded' });
    await page.waitForSelector(
      `#status[data-state="connected"][data-transport="${transport}"]`);
    await join(page, nickname, room);
    return page;
  };
  const eve = await enter('Eve', 'attic');
  const ada = await enter('Ada', 'cellar');
  const bob = await enter('Bob', 'cellar');
  await ada.waitForSelector('#people li[data-nick="Bob"]');
  const present = { ada: await people(ada), bob: await people(bob), eve: await people(eve) };

  for (const text of texts) await say(ada, text);
  await bob.waitForSelector(`:nth-match(${readable('room', 'Ada')}, ${texts.length})`);
  await bob.click('#people li[data-nick="Ada"]');
  await say(bob, secret);
  await ada.waitForSelector(readable('private', 'Bob'));

  await eve.fill('#room', 'cellar');
  await eve.click('#join');
  await ada.waitForSelector('#people li[data-nick="Eve"]');
  await say(ada, welcome);
  await eve.waitForSelector(readable('room', 'Ada'));
  await bob.waitForSelector(`:nth-match(${readable('room', 'Ada')}, ${texts.length + 1})`);

  const heard = { room: await read(bob, 'room'), private: await read(bob, 'private') };
  await bob.goto('about:blank');
  await ada.waitForSelector('#people li[data-nick="Bob"]', { state: 'detached' });
  return {
    present,
    left: await people(ada),
    announced: await read(ada, 'announcement'),
    ada: { own: await read(ada, 'own'), private: await read(ada, 'private') },
    bob: heard,
    eve: await read(eve),
  };
};

exports.run = (openPage, request) => new Promise((resolve, reject) => {
  const late = () => reject(new Error(`the chat did not end within ${request.deadline} ms`));
  const timer = setTimeout(late, request.deadline);
  const open = async () => {
    const { page, thrown } = await openPage();
    thrown.catch(reject);
    page.setDefaultTimeout(request.deadline / 2); // one wait; its message says for what
    return page;
  };
  talk(open, request).then(resolve, reject).finally(() => clearTimeout(timer));
});
