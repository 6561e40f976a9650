/*
 * The page that is not allowed: it tries to connect, and shows all that it learns.
 */
(() => {
  "use strict";

  const $ = (id) => document.getElementById(id);
  const MOST_LINES = 20;
  const sockets = document.querySelector('meta[name="sockets"]').content;

  function show(state, status, text) {
    const line = document.createElement("li");
    line.textContent = text;
    $("log").append(line);
    while ($("log").childElementCount > MOST_LINES) {
      $("log").firstElementChild.remove();
    }
    $("status").dataset.state = state;
    $("status").textContent = status;
  }

  function connect(how) {
    // A client that was refused stays as it is: each attempt needs another one.
    const socket = io.connect(sockets, { "force new connection": true, reconnect: false });
    socket.on("connect", () => show("connected", "Connected", `${how}: event connect`));
    socket.on("error", (reason) => {
      show("disconnected", "Refused", `${how}: event error, its text is ${JSON.stringify(reason)}`);
    });
  }

  const hasCORS = io.util.ua.hasCORS;

  function connectByRequest() {
    io.util.ua.hasCORS = hasCORS;
    connect("By request");
  }

  function connectByScript() {
    io.util.ua.hasCORS = false; // as in browsers that know no CORS: the handshake is a script
    connect("By script");
  }

  $("here").textContent = location.origin;
  $("by-request").addEventListener("click", connectByRequest);
  $("by-script").addEventListener("click", connectByScript);
  connectByRequest();
})();
