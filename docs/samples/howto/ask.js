// Emits an event, and calls done(error, ...answer) once: with the answer, or when the time is up.
function ask(socket, seconds, event, args, done) {
  var timer = setTimeout(function () {
    timer = null;
    done(new Error('no answer to ' + event));
  }, seconds * 1000);
  socket.emit.apply(socket, [event].concat(args, function () {
    if (timer === null) return;                       // too late
    clearTimeout(timer);
    done.apply(null, [null].concat([].slice.call(arguments)));
  }));
}
