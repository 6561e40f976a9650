"use strict";

// What people wrote is put into the page as text, never as HTML.
(() => {
  const $ = (id) => document.getElementById(id);
  const MOST_LINES = 500;
  let unanswered = "";

  function showStatus(state, text) {
    $("status").dataset.state = state;
    $("status").textContent = text;
    $("say").querySelector("button").disabled = state !== "connected";
  }

  function show(className, ...parts) {
    const [log, messages] = [$("log"), $("messages")];
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 32;
    const line = document.createElement("li");
    line.className = className;
    line.append(...parts);
    messages.append(line);
    if (messages.childElementCount > MOST_LINES) {
      messages.firstElementChild.remove();
    }
    if (atEnd) {
      log.scrollTop = log.scrollHeight; // else somebody is reading further up
    }
  }

  // What was not taken, or may not have been heard, is there to be sent again.
  function takeBack() {
    $("text").value ||= unanswered;
    unanswered = "";
  }

  function said({ author, text, written }) {
    const name = document.createElement("b");
    const time = document.createElement("time");
    name.textContent = author;
    time.dateTime = written;
    time.textContent = new Date(written).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    show(author === $("me").textContent ? "mine" : "", name, ` ${text} `, time);
  }

  if (!window.io) {
    showStatus("disconnected", "The client is missing: see the README.");
    return;
  }

  // ?transport=xhr-polling tries that one alone: the list itself has to change.
  const only = new URLSearchParams(location.search).get("transport");
  if (io.transports.includes(only)) {
    io.transports.splice(0, io.transports.length, only);
  }

  const chat = io.connect("/chat", {
    // The server is gone for a second with each change of its code: do not give up.
    "max reconnection attempts": Infinity,
    "reconnection limit": 4000,
  });

  chat.on("connect", () => {
    showStatus("connected", `Connected · ${chat.socket.transport.name}`);
  });
  chat.on("disconnect", () => {
    showStatus("connecting", "Reconnecting…");
    takeBack();
  });
  // Also what a handler of the server failed with, while all else goes on.
  chat.on("error", () => {
    if (chat.socket.connected) {
      show("note bad", "The server could not do that.");
      takeBack();
    } else if (!chat.socket.reconnecting) {
      showStatus("disconnected", "The server does not answer");
    }
  });
  chat.on("connect_failed", (reason) => {
    if (reason === "unauthorized") {
      location.reload(); // logged out in another window: back to the login
    } else {
      showStatus("disconnected", "No way to connect");
    }
  });

  chat.on("history", (messages) => {
    $("messages").replaceChildren();
    messages.forEach(said);
  });
  chat.on("said", said);
  chat.on("joined", (name) => show("note", `${name} is here.`));
  chat.on("left", (name) => show("note", `${name} is gone.`));

  $("say").addEventListener("submit", (event) => {
    event.preventDefault();
    if ($("status").dataset.state !== "connected") {
      return;
    }
    unanswered = $("text").value;
    $("text").value = "";
    chat.emit("say", unanswered, (taken) => {
      if (taken) {
        unanswered = "";
      } else {
        show("note bad", "That was not taken.");
        takeBack();
      }
    });
  });
})();
