/* What the events of the server do to the models; the views follow the models. */

import { Connection, Me, Messages, People } from "/room/models.js";
import { ComposerView, EntryView, MessagesView, PeopleView, RefusalView, StatusView } from "/room/views.js";

const connection = new Connection();
const me = new Me();
const people = new People();
// Ids are given in the order in which things were said.
const messages = new Messages([], { comparator: "id" });

new StatusView({ model: connection });
new RefusalView({ model: me });
new EntryView({ model: me, enter: (nickname) => me.join(connection, nickname) });
new ComposerView({ model: me, say: (text) => connection.ask("say", text) });
new MessagesView({ collection: messages, me });
new PeopleView({ collection: people, me });

const socket = connection.open("/chat");

// Also after each reconnect. The server says at once whether it reaches Redis, and again
// whenever that changes. Either way something may have been missed.
socket.on("redis", (up) => {
  connection.set({ redis: up });
  showLatest();
  if (up) {
    me.set({ refusal: "" });
    me.comeBack(connection);
  }
});

socket.on("disconnect", () => me.set({ here: false }));

// A message may come twice, live and with the latest: the collection knows it by its id.
socket.on("said", (message) => messages.hear(message));

socket.on("people", (nicknames) => people.set(nicknames.map((nickname) => ({ nickname }))));

// -- What was said before ---------------------------------------------------------------------

const earlier = $("#earlier").on("click", () => show(messages.first().id, (older) => messages.add(older)));
messages.on("remove", () => earlier.prop("hidden", false));

/** Show the latest messages, and of those that were here before only the ones that follow them:
    between the others there may be some that this page has missed. */
function showLatest() {
  show(null, (latest) => {
    const end = latest.length ? latest[latest.length - 1].id : 0;
    messages.set([...latest, ...messages.filter((message) => message.id > end)]);
  });
}

async function show(before, put) {
  try {
    const [found, more] = await connection.ask("earlier", before);
    put(found);
    earlier.prop("hidden", !more);
  } catch (error) {
    me.set({ refusal: error.message });
  }
}
