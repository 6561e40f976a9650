'use strict';

// Runs scripts as a page would and tells what each of them did. One JSON object on standard input,
// one on standard output:
//
//   in    {"index": "7", "scripts": ["io.j[7](\"1::\");", ...]}         a page with that callback
//         {"head": "var _ = ...", "scripts": ["_(\"1::\");", ...]}      a page of htmlfile
//   out   [{"calls": [["1::"]], "effects": []}, ...]                    one for each script
//
// All of them run in one context, which has nothing but the callback that records. An effect is
// anything else: an error, a name that was not there, another callback, a property of a prototype.

const fs = require('fs');
const vm = require('vm');

const request = JSON.parse(fs.readFileSync(0, 'utf8'));

let calls = [];
let effects = [];

const isError = (value) => Object.prototype.toString.call(value) === '[object Error]';
const record = (...args) => {
  calls.push(args.map((value) => (isError(value) ? { error: value.message } : value)));
};

const page = { alert: (what) => effects.push(`alert(${what})`) };
if (request.head === undefined) {
  page.io = { j: { [request.index]: record } };
} else {
  page.document = { name: 'document' };
  page.parent = {
    s: {
      _: (message, document, ...more) => {
        if (document !== page.document) effects.push('not the document of the page');
        record(message, ...more);
      },
    },
  };
}
const context = vm.createContext(page);
if (request.head !== undefined) vm.runInContext(request.head, context);

const survey = new vm.Script(`JSON.stringify([
  globalThis, Object.prototype, Array.prototype, String.prototype, Function.prototype,
  ...(this.io ? [io, io.j] : [parent, parent.s, document]),
].map((object) => Object.getOwnPropertyNames(object)))`);
const before = survey.runInContext(context);

const outcome = request.scripts.map((script) => {
  calls = [];
  effects = [];
  try {
    vm.runInContext(script, context);
  } catch (error) {
    effects.push(`throws ${error}`);
  }
  if (survey.runInContext(context) !== before) effects.push('names changed');
  return { calls, effects };
});

process.stdout.write(JSON.stringify(outcome));
