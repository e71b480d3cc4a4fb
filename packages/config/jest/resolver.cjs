const { existsSync } = require('node:fs');
const { resolve } = require('node:path');

/** TypeScript sources import each other as `.js`: find the `.ts` beside it. */
module.exports = (request, options) => {
  if (/^\.{1,2}\/.*\.js$/.test(request) && !options.basedir.includes('node_modules')) {
    const source = resolve(options.basedir, request.replace(/\.js$/, '.ts'));
    if (existsSync(source)) return source;
  }
  return options.defaultResolver(request, options);
};
