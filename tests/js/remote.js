'use strict';

// socket.io-client 0.9 under remote control: a test says line by line what its clients are to do,
// and hears what came of it (see lines.js; tests/remote.py is the other side).
//
//   {"do": "connect", "name": "ada", "url": ..., "endpoint": "/chat", "options": {...}}
//   {"do": "emit"|"ask"|"send"|"next"|"log"|"transport"|"disconnect", "name": "ada", ...}
//
// A process has one list of transports and one set of headers: --transport NAME --headers JSON.

const http = require('http');
const https = require('https');
const { parseArgs } = require('util');

const { values } = parseArgs({
  options: { transport: { type: 'string' }, headers: { type: 'string', default: '{}' } },
});
const headers = JSON.parse(values.headers);

// What a browser adds by itself, its cookies for one, and the client for node has no option for.
for (const module of [http, https]) {
  const { request } = module;
  module.request = (options, callback) => request(
    { ...options, headers: { ...options.headers, ...headers } }, callback);
  module.get = (options, callback) => {
    const made = module.request(options, callback);
    made.end();
    return made;
  };
}

const io = require('socket.io-client');
const { serve } = require('./lines');

if (values.transport) io.transports.splice(0, io.transports.length, values.transport);

const LIFE = ['connect', 'disconnect', 'error', 'connect_failed',
  'reconnecting', 'reconnect', 'reconnect_failed'];

const plain = (value) => (value instanceof Error ? value.message : value === undefined ? null : value);

// One client's view of one endpoint: all that comes, in its order.
class Client {
  constructor(socket) {
    this.socket = socket;
    this.events = [];
    this.unread = [];
    this.waiting = [];
    for (const name of LIFE) socket.on(name, (...args) => this.arrived(name, args));
    socket.on('message', (data) => this.arrived('message', [data]));
    // Events of any name: the client itself has no way to hear of all of them.
    const { onPacket } = socket;
    socket.onPacket = (packet) => {
      if (packet.type === 'event' && !LIFE.includes(packet.name) && packet.name !== 'message') {
        this.arrived(packet.name, packet.args || []);
      }
      return onPacket.call(socket, packet);
    };
  }

  arrived(name, args) {
    const event = [name, ...args.filter((arg) => typeof arg !== 'function').map(plain)];
    this.events.push(event);
    const index = this.waiting.findIndex((waiter) => waiter.name === name);
    if (index < 0) this.unread.push(event);
    else this.waiting.splice(index, 1)[0].resolve(event.slice(1));
  }

  next(name) {
    const index = this.unread.findIndex((event) => event[0] === name);
    if (index >= 0) return Promise.resolve(this.unread.splice(index, 1)[0].slice(1));
    return new Promise((resolve) => { this.waiting.push({ name, resolve }); });
  }
}

const clients = new Map();

const connect = async ({ name, url, endpoint, options }) => {
  const root = io.connect(url, {
    'force new connection': true,
    'reconnection delay': 50,
    'reconnection limit': 400,
    'max reconnection attempts': 1000,
    ...options,
  });
  const client = new Client(endpoint ? root.socket.of(endpoint) : root);
  clients.set(name, client);
  const connected = client.next('connect').then(() => true);
  const failed = Promise.race([client.next('connect_failed'), client.next('error')]);
  const refused = endpoint ? new Promise((resolve) => {
    for (const event of ['connect_failed', 'error']) root.on(event, (why) => resolve([plain(why)]));
  }) : failed;
  const outcome = await Promise.race([connected, failed, refused]);
  client.waiting = client.waiting.filter((waiter) => !LIFE.includes(waiter.name));
  if (outcome !== true) throw new Error(`not connected: ${outcome.join(' ') || 'connect_failed'}`);
};

const orders = {
  emit: ({ socket }, { event, args }) => { socket.emit(event, ...args); },
  ask: ({ socket }, { event, args }) => new Promise((resolve) => {
    socket.emit(event, ...args, (...answer) => resolve(answer.map(plain)));
  }),
  send: ({ socket }, { data, json }) => { (json ? socket.json : socket).send(data); },
  next: (client, { event }) => client.next(event),
  log: (client) => client.events,
  transport: ({ socket }) => socket.socket.transport && socket.socket.transport.name,
  sessid: ({ socket }) => socket.socket.sessionid,
  disconnect: ({ socket }) => { socket.socket.disconnect(); },
};

serve({
  begin: async (id, request) => {
    const client = clients.get(request.name);
    const result = await (client ? orders[request.do](client, request) : connect(request));
    return result === undefined ? null : result;
  },
  close: () => undefined,
  end: () => undefined,
});
