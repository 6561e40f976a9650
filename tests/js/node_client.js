'use strict';

// Runs one scenario with the 0.9 client for node. A process serves one scenario only: the client
// keeps its list of transports in a global.

const io = require('socket.io-client');
const { serve } = require('./lines');
const scenarios = require('./scenarios');

serve({
  begin: (id, request, report) => scenarios.run(io, request, report),
  close: () => undefined,
  end: () => undefined,
});
