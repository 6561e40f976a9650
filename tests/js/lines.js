'use strict';

// The line protocol between the tests and the two programs here: one JSON object a line.
//
//   in    {"id": 1, "scenario": "...", ...}   begin
//         {"id": 1, "close": true}            let go of what the scenario left open
//   out   {"id": 1, "report": "..."}          how far it has come, any number of times
//         {"id": 1, "result": ...}            or {"id": 1, "error": "..."}
//         {"id": 1, "closed": true}
//
// A scenario's connection stays open after its result, until the test has looked at the server
// and closes it: so what the server saw was the client's doing and not the end of the process.
// The end of the input ends the program.

const readline = require('readline');

exports.serve = ({ begin, close, end }) => {
  const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

  const answer = async ({ id, ...request }) => {
    try {
      if (request.close) {
        await close(id);
        say({ id, closed: true });
      } else {
        const report = (name) => say({ id, report: name });
        say({ id, result: await begin(id, request, report) });
      }
    } catch (error) {
      say({ id, error: String((error && error.stack) || error) });
    }
  };

  readline.createInterface({ input: process.stdin })
    .on('line', (line) => answer(JSON.parse(line)))
    .on('close', async () => {
      await end();
      process.exit(0);
    });
};
