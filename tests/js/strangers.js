'use strict';

// What a page can try on a Socket.IO server without the 0.9 client: what a stranger's page would.
// Scenarios as in scenarios.js, but for browsers only.
//
//   request  also sessid, the session to meddle with, and probes, the names of what to try

(function (window) {
  const { document, scenarios } = window;

  // ---- aids ----------------------------------------------------------------------------------

  const settled = (element) => new Promise((resolve) => {
    element.onload = () => resolve('load');
    element.onerror = () => resolve('error');
  });

  const added = (tag, properties) => {
    const element = Object.assign(document.createElement(tag), properties);
    document.body.appendChild(element);
    return element;
  };

  const image = (properties) => settled(Object.assign(new window.Image(), properties));

  // A script, and what it said to the callback whose number `url` puts into its address.
  const script = async (url, properties) => {
    const said = [];
    const index = window.io.j.push((text) => said.push(String(text))) - 1;
    const outcome = await settled(added('script', { ...properties, src: url(index) }));
    return [outcome, ...said];
  };

  const request = (method, url, { body = null, credentials = false, headers = {} } = {}) =>
    new Promise((resolve) => {
      const xhr = new window.XMLHttpRequest();
      xhr.open(method, url);
      xhr.withCredentials = credentials;
      for (const name of Object.keys(headers)) xhr.setRequestHeader(name, headers[name]);
      xhr.onloadend = () => resolve([xhr.status, xhr.responseText]);
      xhr.send(body);
    });

  // Sent without asking, and no answer to read: what any page may do.
  const blind = (method, url, body) => window.fetch(url, {
    method, body, mode: 'no-cors', credentials: 'include',
  }).then((response) => response.type, () => 'failed');

  // ---- what there is to try ------------------------------------------------------------------

  const event = '5:::{"name":"say","args":["forged"]}';
  const quiet = { referrerPolicy: 'no-referrer' };

  const probes = {
    image: (url) => image({ src: url('', 'disconnect=1') }),
    quietImage: (url) => image({ ...quiet, src: url('', 'disconnect=1') }),
    imageOfTransport: (url) => image({ src: url('xhr-polling', 'disconnect') }),
    disconnect: (url) => request('GET', url('', 'disconnect=1')),
    blindDisconnect: (url) => blind('POST', url('', 'disconnect=1')),
    beacon: (url) => window.navigator.sendBeacon(url('', 'disconnect=1')),

    script: (url) => script((index) => url('jsonp-polling', `i=${index}`)),
    quietScript: (url) => script((index) => url('jsonp-polling', `i=${index}`), quiet),
    handshakeScript: (url, { base, token }) => script(
      (index) => `${base}/?token=${token}&jsonp=${index}`),
    quietHandshakeScript: (url, { base, token }) => script(
      (index) => `${base}/?token=${token}&jsonp=${index}`, quiet),
    form: (url) => {
      added('iframe', { name: 'answer' });
      const form = added('form', { method: 'POST', target: 'answer', action: url('jsonp-polling') });
      form.appendChild(Object.assign(document.createElement('input'),
        { name: 'd', value: JSON.stringify(event) }));
      const answered = settled(document.getElementsByName('answer')[0]);
      form.submit();
      return answered;
    },

    poll: (url) => request('GET', url('xhr-polling')),
    pollWithCookies: (url) => request('GET', url('xhr-polling'), { credentials: true }),
    pollOfAnotherKind: (url) => request('GET', url('jsonp-polling')),
    stream: (url) => request('GET', url('htmlfile')),
    parts: (url) => request('GET', url('xhr-multipart')),
    post: (url) => request('POST', url('xhr-polling'), { body: event }),
    preflight: (url) => request('POST', url('xhr-polling'), { body: event, headers: { 'X-Own': '1' } }),
    blindPost: (url) => blind('POST', url('xhr-polling'), event),
    blindPoll: (url) => blind('GET', url('xhr-polling')),
    handshake: (url, { base, token }) => request('GET', `${base}/?token=${token}`,
      { credentials: true }),

    websocket: (url) => new Promise((resolve) => {
      const socket = new window.WebSocket(url('websocket').replace(/^http/, 'ws'));
      socket.onopen = () => resolve('open');
      socket.onerror = () => resolve('error');
    }),

    // A frame that was let in does not load: its page has no end. Its scripts may not run, for they
    // could not reach this page and would throw.
    frame: (url) => {
      const frame = document.createElement('iframe');
      frame.sandbox = '';
      frame.src = url('htmlfile');
      const outcome = settled(frame);
      document.body.appendChild(frame);
      return outcome;
    },
  };

  // What each of the probes comes to, for the page that tries it, one after another.
  scenarios.all.probe = async (io, given) => {
    const base = `${given.url}/socket.io/1`;
    const url = (transport, query) =>
      `${base}/${transport}/${given.sessid}/?${query ? `${query}&` : ''}token=${given.token}`;
    const learned = {};
    for (const name of given.probes || Object.keys(probes)) {
      learned[name] = await probes[name](url, { ...given, base });
    }
    return learned;
  };

  // Puts up the endless frame; the server tells what came of it.
  scenarios.all.frame = async (io, given) => {
    const frame = document.createElement('iframe');
    frame.sandbox = '';
    frame.src = `${given.url}/socket.io/1/htmlfile/${given.sessid}?token=${given.token}`;
    document.body.appendChild(frame);
    return frame.src;
  };

  // xhr-multipart, which the client never had: a handshake, the stream, an event with its ack.
  scenarios.all.multipart = async (io, given) => {
    const url = (path) => `${given.url}/socket.io/1/${path}?token=${given.token}`;
    const greeting = await window.fetch(url(''), { credentials: 'include' });
    const sessid = (await greeting.text()).split(':')[0];
    const stream = await window.fetch(url(`xhr-multipart/${sessid}`));
    const reader = stream.body.pipeThrough(new window.TextDecoderStream()).getReader();
    let text = '';
    const upTo = async (packet) => {
      while (!text.includes(packet)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`the stream ended after ${text}`);
        text += value;
      }
    };
    await upTo('1::\r\n');
    const answer = await window.fetch(url(`xhr-multipart/${sessid}`),
      { method: 'POST', body: '5:1+::{"name":"add","args":[20,22]}' });
    const answered = await answer.text();
    await upTo('6:::1+[42]\r\n');
    return { sessid, answered, type: stream.headers.get('Content-Type') };
  };
}(window));
