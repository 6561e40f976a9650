// Has a fresh token at hand for when the client has to connect anew.
function keepFresh(socket, fetchToken, seconds) {
  setInterval(function () {
    fetchToken(function (token) {
      socket.socket.options.query = 'token=' + encodeURIComponent(token);
    });
  }, seconds * 1000);
}
