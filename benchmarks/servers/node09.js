// socket.io 0.9 for node: the default settings, the log silent.
'use strict';

const http = require('http');
const socketio = require('socket.io');

const server = http.createServer();
const io = socketio.listen(server, { log: false });

function bench(socket) {
  socket.on('echo', (value, acknowledge) => acknowledge(value));
  // To everybody, the sender included.
  socket.on('cast', (value) => io.sockets.emit('cast', value));
}

io.sockets.on('connection', bench);
io.of('/chat').on('connection', bench);
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
