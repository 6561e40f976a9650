/* The views: each shows one model, and hands what a person does to the function it was given.
   What people wrote becomes text, never HTML: jQuery's text(). */

export const StatusView = Backbone.View.extend({
  el: "body",

  initialize() {
    this.listenTo(this.model, "change", this.render);
    this.render();
  },

  render() {
    const { state, transport, redis } = this.model.attributes;
    this.$("#status").attr("data-state", state).text(transport ? `${state} · ${transport}` : state);
    this.$("#away").prop("hidden", redis || state !== "connected");
  },
});

export const RefusalView = Backbone.View.extend({
  el: "#refusal",

  initialize() {
    this.listenTo(this.model, "change:refusal", () => this.$el.text(this.model.get("refusal")));
  },
});

/** A form of one field. Its text goes to `hand`; when that is refused, it stays for another try. */
const FormView = Backbone.View.extend({
  events: { submit: "submit" },

  async submit(event) {
    event.preventDefault();
    if (this.busy) {
      return; // the server has not answered yet
    }
    this.busy = true;
    const field = this.$("input");
    const text = field.val();
    try {
      this.model.set({ refusal: "" });
      await this.hand(text);
      if (field.val() === text) {
        field.val(""); // otherwise somebody has gone on typing
      }
      field.trigger("focus");
    } catch (error) {
      this.model.set({ refusal: error.message });
    } finally {
      this.busy = false;
    }
  },
});

/** The way in: there until one has a nickname. */
export const EntryView = FormView.extend({
  el: "#entry",

  initialize({ enter }) {
    this.hand = enter;
    this.listenTo(this.model, "change:nickname", this.render);
  },

  render() {
    this.$el.prop("hidden", this.model.get("nickname") !== "");
  },
});

/** Where one writes: there as soon as one has a nickname. */
export const ComposerView = FormView.extend({
  el: "#composer",

  initialize({ say }) {
    this.hand = say;
    this.listenTo(this.model, "change:nickname change:here", this.render);
  },

  render() {
    const { nickname, here } = this.model.attributes;
    const appears = this.$el.prop("hidden") && nickname !== "";
    this.$el.prop("hidden", nickname === "");
    this.$("#writer").text(nickname);
    this.$("#say").prop("disabled", !here);
    if (appears) {
      this.$("#text").trigger("focus");
    }
  },
});

const MessageView = Backbone.View.extend({
  tagName: "li",

  initialize({ mine }) {
    this.$el.toggleClass("mine", mine);
  },

  render() {
    const { nickname, text, time } = this.model.attributes;
    const said = new Date(time * 1000);
    this.$el.append(
      $("<b>").text(nickname),
      $("<time>").attr("datetime", said.toISOString()).text(shortly(said)),
      $("<span dir=auto>").text(text),
    );
    return this;
  },
});

/** The time of day; before today the day as well. */
function shortly(moment) {
  const today = moment.toDateString() === new Date().toDateString();
  const day = today ? {} : { month: "short", day: "numeric" };
  return moment.toLocaleString([], { ...day, hour: "2-digit", minute: "2-digit" });
}

/** The messages, each at its place in the order of the collection. */
export const MessagesView = Backbone.View.extend({
  el: "#messages",

  initialize({ me }) {
    this.me = me;
    this.views = new Map();
    this.listenTo(this.collection, "add", this.insert);
    this.listenTo(this.collection, "remove", this.drop);
    this.listenTo(this.collection, "update", () => {
      $("#silence").prop("hidden", this.collection.length > 0);
    });
  },

  insert(message) {
    const list = this.el;
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const mine = message.get("nickname") === this.me.get("nickname");
    const view = new MessageView({ model: message, mine }).render();
    const next = list.children[this.collection.indexOf(message)];
    this.views.set(message.cid, view);
    list.insertBefore(view.el, next || null);
    if (atEnd) {
      list.scrollTop = list.scrollHeight;
    } else if (next) {
      list.scrollTop += next.offsetTop - view.el.offsetTop; // what is read stays where it is
    }
  },

  drop(message) {
    this.views.get(message.cid).remove();
    this.views.delete(message.cid);
  },
});

export const PeopleView = Backbone.View.extend({
  el: "#people",

  initialize({ me }) {
    this.me = me;
    this.listenTo(this.collection, "update", this.render);
    this.listenTo(me, "change:nickname", this.render);
  },

  render() {
    $("#count").text(this.collection.length);
    this.$el.empty().append(
      this.collection.map((person) => {
        const own = person.id === this.me.get("nickname");
        return $("<li>").text(person.id).append(own ? $("<small>").text("you") : "");
      }),
    );
  },
});
