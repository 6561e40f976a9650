/* What the events of the server do to the models; the views follow the models. */

import { Connection, Me, Messages, People } from "/room/models.js";
import { ComposerView, EntryView, MessagesView, PeopleView, RefusalView, StatusView } from "/room/views.js";

const connection = new Connection();
const me = new Me();
const messages = new Messages();
const people = new People();

new StatusView({ model: connection });
new RefusalView({ model: me });
new EntryView({ model: me, enter: (nickname) => me.join(connection, nickname) });
new ComposerView({ model: me, say: (text) => connection.ask("say", text) });
new MessagesView({ collection: messages, me });
new PeopleView({ collection: people, me });

const socket = connection.open("/chat");

// Also after each reconnect. The server says at once whether it reaches Redis, and again
// whenever that changes.
socket.on("redis", (up) => {
  connection.set({ redis: up });
  if (up) {
    me.set({ refusal: "" });
    me.comeBack(connection);
  }
});

socket.on("disconnect", () => me.set({ here: false }));

socket.on("said", (message) => messages.hear(message));

socket.on("people", (nicknames) => people.set(nicknames.map((nickname) => ({ nickname }))));
