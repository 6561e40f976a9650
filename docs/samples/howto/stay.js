// Keeps the newest ticket, and shows it after each break of the connection.
function stay(socket) {
  var ticket = null;

  socket.on('connect', function () {        // the first time, and after each break
    if (ticket !== null) {
      socket.emit('resume', ticket, function (welcome) {
        if (!welcome) location.reload();    // too old: begin again
      });
    }
  });

  return function keep(newest) {
    ticket = newest;
  };
}
