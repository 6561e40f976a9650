/*
 * The page's side of the stream. What it wants to hear it tells the server, which then sends
 * nothing else; the page keeps it too, to say it again to the next server after a break.
 */
(() => {
  "use strict";

  const MAX_LINES_SHOWN = 200;

  const $ = (id) => document.getElementById(id);

  // ?transport=xhr-polling tries that one alone. The 0.9 client merges the option "transports"
  // into its list index by index, which selects nothing: the list itself has to change.
  const forced = new URLSearchParams(location.search).get("transport");
  if (io.transports.includes(forced)) {
    io.transports.splice(0, io.transports.length, forced);
  }

  const socket = io.connect("/stream", {
    // The defaults give up after ten attempts, with the last ones minutes apart.
    "max reconnection attempts": Infinity,
    "reconnection limit": 4000,
  });

  let words = [];
  let paused = false;

  // -- What is seen -------------------------------------------------------------------------

  /** Return the parts of a text, those that the filter looks for in <mark>: nodes, never HTML. */
  function highlighted(text) {
    if (words.length === 0) {
      return [text];
    }
    const literal = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    const parts = text.split(new RegExp(`(${literal.join("|")})`, "gi"));
    return parts.map((part, index) => (index % 2 ? element("mark", "", part) : part));
  }

  function element(name, className, ...children) {
    const made = document.createElement(name);
    made.className = className;
    made.append(...children); // strings become text
    return made;
  }

  const lineOf = (number, text) =>
    element("li", "", element("span", "number", number), element("span", "", ...highlighted(text)));

  function append(item) {
    const lines = $("lines");
    // Who reads further up is left there.
    const follows = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    lines.append(item);
    while (lines.children.length > MAX_LINES_SHOWN) {
      lines.firstElementChild.remove();
    }
    if (follows) {
      lines.scrollTop = lines.scrollHeight;
    }
  }

  function showFacts(refusal = "") {
    const what = words.length ? `Lines with ${words.join(" or ")}` : "All lines";
    $("facts").textContent = refusal || `${what}${paused ? ", paused" : ""}.`;
    $("facts").classList.toggle("bad", refusal !== "");
    $("pause").textContent = paused ? "Resume" : "Pause";
  }

  function showStatus(state, text) {
    $("status").dataset.state = state;
    $("status").textContent = text;
    $("apply").disabled = $("pause").disabled = state !== "connected";
  }

  // -- What happens -------------------------------------------------------------------------

  socket.on("line", (number, text) => {
    // Paused, and the server does not know yet: a new connection.
    if (!paused) {
      append(lineOf(number, text));
    }
  });

  // Once for the first connection and once after every reconnection: a new session of the server
  // knows nothing of the one that broke.
  socket.on("connect", () => {
    showStatus("connected", `connected · ${socket.socket.transport.name}`);
    if (paused) {
      socket.emit("pause");
      socket.emit("filter", words.join(" "));
    } else {
      filter(words.join(" "));
    }
  });

  function filter(text) {
    socket.emit("filter", text, (accepted, ...results) => {
      if (!accepted) {
        showFacts(results[0]);
        return;
      }
      const [applied, lines] = results;
      words = applied;
      $("lines").replaceChildren();
      lines.forEach(([number, line]) => append(lineOf(number, line)));
      showFacts();
    });
  }

  $("filter").addEventListener("submit", (event) => {
    event.preventDefault();
    filter($("words").value);
  });

  $("pause").addEventListener("click", () => {
    if (paused) {
      socket.emit("resume", (accepted, missed) => {
        paused = false;
        if (missed) {
          append(element("li", "note", `${missed} ${missed === 1 ? "line" : "lines"} went by`));
        }
        showFacts();
      });
    } else {
      socket.emit("pause", () => {
        paused = true;
        showFacts();
      });
    }
  });

  socket.on("disconnect", () => showStatus("connecting", "reconnecting…"));
  socket.on("reconnecting", () => showStatus("connecting", "reconnecting…"));
  socket.on("connect_failed", () => showStatus("disconnected", "no way to connect"));
  socket.on("error", () => {
    // The client does not repeat its first attempt by itself.
    if (!socket.socket.connected && !socket.socket.reconnecting) {
      showStatus("disconnected", "the server does not answer");
    }
  });
})();
