// node check-service.mjs FILE: reads a service's description and asks the service whether it is as described.
import { readFile } from 'node:fs/promises';
import { get } from 'node:https';

const { name, url } = JSON.parse(await readFile(process.argv[2], 'utf8'));
get(url, (response) => {
  response.resume();
  response.on('end', () => console.log(`${name}: ${response.statusCode}`));
});
