'use strict';

// What Internet Explorer had and Chromium has not, so that the client's own htmlfile transport
// runs here: `new ActiveXObject('htmlfile')` is a document apart, in which the client puts the
// endless iframe. Here it is the document of a hidden frame of the page; all the rest - the stream,
// its parser, the scripts in it and their way to `parent.s` - is the browser's.

(function (window) {
  window.ActiveXObject = function (kind) {
    if (kind !== 'htmlfile') throw new Error(`no ActiveX object ${kind}`);
    const frame = window.document.createElement('iframe');
    frame.style.display = 'none';
    window.document.body.appendChild(frame);
    frame.contentDocument.parentWindow = frame.contentWindow;
    return frame.contentDocument; // of a constructor, an object that is returned is the new one
  };
  window.CollectGarbage = () => undefined;
}(window));
