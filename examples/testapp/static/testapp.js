/*
 * The page's side: what each button does is in `actions`, under the name in its attribute data-do.
 */
(() => {
  "use strict";

  const $ = (id) => document.getElementById(id);

  // ?transport=xhr-polling tries that one alone. The 0.9 client merges the option "transports"
  // into its list index by index, which selects nothing: the list itself has to change.
  const forced = new URLSearchParams(location.search).get("transport");
  if (io.transports.includes(forced)) {
    io.transports.splice(0, io.transports.length, forced);
  }

  const socket = io.connect("", {
    // The defaults give up after ten attempts, with the last ones minutes apart.
    "max reconnection attempts": Infinity,
    "reconnection limit": 4000,
  });
  // The connection under the namespaces: it knows the transport and reconnects.
  const connection = socket.socket;

  // -- What happens to the connection and the endpoints -----------------------------------

  function showStatus(state, text) {
    const transport = state === "connected" ? ` · ${connection.transport.name}` : "";
    $("status").dataset.state = state;
    $("status").textContent = text + transport;
    button("connect").disabled = state !== "disconnected";
    button("disconnect").disabled = state !== "connected";
  }

  function button(action) {
    return document.querySelector(`[data-do="${action}"]`);
  }

  /** Write down what the client tells this page, beside the packets. */
  function noteEvents(namespace, events) {
    for (const event of events) {
      namespace.on(event, (...details) => {
        const told = details.filter((detail) => detail !== undefined).join(", ");
        wire.note(`${namespace.name || "socket"} fires ${event}${told && `: ${told}`}`);
      });
    }
  }

  noteEvents(socket, [
    ...["connect", "connect_failed", "disconnect", "error"],
    ...["reconnecting", "reconnect", "reconnect_failed"],
  ]);

  socket.on("connect", () => {
    showStatus("connected", "Connected");
    // A session ends with the last namespace that is in use. This brings the global one into use,
    // so that it stays when /news is left.
    actions.count();
  });

  // "booted" is the server's word for "and stay away"; after anything else the client comes back.
  socket.on("disconnect", (reason) => {
    if (reason === "booted") {
      showStatus("disconnected", "Disconnected");
    } else {
      showStatus("connecting", "Reconnecting…");
    }
  });
  socket.on("reconnecting", () => showStatus("connecting", "Reconnecting…"));
  socket.on("connect_failed", () => showStatus("disconnected", "No way to connect"));
  socket.on("error", () => {
    if (connection.reconnecting) {
      showStatus("connecting", "Reconnecting…"); // as an error packet may advise
    } else if (!connection.connected) {
      // The client does not repeat its first attempt by itself.
      showStatus("disconnected", "The server does not answer");
    }
  });

  /** Return an endpoint; the first time, this sends its connect packet. */
  function endpoint(name) {
    const isNew = !(name in connection.namespaces);
    const namespace = connection.of(name);
    if (isNew) {
      noteEvents(namespace, ["connect", "connect_failed", "disconnect", "error"]);
    }
    return namespace;
  }

  /** Join an endpoint, or join it again: that packet the client does not send by itself. */
  function join(name) {
    const isKnown = name in connection.namespaces;
    const namespace = endpoint(name);
    if (isKnown) {
      namespace.packet({ type: "connect" });
    }
  }

  // -- What the buttons do ----------------------------------------------------------------

  const showAnswer = (...answer) => wire.note(`the answer: ${JSON.stringify(answer)}`);

  const actions = {
    connect() {
      showStatus("connecting", "Connecting…");
      connection.connect();
    },
    disconnect: () => socket.disconnect(),
    cut: () => socket.emit("cut"),
    boot: () => socket.emit("boot"),
    count: () => socket.emit("count", showAnswer),

    message: () => socket.send("Hello"),
    receipt: () => socket.send("Hello", showAnswer),
    sign: () => socket.emit("sign"),
    json: () => socket.json.send({ list: [1, 2.5, null], yes: true }),
    text: () => socket.send("Grüße, Привет, 世界, مرحبا, 👩‍🚀: a colon\nand a second line"),
    big: () => socket.send("0123456789".repeat(10_000)),

    greet: () => socket.emit("greet", "Ada", { how: "warmly" }, 3),
    add: () => socket.emit("add", 2, 3, showAnswer),
    ask_me: () => socket.emit("ask_me"),

    join: () => join("/news"),
    leave: () => endpoint("/news").disconnect(),
    send_me_out: () => endpoint("/news").emit("send_me_out"),
    vault: () => join("/vault"),
    nowhere: () => join("/nowhere"),

    to_all: () => socket.emit("to_all"),
    to_others: () => socket.emit("to_others"),
    enter_room: () => socket.emit("enter_room", showAnswer),
    leave_room: () => socket.emit("leave_room", showAnswer),
    to_room: () => socket.emit("to_room"),

    guarded: () => join("/guarded"),
    secret: () => endpoint("/guarded").emit("secret", showAnswer),
    unlock: () => endpoint("/guarded").emit("unlock"),

    unknown: () => socket.emit("nobody_knows"),
    wrong: () => socket.emit("add", 1, 2, 3, 4, showAnswer),
    fail: () => socket.emit("fail"),
    error_packet: () => socket.emit("error_packet"),
  };

  socket.on("question", (question, answer) => answer("This one."));

  $("features").addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-do]");
    if (pressed) {
      actions[pressed.dataset.do]();
    }
  });

  // -- The choice of the transport --------------------------------------------------------

  // htmlfile, for one, was for the Internet Explorer only.
  for (const option of $("transport").options) {
    option.disabled = option.value !== "" && !io.Transport[option.value].check();
    option.selected = option.value === (forced ?? "");
  }

  $("transport").addEventListener("change", () => {
    const chosen = $("transport").value;
    location.search = chosen && new URLSearchParams({ transport: chosen });
  });
})();
