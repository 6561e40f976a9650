"use strict";

// What people wrote is put into the page as text, never as HTML.
(() => {
  const $ = (id) => document.getElementById(id);

  function show(...parts) {
    const line = document.createElement("li");
    line.append(...parts);
    $("messages").append(line);
    line.scrollIntoView();
  }

  function said({ author, text, written }) {
    const name = document.createElement("b");
    const time = document.createElement("time");
    name.textContent = author;
    time.dateTime = written;
    time.textContent = new Date(written).toLocaleTimeString();
    show(name, ` ${text} `, time);
  }

  if (!window.io) {
    $("status").textContent = "The client is missing: see the README.";
    return;
  }

  // The server is gone for a second with each change of its code: do not give up.
  const chat = io.connect("/chat", { "max reconnection attempts": Infinity });

  chat.on("connect", () => { $("status").textContent = "Connected"; });
  chat.on("disconnect", () => { $("status").textContent = "Reconnecting…"; });
  chat.on("connect_failed", (reason) => { $("status").textContent = `Refused: ${reason}`; });

  chat.on("history", (messages) => {
    $("messages").replaceChildren();
    messages.forEach(said);
  });
  chat.on("said", said);
  chat.on("joined", (name) => show(`${name} is here.`));
  chat.on("left", (name) => show(`${name} is gone.`));

  $("say").addEventListener("submit", (event) => {
    event.preventDefault();
    chat.emit("say", $("text").value, (taken) => {
      if (taken) {
        $("text").value = "";
      }
    });
  });
})();
