/* The models of the page: the connection, who one is, the messages, the people. */

const MOST_MESSAGES = 500;

// ?transport=xhr-polling tries that one alone. The 0.9 client merges the option "transports" into
// its list index by index, which selects nothing: the list itself has to change.
const forced = new URLSearchParams(location.search).get("transport");
if (io.transports.includes(forced)) {
  io.transports.splice(0, io.transports.length, forced);
}

/** How the connection to the server is, and that of the server to Redis. */
export const Connection = Backbone.Model.extend({
  defaults: { state: "connecting", transport: "", redis: true },

  /** Connect; returns the socket of the namespace. */
  open(namespace) {
    this.unanswered = new Set();
    this.socket = io.connect(namespace, {
      // The defaults give up after ten attempts, with the last ones minutes apart.
      "max reconnection attempts": Infinity,
      "reconnection limit": 4000,
    });
    // The connection under the namespace: it knows the transport and reconnects.
    const below = this.socket.socket;
    this.socket.on("connect", () => this.set({ state: "connected", transport: below.transport.name }));
    this.socket.on("disconnect", (reason) => this.lost(reason === "booted" ? "disconnected" : "connecting"));
    this.socket.on("reconnecting", () => this.lost("connecting"));
    this.socket.on("connect_failed", () => this.lost("disconnected"));
    this.socket.on("error", () => {
      if (below.connected) {
        this.giveUp("The server could not do that."); // a handler failed: no acknowledgement comes
      } else if (!below.reconnecting) {
        this.lost("disconnected"); // the client does not repeat its first attempt by itself
      }
    });
    // A WebSocket ends with its page. A polling session would live on for a minute, and keep the
    // nickname as long; a request of the client's own would be cancelled.
    window.addEventListener("pagehide", () => {
      if (below.connected && below.transport.name !== "websocket") {
        const { name, sessid } = below.transport;
        navigator.sendBeacon(`/socket.io/${io.protocol}/${name}/${sessid}?disconnect`);
      }
    });
    return this.socket;
  },

  lost(state) {
    this.set({ state, transport: "" });
    this.giveUp("The connection was lost.");
  },

  /** Wait no longer for any acknowledgement. */
  giveUp(reason) {
    this.unanswered.forEach((reject) => reject(new Error(reason)));
    this.unanswered.clear();
  },

  /** Emit an event; returns a promise of the results, or of an error with the server's reason. */
  ask(event, ...args) {
    // The 0.9 client would send it after the reconnect, to a session that nobody asked.
    if (this.get("state") !== "connected") {
      return Promise.reject(new Error("There is no connection right now."));
    }
    return new Promise((resolve, reject) => {
      this.unanswered.add(reject);
      this.socket.emit(event, ...args, (accepted, ...results) => {
        this.unanswered.delete(reject);
        if (accepted) {
          resolve(results);
        } else {
          reject(new Error(results[0]));
        }
      });
    });
  },
});

/** Who one is; `here` means that this session of the server knows it. */
export const Me = Backbone.Model.extend({
  defaults: { nickname: "", token: "", here: false, refusal: "" },

  async join(connection, nickname) {
    const [name, token] = await connection.ask("join", nickname, this.get("token"));
    this.set({ nickname: name, token, here: true });
  },

  /** Be again who one was before the connection broke. */
  async comeBack(connection) {
    if (!this.get("nickname") || this.get("here")) {
      return;
    }
    try {
      await this.join(connection, this.get("nickname"));
    } catch (error) {
      // While the server or Redis is away there is another attempt when it is back.
      if (connection.get("state") === "connected" && connection.get("redis")) {
        this.set({ nickname: "", token: "", refusal: error.message });
      }
    }
  },
});

export const Messages = Backbone.Collection.extend({
  /** Add what was just said; the oldest goes when there are too many. */
  hear(message) {
    this.add(message);
    while (this.length > MOST_MESSAGES) {
      this.shift();
    }
  },
});

export const People = Backbone.Collection.extend({
  model: Backbone.Model.extend({ idAttribute: "nickname" }),
  comparator: (a, b) => a.id.localeCompare(b.id),
});
