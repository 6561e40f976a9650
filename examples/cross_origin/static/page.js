/*
 * The page that is allowed: it connects to another origin, and shows what that one sees of it.
 */
(() => {
  "use strict";

  const $ = (id) => document.getElementById(id);
  const MOST_LINES = 100;
  const chosen = new URLSearchParams(location.search);

  // The server of this page has written into it where the sockets are.
  const sockets = new URL(document.querySelector('meta[name="sockets"]').content);
  if (chosen.get("site") === "another") {
    sockets.hostname = "localhost"; // the same server; to the browser it is another site
  }

  // ?transport=xhr-polling tries that one alone. The 0.9 client merges the option "transports"
  // into its list index by index, which selects nothing: the list itself has to change.
  if (io.transports.includes(chosen.get("transport"))) {
    io.transports.splice(0, io.transports.length, chosen.get("transport"));
  }

  // All there is to do for another origin on this side: name it.
  const socket = io.connect(sockets.origin, {
    // The defaults give up after ten attempts, with the last ones minutes apart.
    "max reconnection attempts": Infinity,
    "reconnection limit": 4000,
  });
  const connection = socket.socket;

  function showStatus(state, text) {
    $("status").dataset.state = state;
    $("status").textContent = text;
  }

  function showCookies({ handshake, transport }) {
    for (const row of $("cookies").rows) {
      [handshake, transport].forEach((names, column) => {
        row.cells[column + 1].textContent = names.includes(row.dataset.cookie) ? "✓" : "–";
      });
    }
  }

  // Once for the first connection and once after every reconnection.
  socket.on("connect", () => {
    showStatus("connected", `Connected · ${connection.transport.name}`);
    socket.emit("inspect", (seen) => {
      $("origin").textContent = seen.origin ?? "none";
      showCookies(seen);
    });
  });
  socket.on("disconnect", () => showStatus("connecting", "Reconnecting…"));
  socket.on("reconnecting", () => showStatus("connecting", "Reconnecting…"));
  socket.on("connect_failed", () => showStatus("disconnected", "No way to connect"));
  socket.on("error", () => {
    // The client does not repeat its first attempt by itself.
    if (!connection.connected && !connection.reconnecting) {
      showStatus("disconnected", "Refused, or no server");
    }
  });

  socket.on("log", (text) => {
    const line = document.createElement("li");
    line.textContent = text;
    $("log").append(line);
    while ($("log").childElementCount > MOST_LINES) {
      $("log").firstElementChild.remove();
    }
    $("log").scrollTop = $("log").scrollHeight;
  });

  $("here").textContent = location.origin;
  $("there").textContent = sockets.origin;
  $("set-cookies").href = `${sockets.origin}/cookies?${chosen}`;

  const { transport, site } = $("choice").elements;
  transport.value = chosen.get("transport") ?? "";
  site.value = chosen.get("site") ?? "";
  $("choice").addEventListener("change", () => $("choice").submit());

  $("open").addEventListener("click", () => {
    $("stranger").src = $("open").dataset.url;
    $("stranger").hidden = false;
  });
})();
