'use strict';

// node say.js WORDS: says them to everybody, and prints what everybody says until Ctrl-C.
const io = require('socket.io-client');

const live = io.connect(`${process.env.SERVER || 'http://127.0.0.1:8080'}/live`);

live.on('said', (text) => console.log(text));
live.once('connect', () => live.emit('say', process.argv.slice(2).join(' ')));
