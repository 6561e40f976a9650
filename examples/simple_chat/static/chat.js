/*
 * The page's side of the chat. Everything a person wrote is put into the page as text, never as
 * HTML, and every request to the server is answered by an acknowledgement: (true, ...results) or
 * (false, reason).
 */
(() => {
  "use strict";

  const MAX_MESSAGES_SHOWN = 500;
  const TYPING_REPEAT = 2000;
  const TYPING_SHOWN = 4000;
  const SAME_PERSON_WITHIN = 3 * 60 * 1000;

  const $ = (id) => document.getElementById(id);
  const TITLE = document.title;

  // Who one is; kept over a break of the connection, to come back under the same name.
  const me = { nickname: "", token: "", room: "" };
  // Whether this session of the server knows who one is: a new session does not.
  let known = false;
  let recipient = "";
  let unread = 0;

  // -- The connection ---------------------------------------------------------------------

  // ?transport=xhr-polling tries that one alone. The 0.9 client merges the option "transports"
  // into its list index by index, which selects nothing: the list itself has to change.
  const forced = new URLSearchParams(location.search).get("transport");
  if (io.transports.includes(forced)) {
    io.transports.splice(0, io.transports.length, forced);
  }

  const socket = io.connect("/chat", {
    // The defaults give up after ten attempts, with the last ones minutes apart.
    "max reconnection attempts": Infinity,
    "reconnection limit": 4000,
  });
  // The connection under the namespace: it knows the transport and reconnects.
  const connection = socket.socket;

  const unanswered = new Set();

  /**
   * Emit an event; return a promise of the answer, or of an error with the server's reason.
   *
   * `take` gets the results as soon as they are there. What later events build on belongs in it:
   * the client hands out all packets of one poll before any code after an `await` runs.
   */
  function ask(event, args, take = () => {}) {
    return new Promise((resolve, reject) => {
      unanswered.add(reject);
      socket.emit(event, ...args, (accepted, ...results) => {
        unanswered.delete(reject);
        if (accepted) {
          take(...results);
          resolve();
        } else {
          reject(new Error(results[0]));
        }
      });
    });
  }

  function showStatus(state, text) {
    const transport = state === "connected" ? connection.transport.name : "";
    $("status").dataset.state = state;
    $("status").dataset.transport = transport;
    $("status-text").textContent = transport ? `${text} · ${transport}` : text;
    $("reconnect").hidden = state !== "disconnected";
    $("join").disabled = state !== "connected" || isPresentRoom();
    $("send").disabled = state !== "connected";
  }

  function isConnected() {
    return $("status").dataset.state === "connected";
  }

  // Once for the first connection and once after every reconnection.
  socket.on("connect", async () => {
    known = false;
    showStatus("connected", "Connected");
    if (!me.nickname) {
      return;
    }
    try {
      await enter(me.nickname, me.room);
    } catch (error) {
      if (isConnected()) {
        leave(error.message);
      }
    }
  });

  // "booted" is the server's word for "and stay away"; after anything else the client comes back.
  socket.on("disconnect", (reason) => {
    known = false;
    if (reason === "booted") {
      showStatus("disconnected", "Disconnected");
    } else {
      showStatus("connecting", "Reconnecting…");
    }
    // The acknowledgements of a lost session never come.
    for (const reject of unanswered) {
      reject(new Error("the connection was lost"));
    }
    unanswered.clear();
    forgetTyping();
  });

  socket.on("reconnecting", () => showStatus("connecting", "Reconnecting…"));
  socket.on("connect_failed", () => showStatus("disconnected", "No way to connect"));
  socket.on("error", () => {
    // The client does not repeat its first attempt by itself.
    if (!connection.connected && !connection.reconnecting) {
      showStatus("disconnected", "The server does not answer");
    }
  });

  $("reconnect").addEventListener("click", () => {
    if (connection.transport && me.nickname) {
      showStatus("connecting", "Reconnecting…");
      connection.reconnect();
    } else {
      location.reload();
    }
  });

  // A WebSocket ends with its page. A polling session would live on until the server misses its
  // polls, and keep the nickname all that time; a request of the client's own would be cancelled.
  window.addEventListener("pagehide", () => {
    if (connection.connected && connection.transport.name !== "websocket") {
      const { name, sessid } = connection.transport;
      navigator.sendBeacon(`/socket.io/${io.protocol}/${name}/${sessid}?disconnect`);
    }
  });

  // -- Coming in and changing rooms -------------------------------------------------------

  /** Make oneself known, if need be, and go to a room. */
  async function enter(nickname, room) {
    if (!known) {
      await ask("nickname", [nickname, me.token], (name, token) => {
        me.nickname = name;
        me.token = token;
        known = true;
      });
      await ask("rooms", [], (sizes) => {
        rooms.clear();
        Object.entries(sizes).forEach(([name, size]) => rooms.set(name, size));
      });
    }
    await ask("join", [room], (name, nicknames) => {
      const again = name === me.room;
      me.room = name;
      people.clear();
      nicknames.forEach((each) => people.add(each));
      forgetTyping();
      showChat();
      announce(again ? `You are back in #${name}.` : `You are in #${name}.`);
    });
  }

  function showChat() {
    document.body.dataset.view = "chat";
    $("refusal").textContent = "";
    $("room").value = me.room;
    $("join").textContent = "Switch";
    $("join").disabled = true;
    remember(me.nickname);
    showPeople();
    showRooms();
    showRecipient();
  }

  // For the next visit. Where storage is switched off, using it throws, and nothing is remembered.
  function remember(nickname) {
    try {
      localStorage.setItem("nickname", nickname);
    } catch {
      return;
    }
  }

  function remembered() {
    try {
      return localStorage.getItem("nickname") || "";
    } catch {
      return "";
    }
  }

  /** Go back to the way in, because the server did not let one in again. */
  function leave(reason) {
    document.body.dataset.view = "entry";
    delete document.body.dataset.side;
    Object.assign(me, { nickname: "", token: "", room: "" });
    known = false;
    recipient = "";
    $("join").textContent = "Join";
    $("join").disabled = !isConnected();
    $("refusal").textContent = reason;
    $("nickname").focus();
  }

  function isPresentRoom() {
    return me.room !== "" && $("room").value.trim().toLowerCase() === me.room;
  }

  $("entry").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!isConnected()) {
      return;
    }
    $("join").disabled = true;
    try {
      await enter(me.nickname || $("nickname").value, $("room").value.replace(/^\s*#/, ""));
      $("message").focus();
    } catch (error) {
      $("refusal").textContent = error.message;
      $("join").disabled = !isConnected();
    }
  });

  $("room").addEventListener("input", () => {
    $("refusal").textContent = "";
    $("join").disabled = !isConnected() || isPresentRoom();
  });

  // A field left with a half-typed room would name a room that one is not in.
  $("room").addEventListener("blur", (event) => {
    if (me.room && event.relatedTarget !== $("join")) {
      $("room").value = me.room;
      $("join").disabled = true;
      $("refusal").textContent = "";
    }
  });

  // -- Who is there -----------------------------------------------------------------------

  const people = new Set();
  const rooms = new Map();

  /** The same colour for the same nickname, on every page. */
  function hueOf(nickname) {
    let hash = 0x811c9dc5;
    for (const character of nickname.toLowerCase()) {
      hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
    }
    return (hash >>> 0) % 360;
  }

  function element(tag, className, text) {
    const made = document.createElement(tag);
    made.className = className;
    if (text !== undefined) {
      made.textContent = text;
    }
    return made;
  }

  function avatarOf(nickname) {
    const avatar = element("span", "avatar", Array.from(nickname)[0].toUpperCase());
    avatar.ariaHidden = "true";
    return avatar;
  }

  function showPeople() {
    const sorted = [...people].sort((a, b) => a.localeCompare(b));
    $("people").replaceChildren(
      ...sorted.map((nickname) => {
        const item = element("li", "");
        const mine = nickname === me.nickname;
        const entry = element(mine ? "span" : "button", "entry");
        item.dataset.nick = nickname;
        item.style.setProperty("--hue", hueOf(nickname));
        entry.append(avatarOf(nickname), element("span", "label", nickname));
        if (mine) {
          entry.append(element("small", "", "you"));
        } else {
          entry.type = "button";
          entry.title = `Write privately to ${nickname}`;
          entry.ariaPressed = String(nickname === recipient);
        }
        item.append(entry);
        return item;
      }),
    );
    $("people-count").textContent = people.size;
    $("people-count-short").textContent = people.size;
  }

  function showRooms() {
    const sorted = [...rooms].sort(([a], [b]) => a.localeCompare(b));
    $("rooms").replaceChildren(
      ...sorted.map(([name, size]) => {
        const item = element("li", "");
        const entry = element("button", "entry");
        item.dataset.room = name;
        entry.type = "button";
        entry.ariaCurrent = String(name === me.room);
        entry.append(element("span", "label", `# ${name}`), element("span", "count", size));
        item.append(entry);
        return item;
      }),
    );
    $("known-rooms").replaceChildren(
      ...sorted.map(([name]) => {
        const option = document.createElement("option");
        option.value = name;
        return option;
      }),
    );
  }

  $("people").addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item && item.dataset.nick !== me.nickname) {
      writeTo(item.dataset.nick);
    }
  });

  $("rooms").addEventListener("click", async (event) => {
    const item = event.target.closest("li");
    if (!item || item.dataset.room === me.room || !isConnected()) {
      return;
    }
    openSide(false);
    try {
      await enter(me.nickname, item.dataset.room);
      $("message").focus();
    } catch (error) {
      announce(error.message);
    }
  });

  function openSide(open) {
    document.body.dataset.side = open ? "open" : "closed";
    $("show-people").ariaExpanded = String(open);
  }

  $("show-people").addEventListener("click", () => {
    openSide(true);
    $("hide-people").focus();
  });
  $("hide-people").addEventListener("click", () => {
    openSide(false);
    $("show-people").focus();
  });
  $("backdrop").addEventListener("click", () => openSide(false));

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") {
      return;
    }
    if (document.body.dataset.side === "open") {
      openSide(false);
      $("show-people").focus();
    } else if (recipient) {
      writeTo("");
    }
  });

  socket.on("joined", (room, nickname) => {
    if (room === me.room) {
      people.add(nickname);
      showPeople();
      announce(`${nickname} joined.`);
    }
  });

  socket.on("left", (room, nickname) => {
    if (room === me.room) {
      people.delete(nickname);
      stopTyping(nickname);
      showPeople();
      announce(`${nickname} left.`);
    }
  });

  socket.on("room", (name, size) => {
    if (size) {
      rooms.set(name, size);
    } else {
      rooms.delete(name);
    }
    showRooms();
  });

  // -- The messages -----------------------------------------------------------------------

  // Whether the end of the log stays in view: until somebody scrolls up to read.
  let following = true;

  function scrollToEnd() {
    following = true;
    $("log").scrollTop = $("log").scrollHeight;
    $("newest").hidden = true;
  }

  $("newest").addEventListener("click", scrollToEnd);
  $("log").addEventListener("scroll", () => {
    const log = $("log");
    following = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    $("newest").hidden ||= following;
  });
  // The log shrinks when the keyboard of a phone opens, or the line about the recipient.
  new ResizeObserver(() => following && scrollToEnd()).observe($("log"));

  function append(message) {
    $("log").append(message);
    while ($("log").childElementCount > MAX_MESSAGES_SHOWN) {
      $("log").firstElementChild.remove();
    }
    if (following || "mine" in message.dataset) {
      scrollToEnd();
    } else if (message.dataset.kind !== "announcement") {
      $("newest").hidden = false;
    }
  }

  function announce(text) {
    const message = element("p", "message");
    message.dataset.kind = "announcement";
    message.append(element("span", "text", text));
    append(message);
  }

  /** Whether a message stands right under another one of the same person, to the same people. */
  function follows(message) {
    const last = $("log").lastElementChild;
    return (
      last !== null &&
      last.dataset.kind === message.dataset.kind &&
      last.dataset.nick === message.dataset.nick &&
      last.dataset.to === message.dataset.to &&
      message.dataset.time - last.dataset.time < SAME_PERSON_WITHIN
    );
  }

  /** Put a message into the log: kind "room", "own" or "private", to whom if it is one's own. */
  function show(kind, nickname, text, to) {
    const message = element("article", "message");
    const bubble = element("div", "bubble");
    const facts = element("div", "facts");
    const mine = nickname === me.nickname;
    const now = new Date();
    message.dataset.kind = kind;
    message.dataset.nick = nickname;
    message.dataset.time = now.getTime();
    message.style.setProperty("--hue", hueOf(to || nickname));

    const from = mine ? `You${to ? ` to ${to}` : ""}` : nickname;
    const who = element(mine ? "span" : "button", "who", from);
    if (mine) {
      message.dataset.mine = "";
    } else {
      who.type = "button";
      who.title = `Write privately to ${nickname}`;
      who.addEventListener("click", () => writeTo(nickname));
    }
    if (to) {
      message.dataset.to = to;
    }
    bubble.append(who);
    if (kind === "private") {
      bubble.append(" ", element("span", "scope", "privately"));
    }

    const body = element("div", "text", text);
    body.dir = "auto";
    const clock = now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const time = element("time", "", clock);
    time.dateTime = now.toISOString();
    facts.append(time);
    bubble.append(body, facts);
    message.append(avatarOf(nickname), bubble);
    if (follows(message)) {
      message.dataset.follows = "";
    }
    append(message);
    if (!mine && document.hidden) {
      unread += 1;
      document.title = `(${unread}) ${TITLE}`;
    }
    return message;
  }

  /** Show under one's own message what became of it, once the server has answered. */
  async function showReceipt(message, answer, success) {
    const receipt = element("span", "receipt", "sending…");
    message.querySelector(".facts").append(receipt);
    try {
      await answer;
      message.dataset.delivered = "true";
      receipt.textContent = success;
    } catch (error) {
      message.dataset.delivered = "false";
      message.dataset.failed = "";
      receipt.textContent = `not delivered: ${error.message}`;
    }
    if (following) {
      scrollToEnd();
    }
  }

  document.addEventListener("visibilitychange", () => {
    unread = 0;
    document.title = TITLE;
  });

  socket.on("said", (room, nickname, text) => {
    if (room === me.room) {
      stopTyping(nickname);
      show("room", nickname, text);
    }
  });

  socket.on("private", (nickname, text) => show("private", nickname, text));

  // -- Writing ----------------------------------------------------------------------------

  /** Write to one person, or with "" to the room again. */
  function writeTo(nickname) {
    recipient = nickname;
    sayTyping(false);
    openSide(false);
    showRecipient();
    showPeople();
    $("message").focus();
  }

  function showRecipient() {
    $("recipient").hidden = !recipient;
    $("recipient-name").textContent = recipient;
    $("message").placeholder = recipient ? `Message to ${recipient}` : `Message to #${me.room}`;
    $("composer").toggleAttribute("data-private", Boolean(recipient));
  }

  $("to-room").addEventListener("click", () => writeTo(""));

  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("message").value.trim();
    if (!text || !isConnected()) {
      return;
    }
    $("message").value = "";
    sayTyping(false);
    if (recipient) {
      const message = show("private", me.nickname, text, recipient);
      showReceipt(message, ask("private", [recipient, text]), "✓ delivered");
    } else {
      showReceipt(show("own", me.nickname, text), ask("say", [text]), "✓");
    }
  });

  $("message").addEventListener("keydown", (event) => {
    // Enter also ends the composition of a character; that one is not for sending.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      $("composer").requestSubmit();
    }
  });

  // -- Who is typing ----------------------------------------------------------------------

  const typists = new Map();
  let saidTypingAt = 0;

  function sayTyping(active) {
    const due = active ? Date.now() - saidTypingAt > TYPING_REPEAT : saidTypingAt > 0;
    if (due && known && isConnected()) {
      saidTypingAt = active ? Date.now() : 0;
      socket.emit("typing", active);
    }
  }

  $("message").addEventListener("input", () => {
    if (!recipient) {
      sayTyping($("message").value.trim() !== "");
    }
  });

  function showTypists() {
    const names = [...typists.keys()];
    let text = "";
    if (names.length === 1) {
      text = `${names[0]} is typing…`;
    } else if (names.length === 2) {
      text = `${names.join(" and ")} are typing…`;
    } else if (names.length > 2) {
      text = "Several people are typing…";
    }
    $("typing").textContent = text;
  }

  function stopTyping(nickname) {
    clearTimeout(typists.get(nickname));
    typists.delete(nickname);
    showTypists();
  }

  function forgetTyping() {
    saidTypingAt = 0;
    [...typists.keys()].forEach(stopTyping);
  }

  socket.on("typing", (room, nickname, active) => {
    stopTyping(nickname);
    if (active && room === me.room) {
      typists.set(nickname, setTimeout(() => stopTyping(nickname), TYPING_SHOWN));
      showTypists();
    }
  });

  $("nickname").value = remembered();
  $("join").disabled = true;
  $("nickname").focus();
})();
