import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';

const [, url] = process.argv;
// The certificate is for the public name, and here it is asked by the Service's.
const options = { timeout: 10_000, rejectUnauthorized: false };
const request = (url.startsWith('https:') ? https : http).get(url, options);
request.on('timeout', () => request.destroy(new Error('no answer within 10 s')));
const [response] = await once(request, 'response');
const answer = (await response.toArray()).join('');
process.stdout.write(`${url}: ${response.statusCode} ${answer}\n`);
process.exitCode = response.statusCode === 200 && !answer.includes('degraded') ? 0 : 1;
