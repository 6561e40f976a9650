/*
 * The packets as they are on the wire, in both directions. The 0.9 client makes each of its packets
 * with io.parser.encodePacket() and reads each of the server's with io.parser.decodePacket(),
 * whatever the transport: what goes through there is shown, and left as it is.
 */
const wire = (() => {
  "use strict";

  const MOST_LINES = 300;
  const MOST_CHARACTERS = 160;
  const WAYS = { out: "→", in: "←", note: "·" };
  const HEARTBEATS = ["heartbeat", "noop"];

  const list = document.getElementById("log");
  const filter = document.getElementById("filter");
  const quiet = document.getElementById("quiet");

  function element(tag, className, text) {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
  }

  function shorten(text) {
    if (text.length <= MOST_CHARACTERS) {
      return text;
    }
    return `${text.slice(0, MOST_CHARACTERS)}… (${text.length} characters)`;
  }

  function isWanted(line) {
    if (quiet.checked && HEARTBEATS.includes(line.dataset.type)) {
      return false;
    }
    return line.textContent.toLowerCase().includes(filter.value.toLowerCase());
  }

  /** Put a line at the end of the log. The style sheet keeps the end in view. */
  function add(way, text, type) {
    const line = document.createElement("li");
    const clock = { timeStyle: "medium", hourCycle: "h23" };
    line.dataset.way = way;
    line.dataset.type = type;
    const body = element(way === "note" ? "span" : "code", "body", shorten(text));
    line.append(
      element("time", "", new Date().toLocaleTimeString([], clock)),
      element("span", "way", WAYS[way]),
      body,
    );
    if (way !== "note") {
      body.after(element("span", "visually-hidden", type));
      line.title = type;
    }
    line.hidden = !isWanted(line);
    list.append(line);
    while (list.childElementCount > MOST_LINES) {
      list.firstElementChild.remove();
    }
  }

  const addPacket = (way, text) => add(way, text, io.parser.packets[text[0]] || "unknown");
  const note = (text) => add("note", text, "note");

  function showAgain() {
    for (const line of list.children) {
      line.hidden = !isWanted(line);
    }
  }

  const { encodePacket, decodePacket, encodePayload, decodePayload } = io.parser;

  io.parser.encodePacket = (packet) => {
    const text = encodePacket(packet);
    addPacket("out", text);
    return text;
  };

  io.parser.decodePacket = (text) => {
    addPacket("in", text);
    return decodePacket(text);
  };

  // Polling transports send what has gathered in one body, each packet behind its length.
  io.parser.encodePayload = (packets) => {
    const body = encodePayload(packets);
    if (packets.length > 1) {
      note(`the ${packets.length} above in one body: ${body}`);
    }
    return body;
  };

  io.parser.decodePayload = (body) => {
    if (body.startsWith("\ufffd")) {
      note(`the next in one body: ${body}`);
    }
    return decodePayload(body);
  };

  const handshake = io.Socket.prototype.handshake;

  io.Socket.prototype.handshake = function (proceed) {
    handshake.call(this, (...fields) => {
      note(`handshake: ${fields.join(":")}`);
      proceed(...fields);
    });
  };

  filter.addEventListener("input", showAgain);
  quiet.addEventListener("change", showAgain);
  document.getElementById("clear").addEventListener("click", () => list.replaceChildren());

  return { note };
})();
