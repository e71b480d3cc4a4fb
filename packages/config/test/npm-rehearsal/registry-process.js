import verdaccio from 'verdaccio';

const [storage, upstream] = process.argv.slice(2);

const server = await verdaccio.runServer({
  storage,
  configPath: storage,
  self_path: storage,
  uplinks: { upstream: { url: upstream } },
  packages: {
    '@authsec/*': { access: '$all', publish: '$all' },
    '**': { access: '$all', proxy: 'upstream' },
  },
  web: { enable: false },
  log: { type: 'stdout', format: 'json', level: 'error' },
});
server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${server.address().port}/`));
process.once('disconnect', () => process.exit());
