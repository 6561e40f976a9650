// The current socket.io for node: the default settings.
'use strict';

const http = require('http');
const { Server } = require('socket.io');

const server = http.createServer();
const io = new Server(server);

io.on('connection', (socket) => {
  socket.on('echo', (value, acknowledge) => acknowledge(value));
  // To everybody, the sender included.
  socket.on('cast', (value) => io.emit('cast', value));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
