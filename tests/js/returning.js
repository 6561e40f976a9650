'use strict';

// Clients that are there and come back when the server went away: a scenario for node, run by this
// file, and for pages that load it behind scenarios.js.
//
//   request  url, transport, number of clients, and what else io.connect() is to know as options
//   report   after each event, how often each has come, and the reasons of the disconnects
//
// It has no result: the test closes it. Then the clients ask the server to be sent away.

(function () {
  const NAMES = ['connect', 'disconnect', 'reconnecting', 'reconnect',
    'reconnect_failed', 'connect_failed'];

  const sockets = [];

  const returning = (io, request, report) => new Promise(() => {
    io.transports.splice(0, io.transports.length, request.transport);
    const counts = { answered: 0, reasons: [] };
    const note = (name) => {
      counts[name] = (counts[name] || 0) + 1;
      report(counts);
    };
    const enter = () => {
      const socket = io.connect(`${request.url}/`, Object.assign({
        'force new connection': true,
        'reconnection delay': 50,
        'reconnection limit': 400,
        'max reconnection attempts': 1000,
      }, request.options));
      sockets.push(socket);
      socket.on('disconnect', (reason) => counts.reasons.push(String(reason)));
      for (const name of NAMES) socket.on(name, () => note(name));
      // On each connect, the first and those after it.
      socket.on('connect', () => socket.emit('echo', 'there', () => note('answered')));
    };
    for (let number = 0; number < request.number; number += 1) enter();
  });

  const leave = () => Promise.all(sockets.map((socket) => new Promise((resolve) => {
    socket.on('disconnect', resolve);
    if (socket.socket.connected) socket.emit('kick');
    else resolve();
  })));

  /* global window */
  if (typeof window === 'object') {
    window.scenarios.all.returning = returning;
  } else {
    const io = require('socket.io-client');
    const { serve } = require('./lines');
    serve({
      begin: (id, request, report) => returning(io, request, report),
      close: leave,
      end: () => undefined,
    });
  }
}());
