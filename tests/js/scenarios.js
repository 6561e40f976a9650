'use strict';

// What a Socket.IO 0.9 client does in each test. The same functions run in node with
// require('socket.io-client') and in a page with dist/socket.io.js: they touch nothing but the
// `io` they are given.
//
// A scenario is an async function (io, request, report) -> result:
//
//   request  url, transport and token of the session, and what else the test passes
//   report   report(name) tells the test, while the scenario goes on, how far it has come
//   result   plain data; the test compares it with what the server says it has seen
//
// Nothing sleeps: a scenario waits for events and is given up at request.deadline (milliseconds).

(function (exports) {
  const LIFE = ['connect', 'disconnect', 'error', 'connect_failed',
    'reconnecting', 'reconnect', 'reconnect_failed'];

  // ---- aids ----------------------------------------------------------------------------------

  const plain = (value) => {
    if (value === undefined) return null;
    if (value !== null && typeof value === 'object' && !Array.isArray(value) &&
        Object.getPrototypeOf(value) !== Object.getPrototypeOf({})) {
      return String(value.message || value.type || value); // an Error, or the Event of a browser
    }
    return value;
  };

  const inboxes = []; // all that were made, for the message of a scenario that got stuck

  // Everything a namespace emits, from the first moment and in order: no event can slip through
  // between two waits, and one that comes twice shows in the log.
  class Inbox {
    constructor(socket, names) {
      this.log = [];
      this.unread = [];
      this.waiting = [];
      for (const name of LIFE.concat(names || [])) {
        socket.on(name, (...args) => this.arrived(name, args.map(plain)));
      }
      inboxes.push(this);
    }

    arrived(name, args) {
      this.log.push([name, ...args]);
      const index = this.waiting.findIndex((waiter) => waiter.name === name);
      if (index < 0) this.unread.push([name, ...args]);
      else this.waiting.splice(index, 1)[0].resolve(args);
    }

    // The arguments of the next event of that name.
    next(name) {
      const index = this.unread.findIndex((entry) => entry[0] === name);
      if (index >= 0) return Promise.resolve(this.unread.splice(index, 1)[0].slice(1));
      return new Promise((resolve) => this.waiting.push({ name, resolve }));
    }

    async take(name, count) {
      const taken = [];
      while (taken.length < count) taken.push((await this.next(name))[0]);
      return taken;
    }

    count(name) {
      return this.log.filter((entry) => entry[0] === name).length;
    }
  }

  const until = (condition) => new Promise((resolve) => {
    const look = () => (condition() ? resolve() : setTimeout(look, 5));
    look();
  });

  // The arguments that the acknowledgement of an emit or a send brings.
  const acked = (start) => new Promise((resolve) => start((...args) => resolve(args.map(plain))));

  // What goes over the wire, as the client's own transports write and read it.
  const tap = (io) => {
    const wire = { sent: [], received: [] };
    const watch = (prototype, method, texts) => {
      const original = prototype[method];
      prototype[method] = function (text) {
        texts.push(text);
        return original.apply(this, arguments);
      };
    };
    watch(io.Transport.XHR.prototype, 'send', wire.sent);
    watch(io.Transport.websocket.prototype, 'send', wire.sent);
    watch(io.Transport.prototype, 'onData', wire.received);
    return wire;
  };

  // The root namespace of a new connection. Options of io.connect() are merged index by index
  // into the global list of transports; splicing that list is what selects one.
  const open = (io, request, options) => {
    if (request.transport) io.transports.splice(0, io.transports.length, request.transport);
    if ('cors' in request) io.util.ua.hasCORS = request.cors; // without, it handshakes by script
    const root = io.connect(`${request.url}/?token=${request.token}`, Object.assign({
      'force new connection': true,
      'reconnection delay': 20,
    }, options));
    root.on('connect_failed', () => request.fail(new Error('no transport connects')));
    return root;
  };

  const identity = (root) => ({
    sessid: root.socket.sessionid,
    transport: root.socket.transport.name,
  });

  // The client keeps packets back while a POST is under way, a "disconnect" too, which would then
  // never be sent.
  const flushed = (root) => until(() => !root.socket.doBuffer && !root.socket.buffer.length);

  // ---- scenarios -----------------------------------------------------------------------------

  const all = exports.all = {};

  all.connect = async (io, request) => {
    const root = open(io, request);
    const inbox = new Inbox(root);
    await inbox.next('connect');
    return { ...identity(root), version: io.version, connected: root.socket.connected,
      log: inbox.log };
  };

  all.namespace = async (io, request) => {
    const root = open(io, request);
    const chat = root.of('/chat');
    const inboxes = [new Inbox(root, ['greeted']), new Inbox(chat, ['greeted'])];
    await inboxes[1].next('connect');
    chat.emit('greet', 'in the chat');
    await inboxes[1].next('greeted');
    root.emit('greet', 'at the root');
    await inboxes[0].next('greeted');
    return { ...identity(root), root: inboxes[0].log, chat: inboxes[1].log };
  };

  all.unknownNamespace = async (io, request) => {
    const root = open(io, request);
    const nowhere = new Inbox(root.of('/nowhere'));
    const [error] = await nowhere.next('error');
    const sum = await acked((fn) => root.emit('add', 1, 2, fn));
    return { error, sum, nowhere: nowhere.log };
  };

  // Both sides leave a namespace while the connection stays.
  all.leaving = async (io, request) => {
    const root = open(io, request);
    const sum = await acked((fn) => root.emit('add', 1, 2, fn));
    const chat = root.of('/chat');
    const chatInbox = new Inbox(chat);
    const other = root.of('/other');
    const otherInbox = new Inbox(other);
    await Promise.all([chatInbox.next('connect'), otherInbox.next('connect')]);
    chat.disconnect();
    await chatInbox.next('disconnect');
    other.emit('leave me');
    await otherInbox.next('disconnect');
    const later = await acked((fn) => root.emit('add', 3, 4, fn));
    return { sum, later, chat: chatInbox.log, other: otherInbox.log,
      connected: root.socket.connected };
  };

  all.events = async (io, request) => {
    const root = open(io, request);
    const inbox = new Inbox(root, ['greeted']);
    root.emit('greet');
    root.emit('greet', ...request.args);
    const answers = [await inbox.next('greeted'), await inbox.next('greeted')];
    return { answers, log: inbox.log.map((entry) => entry[0]) };
  };

  all.eventAcks = async (io, request) => {
    const root = open(io, request);
    const chat = root.of('/chat');
    const result = {};
    for (const [name, socket] of [['root', root], ['chat', chat]]) {
      const thanks = new Inbox(socket, ['thanks']);
      socket.on('question', (a, b, fn) => fn(a * b, 'one+two', { deep: [null] }));
      result[name] = {
        sum: await acked((fn) => socket.emit('add', 2, 3, fn)),
        pair: await acked((fn) => socket.emit('divide', 17, 5, fn)),
        list: await acked((fn) => socket.emit('several', fn)),
      };
      socket.emit('ask me');
      result[name].thanks = await thanks.next('thanks');
    }
    return result;
  };

  all.messageAcks = async (io, request) => {
    const root = open(io, request);
    const inbox = new Inbox(root, ['message', 'receipt']);
    const ack = await acked((fn) => root.send('with an ack', fn));
    const jsonAck = await acked((fn) => root.json.send({ with: 'an ack' }, fn));
    root.emit('deliver', 'for you');
    const [message] = await inbox.next('message');
    const receipt = await inbox.next('receipt');
    return { ack, jsonAck, message, receipt };
  };

  all.json = async (io, request) => {
    const root = open(io, request);
    const inbox = new Inbox(root, ['message']);
    for (const value of request.values) root.json.send(value);
    root.emit('play back');
    return { values: await inbox.take('message', request.values.length) };
  };

  all.texts = async (io, request) => {
    const root = open(io, request);
    const inbox = new Inbox(root, ['message', 'said']);
    for (const text of request.texts) {
      root.send(text);
      root.emit('say', text);
    }
    root.emit('play back');
    const count = request.texts.length;
    return { messages: await inbox.take('message', count), said: await inbox.take('said', count) };
  };

  // What is sent before the connection stands goes out at once when it does: on polling as one
  // payload. The server answers with one batch too.
  all.batch = async (io, request) => {
    const wire = tap(io);
    const root = open(io, request);
    const inbox = new Inbox(root, ['message']);
    for (const text of request.texts) root.send(text);
    await inbox.next('connect');
    root.emit('play back');
    const messages = await inbox.take('message', request.texts.length);
    const [sum] = await acked((fn) => root.emit('add', 1, 1, fn)); // nothing follows the ten
    return { messages, sum, total: inbox.count('message'), wire };
  };

  // Says nothing until the server does. What keeps the session alive meanwhile is the library.
  all.idle = async (io, request, report) => {
    const wire = tap(io);
    const root = open(io, request, { reconnect: false });
    const inbox = new Inbox(root, ['finish']);
    const before = await acked((fn) => root.emit('add', 1, 2, fn));
    await flushed(root);
    const first = identity(root);
    const spoken = wire.sent.length;
    report('idle');
    await inbox.next('finish');
    const sent = wire.sent.slice(spoken);
    const after = await acked((fn) => root.emit('add', 3, 4, fn));
    return { ...first, last: identity(root), before, after, sent, received: wire.received,
      log: inbox.log };
  };

  // What `idle` would come to if the client did not answer heartbeats, or did not poll.
  all.silent = async (io, request) => {
    const root = open(io, request, { reconnect: false });
    const inbox = new Inbox(root);
    const [sum] = await acked((fn) => root.emit('add', 1, 2, fn));
    let silenced = 0;
    const silence = () => { silenced += 1; };
    root.socket.transport[root.socket.transport.heartbeats() ? 'onHeartbeat' : 'get'] = silence;
    const [reason] = await inbox.next('disconnect');
    return { ...identity(root), sum, reason, silenced, log: inbox.log };
  };

  // One event with an ack each way.
  all.exchange = async (io, request) => {
    const root = open(io, request);
    const inbox = new Inbox(root, ['thanks']);
    root.on('question', (a, b, fn) => fn(a * b));
    const sum = await acked((fn) => root.emit('add', 2, 3, fn));
    root.emit('ask me');
    return { ...identity(root), sum, thanks: await inbox.next('thanks') };
  };

  // Is not let in. Another request on the same server, from begin to end, lies between the refusal
  // and the look at what became of it.
  all.refused = async (io, request) => {
    const root = open(io, request);
    const inbox = new Inbox(root);
    const [error] = await inbox.next('error');
    await fetch(`${request.url}/`, { mode: 'no-cors' });
    return { error, log: inbox.log, connected: root.socket.connected, open: root.socket.open };
  };

  // Is there, and still is after its result: the test ends it from outside.
  all.stay = async (io, request) => {
    const root = open(io, request);
    const [sum] = await acked((fn) => root.emit('add', 1, 2, fn));
    return { sum };
  };

  all.disconnect = async (io, request) => {
    const root = open(io, request);
    const chat = root.of('/chat');
    const inboxes = [new Inbox(root), new Inbox(chat)];
    await inboxes[1].next('connect');
    await acked((fn) => root.emit('add', 1, 2, fn));
    await flushed(root);
    const who = identity(root);
    for (const text of request.words) root.emit('say', text);
    root.disconnect();
    const reasons = [await inboxes[0].next('disconnect'), await inboxes[1].next('disconnect')];
    return { ...who, reasons, root: inboxes[0].log, chat: inboxes[1].log };
  };

  // The client would start to reconnect 20 ms after the loss of a connection. A whole second
  // session, from handshake to ack, lies between the kick and the look at what it did.
  all.kicked = async (io, request, report) => {
    const root = open(io, request);
    const chat = root.of('/chat');
    const inboxes = [new Inbox(root), new Inbox(chat)];
    await inboxes[1].next('connect');
    await acked((fn) => root.emit('add', 1, 2, fn));
    const who = identity(root);
    report('ready');
    if (request.event) root.emit(request.event);
    const reasons = [await inboxes[0].next('disconnect'), await inboxes[1].next('disconnect')];
    const witness = open(io, { ...request, token: `${request.token}-witness` });
    const witnessed = await acked((fn) => witness.emit('add', 20, 22, fn));
    return { ...who, reasons, witnessed, root: inboxes[0].log, chat: inboxes[1].log,
      reconnecting: root.socket.reconnecting, connected: root.socket.connected };
  };

  all.reconnect = async (io, request, report) => {
    const root = open(io, request);
    const chat = root.of('/chat');
    const inboxes = [new Inbox(root, ['greeted']), new Inbox(chat, ['greeted'])];
    const greet = async (word) => {
      root.emit('greet', 'root', word);
      chat.emit('greet', 'chat', word);
      return [await inboxes[0].next('greeted'), await inboxes[1].next('greeted')];
    };
    await Promise.all(inboxes.map((inbox) => inbox.next('connect')));
    const before = await greet('before');
    await flushed(root);
    const first = identity(root);
    report('ready');
    const lost = await Promise.all(inboxes.map((inbox) => inbox.next('disconnect')));
    const pending = greet('meanwhile'); // kept by the client, sent when it is back
    report('lost');
    await Promise.all(inboxes.map((inbox) => inbox.next('reconnect')));
    await inboxes[1].next('connect');
    const meanwhile = await pending;
    const after = await greet('after');
    const sum = await acked((fn) => chat.emit('add', 5, 6, fn));
    return { first, second: identity(root), lost, before, meanwhile, after, sum,
      root: inboxes[0].log, chat: inboxes[1].log };
  };

  // One scenario over several transports after each other, the token of each with its name behind.
  all.each = async (io, request, report) => {
    const results = {};
    for (const [name, way] of Object.entries(request.ways)) {
      const token = `${request.token}-${name}`;
      results[name] = await all[request.each](io, { ...request, ...way, token }, report);
    }
    return results;
  };

  // ---- running one ---------------------------------------------------------------------------

  // `report` carries its word to the test; one scenario is run per process or page.
  exports.run = async (io, request, report) => {
    let fail;
    const failed = new Promise((resolve, reject) => { fail = reject; });
    const timer = setTimeout(() => fail(new Error(
      `${request.scenario} over ${request.transport} did not end within ${request.deadline} ms; ` +
      `events so far: ${JSON.stringify(inboxes.map((inbox) => inbox.log))}`)), request.deadline);
    try {
      const work = all[request.scenario](io, { ...request, fail }, report);
      const result = await Promise.race([work, failed]);
      return JSON.parse(JSON.stringify(result));
    } finally {
      clearTimeout(timer);
    }
  };
}(typeof module === 'object' ? module.exports : (window.scenarios = {})));
