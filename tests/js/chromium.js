'use strict';

// Runs scenarios in one Chromium, each in a browser context of its own: as separate as two
// people's browsers. The first argument is the browser's path.

const path = require('path');
const { chromium } = require('playwright-core');
const chat = require('./chat');
const { serve } = require('./lines');

const launched = chromium.launch({
  executablePath: process.argv[2],
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--host-resolver-rules=MAP *.test 127.0.0.1'],
});
const contexts = new Map(); // id of the request -> the contexts it opened

// An empty page with an error log: a scenario fails when its page throws.
const openPage = async (id, { transport }) => {
  const context = await (await launched).newContext();
  contexts.set(id, [...(contexts.get(id) || []), context]);
  if (transport === 'htmlfile') {
    await context.addInitScript({ path: path.join(__dirname, 'htmlfile.js') });
  }
  const page = await context.newPage();
  const thrown = new Promise((resolve, reject) => page.on('pageerror', reject));
  thrown.catch(() => undefined); // also when it comes after the scenario
  return { page, thrown };
};

const runScenario = async (id, request, report) => {
  const { page, thrown } = await openPage(id, request);
  await page.exposeFunction('report', report);
  for (const url of request.visits || []) await page.goto(url);
  await page.goto(request.page || `${request.url}/`);
  /* global window */
  const run = page.evaluate(
    (given) => window.scenarios.run(window.io, given, window.report), request);
  return Promise.race([run, thrown]);
};

serve({
  begin: (id, request, report) => (request.scenario === 'chat'
    ? chat.run(() => openPage(id, request), request)
    : runScenario(id, request, report)),
  close: async (id) => {
    await Promise.all((contexts.get(id) || []).map((context) => context.close()));
    contexts.delete(id);
  },
  end: async () => (await launched).close(),
});
