'use strict';

// node authorization.js URL SCENARIO TRANSPORT
//
// Runs one scenario with the 0.9 client for node, prints what the client saw, one JSON list a line,
// and ends. Each connection has its name in its query, by which the server knows it.

const io = require('socket.io-client');

const [url, scenario, transport] = process.argv.slice(2);

const say = (...what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const open = (name, path = '') => {
  // Long enough for what must not happen, were it to happen.
  const options = { transports: [transport], 'force new connection': true, 'reconnection delay': 5 };
  return io.connect(`${url}${path}?name=${name}`, options);
};

const finish = () => process.exit(0);

// A second client, whose coming shows that the first one did not come before it.
const openSecond = () => {
  const second = open('second');
  second.on('connect', () => { say('second', 'connect'); finish(); });
  second.on('error', (reason) => { say('second', 'error', reason); finish(); });
};

const scenarios = {
  refused() {
    const first = open('first');
    for (const name of ['connect', 'connect_failed', 'reconnecting', 'reconnect', 'disconnect']) {
      first.on(name, () => say('first', name));
    }
    first.on('error', (reason) => {
      say('first', 'error', reason);
      first.socket.connect();
      setTimeout(openSecond, 200);
    });
  },

  dropped() {
    const first = open('first');
    first.on('connect', () => { say('first', 'connect'); first.emit('drop'); });
    for (const name of ['disconnect', 'reconnect']) first.on(name, () => say('first', name));
    first.on('error', (reason) => {
      say('first', 'error', reason);
      setTimeout(openSecond, 200);
    });
  },

  returning() {
    const first = open('first');
    first.once('connect', () => { say('first', 'connect'); first.emit('drop'); });
    first.on('disconnect', () => say('first', 'disconnect'));
    first.on('reconnect', () => { say('first', 'reconnect'); finish(); });
  },

  namespace() {
    const root = open('first');
    root.on('connect', () => {
      const closed = root.socket.of('/ns');
      for (const name of ['connect', 'error', 'disconnect']) {
        closed.on(name, () => say('/ns', name));
      }
      closed.on('connect_failed', (reason) => {
        say('/ns', 'connect_failed', reason);
        const other = root.socket.of('/open');
        other.on('connect', () => other.emit('echo', 'still here', (answer) => {
          say('/open', 'ack', answer);
          finish();
        }));
      });
    });
  },
};

scenarios[scenario]();
