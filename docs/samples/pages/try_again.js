socket.on('error', function () {
  if (!socket.socket.connected) setTimeout(function () { socket.socket.connect(); }, 2000);
});
