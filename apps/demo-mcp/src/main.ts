#!/usr/bin/env node
// What is served over stdio needs nothing of what is served over HTTP.
await import(process.argv.includes('--stdio') ? './serve-stdio.js' : './serve-http.js');
