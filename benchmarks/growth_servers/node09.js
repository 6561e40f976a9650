// socket.io 0.9 for node with its default settings: echo, an event for all, an event for a room.
'use strict';

const http = require('http');
const socketio = require('socket.io');

const server = http.createServer();
const io = socketio.listen(server, { log: false });

io.sockets.on('connection', (socket) => {
  socket.on('echo', (value, acknowledge) => acknowledge(value));
  // To everybody, the sender included, both times.
  socket.on('cast', (value) => io.sockets.emit('cast', value));
  socket.on('room', (value) => io.sockets.in('few').emit('cast', value));
  socket.on('enter', (room, acknowledge) => {
    socket.join(room);
    acknowledge(room);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
