import { DevError } from './dev-error.js';
import { readDevSettings } from './dev-settings.js';
import { superviseDevStack } from './supervisor.js';

// The terminal may be gone before we are: that must not end us in the middle of stopping.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

try {
  const settings = readDevSettings(process.argv.slice(2), process.env);
  // The operator's: no child inherits it, PostgreSQL neither.
  delete process.env['VAULT_TOKEN'];
  process.exit(await superviseDevStack(settings, (line) => console.log(line)));
} catch (error) {
  console.error(error instanceof DevError ? error.message : error);
  process.exit(1);
}
