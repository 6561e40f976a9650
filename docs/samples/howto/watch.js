// Tells what happens to a client of 0.9: watch(io.connect('/chat'))
function watch(socket) {
  var names = ['connect', 'connecting', 'connect_failed', 'disconnect', 'error',
    'reconnecting', 'reconnect', 'reconnect_failed'];
  names.forEach(function (name) {
    socket.on(name, function () {
      var transport = socket.socket.transport;
      console.log(name, [].slice.call(arguments, 0, 2), transport ? transport.name : '');
    });
  });
}
